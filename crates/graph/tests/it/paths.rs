//! The same resource under all the spellings that clients use.

use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::bot::Bot;
use crate::server::Server;

#[tokio::test]
async fn a_call_is_found_under_every_spelling_of_its_path() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let id = call.path.rsplit('/').next().expect("an id").to_owned();
    let undashed = Uuid::try_parse(&id).expect("a GUID").simple().to_string();
    let (upper, escaped) = (undashed.to_uppercase(), id.replace('-', "%2D"));
    let spellings = [
        format!("/v1.0/communications/calls/{id}"),
        format!("/v1.0//communications//calls/{id}/"),
        format!("/V1.0/Communications/Calls/{upper}"),
        format!("/beta/communications/calls/{undashed}"),
        format!("/v1.0/app/calls/{id}"),
        format!("/v1.0/APP/CALLS/{escaped}"),
        format!("/v1.0/communications/calls/{id}?$select=id,state"),
    ];
    for path in spellings {
        let answer = server.ask(Method::GET, &path).await;
        assert_eq!((answer.status, &answer.body["id"]), (StatusCode::OK, &json!(id)), "{path}");
    }
}

#[tokio::test]
async fn an_action_is_found_bare_and_qualified_in_any_case() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    for action in ["keepAlive", "KEEPALIVE", "microsoft.graph.keepAlive", "Microsoft.Graph.keepalive"] {
        let answer = server.post(&format!("{}/{action}", call.path), &json!({})).await;
        assert_eq!(answer.status, StatusCode::OK, "{action}: {answer:?}");
    }
}

#[tokio::test]
async fn location_keeps_the_version_that_was_asked() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let beta = call.path.replace("/v1.0/", "/beta/");
    let answer = server.post(&format!("{beta}/mute"), &json!({})).await;
    let location = answer.headers["location"].to_str().expect("a URL");
    assert!(location.starts_with(&format!("{}{beta}/operations/", server.base())), "{location}");
}

#[tokio::test]
async fn what_is_not_there_is_answered_in_the_envelope() {
    let server = Server::start().await;
    let none = Uuid::nil();
    let cases = [
        ("GET", "/v1.0/users".to_owned(), 404, "ResourceNotFound"),
        ("GET", "/nothing".to_owned(), 404, "ResourceNotFound"),
        ("PUT", "/v1.0/communications/calls".to_owned(), 405, "8520"),
        ("GET", format!("/v1.0/communications/calls/{none}/keepAlive"), 405, "8520"),
        ("POST", format!("/v1.0/communications/calls/{none}/playPrompt"), 405, "8520"),
        ("GET", format!("/v1.0/communications/calls/{none}"), 404, "8522"),
        ("GET", "/v1.0/communications/calls/no-guid".to_owned(), 404, "8522"),
        ("POST", format!("/v1.0/communications/calls/{none}/participants/{none}/startHoldMusic"), 404, "8522"),
    ];
    for (method, path, status, code) in cases {
        let answer = server.ask(Method::from_bytes(method.as_bytes()).expect("a method"), &path).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        let error = &answer.body["error"];
        assert_eq!(error["code"], code, "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/json", "{method} {path}");
        assert_eq!(error["innerError"]["request-id"], answer.headers["request-id"].to_str().expect("an id"));
    }
}
