//! Who somebody is: Graph's `identitySet` and `invitationParticipantInfo`.
//!
//! A phone number comes in two shapes: as an extra member of `identitySet`, or as a `communicationsIdentitySet`. The
//! members are the same, so one type reads both; answers say `identitySet`, as Graph's own do.

use call::{CallId, Invitation, ParticipantId};
use engine::Engine;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Invalid, object};

/// Longest E.164 number, in digits (ITU-T E.164, section 6).
const E164_DIGITS_MAX: usize = 15;

/// Longest address that is accepted, in bytes. A SIP URI of people is below 100; more would only cost memory.
const ADDRESS_BYTES_MAX: usize = 256;

/// Is Graph's `identitySet`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.identitySet", rename_all = "camelCase")]
pub(crate) struct IdentitySet {
    #[serde(default, deserialize_with = "object::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) application: Option<Identity>,
    #[serde(default, deserialize_with = "object::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<Identity>,
    #[serde(default, deserialize_with = "object::optional", skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<Identity>,
}

/// Is Graph's `identity`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.identity", rename_all = "camelCase")]
pub(crate) struct Identity {
    #[serde(default)]
    pub(crate) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) display_name: Option<String>,
}

/// Is Graph's `invitationParticipantInfo`: somebody who is to be called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.invitationParticipantInfo", rename_all = "camelCase")]
pub(crate) struct InvitationParticipantInfo {
    #[serde(default, deserialize_with = "object::optional")]
    pub(crate) identity: Option<IdentitySet>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces_call_id: Option<String>,
}

/// Is Graph's `participantInfo`: somebody who calls or is in the roster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.participantInfo", rename_all = "camelCase")]
pub(crate) struct ParticipantInfo {
    #[serde(default, deserialize_with = "object::required")]
    pub(crate) identity: IdentitySet,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) participant_id: Option<String>,
}

impl InvitationParticipantInfo {
    /// Reads who is to be called, or moved here from another call; `path` is where this stands in the request.
    pub(crate) fn parse(&self, path: &str) -> Result<Invitation, Invalid> {
        let not_a_call = || Invalid::new(format!("{path}.replacesCallId"), "must be the id of a call");
        let replaces = match self.replaces_call_id.as_deref() {
            Some(id) => Some(CallId::new(Uuid::try_parse(id).map_err(|_| not_a_call())?.as_u128())),
            None => None,
        };
        let invitation = Invitation::new(ParticipantId::new(Engine::new_id()), self.parse_identity(path)?);
        Ok(Invitation { replaces, ..invitation })
    }

    /// Reads who is to be called; who is in another call is not moved by this request.
    pub(crate) fn parse_identity(&self, path: &str) -> Result<call::Identity, Invalid> {
        let set = self.identity.as_ref().ok_or_else(|| Invalid::missing(format!("{path}.identity")))?;
        set.parse_target(&format!("{path}.identity"))
    }
}

impl IdentitySet {
    fn parse_target(&self, path: &str) -> Result<call::Identity, Invalid> {
        match (&self.user, &self.phone) {
            (Some(_), Some(_)) => Err(Invalid::new(path, "must hold one of 'user' and 'phone', not both")),
            (Some(user), None) => parse_user(user, &format!("{path}.user")),
            (None, Some(phone)) => parse_phone(phone, &format!("{path}.phone")),
            (None, None) => Err(Invalid::new(path, "must hold 'user' or 'phone': nobody else can be called")),
        }
    }
}

fn parse_user(user: &Identity, path: &str) -> Result<call::Identity, Invalid> {
    let id = required_id(user, path)?;
    // Graph's object ids are GUIDs in any formatting; a directory may use other ids too.
    let id = Uuid::try_parse(id).map_or_else(|_| id.to_owned(), |guid| guid.hyphenated().to_string());
    Ok(call::Identity::user(id, user.display_name.clone()))
}

fn parse_phone(phone: &Identity, path: &str) -> Result<call::Identity, Invalid> {
    let id = required_id(phone, path)?;
    if !is_e164(id) && !is_sip_uri(id) {
        return Err(Invalid::new(format!("{path}.id"), "must be a number such as +14255550100 or a sip: or sips: URI"));
    }
    Ok(call::Identity::phone(id, phone.display_name.clone()))
}

