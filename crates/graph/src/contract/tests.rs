//! The documents agree with the routes and with the wire types.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{METADATA, OPENAPI};
use crate::routes;
use crate::wire::call::{Call, IncomingContext, MediaState};
use crate::wire::heard;
use crate::wire::identity::{Identity, IdentitySet, InvitationParticipantInfo, ParticipantInfo};
use crate::wire::ledger::{LedgerAttempt, LedgerEntry};
use crate::wire::live;
use crate::wire::media::{MediaInfo, ServiceHostedMediaConfig};
use crate::wire::operation::Operation;
use crate::wire::participant::Participant;
use crate::wire::prompt;
use crate::wire::result_info::ResultInfo;

/// Members of a call that are always empty here: they may come, since the type is open, and have no type of ours.
const ALWAYS_EMPTY: [&str; 6] = ["callRoutes", "chatInfo", "meetingInfo", "transcription", "toneInfo", "recordingInfo"];

type Names = BTreeSet<String>;

#[test]
fn openapi_has_exactly_the_routes_that_are_served() {
    let document = openapi();
    let paths = document["paths"].as_object().expect("paths");
    let methods = |item: &Value| item.as_object().expect("a path item").keys().cloned().collect::<Vec<_>>();
    let is_method = |name: &String| ["get", "post", "delete", "patch", "put"].contains(&name.as_str());
    let described: Names = paths
        .iter()
        .flat_map(|(path, item)| methods(item).into_iter().filter(is_method).map(move |m| format!("{m} {path}")))
        .collect();
    let served: Names = routes::served().map(|(method, path)| format!("{} {path}", method.to_lowercase())).collect();
    assert_eq!(described, served);
}

#[test]
fn openapi_names_an_operation_once() {
    let document = openapi();
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|item| item.as_object().expect("a path item").values());
    let ids: Vec<_> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), routes::served().count());
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn openapi_has_exactly_the_members_of_every_answer() {
    let document = openapi();
    check_members(&document, &schema("call"), &json!(call()));
    check_members(&document, &schema("participant"), &json!(participant()));
    check_members(&document, &schema("operation"), &json!(operation()));
    check_members(&document, &schema("ledgerEntry"), &json!(ledger_entry()));
    check_members(&document, &schema("liveCall"), &json!(live_call()));
    check_members(&document, &schema("timeline"), &json!(timeline()));
    check_members(&document, &schema("heard"), &json!(heard()));
    check_members(&document, &schema("prompt"), &json!(kept_prompt()));
    check_members(&document, &schema("preflight"), &json!(preflight()));
}

#[test]
fn metadata_has_exactly_the_members_of_every_answer() {
    check_type("call", &json!(call()));
    check_type("participant", &json!(participant()));
    check_type("inviteParticipantsOperation", &json!(Operation { completion_reason: None, ..operation() }));
    check_type("sendDtmfTonesOperation", &json!(Operation { participants: None, ..operation() }));
    check_type("communicationsIdentitySet", &with_device(json!(identity_set())));
    check_type("participantInfo", &json!(participant().info));
    check_type("invitationParticipantInfo", &json!(invitation()));
    check_type("mediaStream", &json!(participant().media_streams[0]));
    check_type("mediaInfo", &json!(media_info()));
    check_type("incomingContext", &json!(call().incoming_context));
    check_type("resultInfo", &json!(result_info()));
}

#[test]
fn metadata_has_every_action() {
    let actions = routes::served().filter(|(method, path)| *method == "POST" && path.starts_with("/communications"));
    for (_, path) in actions {
        let name = path.rsplit('/').next().expect("a path has a last segment");
        assert!(name == "calls" || METADATA.contains(&format!("<Action Name=\"{name}\" ")), "no action {name}");
    }
}

