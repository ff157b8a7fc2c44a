//! How long to wait for packets: the play-out delay, from how unevenly they arrive.

use std::time::{Duration, Instant};

/// The least delay: one packet of 20 ms in hand. Less, and every packet that is late by a hair leaves a hole.
pub(crate) const DELAY_MIN: Duration = Duration::from_millis(20);

/// The most jitter waited for. More makes people talk into each other (ITU-T G.114 asks for 150 ms mouth to ear in all);
/// packets later than this are concealed.
pub(crate) const JITTER_MAX: Duration = Duration::from_millis(120);

/// How long the worst arrival is remembered, at least; twice that at most. Shorter forgets a spike before the next one
/// comes, longer keeps the delay of a network that has calmed down.
const MEMORY: Duration = Duration::from_secs(4);

/// Watches arrivals and tells how far the late ones lie behind the early ones.
#[derive(Debug, Default)]
pub(crate) struct ArrivalSpread {
    origin: Option<(Instant, i64)>,
    present: Window,
    before: Window,
    began: Option<Instant>,
}

/// The earliest and the latest transit time seen in a while, in microseconds against an arbitrary origin.
#[derive(Debug, Default, Clone, Copy)]
struct Window(Option<(i64, i64)>);

impl ArrivalSpread {
    /// Takes note of a packet; `timestamp` counts units of `clock_hz` and does not wrap.
    pub(crate) fn arrived(&mut self, timestamp: i64, clock_hz: u32, arrival: Instant) {
        let (origin, first_timestamp) = *self.origin.get_or_insert((arrival, timestamp));
        let sent_us = (timestamp - first_timestamp) * 1_000_000 / i64::from(clock_hz);
        let arrived_us = arrival.saturating_duration_since(origin).as_micros() as i64;
        let began = *self.began.get_or_insert(arrival);
        // Two windows in turn: memory is bounded, and a drifting clock of the sender is forgotten with the older one.
        if arrival.saturating_duration_since(began) >= MEMORY {
            self.before = std::mem::take(&mut self.present);
            self.began = Some(arrival);
        }
        self.present.include(arrived_us - sent_us);
    }

    /// Returns by how much the latest packet lay behind the earliest, at most [`JITTER_MAX`].
    pub(crate) fn spread(&self) -> Duration {
        let spread_us = self.present.spread_us().max(self.before.spread_us());
        Duration::from_micros(spread_us as u64).min(JITTER_MAX)
    }
}

impl Window {
    fn include(&mut self, transit_us: i64) {
        let (earliest, latest) = self.0.unwrap_or((transit_us, transit_us));
        self.0 = Some((earliest.min(transit_us), latest.max(transit_us)));
    }

    fn spread_us(self) -> i64 {
        self.0.map_or(0, |(earliest, latest)| latest - earliest)
    }
}
