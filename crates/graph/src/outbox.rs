//! Delivers what is stored: at least once, in order per call, one at a time per call.
//!
//! Each call with something to tell has a task of its own, which ends when all is told. A dead callback stops only its own
//! calls: their tasks sleep between tries and hold nothing meanwhile.
//!
//! ```text
//!  commit ─► wake(call) ─► task of the call: first pending ─► send ─┬─ 2xx ─► delivered ─► next
//!                                ▲                                  ├─ no answer, 408, 429, 5xx ─► sleep ─┐
//!                                └──────────────────────────────────┼─────────────────────────────────────┘
//!                                                                   └─ other 4xx, 3xx ─► dead ─► next
//! ```
//!
//! The store alone knows what is pending. A task asks it anew after each attempt, when that is stored: what was delivered
//! just before a crash is the only thing that can come twice, and what the application wants once more has its place in
//! the order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use call::CallId;
use chrono::Utc;
use tokio::sync::{Notify, oneshot, watch};
use uuid::Uuid;

use crate::backoff::{self, Progress};
use crate::notify::Notifier;
use crate::store::{Attempt, Batch, CommitListener, Outcome, PendingNotice, Store, StoreError, Write};
use crate::turnstile::Turnstile;

/// Pause before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// Is the delivery of notices. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Inner>);

struct Inner {
    store: Store,
    notifier: Notifier,
    turnstile: Turnstile,
    give_up_after: Duration,
    tasks: Mutex<HashMap<CallId, Task>>,
    stop: watch::Receiver<bool>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// Is the task of a call, as seen by those who wake it.
#[derive(Debug, Default)]
struct Task {
    /// Whether something came since the task last asked the store.
    has_news: bool,
    /// Ends its sleep.
    bell: Arc<Notify>,
}

/// Says that the program is ending.
struct Stopping;

/// Says what there was to do for a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Something,
    Nothing,
}

impl Outbox {
    /// Makes the outbox; it ends when `stop` becomes true. What is not delivered then is delivered after the next start.
    pub(crate) fn new(
        store: Store,
        notifier: Notifier,
        give_up_after: Duration,
        stop: watch::Receiver<bool>,
    ) -> Outbox {
        let (turnstile, tasks) = (Turnstile::new(), Mutex::default());
        Outbox(Arc::new(Inner { store, notifier, turnstile, give_up_after, tasks, stop }))
    }

    /// Says that a call has notices in the store. To be called within a tokio runtime.
    pub(crate) fn wake(&self, call: CallId) {
        match self.0.tasks().entry(call) {
            Entry::Occupied(mut task) => {
                task.get_mut().has_news = true;
                task.get().bell.notify_one();
            }
            Entry::Vacant(none) => {
                let bell = Arc::clone(&none.insert(Task::default()).bell);
                tokio::spawn(Arc::clone(&self.0).deliver(call, bell));
            }
        }
    }

    /// Makes what the writer calls after each commit. It does not keep the outbox: the outbox keeps the store, and the
    /// writer ends when nobody keeps the store any more.
    pub(crate) fn commit_listener(&self) -> CommitListener {
        let outbox = Arc::downgrade(&self.0);
        Box::new(move |call| {
            if let Some(outbox) = outbox.upgrade() {
                Outbox(outbox).wake(call);
            }
        })
    }

    /// Wakes every call that the last process left with notices to deliver.
    pub(crate) async fn wake_all(&self) -> Result<(), StoreError> {
        for call in self.0.store.calls_with_pending_notices().await? {
            if let Ok(id) = Uuid::try_parse(&call) {
                self.wake(CallId::new(id.as_u128()));
            }
        }
        Ok(())
    }
}

impl Inner {
    async fn deliver(self: Arc<Self>, call: CallId, bell: Arc<Notify>) {
        loop {
            match self.deliver_next(call, &bell).await {
                Ok(Found::Something) => {}
                Ok(Found::Nothing) if self.is_done(call) => return,
                Ok(Found::Nothing) => {}
                Err(Stopping) => return,
            }
        }
    }

