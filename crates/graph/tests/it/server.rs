//! A server of its own for each test, and how it is asked.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine::outgoing::{PlainHttp, Rule};
use graph::{
    App, AppId, AuthoritySettings, ClientKey, Cloud, Credentials, Directory, NotificationSettings, Role, SecretHash,
    Service, Settings, Site, TenantId, Throttling, Timeouts, User, UserId, UserRole,
};
use http::{HeaderMap, Method, StatusCode};
use metrics_exporter_prometheus::PrometheusBuilder;
use phone::Phone;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use uuid::{Uuid, uuid};

use crate::assertions::identity;
use crate::bot::{Bot, PATIENCE};

pub(crate) const TENANT: Uuid = uuid!("11111111-1111-4111-8111-111111111111");
pub(crate) const APP: Uuid = uuid!("22222222-2222-4222-8222-222222222222");
pub(crate) const SECRET: &str = "a secret & more";
pub(crate) const OTHER_APP: Uuid = uuid!("33333333-3333-4333-8333-333333333333");
pub(crate) const OTHER_SECRET: &str = "another secret";
/// An application that nobody allowed anything.
pub(crate) const POWERLESS_APP: Uuid = uuid!("44444444-4444-4444-8444-444444444444");

/// An application that proves itself by a key only.
pub(crate) const KEY_APP: Uuid = uuid!("55555555-5555-4555-8555-555555555555");

/// A person who may steer calls at the console, one who may look, and one who may neither.
pub(crate) const ALICE: Uuid = uuid!("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa");
pub(crate) const BOB: Uuid = uuid!("bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb");
pub(crate) const CAROL: Uuid = uuid!("cccccccc-cccc-4ccc-8ccc-cccccccccccc");

/// What each of them signs in with.
pub(crate) const PASSWORD: &str = "a password & more";

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Is a server that runs, with its data folder.
pub(crate) struct Server {
    service: Service,
    data: Arc<TempDir>,
    client: reqwest::Client,
    token: String,
}

/// Is an answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// Is a call of two phones, established, with both in the roster.
pub(crate) struct EstablishedCall {
    pub(crate) path: String,
    pub(crate) participants: [String; 2],
    _phones: [Phone; 2],
}

impl Server {
    pub(crate) async fn start() -> Server {
        Server::start_on(Arc::new(tempfile::tempdir().expect("a folder"))).await
    }

