//! `POST /communications/calls`: an application calls one person, or several.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use call::{CallId, CallKind, CallState, Identity, Invitation, ParticipantId};
use chrono::Utc;
use engine::prompts::PromptSource;
use engine::{CreateError, Engine};
use http::StatusCode;
use http::header::LOCATION;
use uuid::Uuid;

use crate::api::{Api, Root};
use crate::auth::{CREATE_ROLES, Caller, GROUP_ROLES, PEER_ROLES};
use crate::body::Body;
use crate::calls::recent::Attempt;
use crate::error::Failure;
use crate::store::NewCallRow;
use crate::wire::Invalid;
use crate::wire::call::{Call, NewCall, ParsedCall, state};
use crate::wire::identity::{IdentitySet, InvitationParticipantInfo, ParticipantInfo};

/// Serves the method. The call exists, and is stored, when the answer is sent.
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    attempt: Attempt,
    Body(request): Body<NewCall>,
) -> Result<Response, Failure> {
    caller.require(CREATE_ROLES)?;
    check_owner(&request, &caller)?;
    let parsed = request.parse(&api.callbacks)?;
    let kind = kind(&parsed);
    caller.require(roles(kind))?;
    api.require_storage()?;
    let new_call = new_call(&caller, &request, &parsed, kind);
    let row = row(&caller, &parsed, &new_call);
    let answered = api.recent_calls.answered(caller.app, caller.tenant, attempt, Instant::now());
    // A task of its own goes on when the client hangs up or the request takes too long: its repetition finds the call.
    let placing = tokio::spawn(async move {
        let place = || place(&api, new_call, row, prefetch(parsed.pre_fetch));
        answered.get_or_try_init(place).await.cloned()
    });
    let shown = placing.await.map_err(|_| Failure::internal())??;
    let location = [(LOCATION, root.call_url(&shown.id))];
    Ok((StatusCode::CREATED, location, Json(root.entity("communications/calls/$entity", &shown))).into_response())
}

async fn place(
    api: &Api,
    new_call: call::NewCall,
    row: NewCallRow,
    prefetch: Vec<PromptSource>,
) -> Result<Call, Failure> {
    let (id, app, shown) = (new_call.id, row.app, row.facts.clone());
    api.throttle.calls.place(app, id, Utc::now())?;
    api.announced.announce(row);
    if let Err(error) = api.engine.create_call(new_call, prefetch).await {
        api.announced.take(id);
        api.throttle.calls.withdraw(app, id);
        return Err(error.into());
    }
    Ok(shown)
}

/// One target is a peer-to-peer call, several are a group call (Graph, "Cloud communications calls").
fn kind(parsed: &ParsedCall) -> CallKind {
    if parsed.targets.len() == 1 { CallKind::PeerToPeer } else { CallKind::Group }
}

fn roles(kind: CallKind) -> &'static [crate::directory::Role] {
    match kind {
        CallKind::PeerToPeer => PEER_ROLES,
        CallKind::Group => GROUP_ROLES,
    }
}

/// The request may name its tenant and its source; both must be the token's.
fn check_owner(request: &NewCall, caller: &Caller) -> Result<(), Failure> {
    if request.parse_tenant()?.is_some_and(|tenant| tenant != caller.tenant) {
        return Err(Failure::tenant_mismatch());
    }
    let application = request.source.as_ref().and_then(|source| source.identity.application.as_ref());
    let Some(id) = application.and_then(|application| application.id.as_deref()) else { return Ok(()) };
    let id = Uuid::try_parse(id).map_err(|_| Invalid::new("source.identity.application.id", "must be a GUID"))?;
    if id == caller.app.0 { Ok(()) } else { Err(Failure::source_mismatch()) }
}

fn new_call(caller: &Caller, request: &NewCall, parsed: &ParsedCall, kind: CallKind) -> call::NewCall {
    let display_name = request
        .source
        .as_ref()
        .and_then(|source| source.identity.application.as_ref())
        .and_then(|application| application.display_name.clone());
    let invite = |identity: &Identity| Invitation::new(ParticipantId::new(Engine::new_id()), identity.clone());
    call::NewCall {
        id: CallId::new(Engine::new_id()),
        participant: ParticipantId::new(Engine::new_id()),
        application: Identity::application(caller.app.to_string(), display_name),
        kind,
        targets: parsed.targets.iter().map(invite).collect(),
    }
}

fn row(caller: &Caller, parsed: &ParsedCall, new_call: &call::NewCall) -> NewCallRow {
    let chain_id = Uuid::new_v4();
    let facts = Call {
        id: new_call.id.to_string(),
        state: state(CallState::Establishing).to_owned(),
        direction: "outgoing".to_owned(),
        subject: parsed.subject.clone(),
        callback_uri: parsed.callback_uri.as_str().to_owned(),
        call_chain_id: chain_id.to_string(),
        call_routes: Vec::new(),
        source: ParticipantInfo { identity: IdentitySet::from(&new_call.application), participant_id: None },
        targets: parsed.targets.iter().map(InvitationParticipantInfo::from).collect(),
        requested_modalities: vec!["audio".to_owned()],
        media_config: Some(parsed.media_config.clone()),
        tenant_id: caller.tenant.to_string(),
        my_participant_id: new_call.participant.to_string(),
        media_state: None,
        result_info: None,
        chat_info: None,
        meeting_info: None,
        transcription: None,
        tone_info: None,
        incoming_context: None,
    };
    NewCallRow {
        id: new_call.id,
        app: caller.app,
        tenant: caller.tenant,
        callback_uri: facts.callback_uri.clone(),
        chain_id,
        facts,
    }
}

pub(super) fn prefetch(prompts: Vec<call::Prompt>) -> Vec<PromptSource> {
    let source = |prompt| match prompt {
        call::Prompt::Media { uri, resource_id } => Some(PromptSource { uri, resource_id }),
        call::Prompt::BuiltIn => None,
    };
    prompts.into_iter().filter_map(source).collect()
}

impl From<CreateError> for Failure {
    fn from(error: CreateError) -> Failure {
        match error {
            CreateError::Busy => Failure::unavailable("Too many requests are waiting."),
            CreateError::NotRecorded => Failure::unavailable("The call could not be stored."),
        }
    }
}
