//! `DELETE /fermata/v1/legs/{id}`: the user leaves the call (RFC 9725, section 4.2).

use axum::extract::{Path, State};
use http::StatusCode;

use super::user;
use crate::api::{Api, participant_id};
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Serves the method.
pub(crate) async fn leave(
    State(api): State<Api>,
    person: SignedIn,
    Path(participant): Path<String>,
) -> Result<StatusCode, Failure> {
    api.engine.leave_in_browser(&user(&person)?, participant_id(&participant)?)?;
    Ok(StatusCode::NO_CONTENT)
}
