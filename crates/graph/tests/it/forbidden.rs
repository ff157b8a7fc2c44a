//! What the server must not be talked into asking (server-side request forgery): every bad URI, as a prompt, as the
//! target of a prompt's redirect, as a callback, and as the place of an issuer's keys.
//!
//! Where it can be, what must not be asked is a [`Trap`]: a port of this machine that must never see a connection.

use std::collections::HashMap;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use engine::outgoing::{PlainHttp, Rule};
use graph::{AppId, ForeignIssuer, KeySource, RoleSource, TenantClaim, TenantId};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::bot::Bot;
use crate::foreign::{Signer, list_calls};
use crate::server::{APP, EstablishedCall, Server, TENANT, call_request_to, phone_target, to_loopback};

/// Ways to write an address of this machine. `PORT` is the trap's.
const THIS_MACHINE: [&str; 41] = [
    "https://127.0.0.1:PORT/",
    "https://127.1:PORT/",
    "https://127.0.1:PORT/",
    "https://127.0.0.1.:PORT/",
    "https://127.0.0.1:PORT#@bot.example/",
    "https://127.0.0.1:PORT?@bot.example/",
    "https://127.0.0.1:PORT/@bot.example/",
    "https://@127.0.0.1:PORT/",
    "https:127.0.0.1:PORT/",
    "https:/127.0.0.1:PORT/",
    "https:///127.0.0.1:PORT/",
    "HTTPS://127.0.0.1:PORT/",
    "  https://127.0.0.1:PORT/  ",
    "https://2130706433:PORT/",
    "https://0x7f000001:PORT/",
    "https://0x7f.0.0.1:PORT/",
    "https://0X7F.1:PORT/",
    "https://0177.0.0.1:PORT/",
    "https://0177.0x0.1:PORT/",
    "https://017700000001:PORT/",
    "https://00000177.000000.0.01:PORT/",
    "https://%31%32%37.0.0.1:PORT/",
    "https://127%2e0%2e0%2e1:PORT/",
    "https://１２７.０.０.１:PORT/",
    "https://127。0。0。1:PORT/",
    "https://①②⑦.0.0.1:PORT/",
    "https://0:PORT/",
    "https://0x0:PORT/",
    "https://0.0.0.0:PORT/",
    "https://[::]:PORT/",
    "https://[::1]:PORT/",
    "https://[0:0:0:0:0:0:0:1]:PORT/",
    "https://[::ffff:127.0.0.1]:PORT/",
    "https://[::ffff:7f00:1]:PORT/",
    "https://[::127.0.0.1]:PORT/",
    "https://localhost:PORT/",
    "https://LocalHost:PORT/",
    "https://localhost.:PORT/",
    "https://a.localhost:PORT/",
    "https://ｌｏｃａｌｈｏｓｔ:PORT/",
    "https://%6cocalhost:PORT/",
];

/// Addresses that are not public and that nobody here listens on.
const ELSEWHERE: [&str; 37] = [
    "https://0.1.2.3/",
    "https://10.0.0.1/",
    "https://012.0.0.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/latest/meta-data/",
    "https://127.255.255.254/",
    "https://168.63.129.16/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.0.0.192/",
    "https://192.0.2.1/",
    "https://192.31.196.1/",
    "https://192.52.193.1/",
    "https://192.88.99.1/",
    "https://192.168.1.1/",
    "https://192.175.48.1/",
    "https://198.18.0.1/",
    "https://198.51.100.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[100::1]/",
    "https://[5f00::1]/",
];

/// Names that lead to such addresses, one way or another. They are looked up when they are asked.
const NAMES: [(&str, &[&str]); 9] = [
    ("v4.test", &["127.0.0.1"]),
    ("v6.test", &["::1"]),
    ("zero.test", &["0.0.0.0"]),
    ("mapped.test", &["::ffff:127.0.0.1"]),
    ("nat64.test", &["64:ff9b::127.0.0.1"]),
    ("private.test", &["10.0.0.1"]),
    ("metadata.test", &["169.254.169.254"]),
    ("first.test", &["127.0.0.1", "1.1.1.1"]),
    ("last.test", &["1.1.1.1", "2606:4700::1111", "127.0.0.1"]),
];

/// What is no absolute http or https URI, or none that everybody would read alike.
const NO_URI: [&str; 29] = [
    "",
    "/cb",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT/",
    "localhost:PORT/",
    "https:",
    "https://",
    "https://:PORT/",
    "https://127.0.0.1:99999/",
    "https://127.0.0.256/",
    "https://0x100000000/",
    "https://[::1/",
    "https://[fe80::1%25lo]:PORT/",
    "https://[::1%lo]:PORT/",
    "https://[127.0.0.1]:PORT/",
    "https://bot.example%40127.0.0.1:PORT/",
    "https://127.0.0.1%00.bot.example:PORT/",
    "https://bot example/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_SET%20a%20b",
    "dict://127.0.0.1:PORT/",
    "ldap://127.0.0.1:PORT/",
    "ws://127.0.0.1:PORT/",
    "unix:///run/docker.sock",
    "jar:https://127.0.0.1:PORT/!/a",
    "view-source:https://127.0.0.1:PORT/",
    "data:audio/wav;base64,UklGRg==",
    "javascript:alert(1)",
];

