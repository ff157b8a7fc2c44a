//! `GET /fermata/v1/calls/{id}/timeline`: what has happened in a call, step by step.

use axum::Json;
use axum::extract::{Path, State};

use crate::api::{Api, call_id};
use crate::directory::UserRole;
use crate::error::Failure;
use crate::signed_in::SignedIn;
use crate::wire::live::Timeline;

/// Serves the method.
pub(crate) async fn timeline(
    State(api): State<Api>,
    person: SignedIn,
    Path(call): Path<String>,
) -> Result<Json<Timeline>, Failure> {
    person.require(UserRole::ConsoleRead)?;
    let timeline = api.engine.timeline(call_id(&call)?).await.ok_or_else(Failure::call_not_found)?;
    Ok(Json(Timeline::from(timeline)))
}
