//! Takes the body of a request: JSON, at most 1 MiB, also when it came compressed.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::error::Failure;
use crate::json;

/// Largest body, in bytes, after decompression. The longest sensible request is a few KiB; less than 1 MiB could refuse
/// a real one, more would let strangers fill memory.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Is the body of a request as a `T`; an empty body is read as `{}`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Failure> {
        let is_json = is_json(request.headers());
        let bytes = to_bytes(request.into_body(), BODY_BYTES_MAX)
            .await
            .map_err(|_| Failure::from_status(StatusCode::PAYLOAD_TOO_LARGE))?;
        if !is_json && !bytes.is_empty() {
            return Err(Failure::from_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        Ok(Body(json::read(&bytes)?))
    }
}

/// A body without a type is taken for JSON: nothing else is ever sent here.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || (essence.len() > "+json".len() && essence.to_ascii_lowercase().ends_with("+json"))
}
