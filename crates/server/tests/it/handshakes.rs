//! Sound whose keys are made by a handshake over its own path (DTLS-SRTP): who hears what before, during and after a hold,
//! whoever begins, and who is refused. SIP goes over UDP here: nothing secret stands in it.

use std::net::Ipv4Addr;
use std::time::Instant;

use phone::{Codec, Config, Hold, Keying, Phone, Speech, SrtpPolicy, State, Status};
use serde_json::Value;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Baresip, BaresipCodec, BaresipTransport, Bot, CAROL_HZ, Conversation, Files, MUSIC_HZ, Notice,
    PATIENCE, SPOKEN_DBFS, Server, Trio, answer_body, assert_hears_again, go_first, listen, phone_target, speaking,
    stage, user_target,
};

/// A user of the `dev` profile.
const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

/// Whoever is called is offered a handshake, and nobody is called in clear.
const REQUIRED: &str = "[srtp]\nphones = \"required\"\noffers = [\"dtls\"]";

/// Long enough to be told from a transition in a recording.
const TURN_PACKETS: u64 = 60;

fn config(name: &str, codec: Codec, hz: u32) -> Config {
    Config {
        srtp: SrtpPolicy::Required,
        keys: vec![Keying::Dtls],
        speaks: Speech::Tone { hz, level_dbfs: SPOKEN_DBFS },
        codecs: vec![codec],
        ..Config::new(name, Ipv4Addr::LOCALHOST.into())
    }
}

fn start(config: Config) -> Phone {
    go_first();
    Phone::start(config).expect("there are sockets for a phone")
}

fn shaking(name: &str, codec: Codec, hz: u32) -> Phone {
    start(config(name, codec, hz))
}

#[track_caller]
fn expect_encrypted(phone: &Phone) {
    assert!(phone.wait_until(PATIENCE, |phone| phone.is_encrypted).is_ok(), "there are no keys");
}

/// Calls somebody who will not be in, and waits for the end of the call.
fn end_of_call_to(bot: &Bot, target: Value) -> Notice {
    let created = bot.create_call(&[target]);
    let id = created.body["id"].as_str().expect("a call has an id");
    bot.expect("the end of the call", |notice| {
        notice.resource()["id"] == id && notice.resource()["state"] == "terminated"
    })
}

/// The numbers that say why a call has ended.
fn reason(end: &Notice) -> (u64, u64) {
    let info = &end.resource()["resultInfo"];
    (info["code"].as_u64().expect("a code"), info["subcode"].as_u64().expect("a subcode"))
}

#[test]
fn whoever_is_held_hears_only_the_music_and_is_not_heard_through_holds_of_its_own() {
    let (server, files, _stage) = (Server::start_with(REQUIRED), Files::start(), stage());
    let bot = Bot::of(&server);
    let phones = Trio {
        alice: shaking("alice", Codec::Pcmu, ALICE_HZ),
        bob: shaking("bob", Codec::G722, BOB_HZ),
        carol: shaking("carol", Codec::Opus, CAROL_HZ),
    };
    let call = Conversation::of(&bot, &phones.uris());
    phones.phones().into_iter().for_each(expect_encrypted);
    phones.assert_together(Instant::now());

    let bob = call.participant(phones.bob.uri());
    call.hold(&bob, Some(&files.uri("/music.wav")));
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    for hold in [Hold::SendOnly, Hold::Inactive, Hold::ZeroAddress] {
        phones.bob.hold_by(hold);
        phones.bob.wait_until(PATIENCE, |bob| bob.hold == hold).expect("the server agrees");
        phones.assert_bob_unheard(Instant::now());
        phones.bob.resume();
        phones.bob.wait_until(PATIENCE, |bob| bob.hold == Hold::Off).expect("the server agrees");
        phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    }
    phones.bob.move_rtp();
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    let until = call.unhold(&bob).arrived;
    phones.assert_together(until);
    let unauthentic: u64 = phones.phones().map(|phone| phone.statistics().unauthentic).iter().sum();
    assert_eq!(unauthentic, 0, "nothing came in clear, and nothing before there were keys");
}

