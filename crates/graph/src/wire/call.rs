//! Graph's `call`: the request that creates one, and the answer that shows one.

use engine::outgoing::Rule;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::identity::{InvitationParticipantInfo, ParticipantInfo};
use super::media::{MediaConfig, ServiceHostedMediaConfig};
use super::result_info::ResultInfo;
use super::{Invalid, object};
use crate::callback::CallbackUri;
use crate::directory::TenantId;

/// Is the body of `POST /communications/calls`. Members that are not here are read by nobody and ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewCall {
    #[serde(default)]
    direction: Option<String>,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    callback_uri: Option<String>,
    #[serde(default, deserialize_with = "object::optional")]
    pub(crate) source: Option<ParticipantInfo>,
    #[serde(default, deserialize_with = "object::list")]
    targets: Option<Vec<InvitationParticipantInfo>>,
    #[serde(default)]
    requested_modalities: Option<Vec<String>>,
    #[serde(default, deserialize_with = "object::optional")]
    media_config: Option<MediaConfig>,
    #[serde(default)]
    pub(crate) tenant_id: Option<String>,
    #[serde(default)]
    meeting_info: Option<Value>,
}

/// Is a `POST /communications/calls` that has been read and found good.
#[derive(Debug)]
pub(crate) struct ParsedCall {
    pub(crate) callback_uri: CallbackUri,
    pub(crate) subject: Option<String>,
    pub(crate) targets: Vec<call::Identity>,
    pub(crate) media_config: ServiceHostedMediaConfig,
    pub(crate) pre_fetch: Vec<call::Prompt>,
}

impl NewCall {
    /// Reads the request in the order in which Graph's page lists its members.
    pub(crate) fn parse(&self, callbacks: &Rule) -> Result<ParsedCall, Invalid> {
        self.check_direction()?;
        check_modalities(self.requested_modalities.as_deref(), "requestedModalities")?;
        let callback_uri = parse_callback_uri(self.callback_uri.as_deref(), callbacks)?;
        let callback_uri = callback_uri.ok_or_else(|| Invalid::missing("callbackUri"))?;
        let media_config = self.media_config.as_ref().ok_or_else(|| Invalid::missing("mediaConfig"))?;
        let (media_config, pre_fetch) = media_config.parse("mediaConfig")?;
        let targets = self.parse_targets()?;
        Ok(ParsedCall { callback_uri, subject: self.subject.clone(), targets, media_config, pre_fetch })
    }

    fn check_direction(&self) -> Result<(), Invalid> {
        match self.direction.as_deref() {
            None => Ok(()),
            Some(direction) if direction.eq_ignore_ascii_case("outgoing") => Ok(()),
            Some(_) => {
                Err(Invalid::new("direction", "must be 'outgoing': an application can only create outgoing calls"))
            }
        }
    }

    fn parse_targets(&self) -> Result<Vec<call::Identity>, Invalid> {
        if self.meeting_info.is_some() {
            return Err(Invalid::new("meetingInfo", "is not supported: calls are placed to 'targets'"));
        }
        let targets = self.targets.as_deref().unwrap_or_default();
        if targets.is_empty() {
            return Err(Invalid::missing("targets"));
        }
        refuse_replaced(targets, "targets")?;
        let invitations = parse_invitations(targets, "targets", call::INVITEES_MAX)?;
        Ok(invitations.into_iter().map(|invitation| invitation.identity).collect())
    }

    /// Reads the tenant that the request names, if it names one.
    pub(crate) fn parse_tenant(&self) -> Result<Option<TenantId>, Invalid> {
        let Some(given) = self.tenant_id.as_deref() else { return Ok(None) };
        let guid = Uuid::try_parse(given).map_err(|_| Invalid::new("tenantId", "must be a GUID"))?;
        Ok(Some(TenantId(guid)))
    }
}

