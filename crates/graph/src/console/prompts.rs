//! `GET /fermata/v1/prompts`, and `POST /fermata/v1/prompts/preflight`: what is kept, and what a prompt would fail with.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use engine::live::{Layer, LiveCall};
use serde_json::{Value, json};

use crate::api::Api;
use crate::body::Body;
use crate::directory::UserRole;
use crate::error::Failure;
use crate::signed_in::SignedIn;
use crate::wire::Invalid;
use crate::wire::prompt::{Preflight, PreflightRequest, Prompt};

/// Serves what is kept, the built-in music first, then last used first, with the calls that play it now.
pub(crate) async fn prompts(State(api): State<Api>, person: SignedIn) -> Result<Json<Value>, Failure> {
    person.require(UserRole::ConsoleRead)?;
    let calls = api.engine.watch(&Arc::new(HashMap::new())).await.changed;
    let mut playing: HashMap<Option<&str>, Vec<String>> = HashMap::new();
    for (uri, call) in calls.iter().flat_map(|call| music_of(call).map(move |uri| (uri, call))) {
        playing.entry(uri).or_default().push(call.id.to_string());
    }
    let kept = api.engine.prompts().kept().into_iter();
    let shown = kept.map(|kept| {
        let calls = playing.get(&kept.uri.as_deref()).cloned().unwrap_or_default();
        Prompt::new(kept, calls)
    });
    Ok(Json(json!({ "value": shown.collect::<Vec<_>>() })))
}

/// Where the music of the held ones in a call comes from.
fn music_of(call: &LiveCall) -> impl Iterator<Item = Option<&str>> {
    let layers = call.participants.iter().flat_map(|participant| &participant.layers);
    layers.filter(|layer| matches!(layer.layer, Layer::HoldMusic(_))).map(|layer| layer.prompt_uri.as_deref())
}

/// Fetches a prompt as a hold would, and says what would fail here and at Graph. Somebody who only looks may ask: nothing
/// changes, and the server asks nobody whom an application could not have it ask.
pub(crate) async fn preflight(
    State(api): State<Api>,
    person: SignedIn,
    Body(request): Body<PreflightRequest>,
) -> Result<Json<Preflight>, Failure> {
    person.require(UserRole::ConsoleRead)?;
    let uri = request.uri.ok_or_else(|| Invalid::new("uri", "is required"))?;
    let found = api.engine.prompts().preflight(&uri).await;
    Ok(Json(Preflight::new(uri, found)))
}
