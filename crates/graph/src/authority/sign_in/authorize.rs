//! The authorization endpoint: a code for who has a session, a form for who has none.

use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use super::code::Grant;
use super::form::{Typed, is_from_our_page};
use super::page::{self, Problem};
use super::request::{AuthorizationRequest, Denied, Parameters, Prompt, Reason, ReturnTo};
use super::{SignIn, cookie};
use crate::api::{Api, Base};
use crate::authority::discovery::issuer;
use crate::body;
use crate::directory::{TenantId, User};
use crate::throttle::ClientAddress;

/// Answers `GET /{tenant}/oauth2/v2.0/authorize`.
pub(crate) async fn show(
    State(api): State<Api>,
    base: Base,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(tenant) = api.tenant_of_path(&tenant) else { return unknown_tenant() };
    let issuer = issuer(base.as_str(), tenant);
    let parameters = Parameters::read(query.unwrap_or_default().as_bytes());
    let request = match AuthorizationRequest::read(&parameters, base.as_str()) {
        Ok(request) => request,
        Err(denied) => return turned_away(denied, &issuer),
    };
    match (signed_in(&api, &headers), request.prompt) {
        (Some(user), Prompt::IfNeeded | Prompt::Never) => granted(&api.sign_in, request, user, &issuer),
        (None, Prompt::Never) => told(&request.return_to, Reason::LoginRequired, &issuer),
        (None, Prompt::IfNeeded) | (_, Prompt::Always) => {
            page::sign_in(&request, "", None, api.sign_in.hint.as_deref())
        }
    }
}

/// Answers `POST /{tenant}/oauth2/v2.0/authorize`: the form.
pub(crate) async fn submit(
    State(api): State<Api>,
    base: Base,
    client: ClientAddress,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    let Some(tenant) = api.tenant_of_path(&tenant) else { return unknown_tenant() };
    let (parts, body) = request.into_parts();
    if !is_from_our_page(&parts.headers, base.as_str()) {
        return page::refused(StatusCode::FORBIDDEN, "The form was not sent by this server's own page.");
    }
    let Ok(body) = body::read(body, api.timeouts.body).await else {
        return page::refused(StatusCode::BAD_REQUEST, "The form is too large, or did not arrive.");
    };
    let parameters = Parameters::read(&body);
    let request = match AuthorizationRequest::read(&parameters, base.as_str()) {
        Ok(request) => request,
        Err(denied) => return turned_away(denied, &issuer(base.as_str(), tenant)),
    };
    match authenticate(&api, client, &parameters).await {
        Ok(user) => begin_session(&api, request, user, base.as_str(), tenant, &parts.headers),
        Err(problem) => {
            let name = Typed::of(&parameters).map_or("", |typed| typed.name);
            page::sign_in(&request, name, Some(problem), api.sign_in.hint.as_deref())
        }
    }
}

/// Finds who signs in. Who has failed too often is not listened to for a while.
async fn authenticate<'a>(api: &'a Api, client: ClientAddress, parameters: &Parameters) -> Result<&'a User, Problem> {
    api.throttle.sign_in(client).map_err(Problem::TooMany)?;
    let typed = Typed::of(parameters).ok_or(Problem::Wrong)?;
    let user = api.directory.user_named(typed.name);
    let kept = user.and_then(|user| user.password.as_ref());
    let is_right = api.secret_check.is_password(kept, typed.password).await.map_err(|_| Problem::Busy)?;
    let Some(user) = user.filter(|_| is_right) else {
        api.throttle.sign_in_failed(client);
        return Err(Problem::Wrong);
    };
    Ok(user)
}

/// A new session each time, and the old one ends: a session that somebody has planted is worth nothing.
fn begin_session(
    api: &Api,
    request: AuthorizationRequest,
    user: &User,
    base: &str,
    tenant: TenantId,
    headers: &HeaderMap,
) -> Response {
    let now = Utc::now().timestamp();
    if let Some(old) = cookie::session(headers) {
        api.sign_in.sessions.take(old, now);
    }
    let session = api.sign_in.sessions.issue(user.id, now);
    let mut response = granted(&api.sign_in, request, user, &issuer(base, tenant));
    response.headers_mut().insert(SET_COOKIE, cookie::set(Some(&session), base, tenant));
    response
}

/// Who was removed from the directory has no session.
fn signed_in<'a>(api: &'a Api, headers: &HeaderMap) -> Option<&'a User> {
    let user = api.sign_in.sessions.find(cookie::session(headers)?, Utc::now().timestamp())?;
    api.directory.user(user)
}

fn granted(sign_in: &SignIn, request: AuthorizationRequest, user: &User, issuer: &str) -> Response {
    let AuthorizationRequest { return_to, scope, challenge, prompt: _ } = request;
    let grant = Grant { scope, redirect_uri: return_to.redirect_uri.clone(), challenge, user: user.id };
    let code = sign_in.codes.issue(grant, Utc::now().timestamp());
    redirect(&return_to, &[("code", &code)], issuer)
}

fn turned_away(denied: Denied, issuer: &str) -> Response {
    match denied {
        Denied::Untrusted(sentence) => page::refused(StatusCode::BAD_REQUEST, sentence),
        Denied::Told(return_to, reason) => told(&return_to, reason, issuer),
    }
}

fn told(return_to: &ReturnTo, reason: Reason, issuer: &str) -> Response {
    redirect(return_to, &[("error", reason.code()), ("error_description", &reason.to_string())], issuer)
}

/// 303, so that no browser sends the form on (RFC 9700, section 4.12). `iss` says whose answer it is (RFC 9207).
fn redirect(return_to: &ReturnTo, answer: &[(&str, &str)], issuer: &str) -> Response {
    let mut url = Url::parse(&return_to.redirect_uri).expect("it is one of our own URLs");
    url.query_pairs_mut()
        .extend_pairs(answer)
        .extend_pairs(return_to.state.iter().map(|state| ("state", state)))
        .append_pair("iss", issuer);
    let location = HeaderValue::try_from(url.as_str()).expect("a URL is ASCII");
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn unknown_tenant() -> Response {
    page::refused(StatusCode::NOT_FOUND, "The tenant of the path is not served here.")
}
