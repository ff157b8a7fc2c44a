//! `GET /communications/calls/{id}/operations/{id}`. An operation can be read until its call ends.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::{Api, Root, call_id, operation_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;
use crate::query::Query;

/// Serves the method.
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    query: Query,
    Path((call, operation)): Path<(String, String)>,
) -> Result<Json<Value>, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let call = call_id(&call)?;
    api.owned_call(&caller, call).await?;
    let operation = api.store.operation(call, operation_id(&operation)?).await?;
    let operation = operation.ok_or_else(Failure::operation_not_found)?;
    let context = format!("communications/calls('{call}')/operations/$entity");
    Ok(Json(query.entity(&root, &context, operation)))
}
