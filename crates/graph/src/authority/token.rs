//! The token endpoints: client credentials, in Entra's v2.0 and v1 forms (RFC 6749, section 4.4), and the codes of people
//! who have signed in.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::CACHE_CONTROL;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::assertion::Assertion;
use super::discovery::issuer;
use super::error::TokenError;
use super::form::{Credential, Form, GrantType, Version};
use super::sign_in;
use crate::api::{Api, Base};
use crate::body;
use crate::directory::{App, AppId, Role, TenantId};
use crate::request::RequestIds;
use crate::throttle::ClientAddress;

/// How long an access token lives, in seconds: Entra's default is 60 to 90 minutes. Less means more token requests,
/// more means that a stolen token is good for longer.
pub(crate) const LIFETIME_S: i64 = 3600;

/// Microsoft Graph's well-known application id: the audience that every v2.0 token for Graph carries.
pub(crate) const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// Says by what a client proved itself, in the words of `azpacr`.
#[derive(Debug, Clone, Copy)]
enum Proof {
    Secret,
    Key,
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
pub(crate) async fn v2(
    state: State<Api>,
    base: Base,
    client: ClientAddress,
    tenant: Path<String>,
    request: Request,
) -> Response {
    answer(state, base, client, tenant, request, Version::V2).await
}

/// Answers `POST /{tenant}/oauth2/token`.
pub(crate) async fn v1(
    state: State<Api>,
    base: Base,
    client: ClientAddress,
    tenant: Path<String>,
    request: Request,
) -> Response {
    answer(state, base, client, tenant, request, Version::V1).await
}

async fn answer(
    State(api): State<Api>,
    base: Base,
    client: ClientAddress,
    Path(tenant): Path<String>,
    request: Request,
    version: Version,
) -> Response {
    let ids = request.extensions().get::<RequestIds>().cloned();
    let ids = ids.expect("the outermost layer names every request");
    match issue(&api, base.as_str(), client, &tenant, request, version).await {
        Ok(response) => response,
        Err(error) => error.into_answer(&ids),
    }
}

async fn issue(
    api: &Api,
    base: &str,
    client: ClientAddress,
    tenant: &str,
    request: Request,
    version: Version,
) -> Result<Response, TokenError> {
    let tenant = api.tenant_of_path(tenant).ok_or(TokenError::UnknownTenant)?;
    let (parts, body) = request.into_parts();
    let body = body::read(body, api.timeouts.body).await?;
    let form = Form::read(&body, &parts.headers)?;
    match form.grant_type(version)? {
        GrantType::ClientCredentials => issue_to_app(api, base, client, tenant, &form, version).await,
        GrantType::AuthorizationCode => issue_to_page(api, base, client, tenant, &form),
    }
}

async fn issue_to_app(
    api: &Api,
    base: &str,
    client: ClientAddress,
    tenant: TenantId,
    form: &Form,
    version: Version,
) -> Result<Response, TokenError> {
    let (app, proof) = authenticate_unless_guessing(api, client, tenant, form).await?;
    let resource = form.resource(version)?;
    let now = Utc::now().timestamp();
    let token = api.keys.sign(&claims(base, tenant, app, proof, now)).map_err(|_| TokenError::Unsigned)?;
    Ok(token_answer(&token, now, resource, version))
}

/// Who tries codes is not listened to for a while, either.
fn issue_to_page(
    api: &Api,
    base: &str,
    client: ClientAddress,
    tenant: TenantId,
    form: &Form,
) -> Result<Response, TokenError> {
    let redemption = form.redemption()?;
    api.throttle.token_request(client, None)?;
    let issued = sign_in::issue(api, base, tenant, &redemption);
    if issued.as_ref().is_err_and(TokenError::is_failed_proof) {
        api.throttle.token_request_failed(client, None);
    }
    let issued = issued?;
    let body = json!({
        "token_type": "Bearer",
        "scope": issued.scope.name(),
        "expires_in": sign_in::LIFETIME_S - 1,
        "access_token": issued.token,
    });
    Ok(([(CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// Who has failed too often is not listened to for a while, so that secrets cannot be found by trying.
async fn authenticate_unless_guessing<'a>(
    api: &'a Api,
    client: ClientAddress,
    tenant: TenantId,
    form: &Form,
) -> Result<(&'a App, Proof), TokenError> {
    let app = form.client_id().and_then(|id| find(api, id).ok()).map(|app| app.id);
    api.throttle.token_request(client, app)?;
    let result = authenticate(api, tenant, form).await;
    if result.as_ref().is_err_and(TokenError::is_failed_proof) {
        api.throttle.token_request_failed(client, app);
    }
    result
}

async fn authenticate<'a>(api: &'a Api, tenant: TenantId, form: &Form) -> Result<(&'a App, Proof), TokenError> {
    match form.credential()? {
        Credential::Secret(secret) => {
            let app = find(api, form.client_id().ok_or(TokenError::MissingParameter("client_id"))?)?;
            let right = api.secret_check.is_one_of(&app.credentials.secrets, secret).await?;
            if right { Ok((app, Proof::Secret)) } else { Err(TokenError::WrongSecret) }
        }
        Credential::Assertion(text) => Ok((authenticate_by_key(api, tenant, form, text)?, Proof::Key)),
    }
}

fn authenticate_by_key<'a>(api: &'a Api, tenant: TenantId, form: &Form, text: &str) -> Result<&'a App, TokenError> {
    let assertion = Assertion::read(text)?;
    let app = find(api, form.client_id().unwrap_or(assertion.client_id()))?;
    let now = Utc::now().timestamp();
    let proven = assertion.verify(app.id, &app.credentials.keys, &audiences(api, tenant), now)?;
    if !api.assertion_reuse {
        api.replays.first_use(proven.mark, proven.expires, now)?;
    }
    Ok(app)
}

fn find<'a>(api: &'a Api, client_id: &str) -> Result<&'a App, TokenError> {
    let id = Uuid::try_parse(client_id).map_err(|_| TokenError::UnknownApplication)?;
    api.directory.app(AppId(id)).ok_or(TokenError::UnknownApplication)
}

/// Lists what a client may call this endpoint in an assertion: either version of it, under any of our names, or the
/// issuer (RFC 7523, section 3, rule 3).
fn audiences(api: &Api, tenant: TenantId) -> Vec<String> {
    let names = |base: &str| {
        [format!("{base}/{tenant}/oauth2/v2.0/token"), format!("{base}/{tenant}/oauth2/token"), issuer(base, tenant)]
    };
    api.urls.all().flat_map(|url| names(url.as_str())).collect()
}

fn claims(base: &str, tenant: TenantId, app: &App, proof: Proof, now: i64) -> Claims<'static> {
    let proof = match proof {
        Proof::Secret => "1",
        Proof::Key => "2",
    };
    Claims {
        aud: GRAPH_APP_ID,
        iss: issuer(base, tenant),
        iat: now,
        nbf: now,
        exp: now + LIFETIME_S,
        appid: app.id.to_string(),
        azp: app.id.to_string(),
        appidacr: proof,
        azpacr: proof,
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
