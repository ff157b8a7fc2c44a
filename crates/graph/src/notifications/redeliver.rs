//! `POST /fermata/v1/calls/{id}/notifications/{sequence}/redeliver`, and `…/notifications/redeliver` for all that were
//! given up.
//!
//! They go back into the outbox: as the same messages, in order with what else is pending, never two at a time. Asking
//! for one that is pending already has it tried now. A body is neither needed nor read.

use axum::extract::{Path, State};
use call::CallId;
use http::StatusCode;
use tokio::sync::oneshot;

use super::sequence;
use crate::api::Api;
use crate::directory::UserRole;
use crate::error::Failure;
use crate::signed_in::Asker;
use crate::store::{Batch, Redelivery, Write};

/// Serves the method for one notification, whatever became of it before.
pub(crate) async fn redeliver(
    State(api): State<Api>,
    asker: Asker,
    Path((call, notification)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let call = asker.call(&api, &call, UserRole::ConsoleOperate).await?;
    let sequence = sequence(&notification)?;
    if api.store.ledger_entry(call, sequence).await?.is_none() {
        return Err(Failure::notification_not_found());
    }
    queue(&api, call, Redelivery::One(sequence)).await
}

/// Serves the method for all notifications of a call that were given up; there may be none.
pub(crate) async fn redeliver_dead(
    State(api): State<Api>,
    asker: Asker,
    Path(call): Path<String>,
) -> Result<StatusCode, Failure> {
    let call = asker.call(&api, &call, UserRole::ConsoleOperate).await?;
    queue(&api, call, Redelivery::Dead).await
}

/// Answers when it is stored, as everything; the outbox hears of it from the writer.
async fn queue(api: &Api, call: CallId, redelivery: Redelivery) -> Result<StatusCode, Failure> {
    let (done, stored) = oneshot::channel();
    let batch = Batch::new(vec![Write::Redelivery(call, redelivery)], move |result| {
        // Whoever asked may have gone away.
        let _ = done.send(result);
    });
    api.store.submit(batch).await;
    match stored.await {
        Ok(Ok(())) => Ok(StatusCode::ACCEPTED),
        Ok(Err(_)) | Err(_) => Err(Failure::unavailable("The request could not be stored.")),
    }
}
