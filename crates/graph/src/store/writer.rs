//! The writer task: takes what waits, commits it together, answers each after the commit.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use call::CallId;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, raw_sql};

use super::{StoreError, Write, Writer};

/// Most batches of one transaction. More would make the first of them wait longer for no fewer disk waits each.
const GROUP_MAX: usize = 256;

/// Pause before a failed commit is tried again (a full disk, a locked file). Less would only burn the processor.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Most batches that are kept in memory during an outage, about 1 KiB each. New commands are refused meanwhile, so these
/// are what happens by itself in the calls that are up. What comes beyond waits in the queue, and behind that in the
/// workers: nothing is dropped.
const KEPT_MAX: usize = 16_384;

/// Is what belongs together: stored whole or not at all.
pub(crate) struct Batch {
    writes: Vec<Write>,
    reply: Option<Reply>,
    /// Whether an outage is waited for to end, instead of being the answer.
    is_patient: bool,
}

type Reply = Box<dyn FnOnce(Result<(), NotStored>) + Send>;

/// Says that a batch could not be stored now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotStored;

/// Is told of each call that has new notices in the database.
pub(crate) type CommitListener = Box<dyn Fn(CallId) + Send>;

impl Batch {
    /// Makes a batch; `reply` is called once, after the first commit or the first failure.
    pub(crate) fn new(writes: Vec<Write>, reply: impl FnOnce(Result<(), NotStored>) + Send + 'static) -> Batch {
        Batch { writes, reply: Some(Box::new(reply)), is_patient: false }
    }

    /// Makes a batch whose `reply` is called when it is stored, however long that takes, or can never be.
    pub(crate) fn patient(write: Write, reply: impl FnOnce(Result<(), NotStored>) + Send + 'static) -> Batch {
        Batch { is_patient: true, ..Batch::new(vec![write], reply) }
    }

    /// Makes a batch that nobody waits for.
    pub(crate) fn silent(write: Write) -> Batch {
        Batch { writes: vec![write], reply: None, is_patient: true }
    }

    /// Tells those who wait that the database takes no changes now.
    fn tell_of_outage(&mut self) {
        if !self.is_patient {
            self.answer(Err(NotStored));
        }
    }

    fn answer(&mut self, result: Result<(), NotStored>) {
        if let Some(reply) = self.reply.take() {
            reply(result);
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("writes", &self.writes).finish_non_exhaustive()
    }
}

impl Writer {
    /// Writes until every [`super::Store`] is gone, then closes the database.
    pub(crate) async fn run(mut self, on_commit: CommitListener) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while self.next(&mut group).await > 0 {
            self.store(&mut group).await;
            for call in group.iter().flat_map(|batch| &batch.writes).filter_map(Write::notified_call) {
                on_commit(call);
            }
            group.clear();
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database was not closed in order");
        }
    }

    /// Waits for something to store, and returns how much there is: nothing at the end.
    async fn next(&mut self, group: &mut Vec<Batch>) -> usize {
        if self.kept.is_empty() {
            return self.batches.recv_many(group, GROUP_MAX).await;
        }
        group.append(&mut self.kept);
        group.len()
    }

    /// Stores a group. During an outage those who wait are told so, and the group is kept and tried until it is stored:
    /// what has happened in a conversation has happened, and its application must hear of it in the end.
    async fn store(&mut self, group: &mut Vec<Batch>) {
        loop {
            match commit(&mut self.connection, group).await {
                Ok(()) => {
                    self.note_outage(None);
                    return group.iter_mut().for_each(|batch| batch.answer(Ok(())));
                }
                Err(error) if is_outage(&error) => {
                    self.note_outage(Some(&error));
                    group.iter_mut().for_each(Batch::tell_of_outage);
                    tokio::time::sleep(RETRY_PAUSE).await;
                    self.refuse_waiting();
                }
                Err(error) if group.len() == 1 => {
                    // A row that the schema refuses is refused for ever: a bug, which must not stop everybody else.
                    tracing::error!(%error, "a change was dropped");
                    group.drain(..).for_each(|mut batch| batch.answer(Err(NotStored)));
                    return;
                }
                Err(_) => return self.store_one_by_one(group).await,
            }
        }
    }

    /// Tells everybody whether the database takes changes, and the operator when that is new.
    fn note_outage(&self, error: Option<&StoreError>) {
        let was_out = self.is_out.swap(error.is_some(), Ordering::Relaxed);
        match (was_out, error) {
            (false, Some(error)) => {
                tracing::error!(%error, "the database does not take changes; trying again");
                metrics::counter!("fermata_store_outages_total").increment(1);
            }
            (true, None) => tracing::info!("the database takes changes again"),
            (false, None) | (true, Some(_)) => {}
        }
    }

    /// Answers those who asked before the outage was known, and keeps what they have changed.
    fn refuse_waiting(&mut self) {
        while self.kept.len() < KEPT_MAX
            && let Ok(mut batch) = self.batches.try_recv()
        {
            batch.tell_of_outage();
            self.kept.push(batch);
        }
    }

    /// Finds the batch that spoils a group, so that its neighbours are stored.
    async fn store_one_by_one(&mut self, group: &mut Vec<Batch>) {
        let mut stored = Vec::with_capacity(group.len());
        for batch in group.drain(..) {
            let mut alone = vec![batch];
            Box::pin(self.store(&mut alone)).await;
            stored.append(&mut alone);
        }
        *group = stored;
    }
}

/// Stores a group in one transaction, or nothing of it.
///
/// The transaction is made by hand. SQLite ends it by itself when the disk fails, and sqlx's, which then cannot roll it
/// back, takes the next one for a part of it: that "commits" without a word to the disk.
///
/// Takes the group mutably because a reply cannot be shared between threads; the group is not changed.
async fn commit(connection: &mut SqliteConnection, group: &mut [Batch]) -> Result<(), StoreError> {
    // IMMEDIATE: somebody else's lock is met here, and not between two writes.
    raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    let stored = apply_and_commit(connection, group).await;
    if stored.is_err() {
        // There may be nothing left to roll back. If there is and it fails, the next BEGIN does, too.
        let _ = raw_sql("ROLLBACK").execute(connection).await;
    }
    stored
}

async fn apply_and_commit(connection: &mut SqliteConnection, group: &mut [Batch]) -> Result<(), StoreError> {
    for batch in group {
        for write in &batch.writes {
            write.apply(connection).await?;
        }
    }
    raw_sql("COMMIT").execute(connection).await?;
    Ok(())
}

/// Tells trouble of the machine, which passes, from a change that can never be stored.
fn is_outage(error: &StoreError) -> bool {
    match error {
        StoreError::Database(sqlx::Error::Database(error)) => {
            !(error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation())
        }
        StoreError::Database(_) => true,
        StoreError::Migrate(_) | StoreError::Unreadable(_) => false,
    }
}
