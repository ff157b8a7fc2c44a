//! Delivers what is stored: at least once, in order per call, one at a time per call.
//!
//! Each call with something to tell has a task of its own, which ends when all is told. A dead callback stops only its own
//! calls: their tasks sleep between tries and hold nothing meanwhile, and no host gets more than a few requests at a time.
//!
//! ```text
//!  commit ─► wake(call) ─► task of the call: next pending ─► send ─┬─ 2xx ─► delivered ─► next
//!                                ▲                                 ├─ no answer, 408, 429, 5xx ─► sleep ─┐
//!                                └─────────────────────────────────┼─────────────────────────────────────┘
//!                                                                  └─ other 4xx, 3xx ─► dead ─► next
//! ```

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use call::CallId;
use chrono::Utc;
use http::StatusCode;
use tokio::sync::{Semaphore, oneshot, watch};
use url::Url;
use uuid::Uuid;

use crate::notify::{Answer, Notifier};
use crate::store::{Attempt, Batch, Callback, CommitListener, Outcome, PendingNotice, Store, StoreError, Write};

/// Waits before the second, third, … try. The first three end within the 30 s for which Microsoft's SDK waits for an
/// operation; then longer, because an application that is down for minutes is down for hours.
const RETRY_WAITS: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
];

/// How old a notice may become before it is given up. Graph says nothing; a day covers a night without an operator.
const AGE_MAX: Duration = Duration::from_hours(24);

/// Requests to one host at a time. Fewer would hold up a bot with many calls, more would let a slow bot take all.
const REQUESTS_PER_HOST_MAX: usize = 32;

/// Notices that a task reads at a time. A call has about ten in its life.
const READ_AT_ONCE: u32 = 16;

/// Pause before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// Is the delivery of notices. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Inner>);

struct Inner {
    store: Store,
    notifier: Notifier,
    tasks: Mutex<HashMap<CallId, Task>>,
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
    stop: watch::Receiver<bool>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

/// Says whether a call's task has to look again before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    UpToDate,
    LookAgain,
}

/// Says that the program is ending.
struct Stopping;

/// Ends when the store has taken an attempt in, or failed to.
struct Stored(oneshot::Receiver<()>);

impl Outbox {
    /// Makes the outbox; it ends when `stop` becomes true. What is not delivered then is delivered after the next start.
    pub(crate) fn new(store: Store, notifier: Notifier, stop: watch::Receiver<bool>) -> Outbox {
        Outbox(Arc::new(Inner { store, notifier, tasks: Mutex::default(), hosts: Mutex::default(), stop }))
    }

