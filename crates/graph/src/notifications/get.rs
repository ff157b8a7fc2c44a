//! `GET /fermata/v1/calls/{id}/notifications/{sequence}`.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::sequence;
use crate::api::Api;
use crate::directory::UserRole;
use crate::error::Failure;
use crate::query::StrictQuery;
use crate::signed_in::Asker;

/// Serves the method.
pub(crate) async fn get(
    State(api): State<Api>,
    asker: Asker,
    StrictQuery(query): StrictQuery,
    Path((call, notification)): Path<(String, String)>,
) -> Result<Json<Value>, Failure> {
    let call = asker.call(&api, &call, UserRole::ConsoleRead).await?;
    let entry = api.store.ledger_entry(call, sequence(&notification)?).await?;
    Ok(Json(query.selected(json!(entry.ok_or_else(Failure::notification_not_found)?))))
}
