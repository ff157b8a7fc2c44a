//! Sends one notification: the signed request that Graph's platform sends (graph-calls.md 3).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use chrono::Utc;
use engine::outgoing::{Client, HttpUri, RequestError, Rule, UriError};
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;

use crate::authority::KeyRing;
use crate::directory::Directory;
use crate::store::{Callback, PendingNotice};
use crate::webhook::{self, WebhookSecret};

/// How long an application may take to answer. It only has to say that it has the notice; .NET's SDK queues and answers
/// at once. More would hold up the notices behind it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may take. A host that does not answer in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a signed token is valid, in seconds: about what Microsoft's are (65 minutes).
pub(crate) const TOKEN_LIFETIME_S: i64 = 3900;

/// How long a signed token is used again. A signature costs as much as everything else in a notification; 5 minutes
/// leave the receiver an hour for clocks that are wrong.
const TOKEN_REUSE: Duration = Duration::from_secs(300);

/// The platform's own name, which some bots look at.
const PLATFORM: &str = "Microsoft-Skype/3.0,(Calling/1.0)";

/// Sends notifications. Connections are kept and used again.
pub(crate) struct Notifier {
    client: Client,
    keys: Arc<KeyRing>,
    issuer: String,
    /// By the application's id.
    secrets: HashMap<String, Vec<WebhookSecret>>,
    tokens: Mutex<HashMap<(String, String), (String, Instant)>>,
}

/// Says what an application made of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Any 2xx.
    Received(StatusCode),
    /// Anything else that it said, and how long it wants to be left alone.
    Rejected(StatusCode, Option<Duration>),
    /// It could not be asked, or did not answer in time.
    Unreached(&'static str),
}

impl Answer {
    /// Returns the status, if there was an answer.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Answer::Received(status) | Answer::Rejected(status, _) => Some(*status),
            Answer::Unreached(_) => None,
        }
    }

    /// Returns why there was none.
    pub(crate) fn failure(&self) -> Option<&'static str> {
        match self {
            Answer::Received(_) | Answer::Rejected(..) => None,
            Answer::Unreached(reason) => Some(reason),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Received(status) | Answer::Rejected(status, _) => status.as_str().fmt(f),
            Answer::Unreached(reason) => reason.fmt(f),
        }
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    tid: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Notifier {
    /// Makes the client. `issuer` is what the tokens name as theirs, `directory` has the secrets of the applications,
    /// `rule` says who may be told.
    ///
    /// Redirects are not followed: they would carry the token to another host, and Graph honours one only for incoming
    /// calls.
    pub(crate) fn new(keys: Arc<KeyRing>, issuer: String, directory: &Directory, rule: Rule) -> Notifier {
        let secrets = directory.apps.iter().map(|app| (app.id.to_string(), app.webhook_secrets.clone())).collect();
        Notifier { client: Client::new(rule, CONNECT_TIMEOUT), keys, issuer, secrets, tokens: Mutex::default() }
    }

    /// Posts a notice once.
    pub(crate) async fn send(&self, notice: &PendingNotice) -> Answer {
        let Ok(token) = self.token(&notice.callback) else { return Answer::Unreached("no token could be signed") };
        self.post(notice, token).await.unwrap_or_else(|error| Answer::Unreached(reason(&error)))
    }

    async fn post(&self, notice: &PendingNotice, token: String) -> Result<Answer, RequestError> {
        let callback = &notice.callback;
        let secrets = self.secrets.get(&callback.app).map_or(&[][..], Vec::as_slice);
        let now_s = Utc::now().timestamp();
        let uri = HttpUri::parse(&callback.uri)?;
        let request = self
            .client
            .request(Method::POST, &uri)?
            .timeout(ANSWER_TIMEOUT)
            .bearer_auth(token)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, PLATFORM)
            .header("X-Microsoft-Skype-Chain-ID", &callback.chain_id)
            .header("X-Microsoft-Skype-Message-ID", &notice.message_id)
            .header("Scenario-Id", &callback.chain_id)
            .header("Client-Request-Id", &notice.message_id)
            .headers(webhook::headers(secrets, &notice.message_id, now_s, &notice.payload))
            .body(notice.payload.clone());
        // Only the head of the answer is read: whatever else comes, nobody asked for it.
        let response = request.send().await.map_err(|error| RequestError::of(&uri, &error))?;
        let status = response.status();
        Ok(match status.is_success() {
            true => Answer::Received(status),
            false => Answer::Rejected(status, retry_after(response.headers())),
        })
    }

    fn token(&self, callback: &Callback) -> Result<String, jsonwebtoken::errors::Error> {
        let owner = (callback.app.clone(), callback.tenant.clone());
        let mut tokens = self.tokens.lock().expect("nothing panics while it holds the tokens");
        if let Some((token, signed)) = tokens.get(&owner)
            && signed.elapsed() < TOKEN_REUSE
        {
            return Ok(token.clone());
        }
        let iat = Utc::now().timestamp();
        let claims = Claims {
            aud: &callback.app,
            iss: &self.issuer,
            tid: &callback.tenant,
            iat,
            nbf: iat,
            exp: iat + TOKEN_LIFETIME_S,
        };
        let token = self.keys.sign(&claims)?;
        tokens.insert(owner, (token.clone(), Instant::now()));
        Ok(token)
    }
}

/// What the ledger says of an error. The error's own text names the callback's host: it stays out of log and ledger.
fn reason(error: &RequestError) -> &'static str {
    match error {
        RequestError::Uri(UriError::NotPublic { .. }) => "the host has an address that is not public",
        RequestError::Uri(UriError::Denied { .. }) => "the host must not be asked",
        RequestError::Uri(UriError::Port { .. }) => "the port is not open for requests",
        RequestError::Uri(UriError::NotHttps { .. }) => "the callback must be https",
        RequestError::Uri(
            UriError::NotHttp | UriError::TooLong { .. } | UriError::Characters | UriError::Credentials,
        ) => "the callback is no URI that can be asked",
        RequestError::Unresolved { .. } => "the host's name has no address",
        RequestError::ConnectTimeout { .. } | RequestError::Timeout { .. } => "no answer in time",
        RequestError::Connect { .. } => "no connection",
        RequestError::Interrupted { .. } => "the connection broke",
    }
}

/// Reads how long an application wants to be left alone: seconds or a date (RFC 9110, section 10.2.3). What cannot be read
/// is as if it were not there.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Option<Duration> {
        retry_after(&[(RETRY_AFTER, text.parse().expect("a header"))].into_iter().collect())
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_as_a_date() {
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Duration::ZERO), "it is over");
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
        let wait = asked(&date).expect("a date");
        assert!(Duration::from_secs(590) < wait && wait <= Duration::from_secs(600), "{wait:?}");
        for nonsense in ["", "-1", "soon", "1.5"] {
            assert_eq!(asked(nonsense), None, "{nonsense}");
        }
    }
}
