//! A small bot: it knows the public HTTP API and nothing else of the server. The demo and the benchmarks make their calls
//! with it; what they are told comes to a [`Callback`].

mod callback;
mod news;

pub(crate) use callback::Callback;
pub(crate) use news::{News, Notification};

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::config::Settings;

const CALLS: &str = "/v1.0/communications/calls";

/// The name under which the server keeps the music, so that a hold need not fetch it again.
const MUSIC_ID: &str = "fermata-hold-music";

/// An application that has signed in and makes calls.
pub(crate) struct Bot {
    http: Client,
    server: String,
    credentials: Credentials,
    token: String,
    music_url: String,
    watch: Watch,
}

/// Sees each request with its answer.
type Watch = Box<dyn Fn(&Exchange<'_>) + Send + Sync>;

/// One request with its answer.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) answered: Answered,
}

/// As whom the bot signs in.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) tenant: String,
    pub(crate) app: String,
    pub(crate) secret: String,
}

/// A call the bot is in.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    path: String,
}

/// Somebody in a call.
#[derive(Debug, Clone)]
pub(crate) struct Participant {
    /// The participant's part of the API's path.
    pub(crate) path: String,
    /// The address at which they were called; none for who was not called, such as the bot itself.
    pub(crate) uri: Option<String>,
}

/// When a request was sent and when its answer came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) requested: Instant,
    pub(crate) accepted: Instant,
}

