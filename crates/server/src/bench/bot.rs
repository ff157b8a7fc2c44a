//! A bot that makes calls and holds people, over the public API and nothing else.

use super::callback::Callback;
use super::scrape::TickCounts;
use crate::config::Settings;
use anyhow::{Context, bail};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::net::SocketAddr;

const CALLS: &str = "/v1.0/communications/calls";

/// An application that has signed in.
#[derive(Debug)]
pub(super) struct Bot {
    http: Client,
    server: String,
    token: String,
    tenant: String,
    callback: Callback,
}

/// Somebody in a call.
#[derive(Clone, Debug)]
pub(super) struct Participant {
    /// The participant's part of the API's path.
    path: String,
    /// At which address they were called.
    pub(super) uri: String,
}

impl Bot {
    /// Opens the callback and signs in.
    ///
    /// # Errors
    ///
    /// What the authority says when it gives no token.
    pub(super) async fn sign_in(server: SocketAddr, settings: &Settings) -> anyhow::Result<Self> {
        let app = settings.apps.first().context("apps: no application is configured")?;
        let http = Client::builder().no_proxy().build().context("no HTTP client")?;
        let (server, tenant) = (format!("http://{server}"), settings.tenant.id.clone());
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &app.id),
            ("client_secret", &app.secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let request = http.post(format!("{server}/{tenant}/oauth2/v2.0/token")).form(&form);
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        let token = answer["access_token"].as_str().context("the authority gives no token")?.to_owned();
        Ok(Self { http, server, token, tenant, callback: Callback::open().await? })
    }

    /// Calls several phones into one conversation, and returns the call's id.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn call(&self, uris: &[String]) -> anyhow::Result<String> {
        let target = |uri: &String| json!({ "identity": { "phone": { "id": uri } } });
        let body = json!({
            "@odata.type": "#microsoft.graph.call",
            "callbackUri": self.callback.notifications_url(),
            "tenantId": self.tenant,
            "requestedModalities": ["audio"],
            "mediaConfig": {
                "@odata.type": "#microsoft.graph.serviceHostedMediaConfig",
                "preFetchMedia": [{ "uri": self.callback.music_url() }],
            },
            "targets": uris.iter().map(target).collect::<Vec<_>>(),
        });
        let created = self.request(Method::POST, CALLS, Some(&body)).await?;
        Ok(created["id"].as_str().context("the call has no id")?.to_owned())
    }

    /// Asks who of the phones is in a call.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn participants(&self, call: &str) -> anyhow::Result<Vec<Participant>> {
        let roster = self.request(Method::GET, &format!("{CALLS}/{call}/participants"), None).await?;
        let entries = roster["value"].as_array().context("the roster is no list")?;
        let participant = |entry: &Value| {
            let uri = entry["info"]["identity"]["phone"]["id"].as_str()?.to_owned();
            Some(Participant { path: format!("{CALLS}/{call}/participants/{}", entry["id"].as_str()?), uri })
        };
        Ok(entries.iter().filter_map(participant).collect())
    }

    /// Puts somebody on hold, with the benchmark's tone.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn hold(&self, participant: &Participant) -> anyhow::Result<()> {
        let body = json!({ "customPrompt": {
            "@odata.type": "#microsoft.graph.mediaPrompt",
            "mediaInfo": { "@odata.type": "#microsoft.graph.mediaInfo", "uri": self.callback.music_url() },
        }});
        self.request(Method::POST, &format!("{}/startHoldMusic", participant.path), Some(&body)).await.map(drop)
    }

    /// Takes somebody off hold.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn release(&self, participant: &Participant) -> anyhow::Result<()> {
        self.request(Method::POST, &format!("{}/stopHoldMusic", participant.path), Some(&json!({}))).await.map(drop)
    }

    /// Ends a call.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn hang_up(&self, call: &str) -> anyhow::Result<()> {
        self.request(Method::DELETE, &format!("{CALLS}/{call}"), None).await.map(drop)
    }

    /// Asks the server how punctual its ticks have been since its start.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn tick_counts(&self) -> anyhow::Result<TickCounts> {
        let answer = self.http.get(format!("{}/metrics", self.server)).send().await?.error_for_status()?;
        Ok(TickCounts::parse(&answer.text().await?))
    }

    async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.server)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = answer.status();
        let text = answer.text().await.with_context(|| format!("{method} {path}"))?;
        if !status.is_success() {
            bail!("{method} {path}: {status}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }
}
