//! What can be written, and how each kind becomes rows. A write can be repeated after a failed transaction.

use call::Notice;
use chrono::Utc;
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_scalar};
use uuid::Uuid;

use super::StoreError;
use super::attempt::{Attempt, Redelivery, record_attempt, redeliver};
use crate::directory::{AppId, TenantId};
use crate::throttle::Month;
use crate::wire;
use crate::wire::notification::Notifications;
use crate::wire::operation::Operation;
use crate::wire::participant::Participant;
use crate::wire::result_info::ResultInfo;
use crate::wire::tone::ToneInfo;

/// Most calls that are forgotten in one transaction: more would make requests wait behind it.
const FORGET_AT_ONCE: i64 = 500;

/// Is one thing to be stored.
#[derive(Debug)]
pub(crate) enum Write {
    /// A call has been created.
    Call(Box<NewCallRow>),
    /// An operation has been accepted.
    Operation(call::Operation),
    /// What never changes of a call has changed all the same: its application has taken it, and says where its notices go
    /// and what its media is. A JSON merge patch (RFC 7396) of its facts.
    Facts(call::CallId, String),
    /// Something has changed and is to be told.
    Notice(Notice),
    /// A delivery has been tried.
    Attempt(Attempt),
    /// An application wants to be told once more.
    Redelivery(call::CallId, Redelivery),
    /// Calls that ended before this time, in milliseconds since 1970, are forgotten if nothing of them is to be told.
    ForgetBefore(i64),
}

/// Is a call as its creation makes it.
#[derive(Debug)]
pub(crate) struct NewCallRow {
    pub(crate) id: call::CallId,
    pub(crate) app: AppId,
    pub(crate) tenant: TenantId,
    pub(crate) callback_uri: String,
    pub(crate) chain_id: Uuid,
    pub(crate) facts: wire::call::Call,
}

impl Write {
    /// Returns the call whose application is to be told something by this.
    pub(super) fn notified_call(&self) -> Option<call::CallId> {
        match self {
            Write::Notice(notice) => Some(notice.call()),
            Write::Redelivery(call, _) => Some(*call),
            Write::Call(_) | Write::Facts(..) | Write::Operation(_) | Write::Attempt(_) | Write::ForgetBefore(_) => {
                None
            }
        }
    }

    pub(super) async fn apply(&self, db: &mut SqliteConnection) -> Result<(), StoreError> {
        match self {
            Write::Call(row) => insert_call(db, row).await,
            Write::Facts(call, patch) => patch_facts(db, &call.to_string(), patch).await,
            Write::Operation(operation) => {
                put_operation(db, &operation.call.to_string(), &Operation::from(operation)).await
            }
            Write::Notice(notice) => record_notice(db, notice).await,
            Write::Attempt(attempt) => record_attempt(db, attempt).await,
            Write::Redelivery(call, redelivery) => redeliver(db, *call, *redelivery).await,
            Write::ForgetBefore(time_ms) => forget_before(db, *time_ms).await,
        }
    }
}

