//! The three parts of the demo, and who is to hear whom in each: the promise that is held against the measurement.

use super::voice::{Person, Voice};

/// Who is put on hold.
pub(super) const HELD: Person = Person::Bob;

/// A part of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Before,
    Held,
    After,
}

impl Phase {
    pub(super) const ALL: [Phase; 3] = [Phase::Before, Phase::Held, Phase::After];

    /// Says when it is, to follow "who heard whom".
    pub(super) fn name(self) -> &'static str {
        match self {
            Phase::Before => "before",
            Phase::Held => "on hold",
            Phase::After => "after",
        }
    }

    /// Says whether `listener` is to hear `voice`. Nobody hears themselves.
    pub(super) fn is_to_hear(self, listener: Person, voice: Voice) -> bool {
        match (self, voice) {
            (Phase::Held, Voice::Music) => listener == HELD,
            (Phase::Held, Voice::Of(speaker)) => speaker != listener && listener != HELD && speaker != HELD,
            (Phase::Before | Phase::After, Voice::Music) => false,
            (Phase::Before | Phase::After, Voice::Of(speaker)) => speaker != listener,
        }
    }
}
