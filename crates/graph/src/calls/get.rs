//! `GET /communications/calls/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::api::{Api, Root, call_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;
use crate::query::Query;

/// Serves the method.
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    query: Query,
    Path(call): Path<String>,
) -> Result<Json<Value>, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let call = api.owned_call(&caller, call_id(&call)?).await?;
    Ok(Json(query.entity(&root, "communications/calls/$entity", json!(call.body))))
}