async fn insert_call(db: &mut SqliteConnection, row: &NewCallRow) -> Result<(), StoreError> {
    let now = Utc::now();
    count_call(db, row.app, Month::of(now)).await?;
    query(
        "INSERT INTO calls (id, app, tenant, callback_uri, chain_id, facts, state, created_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(row.id.to_string())
    .bind(row.app.to_string())
    .bind(row.tenant.to_string())
    .bind(&row.callback_uri)
    .bind(row.chain_id.to_string())
    .bind(json(&row.facts)?)
    .bind(&row.facts.state)
    .bind(now.timestamp_millis())
    .execute(db)
    .await?;
    Ok(())
}

async fn count_call(db: &mut SqliteConnection, app: AppId, month: Month) -> Result<(), StoreError> {
    query(
        "INSERT INTO calls_placed (app, month, placed) VALUES (?, ?, 1)
         ON CONFLICT (app, month) DO UPDATE SET placed = placed + 1",
    )
    .bind(app.to_string())
    .bind(month.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// The callback has a column of its own, which the outbox reads.
async fn patch_facts(db: &mut SqliteConnection, call: &str, patch: &str) -> Result<(), StoreError> {
    query(
        "UPDATE calls SET facts = json_patch(facts, ?1),
             callback_uri = COALESCE(json_extract(?1, '$.callbackUri'), callback_uri)
         WHERE id = ?2",
    )
    .bind(patch)
    .bind(call)
    .execute(db)
    .await?;
    Ok(())
}

/// Stores an operation, or what has become of it.
pub(super) async fn put_operation(
    db: &mut SqliteConnection,
    call: &str,
    operation: &Operation,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO operations (call_id, id, status, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (call_id, id) DO UPDATE SET status = excluded.status, body = excluded.body",
    )
    .bind(call)
    .bind(&operation.id)
    .bind(&operation.status)
    .bind(json(operation)?)
    .execute(db)
    .await?;
    Ok(())
}

/// Stores what a notice says, and the notice itself for delivery.
async fn record_notice(db: &mut SqliteConnection, notice: &Notice) -> Result<(), StoreError> {
    let call = notice.call().to_string();
    match notice {
        // The row of a call that comes in is there: it is the first that is written of it. A tone changes nothing that lasts.
        Notice::Incoming { .. } | Notice::Tone { .. } => {}
        Notice::Call { state, audio_active, result, .. } => {
            update_call(db, &call, *state, *audio_active, result.as_ref()).await?;
        }
        Notice::Roster { entries, kind, .. } => {
            replace_roster(db, &call, entries).await?;
            // A peer-to-peer call has no roster notifications (Graph, "Create call", example 2).
            if *kind == call::CallKind::PeerToPeer {
                return Ok(());
            }
        }
        Notice::OperationEnded(operation) => put_operation(db, &call, &Operation::from(operation)).await?,
    }
    let Some(sequence) = next_sequence(db, &call).await? else { return Ok(()) };
    let body = spell(db, &call, notice, sequence).await?;
    queue(db, &call, sequence, &body).await
}

/// Spells a notice for its application.
async fn spell(
    db: &mut SqliteConnection,
    call: &str,
    notice: &Notice,
    sequence: i64,
) -> Result<Notifications, StoreError> {
    Ok(match notice {
        Notice::Incoming { .. } => Notifications::incoming(&facts(db, call).await?, sequence),
        Notice::Call { change, state, audio_active, result, .. } => {
            let result = result.as_ref().map(ResultInfo::from);
            Notifications::call(call, *change, *state, *audio_active, result.as_ref())
        }
        Notice::Roster { entries, .. } => Notifications::roster(call, entries),
        Notice::Tone { sequence, tone, .. } => Notifications::tone(call, &ToneInfo::new(*tone, *sequence)),
        Notice::OperationEnded(operation) => {
            Notifications::operation_ended(call, &Operation::from(operation), sequence)
        }
    })
}

async fn facts(db: &mut SqliteConnection, call: &str) -> Result<wire::call::Call, StoreError> {
    let facts: String = query_scalar("SELECT facts FROM calls WHERE id = ?").bind(call).fetch_one(db).await?;
    Ok(serde_json::from_str(&facts)?)
}

async fn update_call(
    db: &mut SqliteConnection,
    call: &str,
    state: call::CallState,
    audio_active: bool,
    result: Option<&call::ResultInfo>,
) -> Result<(), StoreError> {
    let result = result.map(|result| json(&ResultInfo::from(result))).transpose()?;
    let ended_ms = (state == call::CallState::Terminated).then(|| Utc::now().timestamp_millis());
    query("UPDATE calls SET state = ?, audio_active = ?, result_info = ?, ended_ms = ? WHERE id = ?")
        .bind(wire::call::state(state))
        .bind(audio_active)
        .bind(result)
        .bind(ended_ms)
        .bind(call)
        .execute(db)
        .await?;
    Ok(())
}

async fn replace_roster(
    db: &mut SqliteConnection,
    call: &str,
    entries: &[call::RosterEntry],
) -> Result<(), StoreError> {
    query("DELETE FROM participants WHERE call_id = ?").bind(call).execute(&mut *db).await?;
    for (position, entry) in (1_i64..).zip(entries) {
        let participant = Participant::new(entry, position);
        query("INSERT INTO participants (call_id, id, position, body) VALUES (?, ?, ?, ?)")
            .bind(call)
            .bind(&participant.id)
            .bind(position)
            .bind(json(&participant)?)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// Takes the next number of a call's notices; nothing if the call is not known, so that nobody could be told.
pub(super) async fn next_sequence(db: &mut SqliteConnection, call: &str) -> Result<Option<i64>, StoreError> {
    let sequence =
        query_scalar("UPDATE calls SET notice_sequence = notice_sequence + 1 WHERE id = ? RETURNING notice_sequence")
            .bind(call)
            .fetch_optional(db)
            .await?;
    Ok(sequence)
}

/// Puts a notification into the outbox.
pub(super) async fn queue(
    db: &mut SqliteConnection,
    call: &str,
    sequence: i64,
    body: &Notifications,
) -> Result<(), StoreError> {
    let now_ms = Utc::now().timestamp_millis();
    query(
        "INSERT INTO notices (call_id, sequence, message_id, payload, created_ms, queued_ms, next_attempt_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(call)
    .bind(sequence)
    .bind(Uuid::new_v4().to_string())
    .bind(json(body)?)
    .bind(now_ms)
    .bind(now_ms)
    .bind(now_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes old calls with all that is theirs.
async fn forget_before(db: &mut SqliteConnection, time_ms: i64) -> Result<(), StoreError> {
    query(
        "DELETE FROM calls WHERE id IN (
             SELECT id FROM calls WHERE ended_ms < ? AND NOT EXISTS (
                 SELECT 1 FROM notices WHERE notices.call_id = calls.id AND notices.state = 'pending')
             LIMIT ?)",
    )
    .bind(time_ms)
    .bind(FORGET_AT_ONCE)
    .execute(db)
    .await?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}
