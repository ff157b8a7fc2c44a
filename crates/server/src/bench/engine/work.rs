//! What the server is given to do.

use crate::bench::run::voices;
use clap::ValueEnum;
use phone::{Codec, Speech};
use serde::Serialize;

/// Legs come in multiples of this, so that conversations of every size are full.
pub(super) const LEGS_MULTIPLE: usize = 30;

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Work {
    /// Conversations of three in G.711; everybody speaks.
    Threes,
    /// Everybody hears music, in G.711, and speaks.
    Held,
    /// Everybody hears music, in Opus over SRTP, and speaks.
    HeldSecure,
    /// Conversations of thirty in Opus; three of them speak, the others send silence.
    Panel,
}

impl Work {
    pub(super) const ALL: &[Work] = &[Work::Threes, Work::Held, Work::HeldSecure, Work::Panel];

    pub(super) fn title(self) -> &'static str {
        match self {
            Work::Threes => "conversations of three, G.711",
            Work::Held => "held legs, G.711",
            Work::HeldSecure => "held legs, Opus over SRTP",
            Work::Panel => "conversations of 30, three speaking, Opus",
        }
    }

    pub(super) fn codec(self) -> Codec {
        match self {
            Work::Threes | Work::Held => Codec::Pcmu,
            Work::HeldSecure | Work::Panel => Codec::Opus,
        }
    }

    pub(super) fn legs_per_conversation(self) -> usize {
        match self {
            Work::Threes | Work::Held | Work::HeldSecure => 3,
            Work::Panel => 30,
        }
    }

    pub(super) fn is_held(self) -> bool {
        match self {
            Work::Held | Work::HeldSecure => true,
            Work::Threes | Work::Panel => false,
        }
    }

    pub(super) fn is_encrypted(self) -> bool {
        match self {
            Work::HeldSecure => true,
            Work::Threes | Work::Held | Work::Panel => false,
        }
    }

    /// What the phones of a conversation say. Conversations are called one after the other, so each begins with a voice.
    pub(super) fn voices(self) -> Vec<Speech> {
        let mut voices = voices();
        voices.resize(self.legs_per_conversation().max(voices.len()), Speech::Silence);
        voices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_speak_in_every_conversation() {
        for work in Work::ALL {
            let voices = work.voices();
            let speak = voices.iter().filter(|speech| matches!(speech, Speech::Tone { .. })).count();
            assert_eq!((voices.len(), speak), (work.legs_per_conversation(), 3), "{work:?}");
        }
    }
}
