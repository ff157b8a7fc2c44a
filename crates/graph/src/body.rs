//! Takes the body of a request: JSON, at most 1 MiB, also when it came compressed.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body as Stream, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::error::Failure;
use crate::json;

/// Largest body, in bytes, after decompression. The longest sensible request is a few KiB; less than 1 MiB could refuse
/// a real one, more would let strangers fill memory.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Says why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is larger than [`BODY_BYTES_MAX`].
    TooLarge,
    /// It did not come in time.
    TooSlow,
    /// It broke off, or is not compressed as it says.
    Broken,
}

/// Reads a body whole.
///
/// # Errors
///
/// [`Unread`].
pub(crate) async fn read(body: Stream, timeout: Duration) -> Result<Bytes, Unread> {
    let read = tokio::time::timeout(timeout, to_bytes(body, BODY_BYTES_MAX)).await.map_err(|_| Unread::TooSlow)?;
    read.map_err(|error| match error.source().is_some_and(|source| source.is::<LengthLimitError>()) {
        true => Unread::TooLarge,
        false => Unread::Broken,
    })
}

/// Is the body of a request as a `T`; an empty body is read as `{}`.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Failure> {
        let is_json = is_json(request.headers());
        let bytes = read(request.into_body(), api.timeouts.body).await?;
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
