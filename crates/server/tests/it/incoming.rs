//! Phones call the bot: it answers, rejects, redirects, or does not decide.

use std::time::Instant;

use phone::{Answer, Phone, State, Status};
use reqwest::Method;
use serde_json::json;

use crate::harness::{
    ALICE_HZ, BOB_HZ, BOT_NUMBER, Belief, Bot, CAROL_HZ, Conversation, Files, MUSIC_HZ, PATIENCE, Server, answer_body,
    assert_hears, assert_hears_again, listen, phone_target, speaking, stage, user_target,
};
use crate::registration::registered;

/// Users of the `dev` profile.
const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const BOB: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

fn call_bot(server: &Server, phone: &Phone) {
    call(server, phone, "bot");
}

fn call(server: &Server, phone: &Phone, name: &str) {
    phone.call(&format!("sip:{name}@{}", server.sip())).expect("a SIP address");
}

#[track_caller]
fn assert_refused(phone: &Phone, code: u16) {
    let refused = State::Failed(Status::new(code).expect("a status"));
    assert!(phone.wait_for(refused, PATIENCE).is_ok(), "{:?}, not {refused:?}", phone.state());
}

#[test]
fn a_user_calls_the_bot_and_is_who_it_proved_to_be() {
    let (server, bot) = Bot::on_call();
    let phone = registered(&server, "alice", Answer::Never);
    call_bot(&server, &phone);
    let call = Conversation::incoming(&bot);
    phone.wait_for(State::Ringing, PATIENCE).expect("the caller hears that it rings");
    let shown = bot.ask(Method::GET, &call.path()).body;
    let notice = bot.notices().remove(0);
    let told = notice.resource();
    for call in [&shown, told] {
        assert_eq!(call["state"], "incoming");
        assert_eq!(call["direction"], "incoming");
        assert_eq!(call["source"]["identity"]["user"]["id"], ALICE);
        assert_eq!(call["source"]["identity"]["user"]["displayName"], "Alice");
        assert_eq!(call["targets"][0]["identity"]["application"]["id"], "22222222-2222-4222-8222-222222222222");
        assert_eq!(call["requestedModalities"], json!(["audio"]));
        assert!(call["myParticipantId"].is_string() && call["callChainId"].is_string(), "{call:#}");
    }
    assert!(shown["mediaConfig"].is_null() && told.get("resultInfo").is_none());
    call.decide("answer", &answer_body());
    call.expect_state("established");
    phone.wait_for(State::Established, PATIENCE).expect("it is answered");
    let shown = bot.ask(Method::GET, &call.path()).body;
    assert_eq!(shown["mediaConfig"]["@odata.type"], "#microsoft.graph.serviceHostedMediaConfig");
    assert_eq!(shown["state"], "established");
    phone.hang_up();
    assert_eq!(call.expect_end().resource()["resultInfo"]["subcode"], 4521);
    Belief::of(&bot.notices());
}

#[test]
fn a_phone_of_a_trusted_host_calls_by_number_and_is_a_phone() {
    let (server, bot) = Bot::on_call();
    let alice = speaking("alice", phone::Codec::Pcmu, ALICE_HZ);
    call(&server, &alice, BOT_NUMBER);
    let call = Conversation::answered(&bot);
    assert_eq!(bot.notices()[0].resource()["source"]["identity"]["phone"]["id"], alice.uri());
    call.hang_up();
    alice.wait_for(State::Ended, PATIENCE).expect("the bot has hung up");
}

#[test]
fn later_notices_go_to_the_callback_that_the_answer_names() {
    let (server, bot) = Bot::on_call();
    let other = Bot::of(&server);
    let alice = speaking("alice", phone::Codec::Pcmu, ALICE_HZ);
    call_bot(&server, &alice);
    let call = Conversation::incoming(&bot);
    let mut body = answer_body();
    body["callbackUri"] = json!(other.callback_uri());
    call.decide("answer", &body);
    other.expect("the rest", |notice| notice.resource()["state"] == "established");
    assert_eq!(bot.ask(Method::GET, &call.path()).body["callbackUri"], other.callback_uri());
    assert_eq!(bot.notices().len(), 1, "{:#?}", bot.notices());
    assert_eq!(other.notices()[0].resource()["state"], "establishing");
}

#[test]
fn a_rejected_caller_hears_why() {
    for (reason, status) in [("none", 603), ("busy", 486), ("forbidden", 403)] {
        let (server, bot) = Bot::on_call();
        let alice = speaking("alice", phone::Codec::Pcmu, ALICE_HZ);
        call_bot(&server, &alice);
        let call = Conversation::incoming(&bot);
        call.decide("reject", &json!({ "reason": reason }));
        assert_refused(&alice, status);
        assert_eq!(call.expect_end().value()["changeType"], "deleted");
        assert_eq!(call.ask("answer", &answer_body()).error(), (404, "8522"));
        Belief::of(&bot.notices());
    }
}

