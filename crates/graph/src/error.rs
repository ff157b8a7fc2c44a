//! The only place where a no becomes an HTTP status, a Graph code and a sentence.
//!
//! Graph's envelope is `{"error":{"code","message","innerError":{"date","request-id","client-request-id"}}}`. The ids are
//! known to the outermost layer only, so a [`Failure`] travels as an extension of the response and
//! [`crate::request::identify`] writes the body. Applications branch on `code`, people read `message`.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use call::Refusal;
use chrono::{DateTime, Utc};
use engine::OfferError;
use http::StatusCode;
use serde::Serialize;

use crate::body::Unread;
use crate::directory::{Role, UserRole};
use crate::json::JsonError;
use crate::throttle::{Exceeded, Limit};
use crate::wire::Invalid;

/// How long an application should wait before it repeats a request that found us overloaded or the disk failing.
/// Less would only meet the same trouble; SDKs ignore 0 and give up above 180 s (clients.md 3).
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Is an answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
    /// What a client that nobody knows is asked for (RFC 9110, section 11.6.1).
    pub(crate) challenge: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Failure {
        Failure { status, code, message: message.into(), retry_after: None, challenge: None }
    }

    /// Nobody knows who is asking.
    pub(crate) fn unauthenticated(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
    }

    /// A person's token: the calls API is for applications only.
    pub(crate) fn delegated_token() -> Failure {
        Failure::new(
            StatusCode::FORBIDDEN,
            "7500",
            "Unsupported AAD Identity. The token is a user's; this API takes application tokens only.",
        )
    }

    /// An application's token, or a person's for another page: this is for people at the page that needs it.
    pub(crate) fn not_signed_in_for(scope: &str) -> Failure {
        Failure::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            format!("This is for people who have signed in. The token's 'scp' must be {scope:?}."),
        )
    }

    /// The token's user is not, or no longer, in the directory.
    pub(crate) fn unknown_user() -> Failure {
        Failure::new(StatusCode::FORBIDDEN, "Forbidden", "The user of the token is not in the directory.")
    }

    /// The person lacks a role.
    pub(crate) fn missing_user_role(needed: UserRole) -> Failure {
        let message = format!("An administrator has not allowed this user to do that; it needs {:?}.", needed.name());
        Failure::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// The token is good and its application is not, or no longer, registered here.
    pub(crate) fn unknown_application() -> Failure {
        Failure::new(StatusCode::FORBIDDEN, "7503", "Application is not registered in our store.")
    }

    /// The application lacks every role that would do.
    pub(crate) fn missing_role(sufficient: &[Role]) -> Failure {
        let names: Vec<_> = sufficient.iter().map(|role| role.name()).collect();
        Failure::new(
            StatusCode::FORBIDDEN,
            "7504",
            format!(
                "Insufficient enterprise tenant permissions, cannot access this API. The token needs one of the roles: {}.",
                names.join(", ")
            ),
        )
    }

    /// The token is of a tenant that is not served here.
    pub(crate) fn foreign_tenant() -> Failure {
        Failure::new(
            StatusCode::FORBIDDEN,
            "7505",
            "Request authorization tenant mismatch. The token's 'tid' is not the tenant that is served here.",
        )
    }

    /// The request names a tenant that is not the token's.
    pub(crate) fn tenant_mismatch() -> Failure {
        Failure::new(
            StatusCode::FORBIDDEN,
            "7505",
            "Request authorization tenant mismatch. 'tenantId' is not the tenant of the token.",
        )
    }

    /// The request names a source that is not the application of the token.
    pub(crate) fn source_mismatch() -> Failure {
        Failure::new(
            StatusCode::FORBIDDEN,
            "7507",
            "The call's source does not match the token. 'source.identity.application.id' must be the token's application.",
        )
    }

    /// There is no such call, or it has ended, or it is another application's.
    pub(crate) fn call_not_found() -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "8522", "Call not found.")
    }

    /// The roster has no such participant.
    pub(crate) fn participant_not_found() -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "8522", "Participant not found.")
    }

    /// The call has no such operation.
    pub(crate) fn operation_not_found() -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "8522", "Operation not found.")
    }

    /// The call has had no such notification.
    pub(crate) fn notification_not_found() -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "8522", "Notification not found.")
    }

    /// Nothing is written down of what the participant was given to hear.
    pub(crate) fn not_written_down() -> Failure {
        Failure::new(
            StatusCode::NOT_FOUND,
            "8522",
            "Nothing is written down of what this participant heard: there is no such participant, it was too long ago, or \
             it is switched off ([observation] in the configuration).",
        )
    }

    /// Nobody calls the person under this id, or not any more; or the person is in no such call.
    pub(crate) fn not_called() -> Failure {
        Failure::new(StatusCode::NOT_FOUND, "8522", "There is no such call for you, or not any more.")
    }

    /// The description that a browser offers is of no use.
    pub(crate) fn bad_offer(error: &OfferError) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "8523", format!("Invalid argument: {error}."))
    }

    /// The body is not what a browser offers.
    pub(crate) fn not_sdp() -> Failure {
        let message = "The request body must be a session description, application/sdp.";
        Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    /// Graph documents the route and Fermata does not serve it.
    pub(crate) fn not_served() -> Failure {
        Failure::new(StatusCode::METHOD_NOT_ALLOWED, "8520", "Fermata does not serve this method. See docs/compat.md.")
    }

    /// The server cannot take the request now; later it can.
    pub(crate) fn unavailable(message: impl Into<String>) -> Failure {
        let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, "serviceNotAvailable", message);
        Failure { retry_after: Some(RETRY_AFTER), ..failure }
    }

    /// A broken promise of our own code.
    pub(crate) fn internal() -> Failure {
        Failure::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "UnknownError",
            "Unexpected exception returned from the service.",
        )
    }

    /// A status that a layer below chose without a body of ours.
    pub(crate) fn from_status(status: StatusCode) -> Failure {
        let (code, message) = match status {
            StatusCode::NOT_FOUND => ("ResourceNotFound", "Resource not found: no such path."),
            StatusCode::METHOD_NOT_ALLOWED => ("8520", "The method is not allowed for this path."),
            StatusCode::PAYLOAD_TOO_LARGE => ("RequestEntityTooLarge", "The request body is larger than 1 MiB."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("UnsupportedMediaType", "The request body must be application/json, plain or compressed with gzip.")
            }
            StatusCode::REQUEST_TIMEOUT => ("RequestTimeout", "The request body took too long to arrive."),
            StatusCode::GATEWAY_TIMEOUT => {
                ("GatewayTimeout", "The request took too long. It may have been carried out; it can be sent again.")
            }
            _ if status.is_client_error() => ("BadRequest", "The request is wrong."),
            _ => return Failure { status, ..Failure::internal() },
        };
        Failure::new(status, code, message)
    }
}

