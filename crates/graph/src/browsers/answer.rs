//! `POST /fermata/v1/ringing/{id}`: the user answers in this browser, whose offer this is (RFC 9725, section 4.2).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;

use super::sdp::Sdp;
use super::{links, user};
use crate::api::{Api, participant_id};
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Serves the method. The user is in the roster when the browser has connected.
pub(crate) async fn answer(
    State(api): State<Api>,
    person: SignedIn,
    Path(participant): Path<String>,
    Sdp(offer): Sdp,
) -> Result<Response, Failure> {
    let user = user(&person)?;
    let participant = participant_id(&participant)?;
    let answer = api.engine.answer_in_browser(&user, participant, offer).await?;
    let leg = [(LOCATION, format!("/fermata/v1/legs/{participant}"))];
    Ok((StatusCode::CREATED, leg, links(&api, &user), Sdp(answer)).into_response())
}
