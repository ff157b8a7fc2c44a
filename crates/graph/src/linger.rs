//! Reads on what a client still sends when its request has been answered already.
//!
//! A refusal is often known before the body is all there: no token, too large. A client that sends everything before it
//! reads anything would never see it. Over HTTP/2 it waits for a window that nobody opens (httpx 0.28 hangs in that
//! case), over HTTP/1.1 its connection is reset. So a body that was dropped unread is read to its end and thrown away,
//! within limits.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

/// How much is read and thrown away, in bytes. Above it the client has to live with a broken connection.
const DISCARDED_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// How long it is read. More would let slow strangers hold connections for nothing.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(10);

/// Has the body of a request read to its end, whoever drops it.
pub(crate) fn on_drop(request: http::Request<Body>) -> http::Request<Body> {
    request.map(|body| Body::new(Lingering(body)))
}

struct Lingering(Body);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.0).poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if self.0.is_end_stream() || self.0.size_hint().lower() > DISCARDED_BYTES_MAX {
            return;
        }
        let body = std::mem::take(&mut self.0);
        tokio::spawn(tokio::time::timeout(DISCARD_TIMEOUT, discard(body)));
    }
}

async fn discard(mut body: Body) {
    let mut discarded: u64 = 0;
    while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        discarded += frame.data_ref().map_or(0, |data| data.len() as u64);
        if discarded > DISCARDED_BYTES_MAX {
            return;
        }
    }
}
