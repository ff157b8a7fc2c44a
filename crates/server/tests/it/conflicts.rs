//! Wishes that cannot be granted, and what they leave as it was.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Bot, Conversation, Server, Trio, phone_target, stage};

#[track_caller]
fn check(answer: &Answer, status: u16, code: &str, sentence: &str) {
    assert_eq!(answer.error(), (status, code), "{answer:?}");
    assert!(answer.error_message().contains(sentence), "{:?}", answer.error_message());
}

#[test]
fn a_second_hold_is_refused_and_names_who_is_held() {
    let (server, phones) = (Server::start(), Trio::start());
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &phones.uris());
    let [alice, bob, _] = phones.uris().map(|uri| call.participant(uri));
    call.hold(&bob, None);
    check(&call.try_start_hold_music(&alice, &json!({})), 409, "8519", &format!("Participant {bob} is on hold"));
    check(&call.try_start_hold_music(&bob, &json!({})), 409, "8519", "on hold already");
    check(&call.try_stop_hold_music(&alice), 409, "8519", "not on hold");
    // None of it has touched the hold that there is.
    call.unhold(&bob);
    call.hold(&alice, None);
}

#[test]
fn extended_mode_holds_several() {
    let (server, phones) = (Server::start_with("[graph]\nmode = \"extended\""), Trio::start());
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &phones.uris());
    let [alice, bob, _] = phones.uris().map(|uri| call.participant(uri));
    call.hold(&alice, None);
    call.hold(&bob, None);
    call.unhold(&alice);
    call.unhold(&bob);
}

#[test]
fn hanging_up_while_held_frees_the_slot_and_hurts_nobody() {
    let (server, phones, _stage) = (Server::start(), Trio::start(), stage());
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &phones.uris());
    let [alice, bob, _] = phones.uris().map(|uri| call.participant(uri));
    let held = call.hold(&bob, None);
    phones.bob.hang_up();
    call.expect_roster_without(&bob);
    phones.assert_bob_unheard(held.accepted);
    check(&call.try_stop_hold_music(&bob), 404, "8522", "Participant not found");
    call.hold(&alice, None);
    call.unhold(&alice);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let (server, phones) = (Server::start(), Trio::start());
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &phones.uris());
    let nobody = "99999999-9999-4999-8999-999999999999";
    check(&call.try_start_hold_music(nobody, &json!({})), 404, "8522", "Participant not found");
    check(&call.try_stop_hold_music(nobody), 404, "8522", "Participant not found");
    let alice = call.participant(phones.alice.uri());
    let path = format!("/v1.0/communications/calls/{nobody}/participants/{alice}/startHoldMusic");
    check(&bot.post(&path, &json!({})), 404, "8522", "Call not found");
    check(&bot.ask(Method::GET, &format!("/v1.0/communications/calls/{nobody}")), 404, "8522", "Call not found");
}

#[test]
fn another_applications_call_does_not_exist() {
    let (server, phones) = (Server::start(), Trio::start());
    let (bot, stranger) = (Bot::of(&server), Bot::of_another_application(&server));
    let call = Conversation::of(&bot, &phones.uris());
    let (path, bob) = (call.path(), call.participant(phones.bob.uri()));
    let operation = call.hold(&bob, None);
    for rest in ["", "/participants", &format!("/participants/{bob}"), &format!("/operations/{}", operation.id)] {
        check(&stranger.ask(Method::GET, &format!("{path}{rest}")), 404, "8522", "not found");
    }
    for rest in ["", &format!("/participants/{bob}")] {
        check(&stranger.ask(Method::DELETE, &format!("{path}{rest}")), 404, "8522", "not found");
    }
    for action in ["startHoldMusic", "stopHoldMusic", "mute"] {
        let answer = stranger.post(&format!("{path}/participants/{bob}/{action}"), &json!({}));
        check(&answer, 404, "8522", "not found");
    }
    for action in ["mute", "unmute", "keepAlive"] {
        check(&stranger.post(&format!("{path}/{action}"), &json!({})), 404, "8522", "not found");
    }
    let invitation = json!({ "participants": [phone_target("sip:dave@127.0.0.1")] });
    check(&stranger.post(&format!("{path}/participants/invite"), &invitation), 404, "8522", "not found");
    assert_eq!(stranger.ask(Method::GET, "/v1.0/communications/calls").body["value"], json!([]));
    // And it has done nothing.
    call.unhold(&bob);
}
