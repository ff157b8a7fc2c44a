//! `POST /communications/calls/{id}/redirect`: a call that comes in is given to others, who all ring.

use std::time::Duration;

use axum::extract::{Path, State};
use call::{Command, REDIRECT_TARGETS_MAX};
use engine::Attachment;
use http::StatusCode;
use serde::Deserialize;

use crate::api::{Api, call_id};
use crate::auth::{Caller, PEER_ROLES};
use crate::body::Body;
use crate::error::Failure;
use crate::wire::call::{callback_note, parse_callback_uri, parse_invitations, refuse_replaced};
use crate::wire::identity::InvitationParticipantInfo;
use crate::wire::{Invalid, object};

/// How long targets may ring, in seconds, and how long they do unless the request says so (Graph, `call: redirect`).
const TIMEOUT_S: std::ops::RangeInclusive<u64> = 15..=90;
const TIMEOUT_OF_ONE_S: u64 = 55;
const TIMEOUT_OF_SEVERAL_S: u64 = 60;

/// Is the body of the request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "object::list")]
    targets: Option<Vec<InvitationParticipantInfo>>,
    #[serde(default)]
    timeout: Option<i64>,
    #[serde(default)]
    callback_uri: Option<String>,
}

/// Serves the method. How it ends is told by the last notification of the call.
pub(crate) async fn redirect(
    State(api): State<Api>,
    caller: Caller,
    Path(call): Path<String>,
    Body(request): Body<Request>,
) -> Result<StatusCode, Failure> {
    caller.require(PEER_ROLES)?;
    let command = command(&request)?;
    let callback_uri = parse_callback_uri(request.callback_uri.as_deref(), &api.callbacks)?;
    let attachment = Attachment { note: callback_note(callback_uri.as_ref()), ..Attachment::default() };
    api.execute_with(&caller, call_id(&call)?, command, attachment).await?;
    Ok(StatusCode::ACCEPTED)
}

fn command(request: &Request) -> Result<Command, Invalid> {
    let targets = request.targets.as_deref().unwrap_or_default();
    refuse_replaced(targets, "targets")?;
    let people = parse_invitations(targets, "targets", REDIRECT_TARGETS_MAX)?;
    if people.is_empty() {
        return Err(Invalid::missing("targets"));
    }
    let timeout = timeout(request.timeout, people.len())?;
    Ok(Command::Redirect { targets: people, timeout })
}

fn timeout(given: Option<i64>, targets: usize) -> Result<Duration, Invalid> {
    let seconds = match given {
        None if targets == 1 => TIMEOUT_OF_ONE_S,
        None => TIMEOUT_OF_SEVERAL_S,
        Some(given) => u64::try_from(given).ok().filter(|s| TIMEOUT_S.contains(s)).ok_or_else(|| {
            Invalid::new("timeout", format!("must be {} to {} seconds", TIMEOUT_S.start(), TIMEOUT_S.end()))
        })?,
    };
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<(usize, u64), &str>) {
        let request: Request = serde_json::from_str(body).expect("right types");
        let read = command(&request).map(|command| match command {
            Command::Redirect { targets, timeout } => (targets.len(), timeout.as_secs()),
            other => panic!("a redirect, not {other:?}"),
        });
        assert_eq!(read.map_err(|invalid| invalid.to_string()), expected.map_err(str::to_owned), "{body}");
    }

    #[test]
    fn one_target_rings_for_55_seconds_and_several_for_60() {
        check(r#"{"targets":[{"identity":{"user":{"id":"u1"}}}]}"#, Ok((1, 55)));
        check(r#"{"targets":[{"identity":{"user":{"id":"u1"}}},{"identity":{"phone":{"id":"+1425"}}}]}"#, Ok((2, 60)));
        check(r#"{"targets":[{"identity":{"user":{"id":"u1"}}}],"timeout":90}"#, Ok((1, 90)));
    }

    #[test]
    fn up_to_25_ring_at_once() {
        let body = |count: usize| {
            let targets: Vec<_> = (0..count).map(|n| format!(r#"{{"identity":{{"user":{{"id":"u{n}"}}}}}}"#)).collect();
            format!(r#"{{"targets":[{}]}}"#, targets.join(","))
        };
        check(&body(25), Ok((25, 60)));
        check(&body(26), Err("'targets' may name at most 25 people at once."));
    }

    #[test]
    fn a_wrong_member_is_named() {
        check("{}", Err("'targets' is required."));
        for timeout in [-1, 0, 14, 91] {
            let body = format!(r#"{{"targets":[{{"identity":{{"user":{{"id":"u1"}}}}}}],"timeout":{timeout}}}"#);
            check(&body, Err("'timeout' must be 15 to 90 seconds."));
        }
    }
}
