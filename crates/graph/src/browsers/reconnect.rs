//! `POST /fermata/v1/legs/{id}`: the page was reloaded, or has lost its session in another way, and goes on with its leg in
//! a new one. The user stays in the roster, and on hold if it is.

use axum::extract::{Path, State};

use super::sdp::Sdp;
use super::user;
use crate::api::{Api, participant_id};
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Serves the method.
pub(crate) async fn reconnect(
    State(api): State<Api>,
    person: SignedIn,
    Path(participant): Path<String>,
    Sdp(offer): Sdp,
) -> Result<Sdp, Failure> {
    let answer = api.engine.reconnect_browser(&user(&person)?, participant_id(&participant)?, offer).await?;
    Ok(Sdp(answer))
}
