//! What may come as a body, and how the answer says what is wrong with it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::bot::Bot;
use crate::server::Server;

/// The request body of Graph's own page, with its trailing commas.
const DOCUMENTED: &str = r##"{
  "customPrompt": {
    "@odata.type": "#microsoft.graph.mediaPrompt",
    "mediaInfo": {
      "@odata.type": "#microsoft.graph.mediaInfo",
      "uri": "https://bot.contoso.com/onHold.wav",
    },
  },
  "clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
}"##;

#[tokio::test]
async fn the_documented_request_gets_the_documented_answer() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let path = format!("{}/participants/{}/startHoldMusic", call.path, call.participants[0]);
    let answer = server.post_text(&path, DOCUMENTED).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.body["@odata.type"], "#microsoft.graph.startHoldMusicOperation");
    assert_eq!(answer.body["status"], "running");
    assert_eq!(answer.body["clientContext"], "d45324c1-fcb5-430a-902c-f20af696537c");
    let id = answer.body["id"].as_str().expect("an id");
    assert_eq!(answer.headers["location"], format!("{}{}/operations/{id}", server.base(), call.path).as_str());
}

#[tokio::test]
async fn nothing_is_required_of_a_hold() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let path = format!("{}/participants/{}", call.path, call.participants[0]);
    let held = server.ask(Method::POST, &format!("{path}/startHoldMusic")).await;
    assert_eq!(held.status, StatusCode::ACCEPTED, "{held:?}");
    let context = held.body["clientContext"].as_str().expect("made up");
    assert!(Uuid::try_parse(context).is_ok(), "{context}");
    let stopped = server.post(&format!("{path}/stopHoldMusic"), &json!({})).await;
    assert_eq!(stopped.status, StatusCode::ACCEPTED, "{stopped:?}");
    assert_eq!(stopped.body["@odata.type"], "#microsoft.graph.stopHoldMusicOperation");
}

#[tokio::test]
async fn each_wrong_body_says_what_is_wrong() {
    let server = Server::start().await;
    let path = format!("/v1.0/communications/calls/{0}/participants/{0}/startHoldMusic", Uuid::nil());
    let too_long = format!(r#"{{"clientContext":"{}"}}"#, "x".repeat(257));
    let cases = [
        ("{", "BadRequest", "line 1, column 1"),
        ("{\n\"clientContext\": tru}", "BadRequest", "line 2, column"),
        ("[]", "8523", "expected an object"),
        (r#"{"clientContext":5}"#, "8523", "'clientContext'"),
        (&too_long, "8523", "'clientContext' is too long: 257 UTF-16 units"),
        (r#"{"customPrompt":{"mediaInfo":{"uri":5}}}"#, "8523", "'customPrompt.mediaInfo.uri'"),
        (r#"{"customPrompt":{"mediaInfo":["https://bot.example/a.wav"]}}"#, "8523", "'customPrompt.mediaInfo'"),
        (r#"{"customPrompt":{"mediaInfo":{}}}"#, "8523", "'customPrompt.mediaInfo.uri' is required"),
        (r#"{"customPrompt":{"mediaInfo":{"uri":"file:///x"}}}"#, "8523", "must be an absolute http or https URI"),
    ];
    for (body, code, part) in cases {
        let answer = server.post_text(&path, body.to_owned()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.body["error"]["code"], code, "{body}");
        let message = answer.body["error"]["message"].as_str().expect("a sentence");
        assert!(message.contains(part), "{body}: {message}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_read() {
    let server = Server::start().await;
    let request = server
        .request(Method::POST, "/v1.0/communications/calls")
        .bearer_auth(server.token_of(crate::server::APP, crate::server::SECRET).await)
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(gzip(b"{\"direction\":\"incoming\"}"));
    let answer = server.send(request).await;
    let message = answer.body["error"]["message"].as_str().expect("a sentence");
    assert!(message.contains("'direction'"), "{answer:?}");
}

#[tokio::test]
async fn size_and_type_are_limited_in_the_envelope() {
    let server = Server::start().await;
    let token = server.token_of(crate::server::APP, crate::server::SECRET).await;
    let post = |kind: &str, encoding: &str, body: Vec<u8>| {
        let request = server.request(Method::POST, "/v1.0/communications/calls").bearer_auth(&token);
        request.header("content-type", kind).header("content-encoding", encoding).body(body)
    };
    let megabyte = vec![b' '; 1024 * 1024 + 1];
    let cases = [
        (post("application/json", "identity", megabyte.clone()), 413, "RequestEntityTooLarge"),
        (post("application/json", "gzip", gzip(&megabyte)), 413, "RequestEntityTooLarge"),
        (post("text/plain", "identity", b"{}".to_vec()), 415, "UnsupportedMediaType"),
        (post("application/json", "br", b"{}".to_vec()), 415, "UnsupportedMediaType"),
        (post("application/json; charset=utf-8", "identity", b"{}".to_vec()), 400, "8523"),
    ];
    for (request, status, code) in cases {
        let answer = server.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        assert_eq!(answer.body["error"]["code"], code);
    }
}

#[tokio::test]
async fn request_ids_are_given_and_echoed() {
    let server = Server::start().await;
    let given = server.send(server.request(Method::GET, "/health/live").header("client-request-id", "mine")).await;
    assert_eq!(given.headers["client-request-id"], "mine");
    assert!(Uuid::try_parse(given.headers["request-id"].to_str().expect("text")).is_ok());
    let none = server.send(server.request(Method::GET, "/v1.0/communications/calls")).await;
    assert_eq!(none.headers["client-request-id"], none.headers["request-id"]);
    assert_eq!(none.headers["odata-version"], "4.0");
    let inner = &none.body["error"]["innerError"];
    assert_eq!(inner["client-request-id"], inner["request-id"]);
    let date = inner["date"].as_str().expect("a date");
    assert!(chrono::NaiveDateTime::parse_from_str(date, "%Y-%m-%dT%H:%M:%S").is_ok(), "{date}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
