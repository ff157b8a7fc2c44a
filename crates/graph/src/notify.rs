//! Sends one notification: the signed request that Graph's platform sends (graph-calls.md 3).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use engine::outgoing::{Client, HttpUri, RequestError, Rule, UriError};
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{Method, StatusCode};
use serde::Serialize;

use crate::authority::KeyRing;
use crate::store::{Callback, PendingNotice};

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
    tokens: Mutex<HashMap<(String, String), (String, Instant)>>,
}

/// Says what an application made of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Any 2xx.
    Received(StatusCode),
    /// Anything else that it said.
    Rejected(StatusCode),
    /// It could not be asked, or did not answer in time.
    Unreached(&'static str),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Received(status) | Answer::Rejected(status) => status.as_str().fmt(f),
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
    /// Makes the client. `issuer` is what the tokens name as theirs, `rule` says who may be told.
    ///
    /// Redirects are not followed: they would carry the token to another host, and Graph honours one only for incoming
    /// calls.
    pub(crate) fn new(keys: Arc<KeyRing>, issuer: String, rule: Rule) -> Notifier {
        Notifier { client: Client::new(rule, CONNECT_TIMEOUT), keys, issuer, tokens: Mutex::default() }
    }

    /// Posts a notice once.
    pub(crate) async fn send(&self, callback: &Callback, notice: PendingNotice) -> Answer {
        let Ok(token) = self.token(callback) else { return Answer::Unreached("no token could be signed") };
        match self.post(callback, notice, token).await {
            Ok(status) if status.is_success() => Answer::Received(status),
            Ok(status) => Answer::Rejected(status),
            Err(error) => Answer::Unreached(reason(&error)),
        }
    }

    async fn post(
        &self,
        callback: &Callback,
        notice: PendingNotice,
        token: String,
    ) -> Result<StatusCode, RequestError> {
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
            .body(notice.payload);
        // Only the head of the answer is read: whatever else comes, nobody asked for it.
        let response = request.send().await.map_err(|error| RequestError::of(&uri, &error))?;
        Ok(response.status())
    }

    fn token(&self, callback: &Callback) -> Result<String, jsonwebtoken::errors::Error> {
        let owner = (callback.app.clone(), callback.tenant.clone());
        let mut tokens = self.tokens.lock().expect("nothing panics while it holds the tokens");
        if let Some((token, signed)) = tokens.get(&owner)
            && signed.elapsed() < TOKEN_REUSE
        {
            return Ok(token.clone());
        }
        let iat = chrono::Utc::now().timestamp();
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
