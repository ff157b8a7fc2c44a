//! Who calls us: checks the bearer token of every API request (RFC 6750, RFC 8725).
//!
//! What is wrong with the token itself is 401 with a challenge; a good token that is not enough is 403 and says what is
//! missing. The algorithm is fixed by us and never read from the token.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use jsonwebtoken::Validation;
use jsonwebtoken::errors::ErrorKind;
use serde::Deserialize;
use uuid::Uuid;

use crate::api::Api;
use crate::authority::discovery::issuer;
use crate::authority::signing_key::ALGORITHM;
use crate::authority::token::GRAPH_APP_ID;
use crate::directory::{AppId, Role, TenantId};
use crate::error::Failure;
use crate::public_url::PublicUrls;

/// How far clocks may differ, in seconds. RFC 7519 says "no more than a few minutes".
const LEEWAY_S: u64 = 60;

/// Graph's own name as an audience, with and without the slash: v1.0 tokens carry either.
const GRAPH_AUDIENCES: [&str; 3] = [GRAPH_APP_ID, "https://graph.microsoft.com", "https://graph.microsoft.com/"];

/// Roles one of which lets an application look at and end its calls. What a call may be was checked at its creation.
pub(crate) const ANY_CALL_ROLE: &[Role] = &Role::ALL;

/// Roles one of which lets an application act on a participant: the two that Graph's pages name, and the two with which a
/// call can have been created (graph-calls.md 5.2).
pub(crate) const PARTICIPANT_ROLES: &[Role] =
    &[Role::JoinGroupCallAsGuest, Role::JoinGroupCall, Role::InitiateGroupCall, Role::Initiate];

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

/// Is what we read of a token, in the names of both token versions.
#[derive(Debug, Deserialize)]
struct Claims {
    tid: Option<String>,
    appid: Option<String>,
    azp: Option<String>,
    idtyp: Option<String>,
    scp: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

/// Says which tokens are good: built once, at start.
pub(crate) fn validation(urls: &PublicUrls, tenant: TenantId) -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss"]);
    let issuers: Vec<_> = urls.all().map(|url| issuer(url.as_str(), tenant)).collect();
    validation.set_issuer(&issuers);
    let ours = urls.all().flat_map(|url| [url.as_str().to_owned(), format!("{}/", url.as_str())]);
    let audiences: Vec<_> = GRAPH_AUDIENCES.into_iter().map(str::to_owned).chain(ours).collect();
    validation.set_audience(&audiences);
    validation
}

impl FromRequestParts<Api> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Caller, Failure> {
        authenticate(&parts.headers, api)
    }
}

fn authenticate(headers: &HeaderMap, api: &Api) -> Result<Caller, Failure> {
    let token = bearer(headers).ok_or_else(|| Failure::unauthenticated("Access token is empty."))?;
    let claims = verified(token, api)?;
    if claims.scp.is_some() || claims.idtyp.as_deref().is_some_and(|kind| kind != "app") {
        return Err(Failure::delegated_token());
    }
    if guid(claims.tid.as_deref()) != Some(api.directory.tenant.0) {
        return Err(Failure::tenant_mismatch());
    }
    let app = guid(claims.appid.as_deref().or(claims.azp.as_deref())).map(AppId);
    let app = app.filter(|app| api.directory.app(*app).is_some()).ok_or_else(Failure::unknown_application)?;
    let roles = claims.roles.iter().filter_map(|name| name.parse().ok()).collect();
    Ok(Caller { app, tenant: api.directory.tenant, roles })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn verified(token: &str, api: &Api) -> Result<Claims, Failure> {
    let header = jsonwebtoken::decode_header(token).map_err(|error| invalid(error.kind()))?;
    // A key is found by its name alone; a key inside the token (`jwk`, `jku`, `x5u`) is never looked at.
    let key = header.kid.as_deref().and_then(|id| api.keys.decoding(id));
    let key =
        key.ok_or_else(|| Failure::unauthenticated("Access token validation failure. The signing key is not known."))?;
    jsonwebtoken::decode(token, &key, &api.validation).map(|token| token.claims).map_err(|error| invalid(error.kind()))
}

fn guid(text: Option<&str>) -> Option<Uuid> {
    Uuid::try_parse(text?).ok()
}

fn invalid(kind: &ErrorKind) -> Failure {
    let sentence = match kind {
        ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => "Access token has expired or is not yet valid.",
        ErrorKind::InvalidAudience => "Access token validation failure. Invalid audience.",
        ErrorKind::InvalidIssuer => "Access token validation failure. Invalid issuer.",
        ErrorKind::InvalidSignature => "Access token validation failure. Invalid signature.",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "Access token validation failure. The algorithm is not accepted; use RS256."
        }
        ErrorKind::MissingRequiredClaim(_) => "Access token validation failure. A claim is missing.",
        // The library's list is open; whatever else it finds, the text is not a token that we could have issued.
        _ => "CompactToken parsing failed: the text is not a well-formed JWT.",
    };
    Failure::unauthenticated(sentence)
}
