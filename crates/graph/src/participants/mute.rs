//! `POST /communications/calls/{id}/participants/{id}/mute`: the server drops somebody's audio.

use axum::extract::{Path, State};
use axum::response::Response;
use call::Command;
use http::StatusCode;

use crate::api::{Api, ContextOnly, Root, call_id, client_context, new_operation_id, participant_id};
use crate::auth::{Caller, PARTICIPANT_ROLES};
use crate::body::Body;
use crate::error::Failure;

/// Serves the method. The operation is completed in the answer; a roster notification follows.
pub(crate) async fn mute(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    Path((call, participant)): Path<(String, String)>,
    Body(request): Body<ContextOnly>,
) -> Result<Response, Failure> {
    caller.require(PARTICIPANT_ROLES)?;
    let client_context = client_context(request.client_context)?;
    let participant = participant_id(&participant)?;
    let command = Command::MuteParticipant { operation: new_operation_id(), client_context, participant };
    let accepted = api.execute(&caller, call_id(&call)?, command).await?;
    Ok(root.operation_answer(StatusCode::OK, &accepted))
}
