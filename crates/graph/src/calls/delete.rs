//! `DELETE /communications/calls/{id}`: the application hangs up. Only its own leg ends.

use axum::extract::{Path, State};
use call::Command;
use http::StatusCode;

use crate::api::{Api, call_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;

/// Serves the method.
pub(crate) async fn delete(
    State(api): State<Api>,
    caller: Caller,
    Path(call): Path<String>,
) -> Result<StatusCode, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    api.execute(&caller, call_id(&call)?, Command::HangUp).await?;
    Ok(StatusCode::NO_CONTENT)
}
