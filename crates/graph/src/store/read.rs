//! What is read: for requests, and by the outbox.

use serde_json::Value;
use sqlx::query_as;
use sqlx::query_scalar;
use uuid::Uuid;

use super::{Store, StoreError};
use crate::directory::{AppId, TenantId};
use crate::throttle::Month;
use crate::wire::call::{Call, MediaState};

/// Most calls of a list. An application may have 100 at a time (graph-calls.md 4.6); more would only fill memory.
const CALLS_MAX: i64 = 1000;

/// Is a call as its owner sees it now.
#[derive(Debug)]
pub(crate) struct CallRow {
    pub(crate) body: Call,
}

/// Is a notice that is to be delivered.
#[derive(Debug, Clone)]
pub(crate) struct PendingNotice {
    pub(crate) id: i64,
    pub(crate) message_id: String,
    pub(crate) payload: String,
    /// How often it was tried since it was put into the outbox.
    pub(crate) tries: u32,
    /// When it was put into the outbox, the first time or again.
    pub(crate) queued_ms: i64,
    pub(crate) next_attempt_ms: i64,
    pub(crate) callback: Callback,
}

/// Is where a call's notices go.
#[derive(Debug, Clone)]
pub(crate) struct Callback {
    pub(crate) uri: String,
    pub(crate) app: String,
    pub(crate) tenant: String,
    pub(crate) chain_id: String,
}

type CallColumns = (String, String, bool);
type NoticeColumns = (i64, String, String, u32, i64, i64, String, String, String, String);

impl Store {
    /// Finds a live call of an application. Others' calls, and calls that have ended, do not exist for it.
    pub(crate) async fn call(
        &self,
        app: AppId,
        tenant: TenantId,
        id: call::CallId,
    ) -> Result<Option<CallRow>, StoreError> {
        let columns: Option<CallColumns> = query_as(
            "SELECT facts, state, audio_active FROM calls
             WHERE id = ? AND app = ? AND tenant = ? AND state <> 'terminated'",
        )
        .bind(id.to_string())
        .bind(app.to_string())
        .bind(tenant.to_string())
        .fetch_optional(&self.readers)
        .await?;
        columns.map(call_row).transpose()
    }

    /// Lists the live calls of an application, oldest first.
    pub(crate) async fn calls(&self, app: AppId, tenant: TenantId) -> Result<Vec<CallRow>, StoreError> {
        let rows: Vec<CallColumns> = query_as(
            "SELECT facts, state, audio_active FROM calls
             WHERE app = ? AND tenant = ? AND state <> 'terminated' ORDER BY created_ms, id LIMIT ?",
        )
        .bind(app.to_string())
        .bind(tenant.to_string())
        .bind(CALLS_MAX)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(call_row).collect()
    }

    /// Lists the roster of a call in its order.
    pub(crate) async fn participants(&self, call: call::CallId) -> Result<Vec<Value>, StoreError> {
        let bodies: Vec<String> = query_scalar("SELECT body FROM participants WHERE call_id = ? ORDER BY position")
            .bind(call.to_string())
            .fetch_all(&self.readers)
            .await?;
        bodies.iter().map(|body| Ok(serde_json::from_str(body)?)).collect()
    }

    /// Finds one entry of a roster.
    pub(crate) async fn participant(
        &self,
        call: call::CallId,
        id: call::ParticipantId,
    ) -> Result<Option<Value>, StoreError> {
        let body: Option<String> = query_scalar("SELECT body FROM participants WHERE call_id = ? AND id = ?")
            .bind(call.to_string())
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
    }

    /// Finds an operation of a call.
    pub(crate) async fn operation(
        &self,
        call: call::CallId,
        id: call::OperationId,
    ) -> Result<Option<Value>, StoreError> {
        let body: Option<String> = query_scalar("SELECT body FROM operations WHERE call_id = ? AND id = ?")
            .bind(call.to_string())
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
    }

    /// Finds the notice of a call that is to be delivered before all others, and where it goes.
    pub(crate) async fn next_notice(&self, call: call::CallId) -> Result<Option<PendingNotice>, StoreError> {
        let columns: Option<NoticeColumns> = query_as(
            "SELECT notices.id, message_id, payload, tries, queued_ms, next_attempt_ms,
                    callback_uri, app, tenant, chain_id
             FROM notices JOIN calls ON calls.id = call_id
             WHERE call_id = ? AND notices.state = 'pending' ORDER BY sequence LIMIT 1",
        )
        .bind(call.to_string())
        .fetch_optional(&self.readers)
        .await?;
        Ok(columns.map(pending_notice))
    }

    /// Lists the calls that have notices to deliver.
    pub(crate) async fn calls_with_pending_notices(&self) -> Result<Vec<String>, StoreError> {
        let calls =
            query_scalar("SELECT DISTINCT call_id FROM notices WHERE state = 'pending'").fetch_all(&self.readers);
        Ok(calls.await?)
    }

    /// Counts the calls that each application has placed in a month.
    pub(crate) async fn calls_placed(&self, month: Month) -> Result<Vec<(AppId, Month, u32)>, StoreError> {
        let rows: Vec<(String, u32)> = query_as("SELECT app, placed FROM calls_placed WHERE month = ?")
            .bind(month.to_string())
            .fetch_all(&self.readers)
            .await?;
        let count = |(app, placed): (String, u32)| Some((AppId(Uuid::try_parse(&app).ok()?), month, placed));
        Ok(rows.into_iter().filter_map(count).collect())
    }

    /// Tells whether the database answers.
    pub(crate) async fn answers(&self) -> bool {
        query_scalar::<_, i64>("SELECT 1").fetch_one(&self.readers).await.is_ok()
    }
}

fn call_row((facts, state, audio_active): CallColumns) -> Result<CallRow, StoreError> {
    let facts: Call = serde_json::from_str(&facts)?;
    let media_state = audio_active.then(|| MediaState::new(true));
    Ok(CallRow { body: Call { state, media_state, ..facts } })
}

fn pending_notice(
    (id, message_id, payload, tries, queued_ms, next_attempt_ms, uri, app, tenant, chain_id): NoticeColumns,
) -> PendingNotice {
    let callback = Callback { uri, app, tenant, chain_id };
    PendingNotice { id, message_id, payload, tries, queued_ms, next_attempt_ms, callback }
}
