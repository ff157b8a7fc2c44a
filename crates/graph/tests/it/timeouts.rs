//! Clients that take their time, or more than their share: each wait has an end.

use std::time::Duration;

use graph::Timeouts;
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bot::Bot;
use crate::outage::Lock;
use crate::server::{APP, SECRET, Server};

/// How long a test waits for the end of a connection before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

async fn start(timeouts: Timeouts) -> Server {
    Server::start_with(|settings| settings.timeouts = timeouts).await
}

/// Sends some bytes and returns everything that comes until the server closes the connection.
async fn exchange(server: &Server, sent: &[u8]) -> String {
    let address = server.base().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let mut answer = Vec::new();
    // The server may close before it has read everything; what it wrote before that is what counts.
    let _ = connection.write_all(sent).await;
    let read = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut answer)).await;
    let _ = read.expect("the server closes the connection");
    String::from_utf8(answer).expect("text")
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = start(Timeouts { head: Duration::from_millis(300), ..Timeouts::default() }).await;
    assert_eq!(exchange(&server, b"").await, "");
    assert_eq!(exchange(&server, b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: ").await, "");
    let idle = exchange(&server, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(idle.starts_with("HTTP/1.1 200"), "{idle}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408() {
    let server = start(Timeouts { body: Duration::from_millis(300), ..Timeouts::default() }).await;
    let token = server.token_of(APP, SECRET).await;
    let cases = [
        (format!("/v1.0/communications/calls HTTP/1.1\r\nAuthorization: Bearer {token}"), "RequestTimeout"),
        (format!("/{}/oauth2/v2.0/token HTTP/1.1", crate::server::TENANT), "invalid_request"),
    ];
    for (head, code) in cases {
        let sent = format!("POST {head}\r\nHost: x\r\nConnection: close\r\nContent-Length: 99\r\n\r\n{{");
        let answer = exchange(&server, sent.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains(code), "{answer}");
    }
}

#[tokio::test]
async fn work_that_takes_too_long_is_a_504() {
    // The database gives up after 5 s; before that, this server does.
    let server = start(Timeouts { answer: Duration::from_secs(3), ..Timeouts::default() }).await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let lock = Lock::take(&server).await;
    let answer = server.post(&format!("{}/participants/{}/mute", call.path, call.participants[0]), &json!({})).await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT, "{answer:?}");
    assert_eq!(answer.body["error"]["code"], "GatewayTimeout");
    lock.release().await;
}

#[tokio::test]
async fn a_head_has_a_largest_size() {
    let server = Server::start().await;
    let sent = format!("GET /health/live HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(100 * 1024));
    let answer = exchange(&server, sent.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_connection_more_than_allowed_is_closed() {
    let server = Server::start_with(|settings| settings.connections_max = 1).await;
    // The one that fetched the token is kept open by the client.
    assert_eq!(exchange(&server, b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await, "");
    let answer = server.send(server.request(http::Method::GET, "/health/live")).await;
    assert_eq!(answer.status, StatusCode::OK);
}
