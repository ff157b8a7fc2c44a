//! Calls as the console sees them. Ours, not Graph's; in Graph's words where it has them. What has no value is null.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use engine::live::{
    Attendance, Encryption, Layer, LiveCall, LiveEntry, LiveHears, LiveLayer, LiveMedia, LiveOperation,
    LiveParticipant, LiveTimeline, Signalling,
};
use engine::{EntryKind, Owner, Phase, Statistics, TimelineOutcome, Transport};
use serde::Serialize;

use super::identity::IdentitySet;
use super::operation::status;
use super::participant::direction;
use super::result_info::ResultInfo;
use crate::wire::call::state;

/// Is one application's call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) conversation_id: String,
    pub(crate) revision: u64,
    pub(crate) state: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) application: Named,
    pub(crate) created_date_time: String,
    pub(crate) ended_date_time: Option<String>,
    pub(crate) result_info: Option<ResultInfo>,
    pub(crate) participants: Vec<Participant>,
    pub(crate) operations: Vec<Operation>,
}

/// Is something that has an id and perhaps a name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) display_name: Option<String>,
}

/// Is somebody in a conversation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Participant {
    pub(crate) id: String,
    pub(crate) identity: IdentitySet,
    pub(crate) state: &'static str,
    pub(crate) is_application: bool,
    pub(crate) is_muted: bool,
    pub(crate) direction: &'static str,
    pub(crate) since: String,
    pub(crate) layers: Vec<LaidLayer>,
    pub(crate) hears: Hears,
    pub(crate) heard_by: Vec<String>,
    pub(crate) media: Option<Media>,
}

/// Is a layer that lies over somebody.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LaidLayer {
    pub(crate) layer: &'static str,
    pub(crate) phase: Option<&'static str>,
    pub(crate) since: String,
    pub(crate) owner: By,
    pub(crate) operation_id: Option<String>,
}

/// Is by whose doing something is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct By {
    pub(crate) kind: &'static str,
    pub(crate) id: Option<String>,
    pub(crate) display_name: Option<String>,
}

/// Is what somebody hears.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hears {
    pub(crate) source: &'static str,
    pub(crate) participants: Vec<String>,
}

/// Is how somebody is connected.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Media {
    pub(crate) transport: Option<&'static str>,
    pub(crate) codec: &'static str,
    pub(crate) encryption: Option<&'static str>,
    pub(crate) packets_received: u64,
    pub(crate) packets_lost: u64,
    pub(crate) loss_percent: f64,
    pub(crate) jitter_milliseconds: f64,
    pub(crate) playout_delay_milliseconds: f64,
    pub(crate) concealed_frames: u64,
    pub(crate) packets_sent: u64,
    pub(crate) remote_loss_percent: Option<f64>,
    pub(crate) round_trip_milliseconds: Option<f64>,
    pub(crate) level: i32,
}

/// Is an operation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) client_context: String,
    pub(crate) participant_id: Option<String>,
    pub(crate) by: By,
    pub(crate) created_date_time: String,
    pub(crate) ended_date_time: Option<String>,
    pub(crate) phases: Vec<ReachedPhase>,
    pub(crate) result_info: Option<ResultInfo>,
}

/// Is a phase of an operation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReachedPhase {
    pub(crate) phase: &'static str,
    pub(crate) since: String,
}

/// Is the timeline of a call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Timeline {
    pub(crate) value: Vec<TimelineEntry>,
    pub(crate) dropped: u64,
}

/// Is one step of a call.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelineEntry {
    pub(crate) sequence: u64,
    pub(crate) date_time: String,
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) outcome: Option<&'static str>,
    pub(crate) by: Option<By>,
    pub(crate) participant_id: Option<String>,
    pub(crate) operation_id: Option<String>,
    pub(crate) text: String,
}

fn kind(kind: call::CallKind) -> &'static str {
    match kind {
        call::CallKind::PeerToPeer => "peerToPeer",
        call::CallKind::Group => "group",
    }
}

