//! `GET /communications/calls/$count`: how many live calls the caller has, as plain text.

use axum::extract::State;

use crate::api::Api;
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;

/// Serves the method.
pub(crate) async fn count(State(api): State<Api>, caller: Caller) -> Result<String, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    Ok(api.store.calls(caller.app, caller.tenant).await?.len().to_string())
}
