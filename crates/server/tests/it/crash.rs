//! The server is killed in the middle of a hold: after a restart the bot learns how everything ended.

use std::collections::BTreeMap;
use std::time::Instant;

use phone::Codec;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ALICE_HZ, BOB_HZ, Bot, Conversation, Files, Notice, Operation, Server, Trio, speaking, stage};

#[track_caller]
fn assert_cut_off(notice: &Notice) {
    let result = &notice.resource()["resultInfo"];
    assert_eq!((&result["code"], &result["subcode"]), (&json!(500), &json!(9001)), "{result}");
    assert!(result["message"].as_str().is_some_and(|message| message.contains("the server restarted")), "{result}");
}

/// Checks that an operation has ended, once. What was delivered just before the crash may be delivered again after it,
/// as the same message.
#[track_caller]
fn assert_ended_once(bot: &Bot, operation: &Operation) {
    let notices = bot.notices();
    let of_it = notices.iter().filter(|notice| notice.resource()["id"] == operation.id.as_str());
    let ends: BTreeMap<&str, &Value> =
        of_it.map(|notice| (notice.message_id.as_str(), &notice.resource()["status"])).collect();
    let statuses: Vec<&Value> = ends.into_values().collect();
    assert!(matches!(statuses[..], [status] if status != "running"), "{statuses:?}");
}

#[test]
fn killed_while_music_plays_the_call_ends_as_cut_off() {
    let server = Server::start();
    let (alice, bob) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::Pcmu, BOB_HZ));
    let mut bot = Bot::of(&server);
    let call = Conversation::of(&bot, &[alice.uri(), bob.uri()]);
    let operation = call.hold(&call.participant(bob.uri()), None);
    let server = server.kill_and_restart();
    assert_cut_off(&call.expect_end());
    assert_ended_once(&bot, &operation);
    let path = call.path();
    bot.follow(&server);
    assert_eq!(bot.ask(Method::GET, &path).error(), (404, "8522"));
    assert_eq!(bot.ask(Method::GET, "/v1.0/communications/calls").body["value"], json!([]));
}

#[test]
fn killed_while_a_prompt_loads_the_operation_fails_before_its_call_ends() {
    let (server, files) = (Server::start(), Files::start());
    let (alice, bob) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::Pcmu, BOB_HZ));
    let mut bot = Bot::of(&server);
    let call = Conversation::of(&bot, &[alice.uri(), bob.uri()]);
    let operation = call.start_hold_music(&call.participant(bob.uri()), Some(&files.uri("/never.wav")));
    files.expect_one_waiting();
    let server = server.kill_and_restart();
    let (failed, ended) = (call.expect_end_of(&operation), call.expect_end());
    assert_eq!(failed.resource()["status"], "failed");
    assert_cut_off(&failed);
    assert_cut_off(&ended);
    assert!(failed.arrived < ended.arrived, "the operation ends before its call");
    assert_ended_once(&bot, &operation);
    let path = call.path();
    bot.follow(&server);
    assert_eq!(bot.ask(Method::GET, &path).error(), (404, "8522"));
    assert_eq!(bot.ask(Method::GET, &format!("{path}/operations/{}", operation.id)).error(), (404, "8522"));
}

#[test]
fn phones_of_the_calls_before_do_not_get_into_the_calls_after() {
    let server = Server::start();
    // They know nothing of the crash and go on sending, to ports that the next calls use.
    let before = Trio::start();
    let mut bot = Bot::of(&server);
    Conversation::of(&bot, &before.uris());
    let server = server.kill_and_restart();
    bot.follow(&server);
    let (phones, _stage) = (Trio::start(), stage());
    Conversation::of(&bot, &phones.uris());
    phones.assert_together(Instant::now());
}