    /// Ends the task of a call, unless something came meanwhile.
    fn is_done(&self, call: CallId) -> bool {
        let mut tasks = self.tasks();
        let has_news = tasks.get(&call).is_some_and(|task| task.has_news);
        if !has_news {
            tasks.remove(&call);
        }
        !has_news
    }

    /// Tries the first pending notice of a call when it is due, or finds that there is none.
    async fn deliver_next(&self, call: CallId, bell: &Notify) -> Result<Found, Stopping> {
        if let Some(task) = self.tasks().get_mut(&call) {
            task.has_news = false;
        }
        let next = self.patiently(|| self.store.next_notice(call)).await?;
        let Some(notice) = next else { return Ok(Found::Nothing) };
        let wait = since(notice.next_attempt_ms, Utc::now().timestamp_millis());
        if !wait.is_zero() {
            // If the bell ends it, another may be the first now.
            let _ = self.unless_stopped(tokio::time::timeout(wait, bell.notified())).await?;
            return Ok(Found::Something);
        }
        let attempt = self.attempt(notice).await?;
        self.store_attempt(attempt).await
    }

    async fn attempt(&self, notice: PendingNotice) -> Result<Attempt, Stopping> {
        let _turn = self.unless_stopped(self.turnstile.turn(&notice.callback.uri, notice.tries == 0)).await?;
        let (started_ms, began) = (Utc::now().timestamp_millis(), Instant::now());
        let answer = self.unless_stopped(self.notifier.send(&notice)).await?;
        let now_ms = Utc::now().timestamp_millis();
        let progress = Progress {
            tries: notice.tries.saturating_add(1),
            age: since(now_ms, notice.queued_ms),
            give_up_after: self.give_up_after,
        };
        let outcome = backoff::outcome(&answer, progress, now_ms);
        metrics::counter!("fermata_notices_total", "outcome" => label(outcome)).increment(1);
        if outcome == Outcome::Dead {
            tracing::warn!(message_id = notice.message_id, %answer, "a notification was given up");
        }
        Ok(Attempt { notice: notice.id, started_ms, duration: began.elapsed(), answer, outcome })
    }

    /// Ends when the attempt is stored. One that can never be must not be repeated for ever: the task ends as if there
    /// were nothing to do.
    async fn store_attempt(&self, attempt: Attempt) -> Result<Found, Stopping> {
        let (done, stored) = oneshot::channel();
        let batch = Batch::patient(Write::Attempt(attempt), move |result| {
            // The task has ended with the program.
            let _ = done.send(result);
        });
        self.store.submit(batch).await;
        match self.unless_stopped(stored).await? {
            Ok(Ok(())) => Ok(Found::Something),
            Ok(Err(_)) | Err(_) => Ok(Found::Nothing),
        }
    }

    /// Waits for something, or ends at once when the program does.
    async fn unless_stopped<T>(&self, something: impl Future<Output = T>) -> Result<T, Stopping> {
        let mut stop = self.stop.clone();
        tokio::select! {
            value = something => Ok(value),
            _ = stop.wait_for(|stop| *stop) => Err(Stopping),
        }
    }

    /// Asks the store until it answers: notices must not be forgotten because a read failed.
    async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, Stopping> {
        loop {
            match ask().await {
                Ok(value) => return Ok(value),
                Err(error) => tracing::error!(%error, "the outbox could not read"),
            }
            self.unless_stopped(tokio::time::sleep(STORE_PAUSE)).await?;
        }
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<CallId, Task>> {
        self.tasks.lock().expect("nothing panics while it holds the tasks")
    }
}

/// Returns the time from `earlier_ms` to `later_ms`, none if it is the other way round.
fn since(later_ms: i64, earlier_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(later_ms.saturating_sub(earlier_ms)).unwrap_or(0))
}

fn label(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Retry(_) => "retried",
        Outcome::Dead => "dead",
    }
}
