//! The routes of people's browsers: who may ask, and what is no use. What browsers do with them is tried with real ones.

use std::time::Duration;

use graph::{IceCredentials, IceServer};
use http::{Method, StatusCode};
use serde_json::json;

use crate::server::{ALICE, Answer, Server};

/// Nobody is called under this id.
const NOBODY: &str = "/fermata/v1/ringing/00000000-0000-4000-8000-000000000001";
const NO_LEG: &str = "/fermata/v1/legs/00000000-0000-4000-8000-000000000001";

/// An offer that reads well, of nothing that could be had.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

async fn ask(server: &Server, method: Method, path: &str, token: &str, kind: &str) -> Answer {
    let request = server.request(method, path).bearer_auth(token).header("content-type", kind);
    server.send(request.body(OFFER)).await
}

#[tokio::test]
async fn only_who_has_signed_in_at_the_phone_page_may_ask() {
    let server = Server::start().await;
    let console = server.person_token("alice").await;
    for (method, path) in [
        (Method::GET, "/fermata/v1/ringing"),
        (Method::POST, NOBODY),
        (Method::DELETE, NOBODY),
        (Method::POST, NO_LEG),
        (Method::PATCH, NO_LEG),
        (Method::DELETE, NO_LEG),
    ] {
        let with = |token| ask(&server, method.clone(), path, token, "application/sdp");
        assert_eq!(with("nonsense").await.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(with(server.token()).await.status, StatusCode::FORBIDDEN, "{method} {path}: an application");
        assert_eq!(with(&console).await.status, StatusCode::FORBIDDEN, "{method} {path}: at the console");
    }
}

#[tokio::test]
async fn calls_of_others_do_not_exist_and_a_body_is_a_description() {
    let server = Server::start().await;
    let token = server.phone_token("alice").await;
    for (method, path) in [(Method::POST, NOBODY), (Method::POST, NO_LEG), (Method::PATCH, NO_LEG)] {
        let as_sdp = ask(&server, method.clone(), path, &token, "application/sdp; charset=utf-8").await;
        assert_eq!((as_sdp.status, &as_sdp.body["error"]["code"]), (StatusCode::NOT_FOUND, &json!("8522")), "{path}");
        let as_json = ask(&server, method.clone(), path, &token, "application/json").await;
        assert_eq!(as_json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
    }
    for path in [NOBODY, NO_LEG, "/fermata/v1/legs/no-guid"] {
        assert_eq!(ask(&server, Method::DELETE, path, &token, "").await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn an_open_browser_is_told_who_helps_it_to_find_a_path() {
    let turn = IceServer::new("turn:turn.example", IceCredentials::Secret("north".to_owned())).expect("a good URL");
    let server = Server::start_with(|settings| settings.ice_servers = vec![turn]).await;
    let token = server.phone_token("alice").await;
    let open = server.request(Method::GET, "/fermata/v1/ringing").bearer_auth(token).timeout(Duration::from_secs(10));
    let open = open.send().await.expect("an answer");
    assert_eq!(open.headers()["content-type"], "text/event-stream");
    let link = open.headers()["link"].to_str().expect("text");
    assert!(
        link.starts_with("<turn:turn.example>; rel=\"ice-server\"; username=\"") && link.contains(&ALICE.to_string()),
        "{link}"
    );
}
