//! What a restart finds and ends.

use std::net::Ipv4Addr;

use http::{Method, StatusCode};
use serde_json::json;

use crate::bot::Bot;
use crate::server::Server;
use crate::tokens::signing_key;

#[tokio::test]
async fn a_running_operation_and_its_call_have_their_last_notice() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    // A prompt whose server takes the connection and never answers keeps the operation running.
    let silent = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let uri = format!("http://{}/never.wav", silent.local_addr().expect("an address"));
    let body = json!({"clientContext": "cut-off", "customPrompt": {"mediaInfo": {"uri": uri}}});
    let path = format!("{}/participants/{}/startHoldMusic", call.path, call.participants[0]);
    let accepted = server.post(&path, &body).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");

    let server = server.restart().await;
    let failed = bot.wait_for(|notice| notice["resourceData"]["clientContext"] == "cut-off").await;
    assert_eq!(failed["resourceData"]["status"], "failed");
    assert_eq!(failed["resourceData"]["resultInfo"]["code"], 500);
    assert_eq!(failed["resourceData"]["id"], accepted.body["id"]);
    let ended = bot.wait_for(|notice| notice["resourceData"]["state"] == "terminated").await;
    assert_eq!(ended["changeType"], "deleted");
    assert_eq!(ended["resourceData"]["resultInfo"]["subcode"], 9001);
    let notices = bot.notices();
    let at = |wanted| notices.iter().position(|notice| notice == wanted).expect("it came");
    assert!(at(&failed) < at(&ended), "the operation ends before its call");
    assert_eq!(server.ask(Method::GET, &call.path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_token_outlives_a_restart() {
    let server = Server::start().await;
    let key = signing_key(&server);
    let server = server.restart().await;
    assert_eq!(signing_key(&server), key);
}
