//! Ends a session (OpenID Connect RP-Initiated Logout 1.0). Tokens that are out end by themselves within minutes.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::cookie;
use crate::api::{Api, Base};
use crate::error::Failure;

/// Answers `GET /{tenant}/oauth2/v2.0/logout`: goes to the console's first page. Another site that sends people here signs
/// nobody out: the cookie is `SameSite=Strict`, and without it nothing happens.
pub(crate) async fn logout(
    State(api): State<Api>,
    base: Base,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(tenant) = api.tenant_of_path(&tenant) else {
        return Failure::from_status(StatusCode::NOT_FOUND).into_response();
    };
    let away = [(CACHE_CONTROL, HeaderValue::from_static("no-store")), (LOCATION, HeaderValue::from_static("/"))];
    let mut response = (StatusCode::SEE_OTHER, away).into_response();
    if let Some(session) = cookie::session(&headers) {
        api.sign_in.sessions.take(session, Utc::now().timestamp());
        response.headers_mut().insert(SET_COOKIE, cookie::set(None, base.as_str(), tenant));
    }
    response
}
