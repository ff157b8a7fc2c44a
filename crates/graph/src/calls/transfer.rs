//! `POST /communications/calls/{id}/transfer`: the other side of a peer-to-peer call is to talk to somebody else, who is
//! called, or is in another call of the application already (`replacesCallId`, a consultative transfer).

use axum::extract::{Path, State};
use call::{Command, Invitation};
use http::StatusCode;
use serde::Deserialize;

use crate::api::{Api, call_id};
use crate::auth::{Caller, PEER_ROLES};
use crate::body::Body;
use crate::error::Failure;
use crate::wire::identity::InvitationParticipantInfo;
use crate::wire::{Invalid, object};

/// Is the body of the request. `transferee` is for group calls, which are not transferred.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "object::optional")]
    transfer_target: Option<InvitationParticipantInfo>,
}

/// Serves the method. How it goes on is told by notifications of the call.
pub(crate) async fn transfer(
    State(api): State<Api>,
    caller: Caller,
    Path(call): Path<String>,
    Body(request): Body<Request>,
) -> Result<StatusCode, Failure> {
    caller.require(PEER_ROLES)?;
    let target = target(&request)?;
    api.require_own_calls(&caller, std::slice::from_ref(&target), &call).await?;
    api.execute(&caller, call_id(&call)?, Command::Transfer { target }).await?;
    Ok(StatusCode::ACCEPTED)
}

fn target(request: &Request) -> Result<Invitation, Invalid> {
    let target = request.transfer_target.as_ref().ok_or_else(|| Invalid::missing("transferTarget"))?;
    target.parse("transferTarget")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<&str, &str>) {
        let request: Request = serde_json::from_str(body).expect("right types");
        let read = target(&request).map(|target| target.identity.id().to_owned());
        let read = read.map_err(|invalid| invalid.to_string());
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{body}");
    }

    #[test]
    fn the_documented_body_is_taken() {
        let body = r#"{"transferTarget":{"endpointType":"default","identity":{"user":{"id":"550fae72-d251-43ec-868c-373732c2704f",
            "displayName":"Heidi Steen"}},"languageId":"en","region":"amer"},"clientContext":"x"}"#;
        check(body, Ok("550fae72-d251-43ec-868c-373732c2704f"));
    }

    #[test]
    fn a_wrong_member_is_named() {
        check("{}", Err("'transferTarget' is required."));
        check(
            r#"{"transferTarget":{"identity":{"user":{"id":"u1"}},"replacesCallId":"c1"}}"#,
            Err("'transferTarget.replacesCallId' must be the id of a call."),
        );
    }
}
