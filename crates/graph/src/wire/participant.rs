//! Graph's `participant`: one entry of the roster.

use serde::{Deserialize, Serialize};

use super::identity::{IdentitySet, ParticipantInfo};

/// Is Graph's `participant`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.participant", rename_all = "camelCase")]
pub(crate) struct Participant {
    pub(crate) id: String,
    pub(crate) info: ParticipantInfo,
    pub(crate) is_in_lobby: bool,
    pub(crate) is_muted: bool,
    pub(crate) media_streams: Vec<MediaStream>,
    pub(crate) metadata: Option<String>,
    pub(crate) recording_info: Option<serde_json::Value>,
    pub(crate) roster_sequence_number: u64,
}

/// Is Graph's `mediaStream`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.mediaStream", rename_all = "camelCase")]
pub(crate) struct MediaStream {
    pub(crate) media_type: String,
    pub(crate) label: String,
    pub(crate) source_id: String,
    pub(crate) direction: String,
    pub(crate) server_muted: bool,
}

impl Participant {
    /// Shows a roster entry; `source` is the number of its only stream, unique in the call.
    pub(crate) fn new(entry: &call::RosterEntry, source: i64) -> Participant {
        let id = entry.participant.to_string();
        Participant {
            info: ParticipantInfo { identity: IdentitySet::from(&entry.identity), participant_id: Some(id.clone()) },
            id,
            is_in_lobby: false,
            is_muted: entry.muted,
            media_streams: vec![audio_stream(entry, source)],
            metadata: None,
            recording_info: None,
            roster_sequence_number: entry.sequence,
        }
    }
}

fn audio_stream(entry: &call::RosterEntry, source: i64) -> MediaStream {
    MediaStream {
        media_type: "audio".to_owned(),
        label: "main-audio".to_owned(),
        source_id: source.to_string(),
        direction: direction(entry.direction).to_owned(),
        server_muted: entry.muted,
    }
}

/// Spells a direction as Graph's `mediaDirection` does.
pub(crate) fn direction(direction: call::Direction) -> &'static str {
    match direction {
        call::Direction::Inactive => "inactive",
        call::Direction::SendOnly => "sendOnly",
        call::Direction::ReceiveOnly => "receiveOnly",
        call::Direction::SendReceive => "sendReceive",
    }
}