/// What a browser would ask, and what is refused here for what it holds or for its port.
const NOT_SO: [(&str, &str); 21] = [
    ("https://bot.example%2f@127.0.0.1:PORT/", "user name"),
    ("https://bot.example@127.0.0.1:PORT/", "user name"),
    ("https://user:password@bot.example/", "user name"),
    ("https://:password@127.0.0.1:PORT/", "user name"),
    ("https://127.0.0.1:PORT\\@bot.example/", "control character or a backslash"),
    ("https://bot.example\\@127.0.0.1:PORT/", "control character or a backslash"),
    ("https:\\\\127.0.0.1:PORT/", "control character or a backslash"),
    ("https://127.0.0.1:PORT/\r\nX-Injected: yes", "control character or a backslash"),
    ("https://127.0.0.1\r\n:PORT/", "control character or a backslash"),
    ("ht\ntps://127.0.0.1:PORT/", "control character or a backslash"),
    ("https://127.0.0.1:PORT/\u{0}", "control character or a backslash"),
    ("https://127.0.0.1:PORT/\t", "control character or a backslash"),
    ("https://127.0.0.1:PORT/\u{85}", "control character or a backslash"),
    ("https://bot.example:0/", "port 0"),
    ("https://bot.example:22/", "port 22"),
    ("https://bot.example:25/", "port 25"),
    ("https://bot.example:5060/", "port 5060"),
    ("https://bot.example:6379/", "port 6379"),
    ("https://bot.example:6667/", "port 6667"),
    ("https://bot.example:11211/", "port 11211"),
    ("https://127.0.0.1:22/", "port 22"),
];

/// A bad URI, and a part of the sentence that refuses it.
struct Case {
    uri: String,
    sentence: &'static str,
}

/// How every refusal of what is no URI for a purpose begins.
const NO_HTTP: &str = "must be an absolute http";

/// Everything that its text gives away.
fn texts(trap: &Trap) -> Vec<Case> {
    let case = |sentence| move |uri: &&str| Case { uri: trap.at(uri), sentence };
    let not_public = THIS_MACHINE.iter().chain(&ELSEWHERE).map(case("not public"));
    let no_uri = NO_URI.iter().map(case(NO_HTTP));
    let not_so = NOT_SO.iter().map(|(uri, sentence)| Case { uri: trap.at(uri), sentence });
    not_public.chain(no_uri).chain(not_so).collect()
}

/// Everything that has to be looked up.
fn names(trap: &Trap) -> Vec<Case> {
    let uris = NAMES.iter().flat_map(|(name, _)| ["", "."].map(|dot| format!("https://{name}{dot}:PORT/secret")));
    uris.map(|uri| Case { uri: trap.at(&uri), sentence: "not public" }).collect()
}

/// A port of this machine to which nobody may connect.
struct Trap {
    port: u16,
    listeners: [TcpListener; 2],
}

impl Trap {
    fn set() -> Trap {
        let v4 = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = v4.local_addr().expect("an address").port();
        let v6 = TcpListener::bind(format!("[::1]:{port}")).expect("the same port");
        Trap { port, listeners: [v4, v6] }
    }

    fn at(&self, uri: &str) -> String {
        uri.replace("PORT", &self.port.to_string())
    }

    /// Whoever connected is in the queue of the listener, whether it was accepted or not.
    #[track_caller]
    fn assert_untouched(&self) {
        for listener in &self.listeners {
            listener.set_nonblocking(true).expect("a listener can be asked");
            assert!(listener.accept().is_err(), "somebody has connected to what is forbidden");
        }
    }
}

/// The rule of production, with the names above and, for the test's own servers, a few ports of this machine.
fn strict(plain_http: PlainHttp, own_ports: &[u16]) -> Rule {
    let address = |address: &&str| address.parse::<IpAddr>().expect("an address");
    let hosts = NAMES.iter().map(|(name, addresses)| ((*name).to_owned(), addresses.iter().map(address).collect()));
    let own = own_ports.iter().map(|port| format!("127.0.0.1:{port}").parse().expect("a destination"));
    Rule { plain_http, hosts: hosts.collect::<HashMap<_, _>>(), allow: own.collect(), ..Rule::default() }
}

/// Serves a router on a port of this machine.
async fn serve(router: Router) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

// Callbacks.

