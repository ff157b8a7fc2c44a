//! The token endpoints: client credentials, in Entra's v2.0 and v1 forms (RFC 6749, section 4.4).

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use http::HeaderMap;
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use serde::Serialize;
use serde_json::json;
use url::form_urlencoded;
use uuid::Uuid;

use super::discovery::issuer;
use super::error::TokenError;
use crate::api::{Api, Base};
use crate::body::BODY_BYTES_MAX;
use crate::directory::{App, AppId, Role, TenantId};
use crate::request::RequestIds;

/// How long an access token lives, in seconds: Entra's default is 60 to 90 minutes. Less means more token requests,
/// more means that a role taken away works longer.
const LIFETIME_S: i64 = 3600;

/// Microsoft Graph's well-known application id: the audience that every v2.0 token for Graph carries.
pub(crate) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// Is the form of a token request, in the two versions of the endpoint.
#[derive(Debug, Default)]
struct Form {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
    resource: Option<String>,
}

/// Says which endpoint was asked; v1 names a resource, v2.0 a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// Is what an access token says.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    appid: String,
    azp: String,
    appidacr: &'a str,
    azpacr: &'a str,
    idtyp: &'a str,
    oid: String,
    sub: String,
    roles: Vec<&'a str>,
    tid: String,
    uti: String,
    ver: &'a str,
}

/// Answers `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) async fn v2(state: State<Api>, base: Base, tenant: Path<String>, request: Request) -> Response {
    answer(state, base, tenant, request, Version::V2).await
}

/// Answers `POST /{tenant}/oauth2/token`.
pub(crate) async fn v1(state: State<Api>, base: Base, tenant: Path<String>, request: Request) -> Response {
    answer(state, base, tenant, request, Version::V1).await
}

async fn answer(
    State(api): State<Api>,
    base: Base,
    Path(tenant): Path<String>,
    request: Request,
    version: Version,
) -> Response {
    let ids = request.extensions().get::<RequestIds>().cloned();
    let ids = ids.expect("the outermost layer names every request");
    match issue(&api, base.as_str(), &tenant, request, version).await {
        Ok(response) => response,
        Err(error) => error.into_answer(&ids),
    }
}

async fn issue(
    api: &Api,
    base: &str,
    tenant: &str,
    request: Request,
    version: Version,
) -> Result<Response, TokenError> {
    let tenant = api.tenant_of_path(tenant).ok_or(TokenError::UnknownTenant)?;
    let headers = request.headers().clone();
    let bytes = to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|_| TokenError::NotAForm)?;
    let mut form = Form::parse(&bytes);
    form.take_basic_credentials(&headers)?;
    let app = form.authenticate(api)?;
    form.check_grant()?;
    let resource = form.check_resource(version)?;
    let now = Utc::now().timestamp();
    let token = api.key.sign(&claims(base, tenant, app, now)).map_err(|_| TokenError::Unsigned)?;
    Ok(token_answer(&token, now, resource, version))
}

impl Form {
    fn parse(bytes: &[u8]) -> Form {
        let mut form = Form::default();
        // Clients send a dozen more members; they are ignored.
        for (name, value) in form_urlencoded::parse(bytes) {
            let member = match name.as_ref() {
                "grant_type" => &mut form.grant_type,
                "client_id" => &mut form.client_id,
                "client_secret" => &mut form.client_secret,
                "scope" => &mut form.scope,
                "resource" => &mut form.resource,
                _ => continue,
            };
            *member = Some(value.into_owned());
        }
        form
    }

    /// Takes `client_secret_basic` (RFC 6749, section 2.3.1: both halves are form-encoded before they are joined).
    fn take_basic_credentials(&mut self, headers: &HeaderMap) -> Result<(), TokenError> {
        let Some((id, secret)) = basic_credentials(headers) else { return Ok(()) };
        if self.client_secret.is_some() {
            return Err(TokenError::CredentialsTwice);
        }
        self.client_id = Some(id);
        self.client_secret = Some(secret);
        Ok(())
    }

    fn authenticate<'a>(&self, api: &'a Api) -> Result<&'a App, TokenError> {
        let id = self.client_id.as_deref().ok_or(TokenError::MissingParameter("client_id"))?;
        let secret = self.client_secret.as_deref().ok_or(TokenError::MissingParameter("client_secret"))?;
        let id = Uuid::try_parse(id).map_err(|_| TokenError::UnknownApplication)?;
        let app = api.directory.app(AppId(id)).ok_or(TokenError::UnknownApplication)?;
        if app.secret.matches(secret) { Ok(app) } else { Err(TokenError::WrongSecret) }
    }

    fn check_grant(&self) -> Result<(), TokenError> {
        match self.grant_type.as_deref() {
            Some("client_credentials") => Ok(()),
            Some(_) => Err(TokenError::UnsupportedGrant),
            None => Err(TokenError::MissingParameter("grant_type")),
        }
    }

    /// Takes `<anything>/.default`: a client asks for the host name that it knows us by, or for Graph's.
    fn check_resource(&self, version: Version) -> Result<&str, TokenError> {
        match version {
            Version::V1 => self.resource.as_deref().ok_or(TokenError::MissingParameter("resource")),
            Version::V2 => {
                let scope = self.scope.as_deref().ok_or(TokenError::MissingParameter("scope"))?;
                scope.trim().strip_suffix("/.default").filter(|s| !s.contains(' ')).ok_or(TokenError::InvalidScope)
            }
        }
    }
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    form_urlencoded::parse(text.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned())
}

fn claims(base: &str, tenant: TenantId, app: &App, now: i64) -> Claims<'static> {
    Claims {
        aud: GRAPH_APP_ID,
        iss: issuer(base, tenant),
        iat: now,
        nbf: now,
        exp: now + LIFETIME_S,
        appid: app.id.to_string(),
        azp: app.id.to_string(),
        // "1" says that the client proved itself by a secret.
        appidacr: "1",
        azpacr: "1",
        idtyp: "app",
        oid: app.id.to_string(),
        sub: app.id.to_string(),
        roles: app.roles.iter().copied().map(Role::name).collect(),
        tid: tenant.to_string(),
        uti: Uuid::new_v4().simple().to_string(),
        ver: "2.0",
    }
}

fn token_answer(token: &str, now: i64, resource: &str, version: Version) -> Response {
    // One second less than the token's life, as Entra answers.
    let expires_in = LIFETIME_S - 1;
    let body = match version {
        Version::V2 => json!({
            "token_type": "Bearer",
            "expires_in": expires_in,
            "ext_expires_in": expires_in,
            "access_token": token,
        }),
        // v1 writes its numbers as strings.
        Version::V1 => json!({
            "token_type": "Bearer",
            "expires_in": expires_in.to_string(),
            "ext_expires_in": expires_in.to_string(),
            "expires_on": (now + LIFETIME_S).to_string(),
            "not_before": now.to_string(),
            "resource": resource,
            "access_token": token,
        }),
    };
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
