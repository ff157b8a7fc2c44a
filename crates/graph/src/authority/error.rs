//! Entra ID's error answers of the token endpoint (RFC 6749, section 5.2, with Entra's extra members).

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::StatusCode;
use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use serde_json::json;
use uuid::Uuid;

use crate::request::RequestIds;

/// Says why no token was issued. The numbers are Entra's, which MSAL prints and people look up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("The request body must contain the following parameter: '{0}'.")]
    MissingParameter(&'static str),
    #[error("The tenant of the path is not served here.")]
    UnknownTenant,
    #[error("The application with the given client_id was not found in the tenant.")]
    UnknownApplication,
    #[error("Invalid client secret provided.")]
    WrongSecret,
    #[error("The grant type is not supported; use 'client_credentials'.")]
    UnsupportedGrant,
    #[error("The scope is not valid for client credentials; use '<the server's URL>/.default'.")]
    InvalidScope,
    #[error("The credentials are given twice, in the header and in the body.")]
    CredentialsTwice,
    #[error("The request body must be a form of at most 1 MiB.")]
    NotAForm,
    #[error("The server could not sign a token.")]
    Unsigned,
}

impl TokenError {
    fn oauth_code(&self) -> &'static str {
        match self {
            TokenError::MissingParameter(_)
            | TokenError::UnknownTenant
            | TokenError::CredentialsTwice
            | TokenError::NotAForm => "invalid_request",
            TokenError::UnknownApplication => "unauthorized_client",
            TokenError::WrongSecret => "invalid_client",
            TokenError::UnsupportedGrant => "unsupported_grant_type",
            TokenError::InvalidScope => "invalid_scope",
            TokenError::Unsigned => "server_error",
        }
    }

    fn entra_number(&self) -> u32 {
        match self {
            TokenError::MissingParameter(_) | TokenError::CredentialsTwice | TokenError::NotAForm => 900_144,
            TokenError::UnknownTenant => 90_002,
            TokenError::UnknownApplication => 700_016,
            TokenError::WrongSecret => 7_000_215,
            TokenError::UnsupportedGrant => 70_003,
            TokenError::InvalidScope => 70_011,
            TokenError::Unsigned => 90_033,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            TokenError::WrongSecret => StatusCode::UNAUTHORIZED,
            TokenError::Unsigned => StatusCode::INTERNAL_SERVER_ERROR,
            TokenError::MissingParameter(_)
            | TokenError::UnknownTenant
            | TokenError::UnknownApplication
            | TokenError::UnsupportedGrant
            | TokenError::InvalidScope
            | TokenError::CredentialsTwice
            | TokenError::NotAForm => StatusCode::BAD_REQUEST,
        }
    }

    /// Writes the answer.
    pub(crate) fn into_answer(self, ids: &RequestIds) -> Response {
        let number = self.entra_number();
        let trace_id = &ids.request;
        let correlation_id = Uuid::try_parse(&ids.client).map_or_else(|_| trace_id.clone(), |id| id.to_string());
        let timestamp = Utc::now().format("%Y-%m-%d %H:%M:%SZ").to_string();
        let body = json!({
            "error": self.oauth_code(),
            "error_description": format!(
                "AADSTS{number}: {self} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"
            ),
            "error_codes": [number],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
        });
        let mut response = (self.status(), [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
        if self.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, http::HeaderValue::from_static("Basic realm=\"token\""));
        }
        response
    }
}
