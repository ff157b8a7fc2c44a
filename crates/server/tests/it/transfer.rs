//! The bot gives its call to somebody else.

use std::time::Instant;

use phone::{Answer, Codec, Phone, State, Status};
use serde_json::json;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Belief, Bot, Conversation, Files, MUSIC_HZ, PATIENCE, Server, assert_hears, assert_hears_again,
    listen, phone_target, speaking, stage, user_target,
};
use crate::registration::registered;

/// A user of the `dev` profile.
const BOB: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

/// Alice calls the bot, which answers.
fn called<'bot>(server: &Server, bot: &'bot Bot, alice: &Phone) -> Conversation<'bot> {
    alice.call(&format!("sip:bot@{}", server.sip())).expect("a SIP address");
    Conversation::answered(bot)
}

#[test]
fn the_transferee_talks_to_the_target_and_the_bot_is_out() {
    let (server, bot) = Bot::on_call();
    let _stage = stage();
    let (alice, bob) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::Opus, BOB_HZ));
    let call = called(&server, &bot, &alice);
    call.decide("transfer", &json!({ "transferTarget": phone_target(bob.uri()) }));
    call.expect_state("transferring");
    call.expect_state("transferAccepted");
    let end = call.expect_end();
    assert_eq!(end.resource()["resultInfo"]["subcode"], 7015, "{:#}", end.body);
    let since = Instant::now();
    let to = listen(&[&alice, &bob], 20);
    assert_hears_again(&alice, &[BOB_HZ], since, to);
    assert_hears_again(&bob, &[ALICE_HZ], since, to);
    alice.hang_up();
    bob.wait_for(State::Ended, PATIENCE).expect("nobody is left to talk to");
    Belief::of(&bot.notices());
}

#[test]
fn a_transfer_that_fails_changes_nothing_for_a_held_transferee() {
    let (server, bot) = Bot::on_call();
    let (files, _stage) = (Files::start(), stage());
    let alice = speaking("alice", Codec::Pcmu, ALICE_HZ);
    let _bob = registered(&server, "bob", Answer::Reject(Status::BUSY_HERE));
    let call = called(&server, &bot, &alice);
    let caller = call.participant(alice.uri());
    call.hold(&caller, Some(&files.uri("/music.wav")));
    let since = Instant::now();
    call.decide("transfer", &json!({ "transferTarget": user_target(BOB) }));
    let failed = bot.expect("the failure", |notice| notice.resource()["resultInfo"]["code"] == 500);
    assert_eq!(failed.resource()["state"], "established");
    let to = listen(&[&alice], 20);
    assert_hears(&alice, &[MUSIC_HZ], since, to);
    call.unhold(&caller);
    alice.hang_up();
    call.expect_end();
    Belief::of(&bot.notices());
}