/// Spells a time as RFC 3339 has it, in UTC, with milliseconds.
pub(crate) fn date_time(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl From<LiveCall> for Call {
    fn from(call: LiveCall) -> Call {
        Call {
            id: call.id.to_string(),
            conversation_id: call.conversation.to_string(),
            revision: call.revision,
            state: state(call.state),
            kind: kind(call.kind),
            application: Named::from(&call.application),
            created_date_time: date_time(call.created),
            ended_date_time: call.ended.map(date_time),
            result_info: call.result.as_ref().map(ResultInfo::from),
            participants: call.participants.into_iter().map(Participant::from).collect(),
            operations: call.operations.into_iter().map(Operation::from).collect(),
        }
    }
}

impl From<&call::Identity> for Named {
    fn from(identity: &call::Identity) -> Named {
        let (call::Identity::Application { id, display_name }
        | call::Identity::User { id, display_name }
        | call::Identity::Phone { id, display_name }) = identity;
        Named { id: id.clone(), display_name: display_name.clone() }
    }
}

impl From<LiveParticipant> for Participant {
    fn from(participant: LiveParticipant) -> Participant {
        Participant {
            id: participant.id.to_string(),
            identity: IdentitySet::from(&participant.identity),
            state: attendance(participant.state),
            is_application: participant.is_application,
            is_muted: participant.is_muted,
            direction: direction(participant.direction),
            since: date_time(participant.since),
            layers: participant.layers.into_iter().map(LaidLayer::from).collect(),
            hears: Hears::from(participant.hears),
            heard_by: participant.heard_by.iter().map(ToString::to_string).collect(),
            media: participant.media.as_ref().map(Media::from),
        }
    }
}

fn attendance(state: Attendance) -> &'static str {
    match state {
        Attendance::Ringing => "ringing",
        Attendance::Joined => "joined",
        Attendance::Left => "left",
    }
}

impl From<LiveLayer> for LaidLayer {
    fn from(laid: LiveLayer) -> LaidLayer {
        let (layer, phase) = match laid.layer {
            Layer::HoldMusic(phase) => ("holdMusic", phase.map(hold_phase)),
            Layer::RemoteHold => ("remoteHold", None),
            Layer::Muted => ("muted", None),
        };
        let operation_id = laid.operation.map(|operation| operation.to_string());
        LaidLayer { layer, phase, since: date_time(laid.since), owner: By::from(laid.owner), operation_id }
    }
}

fn hold_phase(phase: call::HoldPhase) -> &'static str {
    match phase {
        call::HoldPhase::Loading => "loading",
        call::HoldPhase::Starting => "starting",
        call::HoldPhase::Playing => "playing",
        call::HoldPhase::Stopping => "stopping",
    }
}

impl From<Owner> for By {
    fn from(owner: Owner) -> By {
        match owner {
            Owner::Application(identity) => {
                let Named { id, display_name } = Named::from(&identity);
                By { kind: "application", id: Some(id), display_name }
            }
            Owner::Operator(operator) => {
                By { kind: "operator", id: Some(operator.id), display_name: Some(operator.display_name) }
            }
            Owner::Phone => By { kind: "phone", id: None, display_name: None },
        }
    }
}

impl From<LiveHears> for Hears {
    fn from(hears: LiveHears) -> Hears {
        let (source, participants) = match hears {
            LiveHears::Conversation(people) => ("conversation", people),
            LiveHears::Music => ("music", Vec::new()),
            LiveHears::Silence => ("silence", Vec::new()),
            LiveHears::Nothing => ("nothing", Vec::new()),
        };
        Hears { source, participants: participants.iter().map(ToString::to_string).collect() }
    }
}

