//! Loss, order and jitter of one source's packets (RFC 3550 §A.1, §A.3, §A.8).

use std::time::Instant;

use crate::hearing::{Arrived, Statistics};

/// A step in the sequence numbers beyond this is a new beginning rather than a loss: RFC 3550 §A.1 takes 3000. It is
/// a minute of sound.
const DROPOUT_MAX: i64 = 3000;

/// How many of the newest sequence numbers are looked at for duplicates, one bit each.
const DUPLICATES_WINDOW: i64 = 64;

/// Follows the packets of one SSRC.
#[derive(Debug)]
pub(crate) struct Sequence {
    ssrc: u32,
    /// The highest sequence number, extended beyond 16 bits.
    highest: i64,
    /// Bit n tells whether the packet n before the highest came.
    seen: u64,
    last: (Instant, u32),
    jitter_ms: f64,
}

impl Sequence {
    pub(crate) fn new(first: &Arrived) -> Sequence {
        Sequence {
            ssrc: first.ssrc,
            highest: i64::from(first.sequence),
            seen: 1,
            last: (first.arrival, first.timestamp),
            jitter_ms: 0.0,
        }
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Takes the next packet in and counts what it tells.
    pub(crate) fn take(&mut self, arrived: &Arrived, statistics: &mut Statistics) {
        self.take_jitter(arrived);
        statistics.jitter_ms = self.jitter_ms;
        let step = i64::from(arrived.sequence.wrapping_sub(self.highest as u16) as i16);
        if step.abs() > DROPOUT_MAX {
            *self = Sequence { jitter_ms: self.jitter_ms, ..Sequence::new(arrived) };
        } else if step > 0 {
            self.advance(step);
            statistics.lost += step as u64 - 1;
        } else if -step < DUPLICATES_WINDOW && self.seen & (1 << -step) != 0 {
            statistics.duplicates += 1;
        } else {
            self.fill(-step);
            statistics.reordered += 1;
            // It had been counted as lost when a later one came.
            statistics.lost = statistics.lost.saturating_sub(1);
        }
    }

    fn advance(&mut self, step: i64) {
        self.highest += step;
        self.seen = if step < DUPLICATES_WINDOW { self.seen << step | 1 } else { 1 };
    }

    fn fill(&mut self, back: i64) {
        if back < DUPLICATES_WINDOW {
            self.seen |= 1 << back;
        }
    }

    /// The packets of one event share a timestamp though they are sent one after the other, so they tell nothing of
    /// jitter.
    fn take_jitter(&mut self, arrived: &Arrived) {
        let (arrival, timestamp) = self.last;
        if arrived.timestamp == timestamp {
            return;
        }
        self.last = (arrived.arrival, arrived.timestamp);
        let arrival_ms = arrived.arrival.saturating_duration_since(arrival).as_secs_f64() * 1000.0;
        let units = f64::from(arrived.timestamp.wrapping_sub(timestamp) as i32);
        let sent_ms = units * 1000.0 / f64::from(arrived.clock_rate_hz);
        self.jitter_ms += ((arrival_ms - sent_ms).abs() - self.jitter_ms) / 16.0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Takes packets of 20 ms in by sequence number and time of arrival, and returns the counts.
    fn counted(packets: &[(u16, u64)]) -> Statistics {
        let start = Instant::now();
        let arrived = |&(sequence, at_ms): &(u16, u64)| Arrived {
            arrival: start + Duration::from_millis(at_ms),
            ssrc: 1,
            sequence,
            timestamp: u32::from(sequence.wrapping_sub(packets[0].0)) * 160,
            clock_rate_hz: 8000,
        };
        let mut statistics = Statistics::default();
        let mut sequence = Sequence::new(&arrived(&packets[0]));
        packets[1..].iter().for_each(|packet| sequence.take(&arrived(packet), &mut statistics));
        statistics
    }

    #[test]
    fn packets_in_time_and_order_count_nothing() {
        let on_time: Vec<_> = (0..100).map(|n| (65_500u16.wrapping_add(n), u64::from(n) * 20)).collect();
        assert_eq!(counted(&on_time), Statistics::default());
    }

    #[test]
    fn losses_are_counted_over_the_wrap() {
        assert_eq!(counted(&[(65_534, 0), (65_535, 20), (2, 80), (3, 100)]).lost, 2);
    }

    #[test]
    fn late_packets_are_no_losses_and_doubled_ones_no_late_ones() {
        let statistics = counted(&[(1, 0), (3, 40), (2, 41), (2, 42), (4, 60), (4, 60)]);
        let Statistics { lost, reordered, duplicates, .. } = statistics;
        assert_eq!((lost, reordered, duplicates), (0, 1, 2));
    }

    #[test]
    fn a_restart_is_no_loss() {
        assert_eq!(counted(&[(1, 0), (20_000, 20), (20_001, 40)]).lost, 0);
    }

    #[test]
    fn jitter_follows_the_arrivals() {
        let uneven: Vec<_> = (0..200).map(|n| (n, u64::from(n) * 20 + u64::from(n % 2) * 8)).collect();
        let jitter_ms = counted(&uneven).jitter_ms;
        assert!((jitter_ms - 8.0).abs() < 0.1, "{jitter_ms}");
    }
}