    /// Says that a call has notices in the store. To be called within a tokio runtime.
    pub(crate) fn wake(&self, call: CallId) {
        match self.0.tasks().entry(call) {
            Entry::Occupied(mut task) => *task.get_mut() = Task::LookAgain,
            Entry::Vacant(none) => {
                none.insert(Task::UpToDate);
                tokio::spawn(Arc::clone(&self.0).deliver(call));
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
    async fn deliver(self: Arc<Self>, call: CallId) {
        let mut after = 0;
        loop {
            match self.deliver_pending(call, &mut after).await {
                Ok(()) if self.is_done(call) => return,
                Ok(()) => {}
                Err(Stopping) => return,
            }
        }
    }

    /// Ends the task of a call, unless something came meanwhile.
    fn is_done(&self, call: CallId) -> bool {
        let mut tasks = self.tasks();
        match tasks.get(&call) {
            Some(Task::LookAgain) => {
                tasks.insert(call, Task::UpToDate);
                false
            }
            Some(Task::UpToDate) | None => {
                tasks.remove(&call);
                true
            }
        }
    }

    /// Delivers what is pending after the notice numbered `after`, and moves `after` on.
    ///
    /// Ends only when the store knows what was delivered: the call's next task starts from what is pending there, and
    /// would deliver twice what it still finds.
    async fn deliver_pending(&self, call: CallId, after: &mut i64) -> Result<(), Stopping> {
        let mut stored = None;
        loop {
            let Some(callback) = self.patiently(|| self.store.callback(call)).await? else { return Ok(()) };
            let pending = self.patiently(|| self.store.pending_notices(call, *after, READ_AT_ONCE)).await?;
            if pending.is_empty() {
                if let Some(Stored(stored)) = stored {
                    // Answered or dropped, the writer is past it.
                    let _ = stored.await;
                }
                return Ok(());
            }
            for notice in pending {
                *after = notice.id;
                stored = Some(self.deliver_one(&callback, notice).await?);
            }
        }
    }

    /// Tries a notice until the application has it or it is given up.
    async fn deliver_one(&self, callback: &Callback, notice: PendingNotice) -> Result<Stored, Stopping> {
        let mut attempts = notice.attempts;
        let mut wait = until(notice.next_attempt_ms);
        loop {
            self.sleep(wait).await?;
            let answer = self.send(callback, notice.clone()).await?;
            attempts += 1;
            let outcome = outcome(&answer, attempts, age(&notice));
            metrics::counter!("fermata_notices_total", "outcome" => label(outcome)).increment(1);
            let attempt = Attempt { notice: notice.id, outcome, answer: answer.to_string() };
            let stored = self.store_attempt(attempt).await;
            match outcome {
                Outcome::Delivered => return Ok(stored),
                Outcome::Dead => {
                    tracing::warn!(message_id = notice.message_id, %answer, "a notification was given up");
                    return Ok(stored);
                }
                Outcome::Retry(pause) => wait = pause,
            }
        }
    }

    async fn store_attempt(&self, attempt: Attempt) -> Stored {
        let (done, stored) = oneshot::channel();
        // Whether it is stored or not, the task only needs to know that the writer is past it.
        let batch = Batch::new(vec![Write::Attempt(attempt)], move |_| {
            let _ = done.send(());
        });
        self.store.submit(batch).await;
        Stored(stored)
    }

    async fn send(&self, callback: &Callback, notice: PendingNotice) -> Result<Answer, Stopping> {
        let host = self.host(&callback.uri);
        let _turn = host.acquire().await.map_err(|_| Stopping)?;
        let mut stop = self.stop.clone();
        tokio::select! {
            answer = self.notifier.send(callback, notice) => Ok(answer),
            _ = stop.wait_for(|stop| *stop) => Err(Stopping),
        }
    }

    /// Sleeps, or ends at once when the program does.
    async fn sleep(&self, wait: Duration) -> Result<(), Stopping> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(wait) => Ok(()),
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
            self.sleep(STORE_PAUSE).await?;
        }
    }

    /// Returns the turnstile of the host that a callback is at. Hosts nobody waits for are forgotten.
    fn host(&self, uri: &str) -> Arc<Semaphore> {
        let name = Url::parse(uri).map_or_else(|_| uri.to_owned(), |url| url[..url::Position::BeforePath].to_owned());
        let mut hosts = self.hosts.lock().expect("nothing panics while it holds the hosts");
        hosts.retain(|_, turns| Arc::strong_count(turns) > 1);
        Arc::clone(hosts.entry(name).or_insert_with(|| Arc::new(Semaphore::new(REQUESTS_PER_HOST_MAX))))
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<CallId, Task>> {
        self.tasks.lock().expect("nothing panics while it holds the tasks")
    }
}

/// Decides what becomes of a notice. `attempts` counts this one.
fn outcome(answer: &Answer, attempts: u32, age: Duration) -> Outcome {
    let again = match answer {
        Answer::Received(_) => return Outcome::Delivered,
        Answer::Unreached(_) => true,
        Answer::Rejected(status) => {
            *status == StatusCode::REQUEST_TIMEOUT
                || *status == StatusCode::TOO_MANY_REQUESTS
                || status.is_server_error()
        }
    };
    if !again || age > AGE_MAX {
        return Outcome::Dead;
    }
    Outcome::Retry(jittered(wait_after(attempts)))
}

fn wait_after(attempts: u32) -> Duration {
    let at = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    RETRY_WAITS[at.min(RETRY_WAITS.len() - 1)]
}

/// Spreads a wait by up to a quarter, so that calls that failed together are not tried together.
fn jittered(wait: Duration) -> Duration {
    let [byte, ..] = Uuid::new_v4().into_bytes();
    wait + wait * u32::from(byte) / (4 * 256)
}

fn until(time_ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(time_ms - Utc::now().timestamp_millis()).unwrap_or(0))
}

fn age(notice: &PendingNotice) -> Duration {
    Duration::from_millis(u64::try_from(Utc::now().timestamp_millis() - notice.created_ms).unwrap_or(0))
}

fn label(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Retry(_) => "retried",
        Outcome::Dead => "dead",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &Answer, attempts: u32, age: Duration, expected: Outcome) {
        let decided = outcome(answer, attempts, age);
        match (decided, expected) {
            (Outcome::Retry(wait), Outcome::Retry(least)) => assert!(least <= wait && wait < least * 5 / 4, "{wait:?}"),
            (decided, expected) => assert_eq!(decided, expected),
        }
    }

    #[test]
    fn what_was_received_is_done() {
        for status in [StatusCode::OK, StatusCode::ACCEPTED, StatusCode::NO_CONTENT] {
            check(&Answer::Received(status), 1, Duration::ZERO, Outcome::Delivered);
        }
    }

    #[test]
    fn trouble_is_tried_again_with_growing_waits() {
        let down = Answer::Unreached("no connection");
        for (attempts, wait_s) in [(1, 1), (2, 3), (3, 10), (4, 30), (8, 3600), (1000, 3600)] {
            check(&down, attempts, Duration::ZERO, Outcome::Retry(Duration::from_secs(wait_s)));
        }
        for status in [408, 429, 500, 503] {
            let answer = Answer::Rejected(StatusCode::from_u16(status).expect("a status"));
            check(&answer, 1, Duration::ZERO, Outcome::Retry(Duration::from_secs(1)));
        }
    }

    #[test]
    fn a_clear_no_and_old_age_end_it() {
        for status in [302, 400, 401, 403, 404, 410] {
            let answer = Answer::Rejected(StatusCode::from_u16(status).expect("a status"));
            check(&answer, 1, Duration::ZERO, Outcome::Dead);
        }
        check(&Answer::Unreached("no connection"), 30, AGE_MAX + Duration::from_secs(1), Outcome::Dead);
    }
}
