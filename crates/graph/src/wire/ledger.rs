//! The ledger of a call's notifications. It is ours and not Graph's, in the manner of Graph.

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;
use serde_json::Value;

/// Is one notification and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerEntry {
    /// Counts the call's notifications from 1, in the order in which they are delivered.
    pub(crate) sequence: i64,
    /// The same in each delivery.
    pub(crate) message_id: String,
    pub(crate) resource_url: String,
    pub(crate) change_type: String,
    /// `pending`, `delivered` or `dead`.
    pub(crate) state: String,
    pub(crate) created_date_time: String,
    /// When it will be tried, unless the ones before it take longer; only of one that is pending.
    pub(crate) next_attempt_date_time: Option<String>,
    /// How many attempts there were; the oldest may not be kept.
    pub(crate) attempt_count: u32,
    pub(crate) attempts: Vec<LedgerAttempt>,
    /// What is posted.
    pub(crate) payload: Value,
}

/// Is one try to deliver a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LedgerAttempt {
    pub(crate) number: i64,
    pub(crate) started_date_time: String,
    pub(crate) duration_ms: i64,
    /// What the application answered.
    pub(crate) status: Option<u16>,
    /// Why there is no answer.
    pub(crate) failure: Option<String>,
    pub(crate) next_attempt_date_time: Option<String>,
}

/// Spells a time in milliseconds since 1970 as OData's `Edm.DateTimeOffset`.
pub(crate) fn date_time(time_ms: i64) -> String {
    DateTime::from_timestamp_millis(time_ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}
