//! Hold, unhold, mute, unmute, remove and hang up, by an operator: below `/fermata/v1/calls/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use call::{Accepted, Command, ParticipantId};
use http::StatusCode;
use serde_json::Value;

use super::operator::{Steering, mark};
use crate::api::{Api, call_id, new_operation_id, participant_id};
use crate::body::Body;
use crate::error::Failure;
use crate::participants::StartHoldMusic;
use crate::wire::operation::Operation;

/// Puts a participant on hold.
pub(crate) async fn start_hold_music(
    State(api): State<Api>,
    steering: Steering,
    Path((call, participant)): Path<(String, String)>,
    Body(request): Body<StartHoldMusic>,
) -> Result<Response, Failure> {
    let (participant, prompt) = (participant_id(&participant)?, request.prompt()?);
    let command =
        Command::StartHoldMusic { operation: new_operation_id(), client_context: mark(), participant, prompt };
    let accepted = steering.execute(&api, call_id(&call)?, command).await?;
    Ok(answer(StatusCode::ACCEPTED, &accepted))
}

/// Lets a participant come back.
pub(crate) async fn stop_hold_music(
    State(api): State<Api>,
    steering: Steering,
    Path((call, participant)): Path<(String, String)>,
    Body(_): Body<Value>,
) -> Result<Response, Failure> {
    let participant = participant_id(&participant)?;
    let command = Command::StopHoldMusic { operation: new_operation_id(), client_context: mark(), participant };
    let accepted = steering.execute(&api, call_id(&call)?, command).await?;
    Ok(answer(StatusCode::ACCEPTED, &accepted))
}

/// Drops what a participant says.
pub(crate) async fn mute(
    State(api): State<Api>,
    steering: Steering,
    Path((call, participant)): Path<(String, String)>,
    Body(_): Body<Value>,
) -> Result<Response, Failure> {
    let wish = |operation, participant| Command::MuteParticipant { operation, client_context: mark(), participant };
    done(&api, steering, &call, wish(new_operation_id(), participant_id(&participant)?)).await
}

/// Lets a participant be heard again. Graph has no such method: there only the participant itself can.
pub(crate) async fn unmute(
    State(api): State<Api>,
    steering: Steering,
    Path((call, participant)): Path<(String, String)>,
    Body(_): Body<Value>,
) -> Result<Response, Failure> {
    let wish = |operation, participant| Command::UnmuteParticipant { operation, client_context: mark(), participant };
    done(&api, steering, &call, wish(new_operation_id(), participant_id(&participant)?)).await
}

/// Takes a participant out of the call.
pub(crate) async fn remove(
    State(api): State<Api>,
    steering: Steering,
    Path((call, participant)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let participant: ParticipantId = participant_id(&participant)?;
    steering.execute(&api, call_id(&call)?, Command::RemoveParticipant { participant }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the application's call, as its own `DELETE`.
pub(crate) async fn hang_up(
    State(api): State<Api>,
    steering: Steering,
    Path(call): Path<String>,
) -> Result<StatusCode, Failure> {
    steering.execute(&api, call_id(&call)?, Command::HangUp).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn done(api: &Api, steering: Steering, call: &str, command: Command) -> Result<Response, Failure> {
    let accepted = steering.execute(api, call_id(call)?, command).await?;
    Ok(answer(StatusCode::OK, &accepted))
}

/// Shows the operation in Graph's words, as the application is told of it.
fn answer(status: StatusCode, accepted: &Accepted) -> Response {
    match accepted {
        Accepted::Operation(operation) | Accepted::Repeated(operation) => {
            (status, Json(Operation::from(operation))).into_response()
        }
        Accepted::Done => status.into_response(),
    }
}
