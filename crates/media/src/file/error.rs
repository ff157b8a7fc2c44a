//! Why a prompt file cannot be played, in sentences an API's user can act on.

use super::{CHANNELS_MAX, Container, RATE_HZ_MAX, RATE_HZ_MIN};
use std::time::Duration;

/// What is wrong with a prompt file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is something else than a supported audio file.
    #[error("the file is {what}, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus")]
    NotSupported {
        /// What it is, with an article.
        what: &'static str,
    },
    /// It ends before its header says.
    #[error("the {container} file is truncated")]
    Truncated {
        /// Its outer format.
        container: Container,
    },
    /// Its bytes make no sense.
    #[error("the {container} file is damaged: {detail}")]
    Damaged {
        /// Its outer format.
        container: Container,
        /// What the decoder stumbled over.
        detail: &'static str,
    },
    /// Its outer format is fine, but what it holds is not.
    #[error("the {container} file holds a codec that is not supported")]
    Codec {
        /// Its outer format.
        container: Container,
    },
    /// It plays too slow or too fast.
    #[error("the {container} file has a rate of {rate_hz} Hz, not {RATE_HZ_MIN} to {RATE_HZ_MAX} Hz")]
    Rate {
        /// Its outer format.
        container: Container,
        /// Its rate.
        rate_hz: u32,
    },
    /// It has more channels than two, or none.
    #[error("the {container} file has {channels} channels, not 1 to {CHANNELS_MAX}")]
    Channels {
        /// Its outer format.
        container: Container,
        /// How many.
        channels: u16,
    },
    /// It holds no sound at all.
    #[error("the {container} file holds no sound")]
    NoSound {
        /// Its outer format.
        container: Container,
    },
    /// It plays for longer than allowed.
    #[error("the file plays for longer than {} seconds", max_duration.as_secs())]
    TooLong {
        /// What is allowed.
        max_duration: Duration,
    },
}
