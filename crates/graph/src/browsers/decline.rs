//! `DELETE /fermata/v1/ringing/{id}`: the user does not want the call. Its phones ring on.

use axum::extract::{Path, State};
use http::StatusCode;

use super::user;
use crate::api::{Api, participant_id};
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Serves the method.
pub(crate) async fn decline(
    State(api): State<Api>,
    person: SignedIn,
    Path(participant): Path<String>,
) -> Result<StatusCode, Failure> {
    api.engine.decline_in_browser(&user(&person)?, participant_id(&participant)?)?;
    Ok(StatusCode::NO_CONTENT)
}
