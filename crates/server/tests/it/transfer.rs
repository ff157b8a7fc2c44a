//! The bot gives its call to somebody else.

use std::time::Instant;

use phone::{Answer, Codec, Hold, Observation, Phone, State, Status};
use serde_json::json;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Belief, Bot, CAROL_HZ, Conversation, Files, MUSIC_HZ, PATIENCE, Server, assert_hears,
    assert_hears_again, listen, phone_target, speaking, stage, user_target,
};
use crate::registration::registered;

/// Users of the `dev` profile.
const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
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

#[test]
fn who_was_asked_first_is_moved_to_the_transferee_and_both_calls_end() {
    let (files, _stage) = (Files::start(), stage());
    for (codec, is_held) in [(Codec::Pcmu, true), (Codec::Opus, false)] {
        let (server, bot) = Bot::on_call();
        let (alice, bob) = (speaking("alice", Codec::G722, ALICE_HZ), speaking("bob", codec, BOB_HZ));
        let call = called(&server, &bot, &alice);
        let caller = call.participant(alice.uri());
        call.hold(&caller, Some(&files.uri("/music.wav")));
        // "Will you take it?" The consultation is a call of its own.
        let asked = Conversation::with_one(&bot, bob.uri());
        if is_held {
            asked.hold(&asked.participant(bob.uri()), None);
        }
        let since = Instant::now();
        let to = listen(&[&alice, &bob], 13);
        assert_hears(&alice, &[MUSIC_HZ], since, to);
        let mut target = phone_target(bob.uri());
        target["replacesCallId"] = json!(asked.id());
        call.decide("transfer", &json!({ "transferTarget": target }));
        assert_eq!(asked.expect_end().resource()["resultInfo"]["subcode"], 7015);
        assert_eq!(call.expect_end().resource()["resultInfo"]["subcode"], 7015);
        let since = Instant::now();
        let to = listen(&[&alice, &bob], 20);
        assert_hears_again(&alice, &[BOB_HZ], since, to);
        assert_hears_again(&bob, &[ALICE_HZ], since, to);
        // What the phone wants of its call reaches where it is now.
        bob.hold();
        bob.wait_until(PATIENCE, |bob| bob.hold == Hold::SendOnly).expect("the server agrees to a hold");
        bob.resume();
        bob.wait_until(PATIENCE, |bob| bob.hold == Hold::Off).expect("the server agrees to the end of it");
        bob.hang_up();
        alice.wait_for(State::Ended, PATIENCE).expect("nobody is left to talk to");
        Belief::of(&bot.notices());
    }
}

#[test]
fn only_ones_own_calls_with_one_person_can_be_replaced() {
    let (server, bot) = Bot::on_call();
    let (alice, bob, carol) = (
        speaking("alice", Codec::Pcmu, ALICE_HZ),
        speaking("bob", Codec::Pcmu, BOB_HZ),
        speaking("carol", Codec::Pcmu, CAROL_HZ),
    );
    let call = called(&server, &bot, &alice);
    let group = Conversation::of(&bot, &[bob.uri(), carol.uri()]);
    let transfer = |replaces: &str| {
        let mut target = phone_target(bob.uri());
        target["replacesCallId"] = json!(replaces);
        json!({ "transferTarget": target })
    };
    assert_eq!(call.ask("transfer", &transfer("nothing")).error(), (400, "8523"));
    assert_eq!(call.ask("transfer", &transfer(call.id())).error(), (400, "8523"));
    let strangers = "99999999-9999-4999-8999-999999999999";
    assert_eq!(call.ask("transfer", &transfer(strangers)).error(), (404, "8522"));
    call.decide("transfer", &transfer(group.id()));
    let failed = bot.expect("the failure", |notice| notice.resource()["resultInfo"]["subcode"] == 7700);
    assert_eq!(failed.resource()["state"], "established");
    let since = Instant::now();
    let to = listen(&[&bob, &carol], 20);
    assert_hears_again(&bob, &[CAROL_HZ], since, to);
    Belief::of(&bot.notices());
}

#[test]
fn who_was_asked_first_is_moved_into_a_group_by_an_invitation() {
    let (server, bot) = Bot::on_call();
    let _stage = stage();
    let (alice, bob) = (speaking("alice", Codec::Pcma, ALICE_HZ), speaking("bob", Codec::Opus, BOB_HZ));
    let call = called(&server, &bot, &alice);
    let asked = Conversation::with_one(&bot, bob.uri());
    let mut target = phone_target(bob.uri());
    target["replacesCallId"] = json!(asked.id());
    call.invite(&target, 3);
    asked.expect_end();
    let since = Instant::now();
    let to = listen(&[&alice, &bob], 20);
    assert_hears_again(&alice, &[BOB_HZ], since, to);
    assert_hears_again(&bob, &[ALICE_HZ], since, to);
    call.hang_up();
    Belief::of(&bot.notices());
}

