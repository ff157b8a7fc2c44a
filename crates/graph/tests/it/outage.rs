//! A database that takes no changes: a clear answer, and nothing forgotten.

use http::StatusCode;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::bot::Bot;
use crate::server::{Server, roster_of};

#[tokio::test]
async fn a_locked_database_is_a_503_and_what_happened_is_told_later() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let options = SqliteConnectOptions::new().filename(server.data().join("fermata.sqlite"));
    let mut other = options.connect().await.expect("the database");
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.expect("the lock");
    let path = format!("{}/participants/{}/mute", call.path, call.participants[0]);
    let answer = server.post(&path, &json!({})).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(answer.headers["retry-after"], "1");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.expect("the end of the lock");
    let muted = |entry: &serde_json::Value| entry["id"] == call.participants[0].as_str() && entry["isMuted"] == true;
    bot.wait_for(|notice| roster_of(notice).iter().any(muted)).await;
}
