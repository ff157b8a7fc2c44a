//! What an application may read of its notices: each with its payload and every attempt to deliver it.

use call::CallId;
use sqlx::sqlite::SqliteConnection;
use sqlx::{query_as, query_scalar};

use super::{Store, StoreError};
use crate::directory::{AppId, TenantId};
use crate::wire::ledger::{LedgerAttempt, LedgerEntry, date_time};

/// Is a part of a call's ledger.
#[derive(Debug)]
pub(crate) struct LedgerPage {
    pub(crate) entries: Vec<LedgerEntry>,
    /// How many there are in all.
    pub(crate) count: usize,
}

type NoticeColumns = (i64, i64, String, String, String, u32, i64, i64);
type AttemptColumns = (i64, i64, i64, Option<u16>, Option<String>, Option<i64>);

impl Store {
    /// Tells whether a call is an application's, also after it has ended, as long as it is kept.
    pub(crate) async fn owns_call(&self, app: AppId, tenant: TenantId, call: CallId) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar("SELECT 1 FROM calls WHERE id = ? AND app = ? AND tenant = ?")
            .bind(call.to_string())
            .bind(app.to_string())
            .bind(tenant.to_string())
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    /// Tells whether a call is kept, whosoever it is.
    pub(crate) async fn keeps_call(&self, call: CallId) -> Result<bool, StoreError> {
        let found: Option<i64> = query_scalar("SELECT 1 FROM calls WHERE id = ?")
            .bind(call.to_string())
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    /// Reads the ledger of a call in its order, `top` entries after the first `skip`.
    pub(crate) async fn ledger(&self, call: CallId, skip: usize, top: usize) -> Result<LedgerPage, StoreError> {
        // One transaction, so that the entries and their attempts are of the same moment.
        let mut db = self.readers.begin().await?;
        let count: i64 = query_scalar("SELECT count(*) FROM notices WHERE call_id = ?")
            .bind(call.to_string())
            .fetch_one(&mut *db)
            .await?;
        let notices: Vec<NoticeColumns> = query_as(
            "SELECT id, sequence, message_id, payload, state, attempts, created_ms, next_attempt_ms FROM notices
             WHERE call_id = ? ORDER BY sequence LIMIT ? OFFSET ?",
        )
        .bind(call.to_string())
        .bind(i64::try_from(top).unwrap_or(i64::MAX))
        .bind(i64::try_from(skip).unwrap_or(i64::MAX))
        .fetch_all(&mut *db)
        .await?;
        let entries = with_attempts(&mut db, notices).await?;
        Ok(LedgerPage { entries, count: usize::try_from(count).unwrap_or_default() })
    }

    /// Reads one entry of a call's ledger.
    pub(crate) async fn ledger_entry(&self, call: CallId, sequence: i64) -> Result<Option<LedgerEntry>, StoreError> {
        let mut db = self.readers.begin().await?;
        let notice: Option<NoticeColumns> = query_as(
            "SELECT id, sequence, message_id, payload, state, attempts, created_ms, next_attempt_ms FROM notices
             WHERE call_id = ? AND sequence = ?",
        )
        .bind(call.to_string())
        .bind(sequence)
        .fetch_optional(&mut *db)
        .await?;
        Ok(with_attempts(&mut db, notice.into_iter().collect()).await?.pop())
    }
}

async fn with_attempts(db: &mut SqliteConnection, notices: Vec<NoticeColumns>) -> Result<Vec<LedgerEntry>, StoreError> {
    let mut entries = Vec::with_capacity(notices.len());
    for notice in notices {
        let attempts: Vec<AttemptColumns> = query_as(
            "SELECT number, started_ms, duration_ms, status, failure, next_attempt_ms FROM attempts
             WHERE notice_id = ? ORDER BY number",
        )
        .bind(notice.0)
        .fetch_all(&mut *db)
        .await?;
        entries.push(entry(notice, attempts)?);
    }
    Ok(entries)
}

fn entry(
    (_, sequence, message_id, payload, state, attempt_count, created_ms, next_ms): NoticeColumns,
    attempts: Vec<AttemptColumns>,
) -> Result<LedgerEntry, StoreError> {
    let payload: serde_json::Value = serde_json::from_str(&payload)?;
    let text = |member: &str| payload["value"][0][member].as_str().unwrap_or_default().to_owned();
    Ok(LedgerEntry {
        sequence,
        message_id,
        resource_url: text("resourceUrl"),
        change_type: text("changeType"),
        created_date_time: date_time(created_ms),
        next_attempt_date_time: (state == "pending").then(|| date_time(next_ms)),
        state,
        attempt_count,
        attempts: attempts.into_iter().map(attempt).collect(),
        payload,
    })
}

fn attempt((number, started_ms, duration_ms, status, failure, next_ms): AttemptColumns) -> LedgerAttempt {
    LedgerAttempt {
        number,
        started_date_time: date_time(started_ms),
        duration_ms,
        status,
        failure,
        next_attempt_date_time: next_ms.map(date_time),
    }
}
