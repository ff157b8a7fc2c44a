//! When which phone speaks: each every 20 ms, all of them spread evenly over these.

use std::time::{Duration, Instant};

use media::TICK;

/// The turns of the phones. Deadlines are absolute, so a late turn makes no later one late.
#[derive(Debug)]
pub(super) struct Schedule {
    origin: Instant,
    phones: u64,
    /// The next turn, counted since `origin`.
    next: u64,
}

/// One phone's turn to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) phone: usize,
    /// How late it is.
    pub(super) late: Duration,
}

impl Schedule {
    pub(super) fn new(phones: usize, now: Instant) -> Schedule {
        Schedule { origin: now, phones: phones.max(1) as u64, next: 0 }
    }

    /// Returns when the next turn is due.
    pub(super) fn deadline(&self) -> Instant {
        let (round, place) = (self.next / self.phones, self.next % self.phones);
        let tick_ns = TICK.as_nanos() as u64;
        self.origin + Duration::from_nanos(round * tick_ns + place * tick_ns / self.phones)
    }

    /// Takes the next turn, if it is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Turn> {
        let late = now.checked_duration_since(self.deadline())?;
        self.next += 1;
        Some(Turn { phone: ((self.next - 1) % self.phones) as usize, late })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_turn_each_tick_and_none_gets_lost() {
        let start = Instant::now();
        let mut schedule = Schedule::new(3, start);
        let now = start + TICK + Duration::from_millis(7);
        let turns: Vec<_> = std::iter::from_fn(|| schedule.take_due(now)).map(|turn| turn.phone).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1]);
        assert_eq!(schedule.deadline() - start, Duration::from_nanos(33_333_333));
    }
}
