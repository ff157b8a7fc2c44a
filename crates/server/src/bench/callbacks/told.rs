//! When the bots that work were told of which operation.

use crate::bot::{News, Notification, Operation};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout;

/// The operations that have ended, by their ids.
#[derive(Debug, Default)]
pub(super) struct Told {
    arrivals: Mutex<HashMap<String, Instant>>,
    grown: Notify,
}

impl Told {
    /// Takes a notification in. What comes again came at its first time.
    pub(super) fn take(&self, notification: &Notification) {
        if let Some(News::Operation { id, .. }) = notification.news() {
            self.arrivals().entry(id.to_owned()).or_insert(notification.arrived);
            self.grown.notify_one();
        }
    }

    /// Returns when an operation was told of.
    pub(super) fn arrival(&self, operation: &str) -> Option<Instant> {
        self.arrivals().get(operation).copied()
    }

    /// Waits until all these are told of, or so long.
    pub(super) async fn wait_for(&self, operations: &[Operation], longest: Duration) {
        let all = async {
            while operations.iter().any(|operation| self.arrival(&operation.id).is_none()) {
                self.grown.notified().await;
            }
        };
        // What is missing then is counted by whoever asks.
        let _ = timeout(longest, all).await;
    }

    fn arrivals(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
