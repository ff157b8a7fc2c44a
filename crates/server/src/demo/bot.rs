//! A small bot: it knows the public HTTP API and nothing else of the server.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use super::callback::{Callback, News};
use super::screen::{Exchange, Screen};
use crate::config::Settings;

/// The name under which the server keeps the music, so that a hold need not fetch it again.
const MUSIC_ID: &str = "fermata-demo-hold-music";

/// An application that makes calls.
#[derive(Debug)]
pub(super) struct Bot {
    http: Client,
    server: String,
    credentials: Credentials,
    token: String,
    callback: Callback,
    screen: Screen,
}

/// As whom the bot signs in.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) tenant: String,
    pub(super) app: String,
    pub(super) secret: String,
}

/// A call the bot is in.
#[derive(Debug)]
pub(super) struct Call {
    path: String,
}

/// Somebody in a call, known by their id.
#[derive(Debug)]
pub(super) struct Participant {
    pub(super) path: String,
}

/// When a request was sent and when its answer came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) requested: Instant,
    pub(super) accepted: Instant,
}

impl Bot {
    /// Opens the callback and gets a token.
    ///
    /// # Errors
    ///
    /// What the authority says when it gives none.
    pub(super) async fn sign_in(server: SocketAddr, settings: &Settings, screen: Screen) -> anyhow::Result<Bot> {
        let app = settings.apps.first().context("no application is configured")?;
        let credentials =
            Credentials { tenant: settings.tenant.id.clone(), app: app.id.clone(), secret: app.secret.clone() };
        let callback = Callback::open(screen.clone()).await?;
        let (http, server) = (Client::builder().no_proxy().build()?, format!("http://{server}"));
        let mut bot = Bot { http, server, credentials, token: String::new(), callback, screen };
        bot.token = bot.fetch_token().await?;
        Ok(bot)
    }

    /// Returns as whom it signed in.
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns where its music is.
    pub(super) fn music_url(&self) -> String {
        self.callback.music_url()
    }

    /// Calls several people at once.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn call(&self, uris: &[&str]) -> anyhow::Result<Call> {
        let prompt = &self.music_prompt()["mediaInfo"];
        let body = json!({
            "@odata.type": "#microsoft.graph.call",
            "callbackUri": self.callback.notifications_url(),
            "tenantId": self.credentials.tenant,
            "requestedModalities": ["audio"],
            "mediaConfig": { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig", "preFetchMedia": [prompt] },
            "targets": uris.iter().map(|uri| target(uri)).collect::<Vec<_>>(),
        });
        let (created, _) = self.request(Method::POST, "/v1.0/communications/calls", Some(&body)).await?;
        let id = created["id"].as_str().context("the created call has no id")?;
        Ok(Call { path: format!("/v1.0/communications/calls/{id}") })
    }

    /// Waits until all of `uris` are in the call, and returns the one at `uri`.
    ///
    /// # Errors
    ///
    /// If they are not all there in time.
    pub(super) async fn wait_for_all(&mut self, call: &Call, uris: &[&str], uri: &str) -> anyhow::Result<Participant> {
        let find = |news: News<'_>| match news {
            News::Roster(roster) => {
                let is_in = |uri: &str| roster.iter().find(|participant| uri_of(participant) == Some(uri));
                let everybody = uris.iter().all(|uri| is_in(uri).is_some());
                let id = is_in(uri).and_then(|participant| participant["id"].as_str());
                id.filter(|_| everybody).map(str::to_owned)
            }
            News::Call { .. } | News::Operation { .. } => None,
        };
        let id = self.callback.wait_for("all three in the call", find).await?;
        Ok(Participant { path: format!("{}/participants/{id}", call.path) })
    }

    /// Puts somebody on hold and waits until the server says that the music plays.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses, or why the music does not play.
    pub(super) async fn start_hold_music(&mut self, participant: &Participant) -> anyhow::Result<Answered> {
        let body = json!({ "customPrompt": self.music_prompt(), "clientContext": "fermata-demo-hold" });
        self.operate(&format!("{}/startHoldMusic", participant.path), &body).await
    }

    /// Takes somebody off hold and waits until the server says that it is done.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses, or why the hold goes on.
    pub(super) async fn stop_hold_music(&mut self, participant: &Participant) -> anyhow::Result<Answered> {
        let body = json!({ "clientContext": "fermata-demo-unhold" });
        self.operate(&format!("{}/stopHoldMusic", participant.path), &body).await
    }

    /// Says that the call is still wanted; Graph ends calls that nobody speaks of for 45 minutes.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn keep_alive(&self, call: &Call) -> anyhow::Result<()> {
        self.request(Method::POST, &format!("{}/keepAlive", call.path), Some(&json!({}))).await.map(|_| ())
    }

    /// Ends the call and waits until it is over.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses, or that it does not end.
    pub(super) async fn hang_up(&mut self, call: &Call) -> anyhow::Result<()> {
        self.request(Method::DELETE, &call.path, None).await?;
        let terminated = |news: News<'_>| (news == News::Call { state: "terminated" }).then_some(());
        self.callback.wait_for("the end of the call", terminated).await
    }

    /// Shows what comes and does nothing about it, forever.
    pub(super) async fn only_listen(&mut self) {
        self.callback.only_show().await;
    }

    /// Returns Graph's `mediaPrompt` of the bot's music.
    pub(super) fn music_prompt(&self) -> Value {
        json!({
            "@odata.type": "#microsoft.graph.mediaPrompt",
            "mediaInfo": {
                "@odata.type": "#microsoft.graph.mediaInfo",
                "uri": self.music_url(),
                "resourceId": MUSIC_ID,
            },
        })
    }

    async fn operate(&mut self, path: &str, body: &Value) -> anyhow::Result<Answered> {
        let (operation, answered) = self.request(Method::POST, path, Some(body)).await?;
        let id = operation["id"].as_str().context("the answer names no operation")?;
        let ended = |news: News<'_>| match news {
            News::Operation { id: ended, data } if ended == id => Some(data.clone()),
            News::Operation { .. } | News::Call { .. } | News::Roster(_) => None,
        };
        let outcome = self.callback.wait_for("the operation's end", ended).await?;
        match outcome["status"].as_str() {
            Some("completed") => Ok(answered),
            _ => bail!("the operation failed: {}", outcome["resultInfo"]["message"].as_str().unwrap_or("no reason")),
        }
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
        let answered = Answered { requested, accepted: Instant::now() };
        self.show(&method, path, requested, &response);
        let body = read(response).await.with_context(|| format!("{method} {path}"))?;
        Ok((body, answered))
    }

    fn show(&self, method: &Method, path: &str, requested: Instant, response: &Response) {
        let (status, took) = (response.status().as_u16(), requested.elapsed());
        self.screen.request(&Exchange { method: method.as_str(), path, status, requested, took });
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

/// Returns the address of a `participant` that is a phone.
fn uri_of(participant: &Value) -> Option<&str> {
    participant["info"]["identity"]["phone"]["id"].as_str()
}
