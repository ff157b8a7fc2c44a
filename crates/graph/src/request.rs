//! What every request gets, whatever its route: ids, a span for the log, the error envelope, the standard headers.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tracing::Instrument;
use uuid::Uuid;

use crate::error::{Envelope, Failure};

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
const ODATA_VERSION: HeaderName = HeaderName::from_static("odata-version");

/// Longest `client-request-id` that is echoed, in bytes. Clients send GUIDs (36); more would only fill the log.
const CLIENT_REQUEST_ID_BYTES_MAX: usize = 128;

/// Names one request: our id, and the caller's own mark.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds {
    pub(crate) request: String,
    pub(crate) client: String,
    is_given: bool,
}

impl RequestIds {
    fn new(headers: &HeaderMap) -> RequestIds {
        let request = Uuid::new_v4().to_string();
        let given = headers
            .get(CLIENT_REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty() && value.len() <= CLIENT_REQUEST_ID_BYTES_MAX);
        let client = given.map_or_else(|| request.clone(), str::to_owned);
        RequestIds { request, client, is_given: given.is_some() }
    }

    /// Returns the caller's mark if the caller has sent one.
    pub(crate) fn given(&self) -> Option<&str> {
        self.is_given.then_some(self.client.as_str())
    }
}

/// Names the request, runs it inside a span with those names, and completes its answer.
pub(crate) async fn identify(mut request: Request, next: Next) -> Response {
    let ids = RequestIds::new(request.headers());
    // The path holds ids only; the query may hold what a client likes and stays out of the log.
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = ids.request,
        client_request_id = ids.client,
    );
    request.extensions_mut().insert(ids.clone());
    let timing = Timing::start(&request);
    async {
        let response = complete(next.run(request).await, &ids);
        tracing::info!(status = response.status().as_u16(), "answered");
        timing.end(response.status());
        response
    }
    .instrument(span)
    .await
}

/// Measures one request for `/metrics`, under the route's pattern: a path would make a series for each call.
struct Timing {
    method: String,
    route: String,
    start: Instant,
}

impl Timing {
    fn start(request: &Request) -> Timing {
        let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
        Timing { method: request.method().to_string(), route, start: Instant::now() }
    }

    fn end(self, status: StatusCode) {
        let labels = [("method", self.method), ("route", self.route), ("status", status.as_u16().to_string())];
        metrics::histogram!("fermata_http_request_seconds", &labels).record(self.start.elapsed().as_secs_f64());
    }
}

fn complete(response: Response, ids: &RequestIds) -> Response {
    let mut response = match failure_of(&response) {
        Some(failure) => with_envelope(response, &failure, ids),
        None => response,
    };
    let headers = response.headers_mut();
    for (name, value) in [(REQUEST_ID, &ids.request), (CLIENT_REQUEST_ID, &ids.client)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(ODATA_VERSION, HeaderValue::from_static("4.0"));
    response
}

/// Finds what went wrong: ours, or an error of a layer below that wrote neither JSON nor a page.
fn failure_of(response: &Response) -> Option<Failure> {
    if let Some(failure) = response.extensions().get::<Failure>() {
        return Some(failure.clone());
    }
    let status = response.status();
    let failed = status.is_client_error() || status.is_server_error();
    let written = response.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    let has_body = written.starts_with(b"application/json") || written.starts_with(b"text/html");
    (failed && !has_body).then(|| Failure::from_status(status))
}

/// Replaces the body; headers such as `Allow` stay.
fn with_envelope(response: Response, failure: &Failure, ids: &RequestIds) -> Response {
    let envelope = Envelope::new(failure, &ids.request, &ids.client, Utc::now());
    let mut complete = (failure.status, axum::Json(envelope)).into_response();
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && name != http::header::CONTENT_LENGTH {
            complete.headers_mut().append(name, value.clone());
        }
    }
    if let Some(challenge) = failure.challenge.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
        complete.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = failure.retry_after {
        complete.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    complete
}
