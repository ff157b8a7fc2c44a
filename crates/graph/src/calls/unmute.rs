//! `POST /communications/calls/{id}/unmute`: the application unmutes itself.

use axum::extract::{Path, State};
use axum::response::Response;
use call::Command;
use http::StatusCode;

use crate::api::{Api, ContextOnly, Root, call_id, client_context, new_operation_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::body::Body;
use crate::error::Failure;

/// Serves the method. The operation is completed in the answer, so no notification follows for it.
pub(crate) async fn unmute(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    Path(call): Path<String>,
    Body(request): Body<ContextOnly>,
) -> Result<Response, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let client_context = client_context(request.client_context)?;
    let command = Command::Unmute { operation: new_operation_id(), client_context };
    let accepted = api.execute(&caller, call_id(&call)?, command).await?;
    Ok(root.operation_answer(StatusCode::OK, &accepted))
}