#[tokio::test]
async fn no_callback_is_forbidden_by_its_text_and_taken() {
    let trap = Trap::set();
    let server = Server::start_with(|settings| settings.callbacks = strict(PlainHttp::Nowhere, &[])).await;
    let plain = [Case { uri: "http://bot.example/cb".to_owned(), sentence: "must be an absolute https URI" }];
    for Case { uri, sentence } in texts(&trap).into_iter().chain(plain) {
        let answer = server.post("/v1.0/communications/calls", &call_to_nobody(&uri)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri}: {answer:?}");
        let message = answer.body["error"]["message"].as_str().expect("a message");
        assert!(message.contains("'callbackUri'") && message.contains(sentence), "{uri}: {message}");
    }
    trap.assert_untouched();
}

#[tokio::test]
async fn no_callback_is_told_anything_whose_name_leads_inside() {
    let trap = Trap::set();
    let server = Server::start_with(|settings| settings.callbacks = strict(PlainHttp::Nowhere, &[])).await;
    for Case { uri, sentence } in names(&trap) {
        let created = server.post("/v1.0/communications/calls", &call_to_nobody(&uri)).await;
        assert_eq!(created.status, StatusCode::CREATED, "{uri}: {created:?}");
        let answer = server.first_answer_of_callback(created.body["id"].as_str().expect("an id")).await;
        assert!(answer.contains(sentence), "{uri}: {answer}");
    }
    trap.assert_untouched();
}

#[tokio::test]
async fn no_callback_is_told_anything_elsewhere_than_it_said() {
    let trap = Trap::set();
    let server = Server::start().await;
    for status in [301, 302, 303, 307, 308] {
        let location = HeaderValue::from_str(&trap.at("http://127.0.0.1:PORT/")).expect("a header");
        let status = StatusCode::from_u16(status).expect("a status");
        let redirect = Router::new().fallback(move || async move { (status, [(http::header::LOCATION, location)]) });
        let uri = format!("http://127.0.0.1:{}/cb", serve(redirect).await);
        let created = server.post("/v1.0/communications/calls", &call_to_nobody(&uri)).await;
        let answer = server.first_answer_of_callback(created.body["id"].as_str().expect("an id")).await;
        assert_eq!(answer, status.as_str());
    }
    trap.assert_untouched();
}

pub(crate) fn call_to_nobody(callback_uri: &str) -> Value {
    call_request_to(callback_uri, &[phone_target("sip:nobody@127.0.0.1:9")])
}

// Prompts.

/// A call of two phones at a server that fetches prompts as in production, and from a few ports of this machine.
struct Hold {
    server: Server,
    bot: Bot,
    call: EstablishedCall,
}

impl Hold {
    async fn start(own_ports: &[u16]) -> Hold {
        let prompts = strict(PlainHttp::Anywhere, own_ports);
        let server = Server::start_whole(|_| {}, |engine| engine.prompts.outgoing = prompts).await;
        let bot = Bot::start().await;
        let call = server.establish(&bot).await;
        Hold { server, bot, call }
    }

    /// Holds with a prompt that cannot be had, and returns why not: the answer, or the end of the operation.
    async fn fail(&self, uri: &str) -> String {
        let path = format!("{}/participants/{}/startHoldMusic", self.call.path, self.call.participants[0]);
        let answer = self.server.post(&path, &json!({ "customPrompt": { "mediaInfo": { "uri": uri } } })).await;
        if answer.status == StatusCode::BAD_REQUEST {
            return answer.body["error"]["message"].as_str().expect("a message").to_owned();
        }
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{uri}: {answer:?}");
        let is_end = |notice: &Value| {
            notice["resourceData"]["id"] == answer.body["id"] && notice["resourceData"]["status"] != "running"
        };
        let end = self.bot.wait_for(is_end).await;
        assert_eq!(end["resourceData"]["status"], "failed", "{uri}: {end:#}");
        assert_eq!(end["resourceData"]["resultInfo"]["subcode"], 8536, "{uri}: {end:#}");
        end["resourceData"]["resultInfo"]["message"].as_str().expect("a message").to_owned()
    }
}

#[tokio::test]
async fn no_prompt_is_fetched_from_inside() {
    let trap = Trap::set();
    let hold = Hold::start(&[]).await;
    for Case { uri, sentence } in texts(&trap).into_iter().chain(names(&trap)) {
        // Plain http is allowed here; the redirects below try the same by https.
        let uri = uri.replace("https:", "http:");
        let message = hold.fail(&uri).await;
        assert!(message.contains(sentence), "{uri}: {message}");
    }
    trap.assert_untouched();
}

