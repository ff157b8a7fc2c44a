//! Who calls us: the bearer token of every API request (RFC 6750) and what it allows.
//!
//! What is wrong with the token itself is 401 with a challenge (`authority/access_token.rs`); a good token that is not
//! enough is 403 and says what is missing.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use uuid::Uuid;

use crate::api::{Api, Base};
use crate::authority::discovery::authorization_endpoint;
use crate::authority::token::GRAPH_APP_ID;
use crate::authority::{AccessToken, RoleSource, TenantClaim};
use crate::directory::{App, AppId, Directory, Role, TenantId};
use crate::error::Failure;
use crate::throttle::ClientAddress;

/// Roles one of which lets an application look at and end its calls. What a call may be was checked at its creation.
pub(crate) const ANY_CALL_ROLE: &[Role] = &Role::ALL;

/// Roles one of which lets an application act on a participant: the two that Graph's pages name, and the two with which a
/// call can have been created (graph-calls.md 5.2).
pub(crate) const PARTICIPANT_ROLES: &[Role] =
    &[Role::JoinGroupCallAsGuest, Role::JoinGroupCall, Role::InitiateGroupCall, Role::Initiate];

/// The role that is told of the keys that people press (Graph, `call: subscribeToTone`).
pub(crate) const MEDIA_ROLES: &[Role] = &[Role::AccessMedia];

/// Roles one of which is needed to create any call; which one depends on how many are called.
pub(crate) const CREATE_ROLES: &[Role] = &[Role::Initiate, Role::InitiateGroupCall];

/// The role that calls one person.
pub(crate) const PEER_ROLES: &[Role] = &[Role::Initiate];

/// The role that calls several people, or more people.
pub(crate) const GROUP_ROLES: &[Role] = &[Role::InitiateGroupCall];

/// Is the application that a request comes from, proven by its token.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) app: AppId,
    pub(crate) tenant: TenantId,
    roles: Vec<Role>,
}

impl Caller {
    /// Lets the caller pass if it has one of `sufficient`.
    pub(crate) fn require(&self, sufficient: &[Role]) -> Result<(), Failure> {
        if self.roles.iter().any(|role| sufficient.contains(role)) {
            return Ok(());
        }
        Err(Failure::missing_role(sufficient))
    }
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Caller, Failure> {
        match authenticate(&parts.headers, api).await {
            Ok(caller) => {
                api.throttle.request(caller.app.0)?;
                Ok(caller)
            }
            Err(failure) => Err(refused(failure, parts, api).await),
        }
    }
}

/// Counts who has no good token, and tells it where there are tokens.
pub(crate) async fn refused(failure: Failure, parts: &mut Parts, api: &Api) -> Failure {
    if failure.status != StatusCode::UNAUTHORIZED {
        return failure;
    }
    let Ok(client) = ClientAddress::from_request_parts(parts, api).await;
    if let Err(exceeded) = api.throttle.unauthenticated(client) {
        return exceeded.into();
    }
    let Ok(base) = Base::from_request_parts(parts, api).await;
    Failure { challenge: Some(challenge(base.as_str(), api.directory.tenant)), ..failure }
}

/// The challenge as Graph sends it (RFC 6750, section 3): where our authority is, and Graph's well-known application id.
fn challenge(base: &str, tenant: TenantId) -> String {
    let authorization_uri = authorization_endpoint(base, tenant);
    format!(r#"Bearer realm="", authorization_uri="{authorization_uri}", client_id="{GRAPH_APP_ID}""#)
}

async fn authenticate(headers: &HeaderMap, api: &Api) -> Result<Caller, Failure> {
    let token = api.verifier.verify(bearer(headers)?).await?;
    if token.is_delegated() {
        return Err(Failure::delegated_token());
    }
    let tenant = tenant(&token, &api.directory)?;
    let app = app(&token, &api.directory).ok_or_else(Failure::unknown_application)?;
    Ok(Caller { app: app.id, tenant, roles: roles(&token, app) })
}

/// Finds the token of a request.
///
/// # Errors
///
/// 401 if there is none.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Failure> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    token.filter(|token| !token.is_empty()).ok_or_else(|| Failure::unauthenticated("Access token is empty."))
}

/// The tenant of our tokens is ours; a foreign issuer has the one that the operator gave it.
pub(crate) fn tenant(token: &AccessToken<'_>, directory: &Directory) -> Result<TenantId, Failure> {
    let required = match token.foreign.map(|issuer| issuer.tenant) {
        None => directory.tenant,
        Some(TenantClaim::Required(tenant)) => tenant,
        Some(TenantClaim::Implied(tenant)) => return Ok(tenant),
    };
    if guid(token.claims.tid.as_deref()) == Some(required.0) { Ok(required) } else { Err(Failure::foreign_tenant()) }
}

/// A foreign issuer speaks only for the applications that the operator named.
fn app<'a>(token: &AccessToken<'_>, directory: &'a Directory) -> Option<&'a App> {
    let client_id = token.client_id()?;
    let id = match token.foreign {
        None => AppId(guid(Some(client_id))?),
        Some(issuer) => *issuer.apps.get(client_id)?,
    };
    directory.app(id)
}

/// Nobody has more roles than the directory allows at the moment, whatever the token says.
fn roles(token: &AccessToken<'_>, app: &App) -> Vec<Role> {
    let said: Vec<Role> = match token.foreign.map(|issuer| issuer.roles) {
        None | Some(RoleSource::Token) => token.claims.roles.iter().filter_map(|name| name.parse().ok()).collect(),
        Some(RoleSource::Directory) => Role::ALL.to_vec(),
    };
    said.into_iter().filter(|role| app.roles.contains(role)).collect()
}

pub(crate) fn guid(text: Option<&str>) -> Option<Uuid> {
    Uuid::try_parse(text?).ok()
}