#[test]
fn a_phone_that_calls_begins_the_handshake_itself() {
    let (server, bot) = Bot::on_call();
    let _stage = stage();
    let alice = shaking("alice", Codec::Pcmu, ALICE_HZ);
    alice.call(&format!("sip:bot@{}", server.sip())).expect("a SIP address");
    let call = Conversation::answered(&bot);
    expect_encrypted(&alice);
    let bob = speaking("bob", Codec::Opus, BOB_HZ);
    call.invite(&phone_target(bob.uri()), 3);
    let since = Instant::now();
    let until = listen(&[&alice, &bob], TURN_PACKETS);
    assert_hears_again(&alice, &[BOB_HZ], since, until);
    assert_hears_again(&bob, &[ALICE_HZ], since, until);
    assert_eq!(alice.statistics().unauthentic, 0);
}

#[test]
fn who_does_not_have_the_certificate_that_was_told_is_refused_and_hears_nothing() {
    let server = Server::start_with(REQUIRED);
    let bot = Bot::of(&server);
    let mallory = start(Config { is_impostor: true, ..config("mallory", Codec::Pcmu, ALICE_HZ) });
    assert_eq!(reason(&end_of_call_to(&bot, phone_target(mallory.uri()))), (410, 301_005));
    mallory.wait_for(State::Ended, PATIENCE).expect("the server hangs up");
    assert_eq!(mallory.statistics().packets, 0);
    let established = bot.notices().iter().any(|notice| notice.resource()["state"] == "established");
    assert!(!established, "nobody was there, so nothing has said so");
}

#[test]
fn an_impostor_that_calls_is_refused_and_hears_nothing() {
    let (server, bot) = Bot::on_call();
    let mallory = start(Config { is_impostor: true, ..config("mallory", Codec::Pcmu, ALICE_HZ) });
    mallory.call(&format!("sip:bot@{}", server.sip())).expect("a SIP address");
    let call = Conversation::incoming(&bot);
    call.decide("answer", &answer_body());
    assert_eq!(reason(&call.expect_end()), (410, 301_005));
    mallory.wait_for(State::Ended, PATIENCE).expect("the server hangs up");
    assert_eq!(mallory.statistics().packets, 0);
}

#[test]
fn who_refuses_a_handshake_is_called_in_clear_where_that_is_allowed() {
    let (server, _stage) = (Server::start_with("[srtp]\noffers = [\"dtls\"]"), stage());
    let bot = Bot::of(&server);
    let (alice, bob) = (shaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::Pcmu, BOB_HZ));
    Conversation::of(&bot, &[alice.uri(), bob.uri()]);
    expect_encrypted(&alice);
    let since = Instant::now();
    let until = listen(&[&alice, &bob], TURN_PACKETS);
    assert!(!bob.observe(|bob| bob.is_encrypted));
    assert_hears_again(&alice, &[BOB_HZ], since, until);
    assert_hears_again(&bob, &[ALICE_HZ], since, until);
}

#[test]
fn where_handshakes_are_switched_off_they_are_refused() {
    let (server, _bot) = Bot::on_call_with("[srtp]\nkeys = [\"sdes\"]");
    let alice = shaking("alice", Codec::Pcmu, ALICE_HZ);
    alice.call(&format!("sip:bot@{}", server.sip())).expect("a SIP address");
    let refused = State::Failed(Status::NOT_ACCEPTABLE_HERE);
    alice.wait_for(refused, PATIENCE).expect("488");
}

/// Debian's baresip 1.0.0 has an RSA certificate, which the library for handshakes does not know.
#[test]
fn a_phone_whose_certificate_is_of_another_kind_is_not_in_and_the_call_ends() {
    let server = Server::start_with(REQUIRED);
    let _alice = Baresip::start_on(&server, BaresipTransport::UdpAndDtls, "alice", BaresipCodec::G722, ALICE_HZ);
    let bot = Bot::of(&server);
    assert_eq!(reason(&end_of_call_to(&bot, user_target(ALICE))), (410, 301_005));
}
