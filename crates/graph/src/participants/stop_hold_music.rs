//! `POST /communications/calls/{id}/participants/{id}/stopHoldMusic`: a held participant comes back.

use axum::extract::{Path, State};
use axum::response::Response;
use call::Command;
use http::StatusCode;

use crate::api::{Api, ContextOnly, Root, call_id, client_context, new_operation_id, participant_id};
use crate::auth::{Caller, PARTICIPANT_ROLES};
use crate::body::Body;
use crate::error::Failure;

/// Serves the method.
pub(crate) async fn stop_hold_music(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    Path((call, participant)): Path<(String, String)>,
    Body(request): Body<ContextOnly>,
) -> Result<Response, Failure> {
    caller.require(PARTICIPANT_ROLES)?;
    let client_context = client_context(request.client_context)?;
    let participant = participant_id(&participant)?;
    let command = Command::StopHoldMusic { operation: new_operation_id(), client_context, participant };
    let accepted = api.execute(&caller, call_id(&call)?, command).await?;
    Ok(root.operation_answer(StatusCode::ACCEPTED, &accepted))
}
