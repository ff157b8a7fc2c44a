//! Which person asks: a token that one of our pages got by signing somebody in.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use call::CallId;
use chrono::Utc;
use http::request::Parts;
use serde::Serialize;

use crate::api::{Api, call_id};
use crate::auth::{ANY_CALL_ROLE, Caller, bearer, guid, refused, tenant};
use crate::authority::{AccessToken, Scope};
use crate::directory::{UserId, UserRole};
use crate::error::Failure;

/// Is the person that a request comes from, proven by the token of the page.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) user: UserId,
    scope: Scope,
    roles: Vec<UserRole>,
    /// How long the token is good from now on.
    pub(crate) valid_for: Duration,
}

impl SignedIn {
    /// Lets the person pass who works at the console and may do what needs this role.
    pub(crate) fn require(&self, needed: UserRole) -> Result<(), Failure> {
        self.require_scope(Scope::Console)?;
        match self.roles.iter().any(|role| role.includes(needed)) {
            true => Ok(()),
            false => Err(Failure::missing_user_role(needed)),
        }
    }

    /// Lets the person pass at this page. What the softphone does for a person needs no role.
    pub(crate) fn require_scope(&self, scope: Scope) -> Result<(), Failure> {
        if self.scope == scope { Ok(()) } else { Err(Failure::not_signed_in_for(scope.name())) }
    }
}

impl FromRequestParts<Api> for SignedIn {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<SignedIn, Failure> {
        match authenticate(parts, api).await {
            Ok(person) => {
                api.throttle.request(person.user.0)?;
                Ok(person)
            }
            Err(failure) => Err(refused(failure, parts, api).await),
        }
    }
}

async fn authenticate(parts: &Parts, api: &Api) -> Result<SignedIn, Failure> {
    let token = api.verifier.verify(bearer(&parts.headers)?).await?;
    let scope = scope(&token).ok_or_else(|| Failure::not_signed_in_for(Scope::Console.name()))?;
    tenant(&token, &api.directory)?;
    let user = guid(token.claims.oid.as_deref()).and_then(|id| api.directory.user(UserId(id)));
    let user = user.ok_or_else(Failure::unknown_user)?;
    // Nobody has more roles than the directory allows at the moment, whatever the token says.
    let valid_for = Duration::try_from_secs_f64(token.claims.exp - Utc::now().timestamp() as f64).unwrap_or_default();
    Ok(SignedIn { user: user.id, scope, roles: user.roles.clone(), valid_for })
}

/// The page that a token of ours was issued to.
fn scope(token: &AccessToken<'_>) -> Option<Scope> {
    token.scope().filter(|_| token.foreign.is_none()).and_then(Scope::named)
}

/// Is who asks where both applications and people may.
#[derive(Debug, Clone)]
pub(crate) enum Asker {
    /// An application, by its own token.
    App(Caller),
    /// A person, by the token of a page.
    Person(SignedIn),
}

impl FromRequestParts<Api> for Asker {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Asker, Failure> {
        let token = bearer(&parts.headers).ok();
        let is_person = match token {
            // A person's token of somebody else's is an application's that is refused.
            Some(token) => api.verifier.verify(token).await.is_ok_and(|token| scope(&token).is_some()),
            None => false,
        };
        match is_person {
            true => SignedIn::from_request_parts(parts, api).await.map(Asker::Person),
            false => Caller::from_request_parts(parts, api).await.map(Asker::App),
        }
    }
}

impl Asker {
    /// Reads the call of a path: an application's own, or for a person with this role any. Others' calls, and calls that are
    /// no longer kept, do not exist for an application.
    pub(crate) async fn call(&self, api: &Api, segment: &str, needed: UserRole) -> Result<CallId, Failure> {
        match self {
            Asker::App(caller) => caller.require(ANY_CALL_ROLE)?,
            Asker::Person(person) => person.require(needed)?,
        }
        let call = call_id(segment)?;
        let is_there = match self {
            Asker::App(caller) => api.store.owns_call(caller.app, caller.tenant, call).await?,
            Asker::Person(_) => api.store.keeps_call(call).await?,
        };
        if is_there { Ok(call) } else { Err(Failure::call_not_found()) }
    }
}

/// Is what a page shows of the person who has signed in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Me {
    id: String,
    name: String,
    display_name: String,
    roles: Vec<&'static str>,
    scope: &'static str,
}

/// Answers `GET /fermata/v1/me`.
pub(crate) async fn me(State(api): State<Api>, person: SignedIn) -> Result<Json<Me>, Failure> {
    let user = api.directory.user(person.user).ok_or_else(Failure::unknown_user)?;
    Ok(Json(Me {
        id: user.id.to_string(),
        name: user.name.clone(),
        display_name: user.display_name.clone(),
        roles: person.roles.iter().copied().map(UserRole::name).collect(),
        scope: person.scope.name(),
    }))
}