#[tokio::test]
async fn no_prompt_is_fetched_by_a_redirect_from_inside() {
    let trap = Trap::set();
    let cases: Vec<Case> = texts(&trap).into_iter().chain(names(&trap)).collect();
    let locations: Vec<_> = cases.iter().map(|case| HeaderValue::from_bytes(case.uri.as_bytes()).ok()).collect();
    let redirect = |Path(row): Path<usize>, State(locations): State<Arc<Vec<Option<HeaderValue>>>>| async move {
        let location = locations.get(row).cloned().flatten();
        (StatusCode::FOUND, [(http::header::LOCATION, location.unwrap_or(HeaderValue::from_static("\\")))])
    };
    let own_port = serve(Router::new().route("/{row}", get(redirect)).with_state(Arc::new(locations))).await;
    let hold = Hold::start(&[own_port]).await;
    for (row, case) in cases.iter().enumerate() {
        let message = hold.fail(&format!("http://127.0.0.1:{own_port}/{row}")).await;
        // What is relative leads back to the redirecting server, and a `Location` is of ASCII without control characters.
        let reads_otherwise = case.sentence == NO_HTTP || !case.uri.is_ascii() || case.uri.contains(char::is_control);
        assert!(message.contains(case.sentence) || reads_otherwise, "{}: {message}", case.uri);
    }
    trap.assert_untouched();
}

// Keys.

#[tokio::test]
async fn no_keys_are_fetched_from_inside() {
    let trap = Trap::set();
    let cases: Vec<Case> = texts(&trap).into_iter().chain(names(&trap)).collect();
    let own_port = documents(&cases).await;
    let name = |row| format!("http://127.0.0.1:{own_port}/{row}");
    let rule = strict(PlainHttp::ToLoopback, &[own_port]);
    let issuer = |row| ForeignIssuer {
        names: vec![name(row)],
        keys: KeySource::discovery(&name(row), &rule).expect("the document may be fetched"),
        audiences: vec!["fermata".to_owned()],
        tenant: TenantClaim::Implied(TenantId(TENANT)),
        apps: HashMap::from([("my-bot".to_owned(), AppId(APP))]),
        roles: RoleSource::Directory,
    };
    let issuers = (0..cases.len()).map(issuer).collect();
    let issuer_keys = rule.clone();
    let server = Server::start_with(|settings| {
        settings.issuers = issuers;
        settings.issuer_keys = issuer_keys;
    })
    .await;
    let signer = Signer::new();
    for (row, Case { uri, .. }) in cases.iter().enumerate() {
        let answer = list_calls(&server, &signer.token(&name(row), "a key", |_| {})).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{uri}: {answer:?}");
    }
    trap.assert_untouched();
}

#[test]
fn no_place_of_keys_is_forbidden_by_its_text_and_taken() {
    let trap = Trap::set();
    for Case { uri, sentence } in texts(&trap) {
        let error = KeySource::jwks(&uri, &strict(PlainHttp::Nowhere, &[])).expect_err("it is forbidden").to_string();
        assert!(error.contains(sentence), "{uri}: {error}");
    }
}

/// Serves a discovery document for each case, which says that the keys are there.
async fn documents(cases: &[Case]) -> u16 {
    let places: Arc<Vec<String>> = Arc::new(cases.iter().map(|case| case.uri.clone()).collect());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let document = move |Path(row): Path<usize>, State(places): State<Arc<Vec<String>>>| async move {
        axum::Json(json!({ "issuer": format!("http://127.0.0.1:{port}/{row}"), "jwks_uri": places[row] }))
    };
    let router = Router::new().route("/{row}/.well-known/openid-configuration", get(document)).with_state(places);
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

// What is allowed.

#[tokio::test]
async fn what_may_be_asked_is_asked_at_the_address_that_was_checked() {
    // No DNS knows the name: whoever comes has come to the address that the rule knows.
    let bot = Bot::start().await;
    let port = bot.uri().split([':', '/']).nth(4).expect("a port").to_owned();
    let prompts = Router::new().fallback(|| async { StatusCode::NOT_FOUND });
    let files = serve(prompts).await;
    let mut outgoing = to_loopback();
    outgoing.plain_http = PlainHttp::Anywhere;
    outgoing.hosts = HashMap::from([("bot.test".to_owned(), vec!["127.0.0.1".parse().expect("an address")])]);
    let callbacks = outgoing.clone();
    let server =
        Server::start_whole(|settings| settings.callbacks = callbacks, |engine| engine.prompts.outgoing = outgoing)
            .await;
    let call = server.establish_at(&bot, &format!("http://bot.test:{port}/cb")).await;
    let hold = Hold { server, bot, call };
    let message = hold.fail(&format!("http://Bot.Test.:{files}/hold.wav")).await;
    assert!(message.contains("HTTP status 404"), "{message}");
    assert_eq!(hold.server.ask(Method::DELETE, &hold.call.path).await.status, StatusCode::NO_CONTENT);
}