#[test]
fn a_phone_transfers_its_call_and_is_told_how_that_went() {
    let (server, bot) = Bot::on_call();
    let _stage = stage();
    let alice = registered(&server, "alice", Answer::Never);
    let bob = speaking("bob", Codec::G722, BOB_HZ);
    let carol = speaking("carol", Codec::Pcmu, CAROL_HZ);
    let busy = registered(&server, "bob", Answer::Reject(Status::BUSY_HERE));
    let call = called(&server, &bot, &alice);
    call.invite(&phone_target(bob.uri()), 3);
    let referrer = call.participant(ALICE);
    // First to somebody who is busy, as it would be dialled on the phone.
    alice.refer(&format!("sip:bob@{}", server.sip()), None).expect("a SIP address");
    let told = |status: u16| move |phone: &Observation| phone.refer_status.is_some_and(|s| s.code() == status);
    alice.wait_until(PATIENCE, told(486)).expect("it is told that its target is busy");
    assert_eq!(alice.state(), State::Established);
    drop(busy);
    alice.refer(carol.uri(), None).expect("a SIP address");
    alice.wait_until(PATIENCE, told(200)).expect("it is told that its target has answered");
    alice.wait_for(State::Ended, PATIENCE).expect("it is out");
    call.expect_roster_without(&referrer);
    call.participant(carol.uri());
    let since = Instant::now();
    let to = listen(&[&bob, &carol], 20);
    assert_hears_again(&bob, &[CAROL_HZ], since, to);
    assert_hears_again(&carol, &[BOB_HZ], since, to);
    call.hang_up();
    Belief::of(&bot.notices());
}

/// A phone that refers the server to carol is told no, and nobody is called.
fn assert_may_not_refer(phone: &Phone) {
    let carol = speaking("carol", Codec::Pcmu, CAROL_HZ);
    phone.refer(carol.uri(), None).expect("a SIP address");
    let is_declined = |phone: &Observation| phone.refer_status == Some(Status::DECLINE);
    phone.wait_until(PATIENCE, is_declined).expect("it may not");
    assert_eq!(carol.state(), State::Idle);
}

#[test]
fn strangers_have_nobody_called() {
    let (server, bot) = Bot::on_call();
    let stranger = speaking("dave", Codec::Pcmu, ALICE_HZ);
    let _call = called(&server, &bot, &stranger);
    assert_may_not_refer(&stranger);
}

#[test]
fn held_phones_have_nobody_called() {
    let (server, bot) = Bot::on_call();
    let alice = registered(&server, "alice", Answer::Never);
    let call = called(&server, &bot, &alice);
    call.hold(&call.participant(ALICE), None);
    assert_may_not_refer(&alice);
}

#[test]
fn who_calls_with_replaces_takes_a_phones_place() {
    let (server, bot) = Bot::on_call();
    let _stage = stage();
    let (alice, bob, carol) = (
        speaking("alice", Codec::Pcmu, ALICE_HZ),
        speaking("bob", Codec::G722, BOB_HZ),
        speaking("carol", Codec::Opus, CAROL_HZ),
    );
    let call = called(&server, &bot, &alice);
    call.invite(&phone_target(bob.uri()), 3);
    let place = alice.observe(|alice| alice.dialog.clone()).expect("alice is in a call");
    // While alice is held nobody gets out of the hold by taking her place.
    let caller = call.participant(alice.uri());
    call.hold(&caller, None);
    let at_server = format!("sip:bot@{}", server.sip());
    carol.call_in_place_of(&at_server, Some(place.clone())).expect("a SIP address");
    let declined = State::Failed(Status::DECLINE);
    carol.wait_for(declined, PATIENCE).expect("the place is not free");
    call.unhold(&caller);
    carol.call_in_place_of(&at_server, Some(place)).expect("a SIP address");
    alice.wait_for(State::Ended, PATIENCE).expect("her place is taken");
    call.expect_roster_without(&caller);
    call.participant(carol.uri());
    let since = Instant::now();
    let to = listen(&[&bob, &carol], 20);
    assert_hears_again(&bob, &[CAROL_HZ], since, to);
    assert_hears_again(&carol, &[BOB_HZ], since, to);
    call.hang_up();
    Belief::of(&bot.notices());
}