/// An operation that the server has accepted.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) answered: Answered,
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Bot {
    /// Gets a token as the first application of the settings. Its hold music is at `music_url`.
    ///
    /// # Errors
    ///
    /// What the authority says when it gives none.
    pub(crate) async fn sign_in(
        server: SocketAddr,
        settings: &Settings,
        music_url: String,
        watch: impl Fn(&Exchange<'_>) + Send + Sync + 'static,
    ) -> anyhow::Result<Bot> {
        let app = settings.apps.first().context("apps: no application is configured")?;
        let credentials =
            Credentials { tenant: settings.tenant.id.clone(), app: app.id.clone(), secret: app.secret.clone() };
        let http = Client::builder().no_proxy().build().context("no HTTP client")?;
        let (server, watch) = (format!("http://{server}"), Box::new(watch));
        let mut bot = Bot { http, server, credentials, token: String::new(), music_url, watch };
        bot.token = bot.fetch_token().await?;
        Ok(bot)
    }

    /// Returns as whom it signed in.
    pub(crate) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Calls several people at once. What becomes of the call is told at `callback`.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(crate) async fn call(&self, uris: &[&str], callback: &str) -> anyhow::Result<Call> {
        let prompt = &self.music_prompt()["mediaInfo"];
        let body = json!({
            "@odata.type": "#microsoft.graph.call",
            "callbackUri": callback,
            "tenantId": self.credentials.tenant,
            "requestedModalities": ["audio"],
            "mediaConfig": { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig", "preFetchMedia": [prompt] },
            "targets": uris.iter().map(|uri| target(uri)).collect::<Vec<_>>(),
        });
        let (created, _) = self.request(Method::POST, CALLS, Some(&body)).await?;
        let id = created["id"].as_str().context("the created call has no id")?;
        Ok(Call { path: format!("{CALLS}/{id}") })
    }

    /// Calls more people into a call.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(crate) async fn invite(&self, call: &Call, uris: &[&str]) -> anyhow::Result<()> {
        let body = json!({ "participants": uris.iter().map(|uri| target(uri)).collect::<Vec<_>>() });
        self.request(Method::POST, &format!("{}/participants/invite", call.path), Some(&body)).await.map(drop)
    }

    /// Asks who is in a call.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(crate) async fn participants(&self, call: &Call) -> anyhow::Result<Vec<Participant>> {
        let (roster, _) = self.request(Method::GET, &format!("{}/participants", call.path), None).await?;
        let entries = roster["value"].as_array().context("the roster is no list")?;
        Ok(call.participants(entries))
    }

    /// Puts somebody on hold.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(crate) async fn start_hold_music(&self, participant: &Participant) -> anyhow::Result<Operation> {
        let body = json!({ "customPrompt": self.music_prompt() });
        self.operate(&format!("{}/startHoldMusic", participant.path), &body).await
    }

    /// Takes somebody off hold.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(crate) async fn stop_hold_music(&self, participant: &Participant) -> anyhow::Result<Operation> {
        self.operate(&format!("{}/stopHoldMusic", participant.path), &json!({})).await
    }

    /// Says that the call is still wanted; Graph ends calls that nobody speaks of for 45 minutes.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(crate) async fn keep_alive(&self, call: &Call) -> anyhow::Result<()> {
        self.request(Method::POST, &format!("{}/keepAlive", call.path), Some(&json!({}))).await.map(drop)
    }

    /// Ends a call.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(crate) async fn hang_up(&self, call: &Call) -> anyhow::Result<()> {
        self.request(Method::DELETE, &call.path, None).await.map(drop)
    }

    /// Returns Graph's `mediaPrompt` of the bot's music.
    pub(crate) fn music_prompt(&self) -> Value {
        json!({
            "@odata.type": "#microsoft.graph.mediaPrompt",
            "mediaInfo": {
                "@odata.type": "#microsoft.graph.mediaInfo",
                "uri": self.music_url,
                "resourceId": MUSIC_ID,
            },
        })
    }

    async fn operate(&self, path: &str, body: &Value) -> anyhow::Result<Operation> {
        let (operation, answered) = self.request(Method::POST, path, Some(body)).await?;
        let id = operation["id"].as_str().context("the answer names no operation")?.to_owned();
        Ok(Operation { id, answered })
    }

    async fn fetch_token(&self) -> anyhow::Result<String> {
        let Credentials { tenant, app, secret } = &self.credentials;
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", app),
            ("client_secret", secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let requested = Instant::now();
        let response = self.http.post(format!("{}{path}", self.server)).form(&form).send().await?;
        self.show(&Method::POST, &path, requested, &response);
        let answer = read(response).await?;
        answer["access_token"].as_str().map(str::to_owned).context("the authority's answer holds no token")
    }

    async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(Value, Answered)> {
        let request = self.http.request(method.clone(), format!("{}{path}", self.server)).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let requested = Instant::now();
        let response = request.send().await.with_context(|| format!("{method} {path} got no answer"))?;
        let answered = self.show(&method, path, requested, &response);
        let body = read(response).await.with_context(|| format!("{method} {path}"))?;
        Ok((body, answered))
    }

    fn show(&self, method: &Method, path: &str, requested: Instant, response: &Response) -> Answered {
        let answered = Answered { requested, accepted: Instant::now() };
        (self.watch)(&Exchange { method: method.as_str(), path, status: response.status().as_u16(), answered });
        answered
    }
}

impl Call {
    /// Reads a roster: an array of Graph's `participant`.
    pub(crate) fn participants(&self, roster: &[Value]) -> Vec<Participant> {
        let participant = |entry: &Value| {
            let path = format!("{}/participants/{}", self.path, entry["id"].as_str()?);
            Some(Participant { path, uri: entry["info"]["identity"]["phone"]["id"].as_str().map(str::to_owned) })
        };
        roster.iter().filter_map(participant).collect()
    }
}

/// Reads an answer's JSON; one that says no is an error with what it says.
async fn read(response: Response) -> anyhow::Result<Value> {
    let status = response.status();
    let bytes = response.bytes().await.context("the answer broke off")?;
    let body: Value = match bytes.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&bytes).context("the answer is no JSON")?,
    };
    match status.is_success() {
        true => Ok(body),
        false => bail!("{status}: {}", body["error"]["message"].as_str().unwrap_or("no reason given")),
    }
}

/// Graph's `invitationParticipantInfo` of a phone.
fn target(uri: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.invitationParticipantInfo",
        "identity": {
            "@odata.type": "#microsoft.graph.identitySet",
            "phone": { "@odata.type": "#microsoft.graph.identity", "id": uri },
        },
    })
}