impl From<&LiveMedia> for Media {
    fn from(media: &LiveMedia) -> Media {
        let LiveMedia { signalling, codec, encryption, statistics } = media;
        let Statistics { packets_received, packets_lost, packets_sent, .. } = *statistics;
        let milliseconds = |duration: std::time::Duration| rounded(duration.as_secs_f64() * 1000.0);
        let expected = (packets_received + packets_lost).max(1);
        Media {
            transport: signalling.map(transport_name),
            codec: codec.encoding_name(),
            encryption: encryption.map(encryption_name),
            packets_received,
            packets_lost,
            loss_percent: rounded(100.0 * packets_lost as f64 / expected as f64),
            jitter_milliseconds: milliseconds(statistics.jitter),
            playout_delay_milliseconds: milliseconds(statistics.playout_delay),
            concealed_frames: statistics.playout.concealed_ticks,
            packets_sent,
            remote_loss_percent: statistics.remote_loss_percent.map(|percent| rounded(percent.into())),
            round_trip_milliseconds: statistics.round_trip.map(milliseconds),
            level: level(statistics.meter_dbfs),
        }
    }
}

/// Rounds to two places: more is noise.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Shows a level as a meter does: in whole dB.
pub(crate) fn level(dbfs: f32) -> i32 {
    dbfs.round() as i32
}

fn encryption_name(encryption: Encryption) -> &'static str {
    match encryption {
        Encryption::Srtp(suite) => suite.name(),
        Encryption::DtlsSrtp => "DTLS-SRTP",
    }
}

fn transport_name(signalling: Signalling) -> &'static str {
    match signalling {
        Signalling::Sip(Transport::Udp) => "udp",
        Signalling::Sip(Transport::Tcp) => "tcp",
        Signalling::Sip(Transport::Tls) => "tls",
        Signalling::Browser => "browser",
    }
}

impl From<LiveOperation> for Operation {
    fn from(operation: LiveOperation) -> Operation {
        let phase = |(phase, since)| ReachedPhase { phase: phase_name(phase), since: date_time(since) };
        Operation {
            id: operation.id.to_string(),
            kind: operation.name,
            status: status(operation.status),
            client_context: operation.client_context,
            participant_id: operation.participant.map(|participant| participant.to_string()),
            by: By::from(operation.by),
            created_date_time: date_time(operation.created),
            ended_date_time: operation.ended.map(date_time),
            phases: operation.phases.into_iter().map(phase).collect(),
            result_info: operation.result.as_ref().map(ResultInfo::from),
        }
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Loading => "loading",
        Phase::Starting => "starting",
        Phase::Waiting => "waiting",
        Phase::Stopping => "stopping",
        Phase::Ringing => "ringing",
        Phase::Sending => "sending",
    }
}

impl From<LiveTimeline> for Timeline {
    fn from(LiveTimeline { entries, dropped }: LiveTimeline) -> Timeline {
        Timeline { value: entries.into_iter().zip(dropped + 1..).map(TimelineEntry::from).collect(), dropped }
    }
}

impl From<(LiveEntry, u64)> for TimelineEntry {
    fn from((entry, sequence): (LiveEntry, u64)) -> TimelineEntry {
        TimelineEntry {
            sequence,
            date_time: date_time(entry.time),
            kind: entry_kind(entry.kind),
            name: entry.name,
            outcome: entry.outcome.map(outcome),
            by: entry.by.map(By::from),
            participant_id: entry.participant.map(|participant| participant.to_string()),
            operation_id: entry.operation.map(|operation| operation.to_string()),
            text: entry.text,
        }
    }
}

fn entry_kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Command => "command",
        EntryKind::Fact => "fact",
        EntryKind::Effect => "effect",
        EntryKind::Notice => "notice",
    }
}

fn outcome(outcome: TimelineOutcome) -> &'static str {
    match outcome {
        TimelineOutcome::Accepted => "accepted",
        TimelineOutcome::Repeated => "repeated",
        TimelineOutcome::Refused => "refused",
    }
}
