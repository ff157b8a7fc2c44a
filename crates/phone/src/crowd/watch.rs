//! Listening for one tone.

use std::time::Instant;

use media::{Decoder, SILENCE_DBFS, tone_dbfs};

/// What watched phones listen for.
///
/// A packet is 20 ms, in which tones closer than 200 Hz are not told apart: the phones' own must be further away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watch {
    /// The frequency, in hertz.
    pub tone_hz: u32,
    /// How loud it must be in a packet to count as heard.
    pub level_min_dbfs: f32,
}

/// Whether one phone is watched, and since when it hears the tone.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Watched {
    is_on: bool,
    since: Option<Instant>,
}

/// Hears whether the tone is in a packet.
pub(super) struct Ear {
    decoder: Decoder,
    watch: Watch,
    sound: Vec<i16>,
}

impl Watched {
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Begins or ends to be watched; who is watched already stays as it is.
    pub(super) fn switch(&mut self, is_on: bool) {
        if self.is_on != is_on {
            *self = Watched { is_on, since: None };
        }
    }

    /// Takes in whether the tone was in a packet, and says whether that is news.
    pub(super) fn hear(&mut self, is_heard: bool, arrival: Instant) -> bool {
        let is_news = is_heard != self.since.is_some();
        if is_news {
            self.since = is_heard.then_some(arrival);
        }
        is_news
    }
}

impl Ear {
    pub(super) fn new(decoder: Decoder, watch: Watch) -> Ear {
        Ear { decoder, watch, sound: Vec::new() }
    }

    /// Says whether the tone is in a packet. What cannot be decoded has none.
    pub(super) fn hears(&mut self, payload: &[u8]) -> bool {
        self.sound.clear();
        let level_dbfs = match self.decoder.decode(payload, &mut self.sound) {
            Ok(()) => tone_dbfs(&self.sound, f64::from(self.watch.tone_hz), self.decoder.rate_hz()),
            Err(_) => SILENCE_DBFS,
        };
        level_dbfs >= self.watch.level_min_dbfs
    }
}
