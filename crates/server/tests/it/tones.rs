//! Keys that people press, and keys that the bot presses.

use std::time::{Duration, Instant};

use phone::{Codec, Config, Hold, Key, Phone, Recording, Speech, State};
use serde_json::{Value, json};

use crate::harness::{
    ALICE_HZ, BOB_HZ, Belief, Bot, Conversation, PATIENCE, assert_hears, assert_hears_again, listen, phone_target,
    speaking, stage,
};

fn key(char: char) -> Key {
    Key::from_char(char).expect("a key")
}

/// Asks to be told of tones.
fn subscribe(call: &Conversation<'_>) {
    let answer = call.ask("subscribeToTone", &json!({ "clientContext": "tones" }));
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("completed")), "{answer:?}");
    assert_eq!(answer.body["@odata.type"], "#microsoft.graph.subscribeToToneOperation");
    assert!(answer.header("location").ends_with(answer.body["id"].as_str().expect("an id")));
}

/// Returns the tones that the bot was told of, in their order.
fn told(bot: &Bot) -> Vec<String> {
    let tones = bot.notices().into_iter().filter(|notice| notice.resource()["toneInfo"].is_object());
    let tones: Vec<Value> = tones.map(|notice| notice.resource()["toneInfo"].clone()).collect();
    for (sequence, tone) in (1..).zip(&tones) {
        assert_eq!(tone["sequenceId"], sequence, "{tones:#?}");
    }
    tones.iter().map(|tone| tone["tone"].as_str().expect("a tone").to_owned()).collect()
}

/// Waits until the bot was told of exactly these tones.
#[track_caller]
fn expect_told(bot: &Bot, expected: &[&str]) {
    bot.expect_in("the last tone", |notices| {
        notices.iter().find(|notice| notice.resource()["toneInfo"]["sequenceId"] == expected.len())
    });
    assert_eq!(told(bot), expected);
}

/// A call of these phones with one bot.
fn call<'bot>(bot: &'bot Bot, phones: &[&Phone]) -> Conversation<'bot> {
    Conversation::of(bot, &phones.iter().map(|phone| phone.uri()).collect::<Vec<_>>())
}

/// A phone that says a key's tones for 200 ms in every second.
fn whistling(name: &str, codec: Codec, key_hz: [f64; 2]) -> Phone {
    const RATE_HZ: u32 = 48_000;
    let sample = |n: u32| {
        let tone = |hz: f64| (std::f64::consts::TAU * hz * f64::from(n) / f64::from(RATE_HZ)).sin();
        let is_pressed = (RATE_HZ / 2..RATE_HZ / 2 + RATE_HZ / 5).contains(&n);
        if is_pressed { ((tone(key_hz[0]) + tone(key_hz[1])) * 5_000.0) as i16 } else { 0 }
    };
    let recording = Recording { rate_hz: RATE_HZ, samples: (0..RATE_HZ).map(sample).collect() };
    let config = Config::new(name, std::net::Ipv4Addr::LOCALHOST.into());
    Phone::start(Config { speaks: Speech::Recording(recording), codecs: vec![codec], ..config }).expect("a phone")
}

#[test]
fn keys_are_told_in_order_and_once_whichever_way_they_come() {
    let (server, _stage) = (crate::harness::Server::start(), stage());
    let bot = Bot::of(&server);
    let (alice, bob) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::Opus, BOB_HZ));
    let call = call(&bot, &[&alice, &bob]);
    subscribe(&call);
    for (at, char) in ['1', '*', '#'].into_iter().enumerate() {
        bob.send_dtmf(key(char));
        // Of a phone that tells by RTP and by INFO, one is enough.
        bob.send_dtmf_info(key(char));
        bot.expect("a tone", |notice| notice.resource()["toneInfo"]["sequenceId"] == at + 1);
    }
    alice.send_dtmf_info(key('D'));
    expect_told(&bot, &["tone1", "star", "pound", "d"]);
    assert!(alice.observe(|alice| alice.hearing.keys().is_empty()), "keys are not for the others");
    Belief::of(&bot.notices());
}

#[test]
fn keys_that_are_only_sound_are_told_in_every_codec() {
    let (server, _stage) = (crate::harness::Server::start(), stage());
    let bot = Bot::of(&server);
    for (codec, hz, tone) in [
        (Codec::Pcmu, [770.0, 1336.0], "tone5"),
        (Codec::G722, [941.0, 1209.0], "star"),
        (Codec::Opus, [697.0, 1633.0], "a"),
    ] {
        let phones = [whistling("alice", codec, hz), speaking("bob", Codec::Pcma, BOB_HZ)];
        let call = call(&bot, &phones.each_ref());
        subscribe(&call);
        let told = bot.expect("a tone", |notice| {
            notice.resource()["id"] == call.id() && notice.resource()["toneInfo"]["sequenceId"] == 2
        });
        assert_eq!(told.resource()["toneInfo"]["tone"], tone, "{codec:?}");
        call.hang_up();
    }
}

