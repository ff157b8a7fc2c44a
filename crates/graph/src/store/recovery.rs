//! After a crash: what was alive in the database is over, and its applications are told.
//!
//! A conversation lives in memory. When the process ended without ending its calls, they cannot be brought back; what can
//! be kept is the promise that every operation and every call has its last notification.

use chrono::Utc;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, query, query_as, query_scalar};

use super::write::{next_sequence, put_operation, queue};
use super::{StoreError, Writer};
use crate::wire::notification::Notifications;
use crate::wire::operation::{Operation, status};
use crate::wire::result_info::ResultInfo;

/// "Underlying service error" of the platform's subcodes (graph-calls.md 4.3): nothing nearer exists.
const CODE: u16 = 500;
const SUBCODE: u32 = 9001;

impl Writer {
    /// Ends everything that was alive when the last process stopped, in one transaction. Returns how many calls that was.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; nothing has changed then.
    pub(crate) async fn end_what_a_crash_left(&mut self) -> Result<usize, StoreError> {
        let mut transaction = self.connection.begin().await?;
        let calls: Vec<String> =
            query_scalar("SELECT id FROM calls WHERE state <> 'terminated'").fetch_all(&mut *transaction).await?;
        for call in &calls {
            fail_operations(&mut transaction, call).await?;
            end_call(&mut transaction, call).await?;
        }
        transaction.commit().await?;
        Ok(calls.len())
    }
}

async fn fail_operations(db: &mut SqliteConnection, call: &str) -> Result<(), StoreError> {
    let running: Vec<(String,)> = query_as("SELECT body FROM operations WHERE call_id = ? AND status = 'running'")
        .bind(call)
        .fetch_all(&mut *db)
        .await?;
    for (body,) in running {
        let mut operation: Operation = serde_json::from_str(&body)?;
        operation.status = status(call::OperationStatus::Failed).to_owned();
        operation.result_info = Some(restarted("The operation was cut off: the server restarted."));
        put_operation(db, call, &operation).await?;
        if let Some(sequence) = next_sequence(db, call).await? {
            queue(db, call, sequence, &Notifications::operation_ended(call, &operation, sequence)).await?;
        }
    }
    Ok(())
}

async fn end_call(db: &mut SqliteConnection, call: &str) -> Result<(), StoreError> {
    let result = restarted("The call was cut off: the server restarted.");
    query("UPDATE calls SET state = 'terminated', audio_active = 0, result_info = ?, ended_ms = ? WHERE id = ?")
        .bind(serde_json::to_string(&result)?)
        .bind(Utc::now().timestamp_millis())
        .bind(call)
        .execute(&mut *db)
        .await?;
    if let Some(sequence) = next_sequence(db, call).await? {
        queue(db, call, sequence, &Notifications::call_cut_off(call, &result)).await?;
    }
    Ok(())
}

fn restarted(message: &str) -> ResultInfo {
    ResultInfo { code: CODE, subcode: SUBCODE, message: message.to_owned() }
}
