//! Prompt files: from the bytes somebody gave us to a mono recording, or to a sentence that says what is wrong.
//!
//! Names and content types are never believed; [`sniff`] looks at the bytes. Everything is decoded in memory with bounds
//! on what may come out, because a small file can hold hours of sound.

mod description;
mod error;
mod ogg_opus;
mod sniff;
mod symphonia;
mod wav;

pub use description::{Container, Description, FileCodec};
pub use error::FileError;

use crate::music::Recording;
use sniff::Kind;
use std::time::Duration;

/// The lowest rate that is accepted, in hertz: a telephone's.
const RATE_HZ_MIN: u32 = 8_000;

/// The highest rate that is accepted, in hertz: the highest that studios use.
const RATE_HZ_MAX: u32 = 192_000;

/// The most channels that are accepted. The common layouts of more are films, and a plain mean of them loses the voice.
const CHANNELS_MAX: u16 = 2;

/// How much a file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest recording that is decoded.
    pub max_duration: Duration,
}

/// A decoded prompt file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedFile {
    /// What the file is.
    pub description: Description,
    /// What it sounds like: its channels mixed to one, at its own rate.
    pub recording: Recording,
}

/// Decodes a prompt file: WAV (PCM, float, A-law, µ-law), MP3, FLAC, Ogg Vorbis or Ogg Opus, mono or stereo.
///
/// # Errors
///
/// [`FileError`] says in a sentence what the bytes are instead.
pub fn decode_file(bytes: &[u8], limits: Limits) -> Result<DecodedFile, FileError> {
    match sniff::sniff(bytes) {
        Kind::Audio(Container::OggOpus) => ogg_opus::decode(bytes, limits),
        Kind::Audio(Container::Wav) => symphonia::decode(&wav::with_lengths(bytes), Container::Wav, limits),
        Kind::Audio(container) => symphonia::decode(bytes, container, limits),
        Kind::Other(what) => Err(FileError::NotSupported { what }),
    }
}

/// Collects decoded sound, mixes it to mono, and refuses what goes beyond the limits.
struct Collector {
    rate_hz: u32,
    channels: u16,
    samples_max: usize,
    max_duration: Duration,
    samples: Vec<i16>,
}

impl Collector {
    fn new(container: Container, rate_hz: u32, channels: u16, limits: Limits) -> Result<Collector, FileError> {
        if !(RATE_HZ_MIN..=RATE_HZ_MAX).contains(&rate_hz) {
            return Err(FileError::Rate { container, rate_hz });
        }
        if !(1..=CHANNELS_MAX).contains(&channels) {
            return Err(FileError::Channels { container, channels });
        }
        let max_duration = limits.max_duration;
        let samples_max = (max_duration.as_micros() * u128::from(rate_hz) / 1_000_000) as usize;
        Ok(Collector { rate_hz, channels, samples_max, max_duration, samples: Vec::new() })
    }

    /// Adds interleaved sound.
    fn push(&mut self, interleaved: &[f32]) -> Result<(), FileError> {
        let channels = usize::from(self.channels);
        if self.samples.len() + interleaved.len() / channels > self.samples_max {
            return Err(FileError::TooLong { max_duration: self.max_duration });
        }
        // The mean, not the sum: it cannot clip, and a voice in the middle keeps its level.
        let scale = 32_768.0 / channels as f32;
        let mono = interleaved.chunks_exact(channels).map(|frame| {
            let sample = frame.iter().sum::<f32>() * scale;
            sample.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
        });
        self.samples.extend(mono);
        Ok(())
    }

    fn finish(self, description: Description) -> Result<DecodedFile, FileError> {
        if self.samples.is_empty() {
            return Err(FileError::NoSound { container: description.container });
        }
        let recording = Recording { rate_hz: self.rate_hz, samples: self.samples.into() };
        Ok(DecodedFile { description, recording })
    }
}
