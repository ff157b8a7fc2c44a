//! Graph's `commsOperation` and the types derived from it.

use serde::{Deserialize, Serialize};

use super::identity::InvitationParticipantInfo;
use super::result_info::ResultInfo;

/// Is an operation in an answer, in a notification and in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Operation {
    #[serde(rename = "@odata.type")]
    pub(crate) odata_type: String,
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) client_context: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) result_info: Option<ResultInfo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) participants: Option<Vec<InvitationParticipantInfo>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) completion_reason: Option<String>,
}

impl From<&call::Operation> for Operation {
    fn from(operation: &call::Operation) -> Operation {
        Operation {
            odata_type: format!("#microsoft.graph.{}", type_name(&operation.kind)),
            id: operation.id.to_string(),
            status: status(operation.status).to_owned(),
            client_context: operation.client_context.as_str().to_owned(),
            result_info: operation.result.as_ref().map(ResultInfo::from),
            participants: invited(&operation.kind),
            completion_reason: completion_reason(operation).map(str::to_owned),
        }
    }
}

/// Names the derived type of an operation.
pub(crate) fn type_name(kind: &call::OperationKind) -> &'static str {
    match kind {
        call::OperationKind::StartHoldMusic { .. } => "startHoldMusicOperation",
        call::OperationKind::StopHoldMusic { .. } => "stopHoldMusicOperation",
        call::OperationKind::InviteParticipants { .. } => "inviteParticipantsOperation",
        call::OperationKind::MuteParticipant { .. } => "muteParticipantOperation",
        call::OperationKind::UnmuteParticipant { .. } => "unmuteParticipantOperation",
        call::OperationKind::SubscribeToTone => "subscribeToToneOperation",
        call::OperationKind::SendDtmfTones { .. } => "sendDtmfTonesOperation",
    }
}

/// Spells a status in the lower camel case of the documented JSON; the metadata has a capital, SDKs read both.
pub(crate) fn status(status: call::OperationStatus) -> &'static str {
    match status {
        call::OperationStatus::Running => "running",
        call::OperationStatus::Completed => "completed",
        call::OperationStatus::Failed => "failed",
    }
}

fn invited(kind: &call::OperationKind) -> Option<Vec<InvitationParticipantInfo>> {
    match kind {
        call::OperationKind::InviteParticipants { identities } => {
            Some(identities.iter().map(InvitationParticipantInfo::from).collect())
        }
        call::OperationKind::StartHoldMusic { .. }
        | call::OperationKind::StopHoldMusic { .. }
        | call::OperationKind::MuteParticipant { .. }
        | call::OperationKind::UnmuteParticipant { .. }
        | call::OperationKind::SubscribeToTone
        | call::OperationKind::SendDtmfTones { .. } => None,
    }
}

/// Says how the sending of tones ended, Graph's `sendDtmfCompletionReason`; nothing while it runs, and of other operations.
fn completion_reason(operation: &call::Operation) -> Option<&'static str> {
    let call::OperationKind::SendDtmfTones { is_cancelled, .. } = operation.kind else { return None };
    match operation.status {
        call::OperationStatus::Completed if is_cancelled => Some("mediaOperationCanceled"),
        call::OperationStatus::Completed => Some("completedSuccessfully"),
        call::OperationStatus::Running | call::OperationStatus::Failed => None,
    }
}
