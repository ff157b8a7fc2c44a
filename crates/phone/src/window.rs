//! A span of time and what was heard in it.

use std::time::Instant;

use media::{SILENCE_DBFS, level_dbfs, tone_dbfs};

/// The sound that arrived in a span of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    start: Instant,
    end: Instant,
    packets: usize,
    rate_hz: u32,
    samples: Vec<i16>,
}

impl Window {
    pub(crate) fn new(start: Instant, end: Instant, packets: usize, rate_hz: u32, samples: Vec<i16>) -> Window {
        Window { start, end, packets, rate_hz, samples }
    }

    /// Returns when it begins.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// Returns when it ends.
    pub fn end(&self) -> Instant {
        self.end
    }

    /// Returns how many packets of sound arrived in it.
    pub fn packets(&self) -> usize {
        self.packets
    }

    /// Returns the rate of its sound, in hertz; 0 if nothing arrived.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Returns its sound.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Returns how loud it is, in dBFS: a full scale sine has -3, silence and no packets have -100.
    pub fn level(&self) -> f32 {
        level_dbfs(&self.samples)
    }

    /// Returns how loud one frequency is in it, in dBFS on the same scale. The shorter the window the wider the
    /// neighbourhood that counts: 40 Hz for 100 ms.
    pub fn level_at(&self, hz: f64) -> f32 {
        match self.samples.is_empty() {
            true => SILENCE_DBFS,
            false => tone_dbfs(&self.samples, hz, self.rate_hz),
        }
    }
}
