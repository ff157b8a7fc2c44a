//! What the official SDKs and other clients really send, and the answers that they can read.

use std::io::{Read, Write};
use std::net::TcpStream;

use http::{Method, StatusCode};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bot::Bot;
use crate::server::{APP, SECRET, Server, call_request, phone_target, start_phone};

#[tokio::test]
async fn nobody_is_redirected() {
    let server = Server::start().await;
    let client = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let token = server.token_of(APP, SECRET).await;
    for path in ["/v1.0//communications//calls", "/v1.0/communications/calls/", "/V1.0/app/CALLS"] {
        let request = client.get(format!("{}{path}", server.base())).bearer_auth(&token);
        assert_eq!(server.send(request).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_phone_comes_in_both_shapes_with_its_type_in_front_behind_or_missing() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let phones = ["alice", "bob", "carol"].map(start_phone);
    let targets = [
        json!({
            "identity": {"phone": {"id": phones[0].uri(), "@odata.type": "#microsoft.graph.identity"}},
            "@odata.type": "#microsoft.graph.invitationParticipantInfo",
        }),
        json!({"identity": {
            "@odata.type": "#microsoft.graph.communicationsIdentitySet",
            "phone": {"@odata.type": "#microsoft.graph.communicationsPhoneIdentity", "id": phones[1].uri()},
        }}),
        phone_target(phones[2].uri()),
    ];
    let created = server.post("/v1.0/communications/calls", &call_request(&bot, &targets)).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let shown = created.body["targets"].as_array().expect("targets");
    for (target, phone) in shown.iter().zip(&phones) {
        assert_eq!(target["identity"]["@odata.type"], "#microsoft.graph.identitySet");
        assert_eq!(target["identity"]["phone"]["id"], phone.uri());
    }
}

#[tokio::test]
async fn a_context_that_python_escapes_comes_back_as_it_was_meant() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let body = r#"{"clientContext": "caf\u00e9 \ud83c\udfb5"}"#;
    let answer = server.post_text(&format!("{}/mute", call.path), body).await;
    assert_eq!(answer.body["clientContext"], "café 🎵", "{answer:?}");
}

#[tokio::test]
async fn select_top_skip_and_count_are_done() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let participants = format!("{}/participants", call.path);
    // In the order and with the escapes of the Python SDK.
    let query = "?$count=true&$expand=x&$orderby=id&$select=id,isMuted&$skip=1&$top=1";
    let part = server.ask(Method::GET, &format!("{participants}{query}")).await;
    assert_eq!(part.body["@odata.count"], 3, "{part:?}");
    let whole = server.ask(Method::GET, &participants).await.body;
    assert_eq!(whole.get("@odata.count"), None);
    let second = json!({
        "@odata.type": "#microsoft.graph.participant",
        "id": whole["value"][1]["id"],
        "isMuted": false,
    });
    assert_eq!(part.body["value"], json!([second]));
    let state = server.ask(Method::GET, &format!("{}?$select=state", call.path)).await.body;
    let members: Vec<_> = state.as_object().expect("a call").keys().collect();
    assert_eq!(members, ["@odata.context", "@odata.type", "state"]);
    let filtered = server.ask(Method::GET, &format!("{participants}?$filter=isMuted%20eq%20false")).await;
    assert_eq!((filtered.status, &filtered.body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("8523")));
}

#[tokio::test]
async fn a_count_is_plain_text() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    for (path, count) in [(format!("{}/participants/$count", call.path), 3), ("/v1.0/app/calls/%24count".to_owned(), 1)]
    {
        let answer = server.ask(Method::GET, &path).await;
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8", "{path}");
        assert_eq!(answer.body, json!(count), "{path}");
    }
    let unknown = format!("/v1.0/communications/calls/{}/participants/$count", Uuid::nil());
    assert_eq!(server.ask(Method::GET, &unknown).await.body["error"]["code"], "8522");
}

#[tokio::test]
async fn an_answer_without_a_body_claims_no_type() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    // An empty body that is called JSON makes the JavaScript client fail.
    for (method, path) in [(Method::POST, format!("{}/keepAlive", call.path)), (Method::DELETE, call.path.clone())] {
        let answer = server.ask(method, &path).await;
        assert!(answer.status.is_success() && answer.body == Value::Null, "{answer:?}");
        assert!(!answer.headers.contains_key("content-type"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let server = Server::start().await;
    let call = format!("/v1.0/communications/calls/{}", Uuid::nil());
    let cases = [
        (Method::PUT, call.clone(), "GET, DELETE"),
        (Method::PATCH, call.clone(), "GET, DELETE"),
        (Method::GET, format!("{call}/keepAlive"), "POST"),
        (Method::POST, format!("{call}/playPrompt"), ""),
        (Method::GET, format!("{call}/playPrompt"), ""),
        (Method::POST, "/health/live".to_owned(), "GET"),
    ];
    for (method, path, allowed) in cases {
        let answer = server.ask(method.clone(), &path).await;
        assert_eq!((answer.status.as_u16(), &answer.body["error"]["code"]), (405, &json!("8520")), "{method} {path}");
        assert_eq!(answer.headers["allow"], allowed, "{method} {path}");
    }
}

/// A client that sends everything before it reads anything.
#[tokio::test]
async fn a_refusal_reaches_those_who_are_still_sending() {
    const BODY_BYTES: usize = 4 << 20;
    let server = Server::start().await;
    let address = server.base().strip_prefix("http://").expect("http").to_owned();
    let answer = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(&address).expect("it listens");
        let head = format!(
            "POST /v1.0/communications/calls HTTP/1.1\r\nHost: {address}\r\nContent-Length: {BODY_BYTES}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).expect("the head is taken");
        connection.write_all(&vec![b' '; BODY_BYTES]).expect("the body is taken");
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).expect("an answer");
        answer
    });
    assert_eq!(&answer.await.expect("no panic"), b"HTTP/1.1 401");
}

#[tokio::test]
async fn what_is_served_is_described_to_everybody() {
    let server = Server::start().await;
    let openapi = server.send(server.request(Method::GET, "/fermata/v1/openapi.json")).await;
    assert_eq!(openapi.headers["content-type"], "application/json");
    assert_eq!(openapi.body["openapi"], "3.1.1");
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    // Every answer says where its type is described.
    let shown = server.ask(Method::GET, &call.path).await;
    let context = shown.body["@odata.context"].as_str().expect("a URL");
    let described = reqwest::get(context).await.expect("an answer");
    assert_eq!(
        (described.status(), &described.headers()["content-type"]),
        (StatusCode::OK, &"application/xml".parse().expect("a header"))
    );
    assert!(described.text().await.expect("text").contains("<EntityType Name=\"call\""));
}
