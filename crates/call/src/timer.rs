//! Deadlines: one enum, one table, one next.

use crate::{CallId, OperationId, ParticipantId};
use std::collections::BTreeMap;
use std::time::Instant;

/// What a deadline is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Somebody who is called must have answered.
    Ring(ParticipantId),
    /// A prompt must be loaded.
    PromptLoad(OperationId),
    /// Music must have started.
    MusicStart(OperationId),
    /// Music must have stopped.
    MusicStop(OperationId),
    /// The application must have shown that it lives.
    KeepAlive(CallId),
    /// The application must have decided about an incoming call.
    Decision(CallId),
    /// Tones must have been sent.
    Tones(OperationId),
    /// One of those to whom a call was redirected must have answered.
    Redirect(CallId),
}

/// The deadlines that are set. A conversation has a handful, so the next one is found by looking at all.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeMap<Timer, Instant>);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.0.insert(timer, at);
    }

    pub(crate) fn cancel(&mut self, timer: Timer) {
        self.0.remove(&timer);
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.values().min().copied()
    }

    /// Takes out the deadline that is longest overdue.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let (&timer, &at) = self.0.iter().min_by_key(|(_, at)| **at)?;
        if at > now {
            return None;
        }
        self.0.remove(&timer);
        Some(timer)
    }
}
