//! `GET /fermata/v1/events`: everything that changes, as server-sent events (HTML, section 9.2).
//!
//! The page reads it with `fetch`, because `EventSource` sends no token. A stream begins with a snapshot, always: whoever
//! comes back need not be told what it missed. It ends when its token does.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http_body::Frame;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::watcher::{Watcher, Watching};
use crate::api::Api;
use crate::directory::UserRole;
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Streams at a time. Each costs a connection and what waits in it; a control room has a few.
pub(crate) const STREAMS_MAX: usize = 64;

/// How often a quiet stream says something, so that what is between keeps it open: proxies give up after 30 s and more.
const QUIET_MAX: Duration = Duration::from_secs(15);

/// What is said then: a comment.
const COMMENT: Bytes = Bytes::from_static(b":\n\n");

/// How long a page is to wait before it asks again.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");

/// Serves the method.
pub(crate) async fn events(State(api): State<Api>, person: SignedIn) -> Result<Response, Failure> {
    person.require(UserRole::ConsoleRead)?;
    let place = Arc::clone(&api.streams).try_acquire_owned();
    let place = place.map_err(|_| Failure::unavailable("Too many people are watching."))?;
    let (written, read) = mpsc::channel(1);
    let until = Instant::now() + person.valid_for;
    let watcher = api.watcher.clone();
    tokio::spawn(async move {
        // A reader that has gone, or a token that has expired, ends it in the middle of whatever it does.
        let _ = timeout_at(until, write(watcher, written, place)).await;
    });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, Body::new(Events(read))).into_response())
}

async fn write(watcher: Watcher, written: mpsc::Sender<Bytes>, _place: OwnedSemaphorePermit) {
    if written.send(RETRY).await.is_err() {
        return;
    }
    while let Some(watching) = watcher.join().await {
        if !pass_on(watching, &written).await {
            return;
        }
    }
}

/// Passes events on. Returns whether it is to begin anew, because the reader was too slow for some.
async fn pass_on(Watching { snapshot, mut events }: Watching, written: &mpsc::Sender<Bytes>) -> bool {
    let mut next = snapshot;
    while written.send(next).await.is_ok() {
        next = match timeout(QUIET_MAX, events.recv()).await {
            Ok(Ok(event)) => event,
            Ok(Err(RecvError::Lagged(_))) => return true,
            Ok(Err(RecvError::Closed)) => return false,
            Err(_) => COMMENT,
        };
    }
    false
}

/// The body of the answer: what the task writes. Dropping it ends the task.
struct Events(mpsc::Receiver<Bytes>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::broadcast;

    #[tokio::test]
    async fn a_reader_that_is_too_slow_begins_anew() {
        let (told, events) = broadcast::channel(2);
        let watching = Watching { snapshot: Bytes::from_static(b"snapshot"), events };
        for event in [&b"1"[..], b"2", b"3"] {
            told.send(Bytes::from_static(event)).unwrap();
        }
        let (written, mut read) = mpsc::channel(8);
        assert!(pass_on(watching, &written).await);
        drop(written);
        assert_eq!(read.recv().await.unwrap(), "snapshot");
        assert_eq!(read.recv().await, None);
    }

    #[tokio::test]
    async fn a_reader_that_keeps_up_gets_everything_in_order() {
        let (told, events) = broadcast::channel(2);
        let watching = Watching { snapshot: Bytes::from_static(b"snapshot"), events };
        for event in [&b"1"[..], b"2"] {
            told.send(Bytes::from_static(event)).unwrap();
        }
        drop(told);
        let (written, mut read) = mpsc::channel(8);
        assert!(!pass_on(watching, &written).await);
        for expected in ["snapshot", "1", "2"] {
            assert_eq!(read.recv().await.unwrap(), expected);
        }
    }
}
