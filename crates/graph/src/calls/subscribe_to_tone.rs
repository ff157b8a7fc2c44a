//! `POST /communications/calls/{id}/subscribeToTone`: the application is told of keys that people press.

use axum::extract::{Path, State};
use axum::response::Response;
use call::Command;
use http::StatusCode;

use crate::api::{Api, ContextOnly, Root, call_id, client_context, new_operation_id};
use crate::auth::{Caller, MEDIA_ROLES};
use crate::body::Body;
use crate::error::Failure;

/// Serves the method. The operation is completed in the answer, so no notification follows for it.
pub(crate) async fn subscribe_to_tone(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    Path(call): Path<String>,
    Body(request): Body<ContextOnly>,
) -> Result<Response, Failure> {
    caller.require(MEDIA_ROLES)?;
    let client_context = client_context(request.client_context)?;
    let command = Command::SubscribeToTone { operation: new_operation_id(), client_context };
    let accepted = api.execute(&caller, call_id(&call)?, command).await?;
    Ok(root.operation_answer(StatusCode::OK, &accepted))
}
