//! Entra ID's error answers of the token endpoint (RFC 6749, section 5.2, with Entra's extra members).

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;
use uuid::Uuid;

use super::secret::Busy;
use crate::body::Unread;
use crate::request::RequestIds;
use crate::throttle::Exceeded;

/// How long a client should wait that found the authority busy. A slow comparison takes a fraction of that.
const RETRY_AFTER_BUSY: Duration = Duration::from_secs(1);

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
    #[error("The code is unknown, used, expired, or was issued for another client, redirect URI or code challenge.")]
    InvalidCode,
    #[error("The grant type is not supported; use 'client_credentials', or 'authorization_code' with v2.0.")]
    UnsupportedGrant,
    #[error("The scope is not valid for client credentials; use '<the server's URL>/.default'.")]
    InvalidScope,
    #[error("The request carries more than one kind of client credentials.")]
    CredentialsTwice,
    #[error("The client is public, so it has no secret and no assertion.")]
    PublicClient,
    #[error("The request body must be a form of at most 1 MiB.")]
    NotAForm,
    #[error("Too many token requests are waiting.")]
    Busy,
    #[error("Too many token requests have failed. Try again in {} s.", .0.as_secs())]
    TooManyFailures(Duration),
    #[error("The request body took too long to arrive.")]
    SlowBody,
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

impl From<Exceeded> for TokenError {
    fn from(exceeded: Exceeded) -> TokenError {
        TokenError::TooManyFailures(exceeded.retry_after)
    }
}

impl From<Unread> for TokenError {
    fn from(unread: Unread) -> TokenError {
        match unread {
            Unread::TooLarge | Unread::Broken => TokenError::NotAForm,
            Unread::TooSlow => TokenError::SlowBody,
        }
    }
}

impl TokenError {
    /// Whether a client was not who it said, or named nobody: what somebody who guesses meets.
    pub(crate) fn is_failed_proof(&self) -> bool {
        match self {
            TokenError::UnknownApplication
            | TokenError::WrongSecret
            | TokenError::Assertion(_)
            | TokenError::InvalidCode => true,
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
            | TokenError::UnknownTenant
            | TokenError::NoCredentials
            | TokenError::UnsupportedGrant
            | TokenError::InvalidScope
            | TokenError::CredentialsTwice
            | TokenError::PublicClient
            | TokenError::NotAForm
            | TokenError::Busy
            | TokenError::TooManyFailures(_)
            | TokenError::SlowBody
            | TokenError::Unsigned => false,
        }
    }

    fn oauth_code(&self) -> &'static str {
        match self {
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
            | TokenError::UnknownTenant
            | TokenError::CredentialsTwice
            | TokenError::PublicClient
            | TokenError::SlowBody
            | TokenError::NotAForm => "invalid_request",
            TokenError::UnknownApplication => "unauthorized_client",
            TokenError::NoCredentials | TokenError::WrongSecret | TokenError::Assertion(_) => "invalid_client",
            TokenError::InvalidCode => "invalid_grant",
            TokenError::UnsupportedGrant => "unsupported_grant_type",
            TokenError::InvalidScope => "invalid_scope",
            TokenError::Busy | TokenError::TooManyFailures(_) => "temporarily_unavailable",
            TokenError::Unsigned => "server_error",
        }
    }

    fn entra_number(&self) -> u32 {
        match self {
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
            | TokenError::CredentialsTwice
            | TokenError::SlowBody
            | TokenError::NotAForm => 900_144,
            TokenError::PublicClient => 700_025,
            TokenError::UnknownTenant => 90_002,
            TokenError::UnknownApplication => 700_016,
            TokenError::NoCredentials => 7_000_216,
            TokenError::WrongSecret => 7_000_215,
            TokenError::Assertion(fault) => fault.entra_number(),
            TokenError::InvalidCode => 70_000,
            TokenError::UnsupportedGrant => 70_003,
            TokenError::InvalidScope => 70_011,
            TokenError::Busy | TokenError::Unsigned => 90_033,
            // "There are too many incoming requests."
            TokenError::TooManyFailures(_) => 90_055,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            TokenError::NoCredentials | TokenError::WrongSecret | TokenError::Assertion(_) => StatusCode::UNAUTHORIZED,
            TokenError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            TokenError::TooManyFailures(_) => StatusCode::TOO_MANY_REQUESTS,
            TokenError::SlowBody => StatusCode::REQUEST_TIMEOUT,
            TokenError::Unsigned => StatusCode::INTERNAL_SERVER_ERROR,
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
            | TokenError::UnknownTenant
            | TokenError::UnknownApplication
            | TokenError::InvalidCode
            | TokenError::UnsupportedGrant
            | TokenError::InvalidScope
            | TokenError::CredentialsTwice
            | TokenError::PublicClient
            | TokenError::NotAForm => StatusCode::BAD_REQUEST,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            TokenError::Busy => Some(RETRY_AFTER_BUSY),
            TokenError::TooManyFailures(wait) => Some(*wait),
            TokenError::MissingParameter(_)
            | TokenError::RepeatedParameter(_)
            | TokenError::UnknownTenant
            | TokenError::UnknownApplication
            | TokenError::NoCredentials
            | TokenError::WrongSecret
            | TokenError::Assertion(_)
            | TokenError::InvalidCode
            | TokenError::UnsupportedGrant
            | TokenError::InvalidScope
            | TokenError::CredentialsTwice
            | TokenError::PublicClient
            | TokenError::NotAForm
            | TokenError::SlowBody
            | TokenError::Unsigned => None,
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
        if let Some(wait) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}
