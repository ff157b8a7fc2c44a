//! Ends a session (OpenID Connect RP-Initiated Logout 1.0). Tokens that are out end by themselves within minutes.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::cookie;
use crate::api::{Api, Base};
use crate::error::Failure;

/// Answers `GET /{tenant}/oauth2/v2.0/logout`: goes to the console's first page. Nobody else's page can send people here
/// with their session, since its cookie is `SameSite=Strict`.
pub(crate) async fn logout(
    State(api): State<Api>,
    base: Base,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(tenant) = api.tenant_of_path(&tenant) else {
        return Failure::from_status(StatusCode::NOT_FOUND).into_response();
    };
    if let Some(session) = cookie::session(&headers) {
        api.sign_in.sessions.take(session, Utc::now().timestamp());
    }
    let headers = [
        (SET_COOKIE, cookie::set(None, base.as_str(), tenant)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (LOCATION, HeaderValue::from_static("/")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
