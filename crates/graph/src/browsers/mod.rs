//! People's browsers: they ring, answer with one POST of an offer, change their session and leave it. Ours, not Graph's;
//! shaped as WHIP is (RFC 9725): the offer goes to an endpoint, the answer names the session.
//!
//! ```text
//!  GET    /fermata/v1/ringing         the news of a browser that is open: who calls
//!  POST   /fermata/v1/ringing/{id}    answers, with an offer
//!  DELETE /fermata/v1/ringing/{id}    declines
//!  PATCH  /fermata/v1/legs/{id}       another offer: an ICE restart, a hold of the user's own
//!  POST   /fermata/v1/legs/{id}       the offer of another session: the page was reloaded
//!  DELETE /fermata/v1/legs/{id}       leaves
//! ```
//!
//! The id is that of the participant, in all of them and in Graph's rosters. Whoever is signed in at the softphone page
//! may ask, for its own calls only: those of others do not exist.

mod answer;
mod decline;
mod ice_server;
mod leave;
mod reconnect;
mod renegotiate;
mod ringing;
mod sdp;

pub(crate) use answer::answer;
pub(crate) use decline::decline;
pub use ice_server::{BadIceServer, IceCredentials, IceServer};
pub(crate) use leave::leave;
pub(crate) use reconnect::reconnect;
pub(crate) use renegotiate::renegotiate;
pub(crate) use ringing::ringing;

use chrono::Utc;
use engine::BrowserError;
use http::HeaderMap;
use http::header::LINK;

use crate::api::Api;
use crate::authority::Scope;
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Returns the object id of who asks, if it is from the softphone page.
fn user(person: &SignedIn) -> Result<String, Failure> {
    person.require_scope(Scope::Phone)?;
    Ok(person.user.to_string())
}

/// Returns what a page is told of the servers that help it to find a path.
fn links(api: &Api, user: &str) -> HeaderMap {
    let now = Utc::now();
    api.ice_servers.iter().filter_map(|server| Some((LINK, server.link(user, now)?))).collect()
}

impl From<BrowserError> for Failure {
    fn from(error: BrowserError) -> Failure {
        match error {
            BrowserError::NotFound => Failure::not_called(),
            BrowserError::Offer(error) => Failure::bad_offer(&error),
            BrowserError::Busy => Failure::unavailable("Too many requests are waiting."),
            BrowserError::NotServed => Failure::unavailable("This server takes no browsers: webrtc.listen is empty."),
        }
    }
}