#[test]
fn a_caller_who_gives_up_is_gone_before_the_answer() {
    let (server, bot) = Bot::on_call();
    let alice = speaking("alice", phone::Codec::Pcmu, ALICE_HZ);
    call_bot(&server, &alice);
    let call = Conversation::incoming(&bot);
    alice.hang_up();
    let end = call.expect_end();
    assert_eq!(
        (&end.value()["changeType"], &end.resource()["resultInfo"]["subcode"]),
        (&json!("deleted"), &json!(8542))
    );
    assert_eq!(call.ask("answer", &answer_body()).error(), (404, "8522"));
}

#[test]
fn a_bot_that_does_not_decide_loses_the_call_after_15_seconds() {
    let (server, bot) = Bot::on_call();
    let alice = speaking("alice", phone::Codec::Pcmu, ALICE_HZ);
    call_bot(&server, &alice);
    let call = Conversation::incoming(&bot);
    assert_eq!(call.expect_end().resource()["resultInfo"]["subcode"], 8587);
    assert_refused(&alice, 480);
    Belief::of(&bot.notices());
}

#[test]
fn strangers_and_wrong_numbers_reach_nobody() {
    let (server, bot) = Bot::on_call();
    let alice = speaking("alice", phone::Codec::Pcmu, ALICE_HZ);
    call(&server, &alice, "nobody");
    assert_refused(&alice, 404);
    let impostor = speaking("impostor", phone::Codec::Pcmu, ALICE_HZ);
    let distrusting = Server::start_with("[sip]\ntrusted = []\n");
    call_bot(&distrusting, &impostor);
    assert_refused(&impostor, 401);
    assert!(bot.notices().is_empty(), "{:#?}", bot.notices());
}

#[test]
fn a_redirected_caller_talks_to_the_first_who_answers_and_the_bot_is_out() {
    let (server, bot) = Bot::on_call();
    let _stage = stage();
    let (alice, carol) =
        (speaking("alice", phone::Codec::G722, ALICE_HZ), speaking("carol", phone::Codec::Opus, CAROL_HZ));
    let bob = registered(&server, "bob", Answer::Never);
    call_bot(&server, &alice);
    let call = Conversation::incoming(&bot);
    call.decide("redirect", &json!({ "targets": [user_target(BOB), phone_target(carol.uri())], "timeout": 15 }));
    let end = call.expect_end();
    assert_eq!(end.resource()["resultInfo"]["code"], 200, "{:#}", end.body);
    let together = Instant::now();
    let to = listen(&[&alice, &carol], 20);
    assert_hears_again(&alice, &[CAROL_HZ], together, to);
    assert_hears_again(&carol, &[ALICE_HZ], together, to);
    bob.wait_for(State::Ended, PATIENCE).expect("it rings no longer");
    alice.hang_up();
    carol.wait_for(State::Ended, PATIENCE).expect("nobody is left to talk to");
    Belief::of(&bot.notices());
}

#[test]
fn a_redirected_caller_whom_nobody_takes_hears_why() {
    let (server, bot) = Bot::on_call();
    let alice = speaking("alice", phone::Codec::Pcmu, ALICE_HZ);
    let _bob = registered(&server, "bob", Answer::Reject(Status::BUSY_HERE));
    call_bot(&server, &alice);
    let call = Conversation::incoming(&bot);
    assert_eq!(call.ask("redirect", &json!({ "targets": [] })).error(), (400, "8523"));
    call.decide("redirect", &json!({ "targets": [user_target(BOB)] }));
    assert_refused(&alice, 486);
    assert_eq!(call.expect_end().resource()["resultInfo"]["subcode"], 8539);
}

#[test]
fn the_bot_invites_an_agent_and_holds_the_caller() {
    let (server, bot) = Bot::on_call();
    let (files, _stage) = (Files::start(), stage());
    let (alice, bob) = (speaking("alice", phone::Codec::Pcmu, ALICE_HZ), speaking("bob", phone::Codec::G722, BOB_HZ));
    call_bot(&server, &alice);
    let call = Conversation::answered(&bot);
    let caller = call.participant(alice.uri());
    // Alone with the bot, the caller can be held, too.
    call.hold(&caller, Some(&files.uri("/music.wav")));
    let since = Instant::now();
    let to = listen(&[&alice], 13);
    assert_hears(&alice, &[MUSIC_HZ], since, to);
    // The agent comes while the caller is held: they are apart all the same.
    call.invite(&phone_target(bob.uri()), 3);
    let since = Instant::now();
    let to = listen(&[&alice, &bob], 20);
    assert_hears(&alice, &[MUSIC_HZ], since, to);
    assert_hears(&bob, &[], since, to);
    let since = call.unhold(&caller).arrived;
    let to = listen(&[&alice, &bob], 20);
    assert_hears_again(&alice, &[BOB_HZ], since, to);
    assert_hears_again(&bob, &[ALICE_HZ], since, to);
    // A group goes on without its bot.
    call.hang_up();
    let since = Instant::now();
    let to = listen(&[&alice, &bob], 20);
    assert_hears(&alice, &[BOB_HZ], since, to);
    Belief::of(&bot.notices());
}
