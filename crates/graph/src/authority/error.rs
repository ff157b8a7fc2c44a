//! Entra ID's error answers of the token endpoint (RFC 6749, section 5.2, with Entra's extra members).

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::secret::Busy;
use crate::request::RequestIds;

/// How long a client should wait that found the authority busy, in seconds. A slow comparison takes a fraction of one.
const RETRY_AFTER_S: u64 = 1;

/// Says why no token was issued. The numbers are Entra's, which MSAL prints and people look up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("The request body must contain the following parameter: '{0}'.")]
    MissingParameter(&'static str),
    #[error("The request body contains the following parameter more than once: '{0}'.")]
    RepeatedParameter(&'static str),
    #[error("The tenant of the path is not served here.")]
    UnknownTenant,
    #[error("The application with the given client_id was not found in the tenant.")]
    UnknownApplication,
    #[error("'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.")]
    NoCredentials,
    #[error("Invalid client secret provided.")]
    WrongSecret,
    #[error("The client assertion is not accepted: {0}.")]
    Assertion(#[from] AssertionFault),
    #[error("The grant type is not supported; use 'client_credentials'.")]
    UnsupportedGrant,
    #[error("The scope is not valid for client credentials; use '<the server's URL>/.default'.")]
    InvalidScope,
    #[error("The request carries more than one kind of client credentials.")]
    CredentialsTwice,
    #[error("The request body must be a form of at most 1 MiB.")]
    NotAForm,
    #[error("Too many token requests are waiting.")]
    Busy,
    #[error("The server could not sign a token.")]
    Unsigned,
}

/// Says what is wrong with an assertion, as a clause that follows "is not accepted:".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionFault {
    #[error("it must be a JWT with 'iss', 'sub', 'aud' and 'exp'")]
    Malformed,
    #[error("'client_assertion_type' must be 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'")]
    Type,
    #[error("it must be signed with RS256 or PS256")]
    Algorithm,
    #[error("'iss' and 'sub' must both be the client_id")]
    AnotherClient,
    #[error("'aud' must be the URL of this token endpoint")]
    Audience,
    #[error("it has expired or is not yet valid")]
    Time,
    #[error("it must expire within an hour")]
    TooLong,
    #[error("its key ('x5t', 'x5t#S256' or 'kid') is not registered for the application")]
    UnknownKey,
    #[error("the certificate of its key has expired")]
    ExpiredKey,
    #[error("its signature is not valid")]
    Signature,
    #[error("it was used before, and each is good once; make another, or set authority.assertion_reuse")]
    Replayed,
}

impl AssertionFault {
    fn entra_number(self) -> u32 {
        match self {
            AssertionFault::Malformed | AssertionFault::Type | AssertionFault::Algorithm => 50_027,
            AssertionFault::AnotherClient => 700_021,
            AssertionFault::Audience => 700_023,
            AssertionFault::Time | AssertionFault::TooLong => 700_024,
            AssertionFault::UnknownKey
            | AssertionFault::ExpiredKey
            | AssertionFault::Signature
            | AssertionFault::Replayed => 700_027,
        }
    }
}

impl From<Busy> for TokenError {
    fn from(Busy: Busy) -> TokenError {
        TokenError::Busy
    }
}

impl TokenError {
    fn oauth_code(&self) -> &'static str {
        match self {
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
            | TokenError::UnknownTenant
            | TokenError::CredentialsTwice
            | TokenError::NotAForm => "invalid_request",
            TokenError::UnknownApplication => "unauthorized_client",
            TokenError::NoCredentials | TokenError::WrongSecret | TokenError::Assertion(_) => "invalid_client",
            TokenError::UnsupportedGrant => "unsupported_grant_type",
            TokenError::InvalidScope => "invalid_scope",
            TokenError::Busy => "temporarily_unavailable",
            TokenError::Unsigned => "server_error",
        }
    }

    fn entra_number(&self) -> u32 {
        match self {
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
            | TokenError::CredentialsTwice
            | TokenError::NotAForm => 900_144,
            TokenError::UnknownTenant => 90_002,
            TokenError::UnknownApplication => 700_016,
            TokenError::NoCredentials => 7_000_216,
            TokenError::WrongSecret => 7_000_215,
            TokenError::Assertion(fault) => fault.entra_number(),
            TokenError::UnsupportedGrant => 70_003,
            TokenError::InvalidScope => 70_011,
            TokenError::Busy | TokenError::Unsigned => 90_033,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            TokenError::NoCredentials | TokenError::WrongSecret | TokenError::Assertion(_) => StatusCode::UNAUTHORIZED,
            TokenError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            TokenError::Unsigned => StatusCode::INTERNAL_SERVER_ERROR,
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
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
            "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
        });
        let mut response = (self.status(), [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\""));
        }
        if self == TokenError::Busy {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
        }
        response
    }
}
