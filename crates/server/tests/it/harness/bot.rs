//! A calling bot: it has a token, asks over HTTP, and is told what happens at its callback.

use std::net::SocketAddr;
use std::time::Instant;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::callback::{Callback, Notice};
use super::http::block_on;
use super::server::Server;

/// The tenant of the `dev` profile.
pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";

/// The applications of the `dev` profile, each with its secret.
const BOT: (&str, &str) = ("22222222-2222-4222-8222-222222222222", "fermata-dev-secret");
const OTHER_BOT: (&str, &str) = ("33333333-3333-4333-8333-333333333333", "fermata-dev-secret-b");

/// The number under which the bot is called.
pub(crate) const BOT_NUMBER: &str = "+15550100";

const ROLES: [&str; 5] = [
    "Calls.Initiate.All",
    "Calls.InitiateGroupCall.All",
    "Calls.JoinGroupCall.All",
    "Calls.JoinGroupCallAsGuest.All",
    "Calls.AccessMedia.All",
];

const CALLS: &str = "/v1.0/communications/calls";

/// A bot with a token.
#[derive(Debug)]
pub(crate) struct Bot {
    server: SocketAddr,
    /// Its id and its secret.
    application: (&'static str, &'static str),
    client: Client,
    token: String,
    callback: Callback,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// When its head was there.
    pub(crate) arrived: Instant,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null if there is none.
    pub(crate) body: Value,
}

impl Bot {
    /// Starts the bot that calls belong to.
    pub(crate) fn of(server: &Server) -> Bot {
        Bot::start(server, BOT)
    }

    /// Starts a server of which the bot is called under the name `bot`, and the bot.
    pub(crate) fn on_call() -> (Server, Bot) {
        Bot::on_call_with("")
    }

    /// The same with what this TOML changes in the `dev` profile.
    pub(crate) fn on_call_with(settings: &str) -> (Server, Bot) {
        let callback = Callback::start();
        let (id, secret) = BOT;
        let settings = format!(
            "{settings}\n[[apps]]\nid = \"{id}\"\nname = \"Bot\"\nsecret = \"{secret}\"\naddresses = [\"bot\", \"{BOT_NUMBER}\"]\n\
             callback_uri = \"{}\"\nroles = {ROLES:?}\n",
            callback.uri()
        );
        let server = Server::start_with(&settings);
        let bot = Bot::start_at(&server, BOT, callback);
        (server, bot)
    }

    /// Starts a bot of somebody else's.
    pub(crate) fn of_another_application(server: &Server) -> Bot {
        Bot::start(server, OTHER_BOT)
    }

    /// Starts a bot of the test's own.
    pub(crate) fn of_application(server: &Server, id: &'static str, secret: &'static str) -> Bot {
        Bot::start(server, (id, secret))
    }

    fn start(server: &Server, application: (&'static str, &'static str)) -> Bot {
        Bot::start_at(server, application, Callback::start())
    }

    fn start_at(server: &Server, application: (&'static str, &'static str), callback: Callback) -> Bot {
        let mut bot = Bot { server: server.http(), application, client: Client::new(), token: String::new(), callback };
        bot.token = bot.fetch_token();
        bot
    }

    /// Asks the same server from now on at the address that it has after a restart.
    pub(crate) fn follow(&mut self, server: &Server) {
        self.server = server.http();
        self.token = self.fetch_token();
    }

    pub(crate) fn callback_uri(&self) -> &str {
        self.callback.uri()
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> Answer {
        self.send(self.request(method, path))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body))
    }

    /// Reads something that is no JSON.
    pub(crate) fn load(&self, path: &str) -> Vec<u8> {
        let request = self.request(Method::GET, path);
        block_on(async {
            let answer = request.send().await.expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
            answer.bytes().await.expect("a whole answer").to_vec()
        })
    }

    /// Asks a server that may be gone; none if there is no answer.
    pub(crate) fn try_ask(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Answer> {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        block_on(exchange(request)).ok()
    }

    /// Posts text that need not be JSON, called JSON.
    pub(crate) fn post_text(&self, path: &str, body: &str) -> Answer {
        self.send(self.request(Method::POST, path).header(CONTENT_TYPE, "application/json").body(body.to_owned()))
    }

    /// Posts a form without a token.
    pub(crate) fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.client.post(self.url(path)).form(form))
    }

    /// Asks with somebody else's token.
    pub(crate) fn ask_with_token(&self, token: &str, path: &str) -> Answer {
        self.send(self.client.get(self.url(path)).bearer_auth(token))
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server)
    }

    /// Asks for a call of these targets.
    pub(crate) fn create_call(&self, targets: &[Value]) -> Answer {
        self.create_call_to(self.callback_uri(), targets)
    }

    /// The same with another callback.
    pub(crate) fn create_call_to(&self, callback_uri: &str, targets: &[Value]) -> Answer {
        self.post(
            CALLS,
            &json!({
                "@odata.type": "#microsoft.graph.call",
                "callbackUri": callback_uri,
                "tenantId": TENANT,
                "requestedModalities": ["audio"],
                "mediaConfig": { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" },
                "targets": targets,
            }),
        )
    }

    /// Waits for a notification that fits.
    pub(crate) fn expect(&self, what: &str, fits: impl Fn(&Notice) -> bool) -> Notice {
        self.expect_in(what, |notices| notices.iter().find(|notice| fits(notice)))
    }

    /// Waits until there is one among all notifications that `find` finds.
    pub(crate) fn expect_in(&self, what: &str, find: impl Fn(&[Notice]) -> Option<&Notice>) -> Notice {
        self.callback.expect_in(what, find)
    }

    /// Returns what has come so far, in order.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        self.callback.notices()
    }

    fn fetch_token(&self) -> String {
        let (id, secret) = self.application;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let answer = self.send(self.request(Method::POST, &format!("/{TENANT}/oauth2/v2.0/token")).form(&form));
        answer.body["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer:?}")).to_owned()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&self.token)
    }

    fn send(&self, request: RequestBuilder) -> Answer {
        block_on(exchange(request)).expect("the server answers")
    }
}

async fn exchange(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let arrived = Instant::now();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?;
    Ok(Answer { arrived, status, headers, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}

impl Answer {
    /// Returns a header that must be there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    /// Returns status and Graph's error code.
    pub(crate) fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }

    /// Returns what the error says.
    pub(crate) fn error_message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}
