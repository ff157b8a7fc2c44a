//! `GET /communications/calls`: the caller's live calls. Graph has the route in its metadata and no page for it.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::api::{Api, Root};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;
use crate::query::Query;

/// Serves the method.
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    query: Query,
) -> Result<Json<Value>, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let calls = api.store.calls(caller.app, caller.tenant).await?;
    let bodies = calls.into_iter().map(|call| json!(call.body)).collect();
    Ok(Json(query.collection(&root, "communications/calls", bodies)))
}
