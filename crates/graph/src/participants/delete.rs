//! `DELETE /communications/calls/{id}/participants/{id}`: somebody is removed from the call.

use axum::extract::{Path, State};
use call::Command;
use http::StatusCode;

use crate::api::{Api, call_id, participant_id};
use crate::auth::{Caller, PARTICIPANT_ROLES};
use crate::error::Failure;

/// Serves the method.
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path((call, participant)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    caller.require(PARTICIPANT_ROLES)?;
    let participant = participant_id(&participant)?;
    api.execute(&caller, call_id(&call)?, Command::RemoveParticipant { participant }).await?;
    Ok(StatusCode::NO_CONTENT)
}
