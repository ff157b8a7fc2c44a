//! `POST /communications/calls/{id}/participants/invite`: more people are called into a group call.

use axum::extract::{Path, State};
use axum::response::Response;
use call::Command;
use http::StatusCode;
use serde::Deserialize;

use crate::api::{Api, Root, call_id, client_context, new_operation_id};
use crate::auth::{Caller, GROUP_ROLES};
use crate::body::Body;
use crate::error::Failure;
use crate::wire::Invalid;
use crate::wire::call::parse_invitations;
use crate::wire::identity::InvitationParticipantInfo;
use crate::wire::object;

/// Is the body of the request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    #[serde(default, deserialize_with = "object::list")]
    participants: Option<Vec<InvitationParticipantInfo>>,
    #[serde(default)]
    client_context: Option<String>,
}

/// Serves the method. The answer is 200 with a running operation, as Graph's page shows it.
pub(crate) async fn invite(
    State(api): State<Api>,
    caller: Caller,
    root: Root,
    Path(call): Path<String>,
    Body(request): Body<Request>,
) -> Result<Response, Failure> {
    caller.require(GROUP_ROLES)?;
    let command = command(request)?;
    if let Command::Invite { invitations, .. } = &command {
        api.require_own_calls(&caller, invitations, &call).await?;
    }
    let accepted = api.execute(&caller, call_id(&call)?, command).await?;
    Ok(root.operation_answer(StatusCode::OK, &accepted))
}

fn command(request: Request) -> Result<Command, Invalid> {
    let people =
        parse_invitations(request.participants.as_deref().unwrap_or_default(), "participants", call::INVITEES_MAX)?;
    if people.is_empty() {
        return Err(Invalid::missing("participants"));
    }
    Ok(Command::Invite {
        operation: new_operation_id(),
        client_context: client_context(request.client_context)?,
        invitations: people,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<usize, &str>) {
        let request: Request = serde_json::from_str(body).expect("right types");
        let invited = command(request).map(|command| match command {
            Command::Invite { invitations, .. } => invitations.len(),
            other => panic!("an invitation, not {other:?}"),
        });
        assert_eq!(invited.map_err(|invalid| invalid.to_string()), expected.map_err(str::to_owned));
    }

    #[test]
    fn people_are_invited_together() {
        check(r#"{"participants":[{"identity":{"user":{"id":"u1"}}},{"identity":{"phone":{"id":"+1425"}}}]}"#, Ok(2));
    }

    #[test]
    fn nobody_cannot_be_invited() {
        check("{}", Err("'participants' is required."));
        check(r#"{"participants":[]}"#, Err("'participants' is required."));
        check(r#"{"participants":[{}]}"#, Err("'participants[0].identity' is required."));
    }
}