    /// Starts with settings of the test's own.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Server {
        Server::start_whole(change, |_| {}).await
    }

    /// Starts with settings of the test's own, also for the engine.
    pub(crate) async fn start_whole(
        change: impl FnOnce(&mut Settings),
        change_engine: impl FnOnce(&mut engine::Config),
    ) -> Server {
        let data = Arc::new(tempfile::tempdir().expect("a folder"));
        let (mut settings, mut engine) = (settings(data.path()), engine_config());
        change(&mut settings);
        change_engine(&mut engine);
        Server::start_as(settings, engine, data).await
    }

    async fn start_on(data: Arc<TempDir>) -> Server {
        Server::start_as(settings(data.path()), engine_config(), data).await
    }

    async fn start_as(settings: Settings, engine: engine::Config, data: Arc<TempDir>) -> Server {
        let engine = engine::Engine::start(engine).await.expect("an engine");
        let service = Service::start(settings, engine).await.expect("a service");
        let client = reqwest::Client::new();
        let mut server = Server { service, data, client, token: String::new() };
        server.token = server.token_of(APP, SECRET).await;
        server
    }

    /// Stops without ending calls, and starts again on the same data: what a crash leaves, without the mess of one.
    pub(crate) async fn restart(self) -> Server {
        self.restart_with(|_| {}).await
    }

    /// Starts again on the same data with settings of the test's own.
    pub(crate) async fn restart_with(self, change: impl FnOnce(&mut Settings)) -> Server {
        let data = Arc::clone(&self.data);
        self.service.shutdown().await;
        let mut settings = settings(data.path());
        change(&mut settings);
        Server::start_as(settings, engine_config(), data).await
    }

    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Waits until a notice of the call has been tried, and returns what came of it, as the ledger has it.
    pub(crate) async fn first_answer_of_callback(&self, call: &str) -> String {
        let read = async {
            loop {
                if let Some(answer) = read_first_answer(self.data(), call).await {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("a notice is tried")
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.service.http_address())
    }

    pub(crate) fn https_port(&self) -> u16 {
        self.service.https_address().expect("https is on").port()
    }

    pub(crate) async fn token_of(&self, app: Uuid, secret: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &app.to_string()),
            ("client_secret", secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let answer = self.send(self.request(Method::POST, &format!("/{TENANT}/oauth2/v2.0/token")).form(&form)).await;
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Signs a person in at the console, and returns its token there.
    pub(crate) async fn person_token(&self, name: &str) -> String {
        self.person_token_at(name, "Console", "fe4a7a00-c0de-4000-8000-000000000001", "/").await
    }

    /// Signs a person in at the softphone, and returns its token there.
    pub(crate) async fn phone_token(&self, name: &str) -> String {
        self.person_token_at(name, "Phone", "fe4a7a00-c0de-4000-8000-000000000002", "/phone").await
    }

    async fn person_token_at(&self, name: &str, scope: &str, client_id: &str, page: &str) -> String {
        let (tenant, redirect_uri) = (format!("/{TENANT}/oauth2/v2.0"), format!("{}{page}", self.base()));
        let asked = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", &redirect_uri),
            ("scope", scope),
            // RFC 7636, appendix B.
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
            ("username", name),
            ("password", PASSWORD),
        ];
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let form = browser.post(format!("{}{tenant}/authorize", self.base())).header("origin", self.base());
        let answer = form.form(&asked).send().await.expect("an answer");
        let location = answer.headers()["location"].to_str().expect("text").parse::<url::Url>().expect("a URL");
        let code = location.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        let redeemed = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("redirect_uri", &redirect_uri),
            ("code", &code),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ];
        let answer = self.send(self.request(Method::POST, &format!("{tenant}/token")).form(&redeemed)).await;
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Makes a request without a token.
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base()))
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole answer");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status, headers, body }
    }

    /// Returns the token of the first application.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Asks as the first application.
    pub(crate) async fn ask(&self, method: Method, path: &str) -> Answer {
        self.send(self.request(method, path).bearer_auth(&self.token)).await
    }

    /// Posts as the first application.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).bearer_auth(&self.token).json(body)).await
    }

    /// Posts text as the first application.
    pub(crate) async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json").body(body);
        self.send(request.bearer_auth(&self.token)).await
    }

    /// Calls two phones and waits until both have answered.
    pub(crate) async fn establish(&self, bot: &Bot) -> EstablishedCall {
        self.establish_at(bot, bot.uri()).await
    }

    /// The same with another URI of the bot's.
    pub(crate) async fn establish_at(&self, bot: &Bot, callback_uri: &str) -> EstablishedCall {
        let phones = ["alice", "bob"].map(start_phone);
        let targets = phones.each_ref().map(|phone| phone_target(phone.uri()));
        let created = self.post("/v1.0/communications/calls", &call_request_to(callback_uri, &targets)).await;
        assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
        let id = created.body["id"].as_str().expect("an id").to_owned();
        let roster_url = format!("/communications/calls/{id}/participants");
        let roster =
            bot.wait_for(|notice| notice["resourceUrl"] == roster_url.as_str() && roster_of(notice).len() == 3);
        let roster = roster.await;
        let participants = phones.each_ref().map(|phone| participant_at(&roster, phone.uri()));
        EstablishedCall { path: format!("/v1.0/communications/calls/{id}"), participants, _phones: phones }
    }
}

pub(crate) fn start_phone(name: &str) -> Phone {
    Phone::start(phone::Config::new(name, Ipv4Addr::LOCALHOST.into())).expect("a phone")
}

pub(crate) fn phone_target(uri: &str) -> Value {
    json!({ "identity": { "phone": { "id": uri } } })
}

pub(crate) fn call_request(bot: &Bot, targets: &[Value]) -> Value {
    call_request_to(bot.uri(), targets)
}

pub(crate) fn call_request_to(callback_uri: &str, targets: &[Value]) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.call",
        "callbackUri": callback_uri,
        "targets": targets,
        "requestedModalities": ["audio"],
        "mediaConfig": { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" },
        "subject": "a test",
    })
}

pub(crate) fn roster_of(notice: &Value) -> &[Value] {
    notice["resourceData"].as_array().map_or(&[], Vec::as_slice)
}

/// Reads what came of the first attempt to tell a call's first notice.
async fn read_first_answer(data: &Path, call: &str) -> Option<String> {
    let options = SqliteConnectOptions::new().filename(data.join("fermata.sqlite")).read_only(true);
    let mut database = options.connect().await.expect("the database is there");
    let first = "SELECT coalesce(failure, CAST(status AS TEXT)) FROM attempts JOIN notices ON notices.id = notice_id
                 WHERE call_id = ? ORDER BY sequence, number LIMIT 1";
    sqlx::query_scalar(first).bind(call).fetch_optional(&mut database).await.expect("an answer")
}

