//! `POST /communications/calls/{id}/keepAlive`: without one, a call ends after 45 minutes.

use axum::extract::{Path, State};
use call::Command;
use http::StatusCode;

use crate::api::{Api, call_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;

/// Serves the method. A body is neither needed nor read.
pub(crate) async fn keep_alive(
    State(api): State<Api>,
    caller: Caller,
    Path(call): Path<String>,
) -> Result<StatusCode, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    api.execute(&caller, call_id(&call)?, Command::KeepAlive).await?;
    Ok(StatusCode::OK)
}
