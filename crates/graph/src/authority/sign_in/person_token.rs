//! The token that a page gets for its code: it acts for a person, within the scope of the page.

use chrono::Utc;
use serde::Serialize;
use uuid::Uuid;

use super::Scope;
use super::code::Redemption;
use crate::api::Api;
use crate::authority::discovery::issuer;
use crate::authority::error::TokenError;
use crate::directory::{TenantId, User, UserRole};

/// How long a person's token lives, in seconds. A page renews it without being seen, so it can be short; less than some
/// minutes would make every page ask all the time.
pub(crate) const LIFETIME_S: i64 = 900;

/// Is a token that was issued, with the scope it is for.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) scope: Scope,
}

/// Is what a person's token says, in Entra ID's names. `scp` is what tells it from an application's.
#[derive(Debug, Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    appid: String,
    azp: String,
    azpacr: &'a str,
    idtyp: &'a str,
    oid: String,
    sub: String,
    name: &'a str,
    preferred_username: &'a str,
    scp: &'a str,
    roles: Vec<&'a str>,
    tid: String,
    uti: String,
    ver: &'a str,
}

/// Redeems a code. It is good once: who redeems it wrongly has spent it.
pub(crate) fn issue(
    api: &Api,
    base: &str,
    tenant: TenantId,
    redemption: &Redemption<'_>,
) -> Result<Issued, TokenError> {
    let now = Utc::now().timestamp();
    let grant = api.sign_in.codes.take(redemption.code, now).ok_or(TokenError::InvalidCode)?;
    if !grant.is_of(redemption) {
        return Err(TokenError::InvalidCode);
    }
    let user = api.directory.user(grant.user).ok_or(TokenError::InvalidCode)?;
    let claims = claims(base, tenant, user, grant.scope, now);
    let token = api.keys.sign(&claims).map_err(|_| TokenError::Unsigned)?;
    Ok(Issued { token, scope: grant.scope })
}

fn claims<'a>(base: &'a str, tenant: TenantId, user: &'a User, scope: Scope, now: i64) -> Claims<'a> {
    let client_id = scope.client_id().to_string();
    Claims {
        // Not Graph: this token is for what is ours.
        aud: base,
        iss: issuer(base, tenant),
        iat: now,
        nbf: now,
        exp: now + LIFETIME_S,
        appid: client_id.clone(),
        azp: client_id,
        // A public client proves nothing.
        azpacr: "0",
        idtyp: "user",
        oid: user.id.to_string(),
        sub: user.id.to_string(),
        name: &user.display_name,
        preferred_username: &user.name,
        scp: scope.name(),
        roles: user.roles.iter().copied().map(UserRole::name).collect(),
        tid: tenant.to_string(),
        uti: Uuid::new_v4().simple().to_string(),
        ver: "2.0",
    }
}
