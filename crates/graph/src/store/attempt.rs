//! What is written when a notice was tried, and when it is to be delivered once more.

use std::time::Duration;

use call::CallId;
use chrono::Utc;
use sqlx::sqlite::SqliteConnection;
use sqlx::{query, query_scalar};

use super::StoreError;
use crate::notify::Answer;

/// Most attempts of one notice that are kept, the newest. A notice that nobody takes has about 32 in the day after which
/// it is given up; those beyond come from an application that asks again and again.
const ATTEMPTS_KEPT_MAX: i64 = 50;

/// Is one try to deliver a notice.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) notice: i64,
    pub(crate) started_ms: i64,
    pub(crate) duration: Duration,
    pub(crate) answer: Answer,
    pub(crate) outcome: Outcome,
}

/// Says what becomes of a notice after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The application has it.
    Delivered,
    /// It will be tried again at this time, in milliseconds since 1970.
    Retry(i64),
    /// It is given up.
    Dead,
}

/// Says which notices of a call are to be delivered once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redelivery {
    /// The one with this number in the call.
    One(i64),
    /// All that were given up.
    Dead,
}

pub(super) async fn record_attempt(db: &mut SqliteConnection, attempt: &Attempt) -> Result<(), StoreError> {
    let (state, next_ms) = match attempt.outcome {
        Outcome::Delivered => ("delivered", None),
        Outcome::Retry(at_ms) => ("pending", Some(at_ms)),
        Outcome::Dead => ("dead", None),
    };
    let number: Option<i64> = query_scalar(
        "UPDATE notices SET state = ?, attempts = attempts + 1, tries = tries + 1,
             next_attempt_ms = coalesce(?, next_attempt_ms)
         WHERE id = ? RETURNING attempts",
    )
    .bind(state)
    .bind(next_ms)
    .bind(attempt.notice)
    .fetch_optional(&mut *db)
    .await?;
    let Some(number) = number else { return Ok(()) };
    enter(db, attempt, number, next_ms).await?;
    query("DELETE FROM attempts WHERE notice_id = ? AND number <= ?")
        .bind(attempt.notice)
        .bind(number - ATTEMPTS_KEPT_MAX)
        .execute(db)
        .await?;
    Ok(())
}

async fn enter(
    db: &mut SqliteConnection,
    attempt: &Attempt,
    number: i64,
    next_ms: Option<i64>,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO attempts (notice_id, number, started_ms, duration_ms, status, failure, next_attempt_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(attempt.notice)
    .bind(number)
    .bind(attempt.started_ms)
    .bind(i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX))
    .bind(attempt.answer.status().map(|status| status.as_u16()))
    .bind(attempt.answer.failure())
    .bind(next_ms)
    .execute(db)
    .await?;
    Ok(())
}

/// Puts notices back into the outbox. Whoever asks is there to take them, so what else is pending is tried at once, too:
/// nothing overtakes, and a wait of an hour would be waited for all of them.
pub(super) async fn redeliver(
    db: &mut SqliteConnection,
    call: CallId,
    redelivery: Redelivery,
) -> Result<(), StoreError> {
    let (call, now_ms) = (call.to_string(), Utc::now().timestamp_millis());
    let (sequence, is_dead) = match redelivery {
        Redelivery::One(sequence) => (Some(sequence), false),
        Redelivery::Dead => (None, true),
    };
    query(
        "UPDATE notices SET state = 'pending', queued_ms = ?, tries = 0
         WHERE call_id = ? AND ((state <> 'pending' AND sequence = ?) OR (state = 'dead' AND ?))",
    )
    .bind(now_ms)
    .bind(&call)
    .bind(sequence)
    .bind(is_dead)
    .execute(&mut *db)
    .await?;
    query("UPDATE notices SET next_attempt_ms = ? WHERE call_id = ? AND state = 'pending'")
        .bind(now_ms)
        .bind(&call)
        .execute(db)
        .await?;
    Ok(())
}