impl From<Exceeded> for Failure {
    fn from(Exceeded { limit, retry_after }: Exceeded) -> Failure {
        let (code, message) = match limit {
            Limit::Requests => ("TooManyRequests", "The application or person makes too many requests a second."),
            Limit::ConcurrentCalls => ("8530", "The application has as many calls at a time as it may have."),
            Limit::CallsPerMonth => ("8529", "The application has placed as many calls this month as it may."),
            Limit::Unauthenticated => ("TooManyRequests", "Too many requests without a good access token."),
            Limit::FailedTokens => ("TooManyRequests", "Too many token requests have failed."),
            Limit::FailedSignIns => ("TooManyRequests", "Too many sign-ins have failed."),
        };
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, code, message);
        Failure { retry_after: Some(retry_after), ..failure }
    }
}

impl From<Unread> for Failure {
    fn from(unread: Unread) -> Failure {
        match unread {
            Unread::TooLarge => Failure::from_status(StatusCode::PAYLOAD_TOO_LARGE),
            Unread::TooSlow => Failure::from_status(StatusCode::REQUEST_TIMEOUT),
            Unread::Broken => Failure::new(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "The request body broke off, or is not compressed as its Content-Encoding says.",
            ),
        }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "8523", format!("Invalid argument: {invalid}"))
    }
}