/// Checks that what an application wants to hear or see is something that there is.
pub(crate) fn check_modalities(modalities: Option<&[String]>, path: &str) -> Result<(), Invalid> {
    match modalities {
        Some(modalities) if !modalities.iter().any(|modality| modality.eq_ignore_ascii_case("audio")) => {
            Err(Invalid::new(path, "must hold 'audio', the only modality served"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Reads a `callbackUri`, if there is one.
pub(crate) fn parse_callback_uri(given: Option<&str>, rule: &Rule) -> Result<Option<CallbackUri>, Invalid> {
    let parsed = given.map(|text| CallbackUri::parse(text, rule)).transpose();
    parsed.map_err(|error| Invalid::new("callbackUri", error.to_string()))
}

/// Notes where the notices of a call go from now on, if a request says so.
pub(crate) fn callback_note(callback_uri: Option<&CallbackUri>) -> Option<String> {
    callback_uri.map(|uri| serde_json::json!({ "callbackUri": uri.as_str() }).to_string())
}

/// Reads people who are to be called: at most `max`, as many at once as Graph documents, and nobody twice.
pub(crate) fn parse_invitations(
    infos: &[InvitationParticipantInfo],
    path: &str,
    max: usize,
) -> Result<Vec<call::Invitation>, Invalid> {
    if infos.len() > max {
        return Err(Invalid::new(path, format!("may name at most {max} people at once")));
    }
    let mut people: Vec<call::Invitation> = Vec::with_capacity(infos.len());
    for (at, info) in infos.iter().enumerate() {
        let path = format!("{path}[{at}]");
        let invitation = info.parse(&path)?;
        if people.iter().any(|other| other.identity == invitation.identity) {
            return Err(Invalid::new(path, "names somebody who is in the list already"));
        }
        people.push(invitation);
    }
    Ok(people)
}

/// Refuses to move people from other calls into one that is not there yet.
pub(crate) fn refuse_replaced(infos: &[InvitationParticipantInfo], path: &str) -> Result<(), Invalid> {
    match infos.iter().position(|info| info.replaces_call_id.is_some()) {
        Some(at) => Err(Invalid::new(
            format!("{path}[{at}].replacesCallId"),
            "is not supported here: people are moved into established calls, by transfer or invite",
        )),
        None => Ok(()),
    }
}

/// Is Graph's `call` in an answer. What is always empty here is shown empty, as Graph's own answers do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.call", rename_all = "camelCase")]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) direction: String,
    pub(crate) subject: Option<String>,
    pub(crate) callback_uri: String,
    pub(crate) call_chain_id: String,
    pub(crate) call_routes: Vec<Value>,
    pub(crate) source: ParticipantInfo,
    pub(crate) targets: Vec<InvitationParticipantInfo>,
    pub(crate) requested_modalities: Vec<String>,
    pub(crate) media_config: Option<ServiceHostedMediaConfig>,
    pub(crate) tenant_id: String,
    pub(crate) my_participant_id: String,
    pub(crate) media_state: Option<MediaState>,
    pub(crate) result_info: Option<ResultInfo>,
    pub(crate) chat_info: Option<Value>,
    pub(crate) meeting_info: Option<Value>,
    pub(crate) transcription: Option<Value>,
    pub(crate) tone_info: Option<Value>,
    #[serde(default)]
    pub(crate) incoming_context: Option<IncomingContext>,
}

/// Is Graph's `incomingContext`: who in a call is the one that calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.incomingContext", rename_all = "camelCase")]
pub(crate) struct IncomingContext {
    pub(crate) source_participant_id: String,
}

/// Is Graph's `callMediaState`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.callMediaState", rename_all = "camelCase")]
pub(crate) struct MediaState {
    pub(crate) audio: String,
}

impl MediaState {
    /// Shows whether the application's audio is up.
    pub(crate) fn new(audio_active: bool) -> MediaState {
        MediaState { audio: if audio_active { "active" } else { "inactive" }.to_owned() }
    }
}

/// Spells a call's state as Graph's `callState` does.
pub(crate) fn state(state: call::CallState) -> &'static str {
    match state {
        call::CallState::Incoming => "incoming",
        call::CallState::Redirecting => "redirecting",
        call::CallState::Establishing => "establishing",
        call::CallState::Established => "established",
        call::CallState::Transferring => "transferring",
        call::CallState::TransferAccepted => "transferAccepted",
        call::CallState::Terminating => "terminating",
        call::CallState::Terminated => "terminated",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r##"{"@odata.type":"#microsoft.graph.call","direction":"outgoing","callbackUri":"https://bot.example/cb",
        "targets":[{"identity":{"user":{"id":"u1"}}}],"requestedModalities":["audio"],
        "mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig","removeFromDefaultAudioGroup":false}}"##;

    #[track_caller]
    fn check_with(member: &str, value: Value, expected: &str) {
        let mut body: Value = serde_json::from_str(GOOD).expect("test JSON");
        body[member] = value;
        let request: NewCall = serde_json::from_value(body).expect("right types");
        assert_eq!(
            request.parse(&Rule::default()).map_err(|invalid| invalid.to_string()).err().as_deref(),
            Some(expected)
        );
    }

    #[test]
    fn the_documented_request_is_good() {
        let request: NewCall = serde_json::from_str(GOOD).expect("test JSON");
        let parsed = request.parse(&Rule::default()).expect("documented");
        assert_eq!(parsed.targets, [call::Identity::user("u1", None)]);
    }

    #[test]
    fn each_wrong_member_is_named() {
        check_with(
            "direction",
            "incoming".into(),
            "'direction' must be 'outgoing': an application can only create outgoing calls.",
        );
        check_with("callbackUri", Value::Null, "'callbackUri' is required.");
        check_with("mediaConfig", Value::Null, "'mediaConfig' is required.");
        check_with("targets", Value::Null, "'targets' is required.");
        check_with(
            "requestedModalities",
            serde_json::json!(["video"]),
            "'requestedModalities' must hold 'audio', the only modality served.",
        );
        check_with(
            "meetingInfo",
            serde_json::json!({}),
            "'meetingInfo' is not supported: calls are placed to 'targets'.",
        );
        let crowd: Vec<_> = (0..6).map(|n| serde_json::json!({"identity":{"user":{"id":format!("u{n}")}}})).collect();
        check_with("targets", crowd.into(), "'targets' may name at most 5 people at once.");
        let twice = serde_json::json!([{"identity":{"user":{"id":"u1"}}},{"identity":{"user":{"id":"U1"}}}]);
        check_with("targets", twice, "'targets[1]' names somebody who is in the list already.");
    }
}