fn openapi() -> Value {
    serde_json::from_str(OPENAPI).expect("the document is JSON")
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Checks that a value has the members of its schema, and its members those of theirs.
#[track_caller]
fn check_members(document: &Value, schema: &Value, value: &Value) {
    let schema = resolved(document, schema);
    match value {
        Value::Array(entries) => {
            entries.iter().for_each(|entry| check_members(document, &schema["items"], entry));
        }
        Value::Object(members) => {
            let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("no members in {schema}"));
            let described: Names = properties.keys().filter(|name| *name != "@odata.context").cloned().collect();
            assert_eq!(members.keys().cloned().collect::<Names>(), described, "{}", schema["description"]);
            members.iter().for_each(|(name, value)| check_members(document, &properties[name], value));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Follows a reference; of alternatives it takes the first, since the others are null.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(alternatives) = schema["anyOf"].as_array() {
        return resolved(document, &alternatives[0]);
    }
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(&reference[1..]).unwrap_or_else(|| panic!("nothing at {reference}")),
        None => schema,
    }
}

/// Checks that a value has the properties that the metadata declares for its type.
#[track_caller]
fn check_type(name: &str, value: &Value) {
    let members = value.as_object().expect("an object").keys();
    let members = members.filter(|name| !name.starts_with('@') && !ALWAYS_EMPTY.contains(&name.as_str()));
    assert_eq!(members.cloned().collect::<Names>(), declared(name), "{name}");
}

/// Returns the properties of a type and of what it is derived from.
fn declared(name: &str) -> Names {
    let start =
        ["EntityType", "ComplexType"].iter().find_map(|kind| METADATA.find(&format!("<{kind} Name=\"{name}\"")));
    let element = &METADATA[start.unwrap_or_else(|| panic!("no type {name}"))..];
    let (head, rest) = element.split_once('>').expect("an element ends");
    let body = if head.ends_with('/') { "" } else { rest.split("Type>").next().unwrap_or_default() };
    let own = body.split("<Property Name=\"").skip(1).filter_map(|text| text.split('"').next()).map(str::to_owned);
    let inherited = head.split("BaseType=\"graph.").nth(1).and_then(|text| text.split('"').next());
    own.chain(inherited.map(declared).unwrap_or_default()).collect()
}

/// Adds the one kind of identity that Graph declares and we never send.
fn with_device(mut identity_set: Value) -> Value {
    identity_set["device"] = Value::Null;
    identity_set
}

fn call() -> Call {
    Call {
        id: String::new(),
        state: String::new(),
        direction: String::new(),
        subject: None,
        callback_uri: String::new(),
        call_chain_id: String::new(),
        call_routes: Vec::new(),
        source: ParticipantInfo { identity: identity_set(), participant_id: Some(String::new()) },
        targets: vec![invitation()],
        requested_modalities: Vec::new(),
        media_config: Some(ServiceHostedMediaConfig { pre_fetch_media: vec![media_info()] }),
        tenant_id: String::new(),
        my_participant_id: String::new(),
        media_state: Some(MediaState::new(true)),
        result_info: Some(result_info()),
        chat_info: None,
        meeting_info: None,
        transcription: None,
        tone_info: None,
        incoming_context: Some(IncomingContext { source_participant_id: String::new() }),
    }
}

fn participant() -> Participant {
    let entry = call::RosterEntry {
        participant: call::ParticipantId::new(1),
        identity: call::Identity::user("u1", None),
        muted: false,
        direction: call::Direction::SendReceive,
        sequence: 1,
    };
    let shown = Participant::new(&entry, 1);
    Participant { info: ParticipantInfo { identity: identity_set(), ..shown.info }, ..shown }
}

fn operation() -> Operation {
    Operation {
        odata_type: "#microsoft.graph.inviteParticipantsOperation".to_owned(),
        id: String::new(),
        status: String::new(),
        client_context: String::new(),
        result_info: Some(result_info()),
        participants: Some(vec![invitation()]),
        completion_reason: Some(String::new()),
    }
}

fn ledger_entry() -> LedgerEntry {
    let attempt = LedgerAttempt {
        number: 1,
        started_date_time: String::new(),
        duration_ms: 0,
        status: None,
        failure: None,
        next_attempt_date_time: None,
    };
    LedgerEntry {
        sequence: 1,
        message_id: String::new(),
        resource_url: String::new(),
        change_type: String::new(),
        state: String::new(),
        created_date_time: String::new(),
        next_attempt_date_time: None,
        attempt_count: 1,
        attempts: vec![attempt],
        payload: Value::Null,
    }
}

/// A call in which everything has a value.
fn live_call() -> live::Call {
    let owner = || live::By { kind: "", id: None, display_name: None };
    let media = live::Media {
        transport: None,
        codec: "",
        encryption: None,
        packets_received: 0,
        packets_lost: 0,
        loss_percent: 0.0,
        jitter_milliseconds: 0.0,
        playout_delay_milliseconds: 0.0,
        concealed_frames: 0,
        packets_sent: 0,
        remote_loss_percent: None,
        round_trip_milliseconds: None,
        level: 0,
    };
    let layer = live::LaidLayer { layer: "", phase: None, since: String::new(), owner: owner(), operation_id: None };
    let participant = live::Participant {
        id: String::new(),
        identity: identity_set(),
        state: "",
        is_application: false,
        is_muted: false,
        direction: "",
        since: String::new(),
        layers: vec![layer],
        hears: live::Hears { source: "", participants: Vec::new() },
        heard_by: Vec::new(),
        media: Some(media),
    };
    let operation = live::Operation {
        id: String::new(),
        kind: "",
        status: "",
        client_context: String::new(),
        participant_id: None,
        by: owner(),
        created_date_time: String::new(),
        ended_date_time: None,
        phases: vec![live::ReachedPhase { phase: "", since: String::new() }],
        result_info: Some(result_info()),
    };
    live::Call {
        id: String::new(),
        conversation_id: String::new(),
        revision: 1,
        state: "",
        kind: "",
        application: live::Named { id: String::new(), display_name: None },
        created_date_time: String::new(),
        ended_date_time: None,
        result_info: Some(result_info()),
        participants: vec![participant],
        operations: vec![operation],
    }
}

fn timeline() -> live::Timeline {
    let entry = live::TimelineEntry {
        sequence: 1,
        date_time: String::new(),
        kind: "",
        name: "",
        outcome: None,
        by: Some(live::By { kind: "", id: None, display_name: None }),
        participant_id: None,
        operation_id: None,
        text: String::new(),
    };
    live::Timeline { value: vec![entry], dropped: 0 }
}

fn heard() -> heard::Heard {
    let sound = || heard::Sound { source: "", participants: Vec::new() };
    let interval = heard::Interval {
        from: String::new(),
        tick: 0,
        ticks: 1,
        sound: sound(),
        operation_id: None,
        fading_out: Some(sound()),
        level: heard::Level { min: 0.0, mean: 0.0, max: 0.0 },
    };
    heard::Heard {
        participant_id: String::new(),
        tick_milliseconds: 20,
        dropped_intervals: 0,
        audio_seconds: 0.0,
        intervals: vec![interval],
    }
}

fn kept_prompt() -> prompt::Prompt {
    prompt::Prompt {
        uri: None,
        sound: prompt::Sound::default(),
        bytes: None,
        memory_bytes: 0,
        codecs_ready: Vec::new(),
        fetched_date_time: None,
        fresh_until_date_time: None,
        is_graph_prompt: false,
        calls: Vec::new(),
    }
}

fn preflight() -> prompt::Preflight {
    let verdict = || prompt::Verdict { is_accepted: true, problems: Vec::new() };
    let sound = prompt::Sound::default();
    prompt::Preflight { uri: String::new(), status: None, bytes: None, sound, fermata: verdict(), graph: verdict() }
}

fn invitation() -> InvitationParticipantInfo {
    InvitationParticipantInfo { identity: Some(identity_set()), replaces_call_id: Some(String::new()) }
}

fn identity_set() -> IdentitySet {
    let identity = Some(Identity { id: None, display_name: Some(String::new()) });
    IdentitySet { application: identity.clone(), user: identity.clone(), phone: identity }
}

fn media_info() -> MediaInfo {
    MediaInfo { uri: None, resource_id: Some(String::new()) }
}

fn result_info() -> ResultInfo {
    ResultInfo { code: 200, subcode: 0, message: String::new() }
}
