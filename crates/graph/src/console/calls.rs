//! `GET /fermata/v1/calls` and `GET /fermata/v1/calls/{id}`: calls as they are now, of all applications.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::Uri;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::api::{Api, call_id};
use crate::directory::UserRole;
use crate::error::Failure;
use crate::signed_in::SignedIn;
use crate::wire::Invalid;
use crate::wire::live::Call;

/// Serves the live calls, the oldest first; with `?ended=true` also those that are over and still remembered, in front. A call
/// may be over and its conversation go on.
pub(crate) async fn list(State(api): State<Api>, person: SignedIn, uri: Uri) -> Result<Json<Value>, Failure> {
    person.require(UserRole::ConsoleRead)?;
    let wants_ended = wants_ended(uri.query().unwrap_or_default())?;
    let calls = api.engine.watch(&Arc::new(HashMap::new())).await.changed;
    let (mut ended, live): (Vec<_>, Vec<_>) = calls.into_iter().partition(|call| call.ended.is_some());
    match wants_ended {
        true => ended.extend(api.engine.ended_calls().await),
        false => ended.clear(),
    }
    let calls: Vec<Call> = ended.into_iter().chain(live).map(Call::from).collect();
    Ok(Json(json!({ "value": calls })))
}

/// Serves one call, also when it is over, as long as it is remembered.
pub(crate) async fn get(
    State(api): State<Api>,
    person: SignedIn,
    Path(call): Path<String>,
) -> Result<Json<Call>, Failure> {
    person.require(UserRole::ConsoleRead)?;
    let call = api.engine.look_at(call_id(&call)?).await.ok_or_else(Failure::call_not_found)?;
    Ok(Json(Call::from(call)))
}

fn wants_ended(query: &str) -> Result<bool, Invalid> {
    let mut wants_ended = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name != "ended" {
            return Err(Invalid::new(name, "is not known"));
        }
        wants_ended = value.parse().map_err(|_| Invalid::new("ended", "must be 'true' or 'false'"))?;
    }
    Ok(wants_ended)
}
