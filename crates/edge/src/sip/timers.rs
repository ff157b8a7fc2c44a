//! A table of deadlines: each timer has at most one, and the next is found at once.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::time::Instant;

/// Deadlines by timer. A cleared timer leaves nothing behind.
#[derive(Debug)]
pub(super) struct Timers<T> {
    deadlines: HashMap<T, Instant>,
    order: BTreeSet<(Instant, T)>,
}

impl<T: Copy + Ord + Hash> Timers<T> {
    pub(super) fn new() -> Timers<T> {
        Timers { deadlines: HashMap::new(), order: BTreeSet::new() }
    }

    /// Starts or restarts a timer.
    pub(super) fn set(&mut self, timer: T, deadline: Instant) {
        self.clear(timer);
        self.deadlines.insert(timer, deadline);
        self.order.insert((deadline, timer));
    }

    /// Stops a timer; a timer that does not run stays so.
    pub(super) fn clear(&mut self, timer: T) {
        if let Some(deadline) = self.deadlines.remove(&timer) {
            self.order.remove(&(deadline, timer));
        }
    }

    /// Tells whether a timer runs.
    pub(super) fn is_set(&self, timer: T) -> bool {
        self.deadlines.contains_key(&timer)
    }

    /// Returns the earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(deadline, _)| *deadline)
    }

    /// Takes one timer whose deadline has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let (_, timer) = *self.order.first().filter(|(deadline, _)| *deadline <= now)?;
        self.clear(timer);
        Some(timer)
    }

    /// Takes the timer with the earliest deadline, though it has not come.
    pub(super) fn pop_first(&mut self) -> Option<T> {
        let (_, timer) = *self.order.first()?;
        self.clear(timer);
        Some(timer)
    }

    /// Tells whether no timer runs.
    pub(super) fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }
}
