//! `GET /communications/calls/{id}/participants/$count`: how many are in the roster, as plain text.

use axum::extract::{Path, State};

use crate::api::{Api, call_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;

/// Serves the method.
pub(crate) async fn count(State(api): State<Api>, caller: Caller, Path(call): Path<String>) -> Result<String, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let call = call_id(&call)?;
    api.owned_call(&caller, call).await?;
    Ok(api.store.participants(call).await?.len().to_string())
}