fn required_id<'a>(identity: &'a Identity, path: &str) -> Result<&'a str, Invalid> {
    let path = format!("{path}.id");
    match identity.id.as_deref() {
        None | Some("") => Err(Invalid::missing(path)),
        Some(id) if id.len() > ADDRESS_BYTES_MAX => {
            Err(Invalid::new(path, format!("is longer than {ADDRESS_BYTES_MAX} bytes")))
        }
        Some(id) if id.chars().any(char::is_control) => Err(Invalid::new(path, "must not hold control characters")),
        Some(id) => Ok(id),
    }
}

fn is_e164(id: &str) -> bool {
    id.strip_prefix('+').is_some_and(|digits| {
        (1..=E164_DIGITS_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn is_sip_uri(id: &str) -> bool {
    let Some((scheme, rest)) = id.split_once(':') else { return false };
    (scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips"))
        && !rest.is_empty()
        && !rest.contains(char::is_whitespace)
}

impl From<&call::Identity> for IdentitySet {
    fn from(identity: &call::Identity) -> IdentitySet {
        let (call::Identity::Application { id, display_name }
        | call::Identity::User { id, display_name }
        | call::Identity::Phone { id, display_name }) = identity;
        let shown = Some(Identity { id: Some(id.clone()), display_name: display_name.clone() });
        match identity {
            call::Identity::Application { .. } => IdentitySet { application: shown, ..IdentitySet::default() },
            call::Identity::User { .. } => IdentitySet { user: shown, ..IdentitySet::default() },
            call::Identity::Phone { .. } => IdentitySet { phone: shown, ..IdentitySet::default() },
        }
    }
}

impl From<&call::Identity> for InvitationParticipantInfo {
    fn from(identity: &call::Identity) -> InvitationParticipantInfo {
        InvitationParticipantInfo { identity: Some(identity.into()), replaces_call_id: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<call::Identity, &str>) {
        let info: InvitationParticipantInfo = serde_json::from_str(body).expect("test JSON");
        assert_eq!(
            info.parse_identity("targets[0]").map_err(|invalid| invalid.to_string()),
            expected.map_err(str::to_owned)
        );
    }

    #[test]
    fn a_phone_comes_in_both_shapes() {
        let phone = call::Identity::phone("+14255550100", None);
        check(
            r##"{"identity":{"phone":{"id":"+14255550100"}},"@odata.type":"#microsoft.graph.invitationParticipantInfo"}"##,
            Ok(phone.clone()),
        );
        check(
            r##"{"identity":{"@odata.type":"#microsoft.graph.communicationsIdentitySet","user":null,"phone":{"@odata.type":"#microsoft.graph.communicationsPhoneIdentity","id":"+14255550100"}}}"##,
            Ok(phone),
        );
        check(
            r#"{"identity":{"phone":{"id":"sip:bob@127.0.0.1:5070"}}}"#,
            Ok(call::Identity::phone("sip:bob@127.0.0.1:5070", None)),
        );
    }

    #[test]
    fn a_users_guid_is_read_in_any_formatting() {
        check(
            r#"{"identity":{"user":{"id":"AAAAAAAAAAAA4AAA8AAAAAAAAAAAAAAA"}}}"#,
            Ok(call::Identity::user("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", None)),
        );
    }

    #[test]
    fn a_wrong_target_is_named_by_its_path() {
        check("{}", Err("'targets[0].identity' is required."));
        check(
            r#"{"identity":{}}"#,
            Err("'targets[0].identity' must hold 'user' or 'phone': nobody else can be called."),
        );
        check(r#"{"identity":{"user":{}}}"#, Err("'targets[0].identity.user.id' is required."));
        check(
            r#"{"identity":{"phone":{"id":"5551234"}}}"#,
            Err("'targets[0].identity.phone.id' must be a number such as +14255550100 or a sip: or sips: URI."),
        );
    }
}
