//! The way to a worker from other threads.

use super::{Fact, Job};
use crate::browsers::Arrival;
use crate::tick::{TickCounters, TickStatistics};
use mio::Waker;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// The way to a worker. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WorkerHandle {
    commands: mpsc::SyncSender<Job>,
    facts: mpsc::Sender<Fact>,
    arrivals: mpsc::SyncSender<Arrival>,
    waker: Arc<Waker>,
    ticks: TickCounters,
    conversations: Arc<AtomicUsize>,
}

/// The worker's queue is full, or the worker has ended.
#[derive(Debug)]
pub(crate) struct Busy;

impl WorkerHandle {
    pub(super) fn new(
        commands: mpsc::SyncSender<Job>,
        facts: mpsc::Sender<Fact>,
        arrivals: mpsc::SyncSender<Arrival>,
        waker: Waker,
    ) -> Self {
        let waker = Arc::new(waker);
        Self { commands, facts, arrivals, waker, ticks: TickCounters::default(), conversations: Arc::default() }
    }

    /// Puts a command into the worker's queue.
    pub(crate) fn send(&self, job: Job) -> Result<(), Busy> {
        self.commands.try_send(job).map_err(|_| Busy)?;
        self.wake();
        Ok(())
    }

    /// Tells the worker a fact.
    pub(crate) fn tell(&self, fact: Fact) {
        // A worker that has ended has nobody left to tell.
        let _ = self.facts.send(fact);
        self.wake();
    }

    /// Gives the worker a datagram, which it looks at when it is woken. Without room it is lost.
    pub(crate) fn arrive(&self, arrival: Arrival) {
        if self.arrivals.try_send(arrival).is_err() {
            metrics::counter!("fermata_browser_datagrams_lost_total").increment(1);
        }
    }

    pub(crate) fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a media worker cannot be woken");
        }
    }

    pub(crate) fn tick_statistics(&self) -> TickStatistics {
        self.ticks.read()
    }

    pub(crate) fn conversations(&self) -> usize {
        self.conversations.load(Ordering::Relaxed)
    }

    pub(super) fn count_conversations(&self, conversations: usize) {
        self.conversations.store(conversations, Ordering::Relaxed);
    }

    pub(super) fn count_tick(&self, late: Duration) {
        self.ticks.count(late);
    }
}