impl From<JsonError> for Failure {
    fn from(error: JsonError) -> Failure {
        let code = match error {
            JsonError::Syntax { .. } => "BadRequest",
            JsonError::Shape { .. } => "8523",
        };
        Failure::new(StatusCode::BAD_REQUEST, code, error.to_string())
    }
}

/// The choices for what Graph leaves undocumented have their reasons in docs/compat.md.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        let bad_request = |code, message: String| Failure::new(StatusCode::BAD_REQUEST, code, message);
        let conflict = |message: String| Failure::new(StatusCode::CONFLICT, "8519", message);
        match refusal {
            Refusal::CallNotFound => Failure::call_not_found(),
            Refusal::ParticipantNotFound => Failure::participant_not_found(),
            Refusal::CallNotIncoming => {
                conflict("The call does not wait for a decision: it was not called in, or it is decided.".to_owned())
            }
            Refusal::CallNotEstablished => bad_request("8501", "The call is not established yet.".to_owned()),
            Refusal::NotPeerToPeer => {
                bad_request("8585", "Only a call with one person can be transferred; this is a group call.".to_owned())
            }
            Refusal::NotAGroupCall => {
                bad_request("8548", "The method needs a group call; this call has one target.".to_owned())
            }
            Refusal::ParticipantIsApplication => bad_request(
                "8523",
                "Invalid argument: the participant is an application, which has no audio here to hold or mute."
                    .to_owned(),
            ),
            Refusal::AlreadyOnHold => conflict(
                "The participant is on hold already. To change the music, stop the hold and start it again.".to_owned(),
            ),
            Refusal::AnotherOnHold { held } => conflict(format!(
                "Participant {held} is on hold. Only one participant can be placed on hold at any given time."
            )),
            Refusal::NotOnHold => conflict("The participant is not on hold.".to_owned()),
            Refusal::HoldEnding => conflict("The participant's hold is ending already.".to_owned()),
            Refusal::AlreadyInCall { participant } => conflict(format!(
                "One of the invited is in the call or being called already, as participant {participant}."
            )),
            Refusal::NobodyListens => {
                conflict("Nobody can hear tones now: everybody in the call is on hold.".to_owned())
            }
            Refusal::TonesUnderWay => conflict("Other tones are being sent.".to_owned()),
            Refusal::TooManyTones => {
                bad_request("8523", format!("Invalid argument: at most {} tones can be sent at once.", call::TONES_MAX))
            }
            Refusal::TooManyTargets => bad_request(
                "8523",
                format!("Invalid argument: a call can be redirected to {} at most.", call::REDIRECT_TARGETS_MAX),
            ),
            Refusal::TooManyInvitees => bad_request(
                "8523",
                format!("Invalid argument: at most {} people can be invited at once.", call::INVITEES_MAX),
            ),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Is Graph's error envelope.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<'a> {
    error: EnvelopeError<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EnvelopeError<'a> {
    code: &'a str,
    message: &'a str,
    inner_error: InnerError<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct InnerError<'a> {
    date: String,
    request_id: &'a str,
    client_request_id: &'a str,
}

impl<'a> Envelope<'a> {
    /// Puts a failure into the envelope.
    pub(crate) fn new(
        failure: &'a Failure,
        request_id: &'a str,
        client_request_id: &'a str,
        now: DateTime<Utc>,
    ) -> Self {
        // Seconds and no zone, as Graph writes it; a date that is not ISO 8601 makes the Python SDK drop the error.
        let date = now.format("%Y-%m-%dT%H:%M:%S").to_string();
        let inner_error = InnerError { date, request_id, client_request_id };
        Envelope { error: EnvelopeError { code: failure.code, message: &failure.message, inner_error } }
    }
}
