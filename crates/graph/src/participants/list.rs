//! `GET /communications/calls/{id}/participants`: the whole roster, exactly as the last notification told it.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::{Api, Root, call_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;
use crate::query::Query;

/// Serves the method.
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    query: Query,
    Path(call): Path<String>,
) -> Result<Json<Value>, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let call = call_id(&call)?;
    api.owned_call(&caller, call).await?;
    let roster = api.store.participants(call).await?;
    let context = format!("communications/calls('{call}')/participants");
    Ok(Json(query.collection(&root, &context, roster)))
}
