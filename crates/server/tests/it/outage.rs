//! A disk that is full, a database that another program has locked: clear answers, nothing half done, nothing forgotten.

use std::thread;
use std::time::{Duration, Instant};

use phone::{Codec, Observation, Phone, State};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::harness::{
    ALICE_HZ, Answer, Belief, Bot, Conversation, PATIENCE, Server, Trio, block_on, phone_target, speaking, stage,
};

const CALLS: &str = "/v1.0/communications/calls";

/// How often the server is asked whether it is ready.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// What keeps changes from being stored.
enum Outage<'server> {
    FullDisk(&'server Server),
    Lock(SqliteConnection),
}

impl Outage<'_> {
    /// Nothing can be written: every write(2) of the server fails.
    fn full_disk(server: &Server) -> Outage<'_> {
        server.set_disk_full(true);
        Outage::FullDisk(server)
    }

    /// Another program has begun to write and does not end.
    fn lock(server: &Server) -> Outage<'_> {
        let options = SqliteConnectOptions::new().filename(server.data().join("fermata.sqlite"));
        Outage::Lock(block_on(async {
            let mut other = options.connect().await.expect("the database is there");
            sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.expect("nobody else has a lock");
            other
        }))
    }

    fn end(self) {
        match self {
            Outage::FullDisk(server) => server.set_disk_full(false),
            Outage::Lock(mut other) => block_on(async {
                sqlx::raw_sql("ROLLBACK").execute(&mut other).await.expect("the lock is ours");
            }),
        }
    }
}

#[test]
fn on_a_full_disk_nothing_begins_and_what_happens_is_told_later() {
    check_a_call_that_is_up(Outage::full_disk);
}

#[test]
fn under_a_foreign_lock_nothing_begins_and_what_happens_is_told_later() {
    check_a_call_that_is_up(Outage::lock);
}

#[test]
fn on_a_full_disk_nobody_is_left_in_a_call_that_was_refused() {
    check_a_call_that_begins(Outage::full_disk);
}

#[test]
fn under_a_foreign_lock_nobody_is_left_in_a_call_that_was_refused() {
    check_a_call_that_begins(Outage::lock);
}

#[track_caller]
fn check_a_call_that_is_up(begin: impl FnOnce(&Server) -> Outage<'_>) {
    let _stage = stage();
    let (server, phones) = (Server::start(), Trio::start());
    let (bot, dave) = (Bot::of(&server), speaking("dave", Codec::Pcmu, ALICE_HZ));
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    let outage = begin(&server);

    // It finds out, and what was begun for it is undone.
    let refused = call.try_start_hold_music(&bob, &json!({ "clientContext": "refused" }));
    assert_unavailable(&refused);
    phones.assert_together(refused.arrived);
    // From now on nothing is begun.
    assert_unavailable(&bot.ask(Method::GET, "/health/ready"));
    let since = Instant::now();
    assert_unavailable(&call.try_start_hold_music(&bob, &json!({})));
    assert_unavailable(&bot.post(&format!("{}/participants/{bob}/mute", call.path()), &json!({})));
    assert_unavailable(&bot.ask(Method::DELETE, &call.path()));
    assert_unavailable(&bot.create_call(&[phone_target(dave.uri())]));
    phones.assert_together(since);
    assert_eq!(dave.state(), State::Idle);
    // What is stored can be read, and what happens by itself happens.
    assert_eq!(bot.ask(Method::GET, &call.path()).status, 200);
    let carol = call.participant(phones.carol.uri());
    phones.carol.hang_up();
    phones.carol.wait_for(State::Ended, PATIENCE).expect("a phone can hang up at any time");

    outage.end();
    wait_until_ready(&bot);
    call.expect_roster_without(&carol);
    // A lock is waited for, and until it was given up there was music. Now there is none.
    assert_eq!(Belief::of(&bot.notices()).inactive(call.id()), Vec::<&str>::new());
    call.hold(&bob, None);
    call.hang_up();
    call.expect_end();
    assert!(Belief::of(&bot.notices()).is_over(call.id()));
}

#[track_caller]
fn check_a_call_that_begins(begin: impl FnOnce(&Server) -> Outage<'_>) {
    let server = Server::start();
    let bot = Bot::of(&server);
    let dave = speaking("dave", Codec::Pcmu, ALICE_HZ);
    let outage = begin(&server);
    assert_unavailable(&bot.create_call(&[phone_target(dave.uri())]));
    outage.end();
    wait_until_ready(&bot);
    // The bot knows no such call, but is told of it: it was stored in the end, with its own.
    bot.expect("the end of a call", |notice| notice.resource()["state"] == "terminated");
    dave.wait_until(PATIENCE, is_free).expect("the call is given up");
    assert_eq!(bot.ask(Method::GET, CALLS).body["value"], json!([]));
    Belief::of(&bot.notices());
    check_that_calls_work(&bot, &dave);
}

fn is_free(phone: &Observation) -> bool {
    match phone.state {
        State::Idle | State::Ended | State::Failed(_) => true,
        State::Calling | State::Ringing | State::Established => false,
    }
}

#[track_caller]
fn check_that_calls_work(bot: &Bot, phone: &Phone) {
    let created = bot.create_call(&[phone_target(phone.uri())]);
    assert_eq!(created.status, 201, "{created:?}");
    phone.wait_for(State::Established, PATIENCE).expect("it is called");
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    assert_eq!(answer.error(), (503, "serviceNotAvailable"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(matches!(&answer.body["error"]["message"], Value::String(message) if !message.is_empty()), "{answer:?}");
}

fn wait_until_ready(bot: &Bot) {
    let deadline = Instant::now() + PATIENCE;
    while bot.ask(Method::GET, "/health/ready").status != 200 {
        assert!(Instant::now() < deadline, "the server is not ready again");
        thread::sleep(ASK_AGAIN);
    }
}
