//! The body of an offer, and of the answer to it.

use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};

use crate::api::Api;
use crate::body;
use crate::error::Failure;

/// The type of session descriptions (RFC 8866, section 8.1).
const APPLICATION_SDP: &str = "application/sdp";

/// Is a session description, as text.
#[derive(Debug)]
pub(crate) struct Sdp(pub(super) String);

impl FromRequest<Api> for Sdp {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Failure> {
        if !is_sdp(request.headers()) {
            return Err(Failure::not_sdp());
        }
        let bytes = body::read(request.into_body(), api.timeouts.body).await?;
        // What is not text is no description; the reader of descriptions says so.
        Ok(Sdp(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl IntoResponse for Sdp {
    fn into_response(self) -> Response {
        (StatusCode::OK, [(CONTENT_TYPE, APPLICATION_SDP)], self.0).into_response()
    }
}

fn is_sdp(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(APPLICATION_SDP)
}
