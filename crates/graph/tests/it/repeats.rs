//! Requests that a client sends again because it saw no answer: nothing is done twice.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::bot::Bot;
use crate::outage::Lock;
use crate::server::{APP, Answer, OTHER_APP, OTHER_SECRET, SECRET, Server, call_request, phone_target, start_phone};

/// A prompt whose server takes the request and never answers: its hold goes on loading.
async fn endless_prompt() -> (TcpListener, Value) {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("http://{}/a.wav", silent.local_addr().expect("an address"));
    (silent, json!({ "mediaInfo": { "uri": uri } }))
}

#[tokio::test]
async fn a_hold_that_is_posted_again_is_answered_with_the_same_operation() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let (_silent, prompt) = endless_prompt().await;
    let path = format!("{}/participants/{}/startHoldMusic", call.path, call.participants[0]);
    let body = json!({ "clientContext": "mine", "customPrompt": prompt });
    let post = || server.post(&path, &body);
    let (first, second, third) = tokio::join!(post(), post(), post());
    let fourth = post().await;
    for answer in [&first, &second, &third, &fourth] {
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        assert_eq!((&answer.body, &answer.headers["location"]), (&first.body, &first.headers["location"]));
    }
    let operation = format!("{}/operations/{}", call.path, first.body["id"].as_str().expect("an id"));
    assert_eq!(server.ask(Method::GET, &operation).await.body["status"], "running");
    let other = server.post(&path, &json!({ "clientContext": "another" })).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "{other:?}");
}

#[tokio::test]
async fn an_invitation_that_is_posted_again_rings_nobody_twice() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let uri = format!("sip:carol@{}", silent.local_addr().expect("an address"));
    let body = json!({ "clientContext": "mine", "participants": [phone_target(&uri)] });
    let path = format!("{}/participants/invite", call.path);
    let (first, second) = tokio::join!(server.post(&path, &body), server.post(&path, &body));
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK), "{first:?} {second:?}");
    assert_eq!(first.body, second.body);
    assert_eq!(server.post(&path, &json!({ "participants": [phone_target(&uri)] })).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn what_could_not_be_stored_is_carried_out_when_it_is_posted_again() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let path = format!("{}/participants/{}/startHoldMusic", call.path, call.participants[0]);
    let body = json!({ "clientContext": "mine" });
    let lock = Lock::take(&server).await;
    let (first, second) = tokio::join!(server.post(&path, &body), server.post(&path, &body));
    for answer in [&first, &second] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    }
    lock.release().await;
    bot.wait_for(|notice| notice["resourceData"]["clientContext"] == "mine").await;
    let third = server.post(&path, &body).await;
    assert_eq!(third.status, StatusCode::ACCEPTED, "{third:?}");
    let ended = bot.wait_for(|notice| notice["resourceData"]["id"] == third.body["id"]).await;
    assert_eq!(ended["resourceData"]["status"], "completed");
    let ended: Vec<_> = bot.notices().into_iter().filter(|n| n["resourceData"]["clientContext"] == "mine").collect();
    assert_eq!(ended.len(), 2, "the first two were one operation: {ended:#?}");
}

#[tokio::test]
async fn a_call_that_is_asked_for_again_is_the_same_call() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let phone = start_phone("alice");
    let body = call_request(&bot, &[phone_target(phone.uri())]);
    let (mine, others) = (server.token_of(APP, SECRET).await, server.token_of(OTHER_APP, OTHER_SECRET).await);
    let create = async |token: &str, name: &str, attempt: u32| -> Answer {
        let request = server.request(Method::POST, "/v1.0/communications/calls").bearer_auth(token).json(&body);
        let request = request.header("client-request-id", name);
        server.send(if attempt == 0 { request } else { request.header("Retry-Attempt", attempt) }).await
    };
    let first = create(&mine, "a", 0).await;
    let (second, third) = tokio::join!(create(&mine, "a", 1), create(&mine, "a", 2));
    for answer in [&first, &second, &third] {
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        assert_eq!(answer.body["id"], third.body["id"]);
        assert_eq!(answer.headers["location"], third.headers["location"]);
    }
    let (unseen, seen) = tokio::join!(create(&mine, "b", 1), create(&mine, "b", 2));
    assert_eq!(unseen.body["id"], seen.body["id"], "the second waits for the first");
    let foreign = create(&others, "a", 1).await;
    let new = create(&mine, "a", 0).await;
    let ids: BTreeSet<_> =
        [&first, &unseen, &foreign, &new].iter().map(|answer| answer.body["id"].to_string()).collect();
    assert_eq!(ids.len(), 4, "each of these is a call of its own");
}
