//! What is too much, and how that is answered.

use std::future::poll_fn;
use std::num::NonZeroU32;
use std::task::Poll;

use graph::Throttling;
use http::{Method, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::bot::Bot;
use crate::server::{
    APP, Answer, OTHER_APP, OTHER_SECRET, SECRET, Server, TENANT, call_request, phone_target, start_phone,
};

const CALLS: &str = "/v1.0/communications/calls";

/// Requests at once where one a second is allowed: no machine is so slow that none of them is too early.
const FLOOD: usize = 12;

async fn start(throttling: Throttling) -> Server {
    Server::start_with(|settings| settings.throttling = throttling).await
}

#[track_caller]
fn check(answer: &Answer, code: &str, retry_after: &str) {
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{answer:?}");
    assert_eq!(answer.body["error"]["code"], code);
    assert_eq!(answer.headers["retry-after"], retry_after);
}

#[tokio::test]
async fn an_application_that_asks_too_often_is_told_when_to_come_again() {
    let server = start(Throttling { requests_per_second: NonZeroU32::new(1), ..Throttling::default() }).await;
    let flood: Vec<_> = (0..FLOOD).map(|_| server.ask(Method::GET, CALLS)).collect();
    let answers = all(flood).await;
    let refused = answers.iter().find(|answer| answer.status != StatusCode::OK).expect("one of them is too early");
    check(refused, "TooManyRequests", "1");
    let other = server.token_of(OTHER_APP, OTHER_SECRET).await;
    let other = server.send(server.request(Method::GET, CALLS).bearer_auth(other)).await;
    assert_eq!(other.status, StatusCode::OK, "another application has its own limit");
}

#[tokio::test]
async fn strangers_who_ask_too_often_are_put_off() {
    let server = start(Throttling { unauthenticated_per_second: NonZeroU32::new(1), ..Throttling::default() }).await;
    let flood: Vec<_> = (0..FLOOD).map(|_| server.send(server.request(Method::GET, CALLS))).collect();
    let answers = all(flood).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 0);
    check(answers.iter().find(|answer| answer.status != 401).expect("one is too early"), "TooManyRequests", "1");
    assert_eq!(server.ask(Method::GET, CALLS).await.status, StatusCode::OK, "who has a token is no stranger");
}

/// Makes all requests at the same time.
async fn all(requests: Vec<impl Future<Output = Answer>>) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut waiting: Vec<_> = requests.into_iter().map(Box::pin).collect();
    poll_fn(|context| {
        waiting.retain_mut(|request| match request.as_mut().poll(context) {
            Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            Poll::Pending => true,
        });
        if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers
}

#[tokio::test]
async fn a_call_more_than_allowed_is_refused_until_one_ends() {
    let server = start(Throttling { concurrent_calls: NonZeroU32::new(1), ..Throttling::default() }).await;
    let (bot, phone) = (Bot::start().await, start_phone("alice"));
    let request = call_request(&bot, &[phone_target(phone.uri())]);
    let first = server.post(CALLS, &request).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    check(&server.post(CALLS, &request).await, "8530", "60");
    let id = first.body["id"].as_str().expect("an id");
    server.ask(Method::DELETE, &format!("{CALLS}/{id}")).await;
    let second = server.post(CALLS, &request).await;
    assert_eq!(second.status, StatusCode::CREATED, "{second:?}");
}

#[tokio::test]
async fn the_calls_of_a_month_are_counted_over_restarts() {
    let limits = || Throttling { calls_per_month: NonZeroU32::new(2), ..Throttling::default() };
    let server = start(limits()).await;
    let (bot, phone) = (Bot::start().await, start_phone("alice"));
    let request = call_request(&bot, &[phone_target(phone.uri())]);
    assert_eq!(server.post(CALLS, &request).await.status, StatusCode::CREATED);
    assert_eq!(server.post(CALLS, &json!({})).await.status, StatusCode::BAD_REQUEST, "it is not counted");
    let server = server.restart_with(|settings| settings.throttling = limits()).await;
    assert_eq!(server.post(CALLS, &request).await.status, StatusCode::CREATED);
    check(&server.post(CALLS, &request).await, "8529", "60");
}

#[tokio::test]
async fn whoever_guesses_secrets_is_not_listened_to() {
    let limits = Throttling { failed_token_requests_per_minute: NonZeroU32::new(2), ..Throttling::default() };
    let server = start(limits).await;
    let ask = async |app: Uuid, secret: &str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &app.to_string()),
            ("client_secret", secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        server.send(server.request(Method::POST, &format!("/{TENANT}/oauth2/v2.0/token")).form(&form)).await
    };
    for _ in 0..2 {
        assert_eq!(ask(APP, "a guess").await.body["error_codes"], json!([7_000_215]));
    }
    let refused = ask(APP, SECRET).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
    assert_eq!(
        (&refused.body["error"], &refused.body["error_codes"]),
        (&json!("temporarily_unavailable"), &json!([90_055]))
    );
    let wait: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(ask(OTHER_APP, OTHER_SECRET).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_401_says_where_the_authority_is() {
    let server = Server::start().await;
    let answer = server.send(server.request(Method::GET, CALLS)).await;
    let expected = format!(
        r#"Bearer realm="", authorization_uri="{}/{TENANT}/oauth2/v2.0/authorize", client_id="00000003-0000-0000-c000-000000000000""#,
        server.base()
    );
    assert_eq!(answer.headers["www-authenticate"], expected.as_str());
}
