//! Sends one notification: the signed request that Graph's platform sends (graph-calls.md 3).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use reqwest::redirect;
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
    client: reqwest::Client,
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
    /// Makes the client. `issuer` is what the tokens name as theirs.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the TLS side cannot be set up.
    pub(crate) fn new(keys: Arc<KeyRing>, issuer: String) -> Result<Notifier, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // A redirect would carry the token to another host. Graph honours one only for incoming calls.
            .redirect(redirect::Policy::none())
            .build()?;
        Ok(Notifier { client, keys, issuer, tokens: Mutex::default() })
    }

    /// Posts a notice once.
    pub(crate) async fn send(&self, callback: &Callback, notice: PendingNotice) -> Answer {
        let Ok(token) = self.token(callback) else { return Answer::Unreached("no token could be signed") };
        let request = self
            .client
            .post(&callback.uri)
            .bearer_auth(token)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .header(USER_AGENT, PLATFORM)
            .header("X-Microsoft-Skype-Chain-ID", &callback.chain_id)
            .header("X-Microsoft-Skype-Message-ID", &notice.message_id)
            .header("Scenario-Id", &callback.chain_id)
            .header("Client-Request-Id", &notice.message_id)
            .body(notice.payload);
        match request.send().await {
            Ok(response) if response.status().is_success() => Answer::Received(response.status()),
            Ok(response) => Answer::Rejected(response.status()),
            // The error's text holds the callback's URI, which may hold a secret: it stays out of log and ledger.
            Err(error) if error.is_timeout() => Answer::Unreached("no answer in time"),
            Err(error) if error.is_connect() => Answer::Unreached("no connection"),
            Err(_) => Answer::Unreached("the connection broke"),
        }
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
