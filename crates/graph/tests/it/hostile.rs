//! Servers that answer so as to hurt: without an end, drop by drop, compressed, or with something else than HTTP. What a
//! prompt's may do is tried in `engine`, with shorter limits.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use graph::{AppId, ForeignIssuer, KeySource, RoleSource, TenantClaim, TenantId};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::forbidden::call_to_nobody;
use crate::foreign::{Signer, list_calls};
use crate::server::{APP, Server, TENANT, to_loopback};

/// The head of a good answer, but for its end.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";

/// How a server answers.
#[derive(Clone, Copy)]
enum Answer {
    /// This, and then nothing, with the connection open.
    Silence(&'static str),
    /// This, and then the same text again and again, as fast as it is taken.
    Endless(&'static str, &'static str),
    /// This, and then a byte now and then.
    Drops(&'static str),
    /// This, and the end.
    Text(&'static str),
}

const ENDLESS_BODY: Answer = Answer::Endless("HTTP/1.1 200 OK\r\n\r\n", "        ");
const ENDLESS_CHUNKS: Answer = Answer::Endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n");
const ENDLESS_HEADERS: Answer = Answer::Endless(OK, "X-More: more\r\n");
const ENDLESS_HEADER: Answer = Answer::Endless("HTTP/1.1 200 OK\r\nX-Long: ", "more ");
const ENDLESS_INFORMATION: Answer = Answer::Endless("", "HTTP/1.1 103 Early Hints\r\n\r\n");
const SILENCE: Answer = Answer::Silence("");
const SILENCE_IN_THE_HEAD: Answer = Answer::Silence(OK);
const SILENCE_IN_THE_BODY: Answer = Answer::Silence("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{");
const DROPS_IN_THE_HEAD: Answer = Answer::Drops("HTTP/1.1 200 OK\r\nX-Long: ");
const DROPS_IN_THE_BODY: Answer = Answer::Drops("HTTP/1.1 200 OK\r\n\r\n{");
const COMPRESSED: Answer =
    Answer::Text("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x7f");
const TWO_LENGTHS: Answer = Answer::Text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ");
const TOO_LONG: Answer = Answer::Text("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}");
const NO_HTTP: Answer = Answer::Text("220 mail.example ESMTP\r\n");

/// A server that gives the same answer to everybody, and counts who is still connected.
struct Hostile {
    uri: String,
    open: Arc<AtomicUsize>,
}

impl Hostile {
    async fn start(answer: Answer) -> Hostile {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let uri = format!("http://{}/cb", listener.local_addr().expect("an address"));
        let open = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&open);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    converse(stream, answer).await;
                    counted.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Hostile { uri, open }
    }

    /// Waits until we have hung up on it.
    async fn wait_until_left(&self) {
        while self.open.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Answers, and ends when the other side hangs up.
async fn converse(mut stream: TcpStream, answer: Answer) {
    let mut request = [0; 8192];
    // What is asked does not matter, and all of it is there at once.
    let _ = stream.read(&mut request).await;
    let start = match answer {
        Answer::Silence(start) | Answer::Endless(start, _) | Answer::Drops(start) | Answer::Text(start) => start,
    };
    if stream.write_all(start.as_bytes()).await.is_err() {
        return;
    }
    match answer {
        Answer::Silence(_) => while stream.read(&mut request).await.is_ok_and(|read| read > 0) {},
        Answer::Endless(_, more) => while stream.write_all(more.repeat(512).as_bytes()).await.is_ok() {},
        Answer::Drops(_) => {
            while stream.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Answer::Text(_) => {}
    }
}

#[tokio::test]
async fn a_callback_that_answers_without_an_end_is_left() {
    let server = Server::start().await;
    let cases = [
        // The status is all that counts.
        ("endless body", ENDLESS_BODY, "200"),
        ("endless chunks", ENDLESS_CHUNKS, "200"),
        ("silence in the body", SILENCE_IN_THE_BODY, "200"),
        ("drops in the body", DROPS_IN_THE_BODY, "200"),
        ("compressed", COMPRESSED, "200"),
        ("endless headers", ENDLESS_HEADERS, "the connection broke"),
        ("endless header", ENDLESS_HEADER, "the connection broke"),
        ("endless information", ENDLESS_INFORMATION, "no answer in time"),
        ("two lengths", TWO_LENGTHS, "the connection broke"),
        ("too long", TOO_LONG, "the connection broke"),
        ("no HTTP", NO_HTTP, "the connection broke"),
        ("silence", SILENCE, "no answer in time"),
        ("silence in the head", SILENCE_IN_THE_HEAD, "no answer in time"),
        ("drops in the head", DROPS_IN_THE_HEAD, "no answer in time"),
    ];
    let mut called = Vec::new();
    for (name, answer, expected) in cases {
        let hostile = Hostile::start(answer).await;
        let created = server.post("/v1.0/communications/calls", &call_to_nobody(&hostile.uri)).await;
        called.push((name, hostile, created.body["id"].as_str().expect("an id").to_owned(), expected));
    }
    for (name, hostile, call, expected) in called {
        assert_eq!(server.first_answer_of_callback(&call).await, expected, "{name}");
        if expected == "200" {
            hostile.wait_until_left().await;
        }
    }
}

#[tokio::test]
async fn an_issuer_that_answers_without_an_end_is_left() {
    let cases = [
        ("endless body", ENDLESS_BODY),
        ("endless chunks", ENDLESS_CHUNKS),
        ("endless headers", ENDLESS_HEADERS),
        ("endless header", ENDLESS_HEADER),
        ("endless information", ENDLESS_INFORMATION),
        ("silence", SILENCE),
        ("silence in the head", SILENCE_IN_THE_HEAD),
        ("silence in the body", SILENCE_IN_THE_BODY),
        ("drops in the head", DROPS_IN_THE_HEAD),
        ("drops in the body", DROPS_IN_THE_BODY),
        ("compressed", COMPRESSED),
        ("two lengths", TWO_LENGTHS),
        ("too long", TOO_LONG),
        ("no HTTP", NO_HTTP),
    ];
    let mut hostiles = Vec::new();
    for (_, answer) in cases {
        hostiles.push(Hostile::start(answer).await);
    }
    let issuers = hostiles.iter().map(|hostile| issuer(&hostile.uri)).collect();
    let server = Arc::new(Server::start_with(|settings| settings.issuers = issuers).await);
    let signer = Signer::new();
    let ask = |hostile: &Hostile| {
        let (server, token) = (Arc::clone(&server), signer.token(&hostile.uri, "a key", |_| {}));
        tokio::spawn(async move { list_calls(&server, &token).await })
    };
    let asked: Vec<_> = hostiles.iter().map(ask).collect();
    for ((answer, hostile), (name, _)) in asked.into_iter().zip(&hostiles).zip(cases) {
        assert_eq!(answer.await.expect("an answer").status, StatusCode::SERVICE_UNAVAILABLE, "{name}");
        hostile.wait_until_left().await;
    }
}

fn issuer(uri: &str) -> ForeignIssuer {
    ForeignIssuer {
        names: vec![uri.to_owned()],
        keys: KeySource::jwks(uri, &to_loopback()).expect("it may be asked"),
        audiences: vec!["fermata".to_owned()],
        tenant: TenantClaim::Implied(TenantId(TENANT)),
        apps: HashMap::from([("my-bot".to_owned(), AppId(APP))]),
        roles: RoleSource::Directory,
    }
}
