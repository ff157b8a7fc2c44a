//! The documents by which clients find the authority and its keys (OpenID Connect Discovery 1.0, section 4).

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::api::Api;
use crate::api::Base;
use crate::directory::TenantId;
use crate::error::Failure;

/// Answers `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(crate) async fn openid_configuration(State(api): State<Api>, base: Base, Path(tenant): Path<String>) -> Response {
    let Some(tenant) = api.tenant_of_path(&tenant) else { return unknown_tenant() };
    Json(document(base.as_str(), tenant)).into_response()
}

/// Answers `GET /{tenant}/discovery/v2.0/keys`.
pub(crate) async fn tenant_keys(State(api): State<Api>, Path(tenant): Path<String>) -> Response {
    if api.tenant_of_path(&tenant).is_none() {
        return unknown_tenant();
    }
    Json(api.keys.jwk_set()).into_response()
}

/// Answers `GET /v1/.well-known/OpenIdConfiguration`: who signs our notifications.
pub(crate) async fn notification_configuration(State(api): State<Api>, base: Base) -> Json<Value> {
    let base = base.as_str();
    // The members, and "RSA256", are those of the document that Microsoft publishes for its calling bots.
    Json(json!({
        "issuer": api.notification_issuer,
        "authorization_endpoint": format!("{base}/v1/authorize-is-not-offered"),
        "jwks_uri": format!("{base}/v1/keys"),
        "id_token_signing_alg_values_supported": ["RSA256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
    }))
}

/// Answers `GET /v1/keys`.
pub(crate) async fn notification_keys(State(api): State<Api>) -> Json<Value> {
    Json(api.keys.jwk_set())
}

fn unknown_tenant() -> Response {
    Failure::from_status(StatusCode::NOT_FOUND).into_response()
}

fn document(base: &str, tenant: TenantId) -> Value {
    json!({
        "issuer": issuer(base, tenant),
        "authorization_endpoint": authorization_endpoint(base, tenant),
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "end_session_endpoint": format!("{base}/{tenant}/oauth2/v2.0/logout"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256"],
        "grant_types_supported": ["client_credentials", "authorization_code"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login"],
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["Console", "Phone"],
        "request_uri_parameter_supported": false,
        "tenant_region_scope": null,
    })
}

/// Names where people sign in. Clients of applications take the tenant from it.
pub(crate) fn authorization_endpoint(base: &str, tenant: TenantId) -> String {
    format!("{base}/{tenant}/oauth2/v2.0/authorize")
}

/// Names the issuer of a tenant's tokens below one of our URLs.
pub(crate) fn issuer(base: &str, tenant: TenantId) -> String {
    format!("{base}/{tenant}/v2.0")
}