fn participant_at(roster: &Value, uri: &str) -> String {
    let entry = roster_of(roster).iter().find(|entry| entry["info"]["identity"]["phone"]["id"] == uri);
    entry.expect("the phone is in the roster")["id"].as_str().expect("an id").to_owned()
}

/// Lets this machine be asked, as in the `dev` profile.
pub(crate) fn to_loopback() -> Rule {
    let loopback = ["127.0.0.0/8", "::1"].map(|network| network.parse().expect("a network"));
    Rule { plain_http: PlainHttp::ToLoopback, allow: loopback.to_vec(), ..Rule::default() }
}

fn settings(data: &Path) -> Settings {
    let app = |id, secret, roles: &[Role]| App {
        id: AppId(id),
        credentials: Credentials { secrets: vec![SecretHash::of(secret)], keys: Vec::new() },
        roles: roles.to_vec(),
        webhook_secrets: Vec::new(),
        callback: None,
    };
    let user = |id, name: &str, roles: &[UserRole]| User {
        id: UserId(id),
        name: name.to_owned(),
        display_name: name.to_uppercase(),
        password: Some(SecretHash::of(PASSWORD)),
        roles: roles.to_vec(),
    };
    let key_app = App {
        credentials: Credentials {
            secrets: Vec::new(),
            keys: vec![ClientKey::from_pem(&identity().certificate).expect("a certificate")],
        },
        ..app(KEY_APP, "", &Role::ALL)
    };
    Settings {
        data: data.to_owned(),
        http: LOOPBACK,
        https: Some(LOOPBACK),
        public_url: None,
        ice_servers: Vec::new(),
        callbacks: to_loopback(),
        issuer_keys: to_loopback(),
        directory: Directory {
            tenant: TenantId(TENANT),
            apps: vec![
                app(APP, SECRET, &Role::ALL),
                app(OTHER_APP, OTHER_SECRET, &Role::ALL),
                app(POWERLESS_APP, SECRET, &[]),
                key_app,
            ],
            users: vec![
                user(ALICE, "alice", &[UserRole::ConsoleOperate]),
                user(BOB, "bob", &[UserRole::ConsoleRead]),
                user(CAROL, "carol", &[]),
            ],
        },
        cloud: Cloud::Global,
        issuers: Vec::new(),
        authority: AuthoritySettings {
            signing_key_age: Duration::from_hours(90 * 24),
            assertion_reuse: false,
            sign_in_hint: None,
        },
        notification_issuer: None,
        throttling: Throttling::default(),
        timeouts: Timeouts::default(),
        connections_max: 1000,
        notifications: NotificationSettings { give_up_after: Duration::from_hours(24), kept: Duration::from_hours(24) },
        site: Site::default(),
        metrics: PrometheusBuilder::new().build_recorder().handle(),
    }
}

impl EstablishedCall {
    pub(crate) fn id(&self) -> &str {
        self.path.rsplit('/').next().expect("a path has a last segment")
    }

    /// Returns the path of its ledger.
    pub(crate) fn notifications(&self) -> String {
        format!("/fermata/v1/calls/{}/notifications", self.id())
    }
}

fn engine_config() -> engine::Config {
    engine::Config {
        policy: call::Policy::default(),
        sip: engine::SipConfig {
            listen: LOOPBACK,
            tls: None,
            domain: "fermata.test".to_owned(),
            users: Vec::new(),
            applications: Vec::new(),
            trusted: Vec::new(),
            name_servers: Vec::new(),
            trunks: Vec::new(),
            redirects_max: 0,
            dial: engine::DialRule { loopback: true, hosts: Vec::new() },
            ring_timeout: Duration::from_secs(60),
            srtp: engine::SrtpConfig::default(),
            digest: vec![engine::Algorithm::Md5],
            guard: engine::GuardLimits::default(),
            session_expires: None,
            session_expires_min: Duration::from_secs(90),
        },
        webrtc: Some(engine::WebRtcConfig { listen: (Ipv4Addr::LOCALHOST, 0).into(), address: None }),
        rtp: engine::RtpConfig { address: Ipv4Addr::LOCALHOST.into(), ports: 20_000..=29_999, probe_after: None },
        prompts: engine::prompts::Policy { outgoing: to_loopback(), ..Default::default() },
        workers: 1,
        ledgers: Some(engine::LedgerLimits { intervals_max: 200, audio: Duration::from_secs(10) }),
    }
}
