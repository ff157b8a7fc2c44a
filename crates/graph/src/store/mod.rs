//! What must survive a crash, in SQLite: calls, rosters, operations, and the notices that are still to be told.
//!
//! One writer task owns the only connection that writes. It takes everything that waits and commits it in one
//! transaction (group commit), because a commit costs one wait for the disk however much is in it. Reads go through a
//! small pool beside it: with a write-ahead log readers never wait for the writer.

mod attempt;
mod ledger;
mod read;
mod recovery;
mod write;
mod writer;

pub(crate) use attempt::{Attempt, Outcome, Redelivery};
pub(crate) use read::{CallRow, Callback, PendingNotice};
pub(crate) use write::{NewCallRow, Write};
pub(crate) use writer::{Batch, CommitListener};

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, SqlSafeStr};
use tokio::sync::mpsc;

/// The database file in the data folder.
const FILE: &str = "fermata.sqlite";

/// Connections for reading. SQLite reads take well below a millisecond; more connections would only hold memory.
const READERS: u32 = 4;

/// How long a connection waits for a lock that another process holds (a backup, a shell). Above it the answer is 503.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Batches that wait for the writer. When it is full, whoever submits waits: nothing is dropped.
const BATCHES_WAITING_MAX: usize = 1024;

/// Is the database. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    readers: SqlitePool,
    batches: mpsc::Sender<Batch>,
    is_out: Arc<AtomicBool>,
}

/// Says why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be brought to this version: {0}")]
    Migrate(#[from] MigrateError),
    #[error("the database holds something that this version cannot read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Is the writing half, before it runs: what has to happen first (recovery) uses the connection directly.
#[derive(Debug)]
pub(crate) struct Writer {
    connection: SqliteConnection,
    batches: mpsc::Receiver<Batch>,
    /// What came during an outage: its requests have been refused, and it is to be stored next.
    kept: Vec<Batch>,
    is_out: Arc<AtomicBool>,
}

impl Store {
    /// Opens the database of a data folder, creating it and bringing it to this version.
    pub(crate) async fn open(data: &Path) -> Result<(Store, Writer), StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(data.join(FILE))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit is on the disk before it is reported, also if the power fails.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let mut connection = options.connect().await?;
        migrator().run(&mut connection).await?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        let (sender, batches) = mpsc::channel(BATCHES_WAITING_MAX);
        let is_out = Arc::new(AtomicBool::new(false));
        let store = Store { readers, batches: sender, is_out: Arc::clone(&is_out) };
        Ok((store, Writer { connection, batches, kept: Vec::new(), is_out }))
    }

    /// Tells whether the database took the last change that was tried. While it does not, the writer goes on trying, and
    /// whoever wants something new is refused before it is begun.
    pub(crate) fn takes_changes(&self) -> bool {
        !self.is_out.load(Ordering::Relaxed)
    }

    /// Hands a batch to the writer; waits while the writer's queue is full.
    ///
    /// A batch that comes after the writer has stopped is dropped, and with it the request that waits for it: the
    /// program is ending.
    pub(crate) async fn submit(&self, batch: Batch) {
        if self.batches.send(batch).await.is_err() {
            tracing::debug!("a change came after the store was closed");
        }
    }
}

fn migrator() -> Migrator {
    let migrations = [
        (1, "initial", include_str!("../../migrations/0001_initial.sql")),
        (2, "calls placed", include_str!("../../migrations/0002_calls_placed.sql")),
        (3, "ledger", include_str!("../../migrations/0003_ledger.sql")),
        (4, "kind of call", include_str!("../../migrations/0004_kind_of_call.sql")),
    ];
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.map(migration).to_vec())
}
