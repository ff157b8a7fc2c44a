//! `PATCH /fermata/v1/legs/{id}`: another offer for a session that goes on. With other ICE credentials it is an ICE
//! restart; with another direction it is the user's own hold, or its end.
//!
//! RFC 9725, section 4.3.3, restarts ICE by a fragment of a description. A page has the whole one at hand, and only that
//! tells of a hold; so it is whole descriptions that are exchanged here.

use axum::extract::{Path, State};

use super::sdp::Sdp;
use super::user;
use crate::api::{Api, participant_id};
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Serves the method.
pub(crate) async fn renegotiate(
    State(api): State<Api>,
    person: SignedIn,
    Path(participant): Path<String>,
    Sdp(offer): Sdp,
) -> Result<Sdp, Failure> {
    let answer = api.engine.renegotiate_browser(&user(&person)?, participant_id(&participant)?, offer).await?;
    Ok(Sdp(answer))
}
