//! `GET /communications/calls/{id}/participants/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use crate::api::{Api, Root, call_id, participant_id};
use crate::auth::{Caller, PARTICIPANT_ROLES};
use crate::error::Failure;
use crate::query::Query;

/// Serves the method.
pub(crate) async fn get(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    query: Query,
    Path((call, participant)): Path<(String, String)>,
) -> Result<Json<Value>, Failure> {
    caller.require(PARTICIPANT_ROLES)?;
    let call = call_id(&call)?;
    api.owned_call(&caller, call).await?;
    let participant = api.store.participant(call, participant_id(&participant)?).await?;
    let participant = participant.ok_or_else(Failure::participant_not_found)?;
    let context = format!("communications/calls('{call}')/participants/$entity");
    Ok(Json(query.entity(&root, &context, participant)))
}
