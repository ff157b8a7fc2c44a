//! A database that takes no changes: a clear answer, and nothing forgotten.

use http::StatusCode;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::bot::Bot;
use crate::server::{Server, roster_of};

#[tokio::test]
async fn a_locked_database_is_a_503_and_what_happened_is_told_later() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let lock = Lock::take(&server).await;
    let path = format!("{}/participants/{}/mute", call.path, call.participants[0]);
    let answer = server.post(&path, &json!({})).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(answer.headers["retry-after"], "1");
    lock.release().await;
    let muted = |entry: &serde_json::Value| entry["id"] == call.participants[0].as_str() && entry["isMuted"] == true;
    bot.wait_for(|notice| roster_of(notice).iter().any(muted)).await;
}

#[tokio::test]
async fn a_hold_that_could_not_be_stored_is_undone_so_that_the_next_try_works() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let path = format!("{}/participants/{}/startHoldMusic", call.path, call.participants[0]);
    let lock = Lock::take(&server).await;
    let answer = server.post(&path, &json!({ "clientContext": "first" })).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    lock.release().await;
    let back = |entry: &serde_json::Value| entry["mediaStreams"][0]["direction"] == "sendReceive";
    bot.wait_for(|notice| notice["resourceData"]["clientContext"] == "first").await;
    bot.wait_for(|notice| roster_of(notice).iter().any(back)).await;
    let answer = server.post(&path, &json!({ "clientContext": "second" })).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let ended = bot.wait_for(|notice| notice["resourceData"]["clientContext"] == "second").await;
    assert_eq!(ended["resourceData"]["status"], "completed");
}

/// A lock on the database that lets nobody else write.
pub(crate) struct Lock(SqliteConnection);

impl Lock {
    pub(crate) async fn take(server: &Server) -> Lock {
        let options = SqliteConnectOptions::new().filename(server.data().join("fermata.sqlite"));
        let mut other = options.connect().await.expect("the database");
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.expect("the lock");
        Lock(other)
    }

    pub(crate) async fn release(mut self) {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.0).await.expect("the end of the lock");
    }
}