#[test]
fn a_held_phones_keys_reach_the_bot_and_nobody_else() {
    let (server, _stage) = (crate::harness::Server::start(), stage());
    let bot = Bot::of(&server);
    let (alice, bob) = (whistling("alice", Codec::Pcmu, [770.0, 1336.0]), speaking("bob", Codec::G722, BOB_HZ));
    let call = call(&bot, &[&alice, &bob]);
    subscribe(&call);
    let held = call.hold(&call.participant(alice.uri()), None);
    let already = told(&bot).len();
    alice.send_dtmf(key('3'));
    bot.expect("a tone of a held phone's sound", |notice| {
        let tone = &notice.resource()["toneInfo"];
        tone["tone"] == "tone5" && tone["sequenceId"].as_u64().is_some_and(|at| at > already as u64 + 1)
    });
    assert!(told(&bot).contains(&"tone3".to_owned()), "{:?}", told(&bot));
    let to = listen(&[&bob], 20);
    assert_hears(&bob, &[], held.accepted, to);
    let heard = bob.heard_between(held.accepted + Duration::from_millis(60), to);
    assert!(heard.level_at(770.0) < -60.0 && heard.level_at(1336.0) < -60.0, "{}", heard.level_at(770.0));
    assert!(bob.observe(|bob| bob.hearing.keys().is_empty()));
}

#[test]
fn a_phones_own_music_presses_no_keys() {
    let (server, _stage) = (crate::harness::Server::start(), stage());
    let bot = Bot::of(&server);
    let (alice, bob) = (whistling("alice", Codec::Pcmu, [770.0, 1336.0]), speaking("bob", Codec::G722, BOB_HZ));
    let call = call(&bot, &[&alice, &bob]);
    alice.hold();
    alice.wait_until(PATIENCE, |alice| alice.hold == Hold::SendOnly).expect("the server agrees to a hold");
    subscribe(&call);
    // The phone goes on with its music of keys for more than two rounds.
    listen(&[&bob], 120);
    assert_eq!(told(&bot), [""; 0]);
}

#[test]
fn the_bot_presses_keys_towards_all_who_hear() {
    let (server, _stage) = (crate::harness::Server::start(), stage());
    let bot = Bot::of(&server);
    let (alice, bob) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::Opus, BOB_HZ));
    let call = call(&bot, &[&alice, &bob]);
    call.hold(&call.participant(bob.uri()), None);
    let body =
        json!({ "tones": ["tone1", "tone1", "star", "Pound"], "delayBetweenTonesMs": 80, "clientContext": "dial" });
    let answer = call.ask("sendDtmfTones", &body);
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("running")), "{answer:?}");
    assert!(answer.body.get("completionReason").is_none());
    assert_eq!(call.ask("sendDtmfTones", &json!({ "tones": ["tone2"] })).error(), (409, "8519"));
    let end = bot.expect("the end of the tones", |notice| notice.resource()["clientContext"] == "dial");
    assert_eq!(end.resource()["status"], "completed");
    assert_eq!(end.resource()["completionReason"], "completedSuccessfully");
    let keys =
        |phone: &Phone| phone.observe(|p| p.hearing.keys().iter().map(|key| key.key.as_char()).collect::<String>());
    assert_eq!(keys(&alice), "11*#");
    assert_eq!(keys(&bob), "", "a held phone gets nothing of it");
    let since = Instant::now();
    let to = listen(&[&alice], 13);
    assert_hears(&alice, &[], since, to);
    Belief::of(&bot.notices());
}

/// The bot of a hotline, from the first ring to the last word.
#[test]
fn a_hotline() {
    let (server, bot) = Bot::on_call();
    let _stage = stage();
    let (alice, bob) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::G722, BOB_HZ));
    alice.call(&format!("sip:bot@{}", server.sip())).expect("a SIP address");
    let call = Conversation::answered(&bot);
    subscribe(&call);
    // "Press 2 for sales."
    alice.wait_for(State::Established, PATIENCE).expect("the bot has answered");
    alice.send_dtmf(key('2'));
    expect_told(&bot, &["tone2"]);
    let caller = call.participant(alice.uri());
    call.hold(&caller, None);
    call.invite(&phone_target(bob.uri()), 3);
    let since = Instant::now();
    let to = listen(&[&bob], 20);
    assert_hears(&bob, &[], since, to);
    let since = call.unhold(&caller).arrived;
    let to = listen(&[&alice, &bob], 20);
    assert_hears_again(&alice, &[BOB_HZ], since, to);
    assert_hears_again(&bob, &[ALICE_HZ], since, to);
    alice.send_dtmf(key('#'));
    expect_told(&bot, &["tone2", "pound"]);
    // Its work is done: the two go on without it.
    call.hang_up();
    call.expect_end();
    // A phone that presses a key says nothing meanwhile.
    let since = listen(&[&alice, &bob], 20);
    let to = listen(&[&alice, &bob], 20);
    assert_hears(&alice, &[BOB_HZ], since, to);
    assert_hears(&bob, &[ALICE_HZ], since, to);
    bob.hang_up();
    alice.wait_for(State::Ended, PATIENCE).expect("nobody is left to talk to");
    Belief::of(&bot.notices());
}
