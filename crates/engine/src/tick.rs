//! When ticks are due, and how punctual they were.
//!
//! Each conversation ticks every 20 ms; the conversations of a worker are spread over [`SLOTS`] phases so that their
//! packets do not leave in one burst. Deadlines are absolute: lateness does not add up.

use media::TICK;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The phases of a tick. More spread the load better and wake the thread more often.
pub(crate) const SLOTS: usize = 10;

/// Ticks that were missed by more than this are not made up for: a burst of old packets helps no jitter buffer.
const CATCH_UP_MAX: Duration = Duration::from_millis(200);

/// The clock of one worker: which slot is due when.
#[derive(Debug)]
pub(crate) struct TickClock {
    origin: Instant,
    /// Counts slots since `origin`; the next one to be served.
    next: u64,
}

impl TickClock {
    const SLOT: Duration = Duration::from_nanos(TICK.as_nanos() as u64 / SLOTS as u64);

    pub(crate) fn new(now: Instant) -> Self {
        Self { origin: now, next: 1 }
    }

    /// The time of the next slot that `occupied` says has conversations in it.
    pub(crate) fn next_deadline(&self, occupied: impl Fn(usize) -> bool) -> Option<Instant> {
        let ahead = (0..SLOTS as u64).find(|ahead| occupied(Self::slot(self.next + ahead)))?;
        Some(self.time_of(self.next + ahead))
    }

    /// Takes the next slot if it is due: its index, and when it was due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(usize, Instant)> {
        let mut due = self.time_of(self.next);
        if due > now {
            return None;
        }
        if now - due > CATCH_UP_MAX {
            let skipped = (now - due).as_nanos() / Self::SLOT.as_nanos();
            self.next += u64::try_from(skipped).expect("less than centuries are skipped");
            due = self.time_of(self.next);
        }
        self.next += 1;
        Some((Self::slot(self.next - 1), due))
    }

    fn time_of(&self, count: u64) -> Instant {
        self.origin + Duration::from_nanos(Self::SLOT.as_nanos() as u64 * count)
    }

    fn slot(count: u64) -> usize {
        (count % SLOTS as u64) as usize
    }
}

/// How punctual the ticks of a worker are, counted since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickStatistics {
    /// How many ticks of conversations were served.
    pub ticks: u64,
    /// How many began more than 1 ms after they were due.
    pub late_1_ms: u64,
    /// How many began more than 5 ms after they were due.
    pub late_5_ms: u64,
    /// How many began more than a whole tick (20 ms) after they were due.
    pub late_20_ms: u64,
    /// The latest that a tick began, in microseconds after it was due.
    pub late_max_us: u64,
    /// The sum of all lateness in microseconds; divided by `ticks` it is the mean.
    pub late_sum_us: u64,
}

/// The counters behind [`TickStatistics`], written by the worker and read by anybody.
#[derive(Clone, Debug, Default)]
pub(crate) struct TickCounters(Arc<[AtomicU64; 6]>);

impl TickCounters {
    pub(crate) fn count(&self, late: Duration) {
        let late_us = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        let [ticks, over_1, over_5, over_20, max, sum] = &*self.0;
        ticks.fetch_add(1, Ordering::Relaxed);
        for (counter, limit_us) in [(over_1, 1_000), (over_5, 5_000), (over_20, 20_000)] {
            counter.fetch_add(u64::from(late_us > limit_us), Ordering::Relaxed);
        }
        max.fetch_max(late_us, Ordering::Relaxed);
        sum.fetch_add(late_us, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> TickStatistics {
        let [ticks, late_1_ms, late_5_ms, late_20_ms, late_max_us, late_sum_us] =
            std::array::from_fn(|at| self.0[at].load(Ordering::Relaxed));
        TickStatistics { ticks, late_1_ms, late_5_ms, late_20_ms, late_max_us, late_sum_us }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_comes_round_every_tick_and_lateness_does_not_add_up() {
        let start = Instant::now();
        let mut clock = TickClock::new(start);
        let mut of_slot_3 = Vec::new();
        for ms in 0..100 {
            // Served a bit late each time, by another amount.
            let now = start + Duration::from_millis(ms) + Duration::from_micros(ms * 7 % 900);
            while let Some((slot, due)) = clock.take_due(now) {
                if slot == 3 {
                    of_slot_3.push((due - start).as_millis());
                }
            }
        }
        assert_eq!(of_slot_3, [6, 26, 46, 66, 86]);
    }

    #[test]
    fn after_a_long_stall_it_goes_on_from_now() {
        let start = Instant::now();
        let mut clock = TickClock::new(start);
        let now = start + Duration::from_secs(5);
        let due = std::iter::from_fn(|| clock.take_due(now)).map(|(_, due)| due).collect::<Vec<_>>();
        assert!(due.len() <= 2 && now - due[0] < Duration::from_millis(3), "{due:?}");
    }
}
