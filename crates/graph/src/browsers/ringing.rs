//! `GET /fermata/v1/ringing`: opens a browser of the user. As long as it is read, it rings when the user is called.
//!
//! Server-sent events, for a page that reads them by `fetch`, so that its token stays out of URLs. Who connects anew is
//! told of everything that rings then; there are no events to be made up for. It ends when the token does.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use engine::{BrowserEvent, OpenBrowser, RingEnd};
use futures_util::Stream;
use futures_util::stream::unfold;
use http::HeaderMap;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::{links, user};
use crate::api::Api;
use crate::error::Failure;
use crate::signed_in::SignedIn;
use crate::wire::identity::IdentitySet;

/// How often something is sent while nothing happens. Proxies give up on what is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Serves the method.
pub(crate) async fn ringing(
    State(api): State<Api>,
    person: SignedIn,
) -> Result<(HeaderMap, Sse<impl Stream<Item = Result<Event, Infallible>>>), Failure> {
    let user = user(&person)?;
    let browser = api.engine.open_browser(&user).map_err(|error| Failure::unavailable(error.to_string()))?;
    let until = Instant::now() + person.valid_for;
    let news = Sse::new(unfold((browser, until), next)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok((links(&api, &user), news))
}

async fn next(open: (OpenBrowser, Instant)) -> Option<(Result<Event, Infallible>, (OpenBrowser, Instant))> {
    let (mut browser, until) = open;
    let (name, data) = told(&timeout_at(until, browser.next()).await.ok()??);
    Some((Ok(Event::default().event(name).data(data.to_string())), (browser, until)))
}

fn told(event: &BrowserEvent) -> (&'static str, Value) {
    match event {
        BrowserEvent::Called { participant, call, present } => {
            let present: Vec<_> = present.iter().map(IdentitySet::from).collect();
            ("called", json!({ "id": participant.to_string(), "callId": call.to_string(), "participants": present }))
        }
        BrowserEvent::InCall { participant, call } => {
            ("inCall", json!({ "id": participant.to_string(), "callId": call.to_string() }))
        }
        BrowserEvent::Over { participant, end } => {
            let reason = match end {
                RingEnd::AnsweredElsewhere => "answeredElsewhere",
                RingEnd::Declined => "declined",
                RingEnd::Over => "over",
            };
            ("over", json!({ "id": participant.to_string(), "reason": reason }))
        }
    }
}
