//! SIP over TLS and sound over SRTP, at our phones and at baresip: who hears what, and who is refused.

use std::net::Ipv4Addr;
use std::time::Instant;

use phone::{Codec, Config, Hold, Phone, SrtpPolicy, State, Suite};

use crate::harness::{
    ALICE_HZ, BOB_HZ, Baresip, BaresipCodec, BaresipTransport, Bot, CAROL_HZ, Conversation, Files, MUSIC_HZ, PATIENCE,
    Server, Trio, assert_hears_again, encrypted, encrypted_by, listen, phone_target, speaking, stage, user_target,
};

const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const BOB: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const CAROL: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

const REQUIRED: &str = "[srtp]\nphones = \"required\"";

/// Long enough to be told from a transition in a recording.
const TURN_PACKETS: u64 = 60;

fn is_encrypted(phone: &Phone) -> bool {
    phone.observe(|phone| phone.is_encrypted)
}

#[test]
fn whoever_is_held_over_tls_and_srtp_hears_only_the_music_and_is_not_heard() {
    let (server, files, _stage) = (Server::start_with(REQUIRED), Files::start(), stage());
    let bot = Bot::of(&server);
    let phones = Trio {
        alice: encrypted(&server, "alice", Codec::Pcmu, ALICE_HZ, SrtpPolicy::Required),
        bob: encrypted(&server, "bob", Codec::G722, BOB_HZ, SrtpPolicy::Required),
        carol: encrypted(&server, "carol", Codec::Opus, CAROL_HZ, SrtpPolicy::Optional),
    };
    let call = Conversation::of_targets(&bot, &[ALICE, BOB, CAROL].map(user_target));
    for phone in phones.phones() {
        phone.wait_for(State::Established, PATIENCE).expect("it has answered");
    }
    assert!(phones.phones().into_iter().all(is_encrypted));
    phones.assert_together(Instant::now());

    let bob = call.participant(BOB);
    call.hold(&bob, Some(&files.uri("/music.wav")));
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    phones.bob.hold_by(Hold::SendOnly);
    phones.bob.wait_until(PATIENCE, |bob| bob.hold == Hold::SendOnly).expect("the server agrees");
    phones.assert_bob_unheard(Instant::now());
    phones.bob.resume();
    phones.bob.wait_until(PATIENCE, |bob| bob.hold == Hold::Off).expect("the server agrees");
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    let until = call.unhold(&bob).arrived;
    phones.assert_together(until);
    let unauthentic: u64 = phones.phones().map(|phone| phone.statistics().unauthentic).iter().sum();
    assert_eq!(unauthentic, 0, "everything that came in was authentic, also where the keys were told once more");
}

#[test]
fn every_suite_is_understood() {
    let (server, _stage) = (Server::start_with(REQUIRED), stage());
    let bot = Bot::of(&server);
    let bob = encrypted(&server, "bob", Codec::Pcmu, BOB_HZ, SrtpPolicy::Required);
    for suite in Suite::ALL {
        let alice = encrypted_by(&server, "alice", Codec::Pcmu, ALICE_HZ, SrtpPolicy::Required, &[suite]);
        let call = Conversation::of_targets(&bot, &[ALICE, BOB].map(user_target));
        let held = call.participant(ALICE);
        call.hold(&held, None);
        let since = call.unhold(&held).arrived;
        let until = listen(&[&alice, &bob], TURN_PACKETS);
        assert_hears_again(&alice, &[BOB_HZ], since, until);
        assert_hears_again(&bob, &[ALICE_HZ], since, until);
        assert_eq!(alice.statistics().unauthentic, 0, "{suite:?}");
        call.remove(&held);
        call.hang_up();
        bob.hang_up();
        bob.wait_for(State::Ended, PATIENCE).expect("it hangs up");
        alice.unregister();
        alice.wait_until(PATIENCE, |alice| !alice.is_registered()).expect("the server lets it go");
    }
}

#[test]
fn whom_the_server_calls_over_tls_must_prove_who_it_is() {
    let callee = Server::start();
    let authority = callee.data().join("ca.pem");
    let trusting = format!("[sip]\ntls_authorities = \"{}\"", authority.display());
    for (settings, is_trusted) in [("", false), (trusting.as_str(), true)] {
        let server = Server::start_with(settings);
        let bot = Bot::of(&server);
        for scheme in ["sips:alice@localhost", "sip:alice@127.0.0.1"] {
            let target = format!("{scheme}:{};transport=tls", callee.sips().port());
            let created = bot.create_call(&[phone_target(&target)]);
            let id = created.body["id"].as_str().expect("a call has an id").to_owned();
            // The callee takes no calls, but to say so it must be reached.
            bot.expect("the end of the call", |notice| {
                notice.resource()["id"] == id.as_str() && notice.resource()["state"] == "terminated"
            });
        }
        let warned = server.log_lines("could not prove by TLS who it is").len();
        assert_eq!(warned, if is_trusted { 0 } else { 2 });
    }
}

#[test]
fn a_phone_on_tls_that_cannot_encrypt_is_called_in_clear_where_that_is_allowed() {
    let (server, _stage) = (Server::start(), stage());
    let bot = Bot::of(&server);
    let alice = encrypted(&server, "alice", Codec::Pcmu, ALICE_HZ, SrtpPolicy::Off);
    let bob = encrypted(&server, "bob", Codec::Pcmu, BOB_HZ, SrtpPolicy::Optional);
    Conversation::of_targets(&bot, &[ALICE, BOB].map(user_target));
    let since = Instant::now();
    let until = listen(&[&alice, &bob], TURN_PACKETS);
    assert!(!is_encrypted(&alice) && is_encrypted(&bob));
    assert_hears_again(&alice, &[BOB_HZ], since, until);
    assert_hears_again(&bob, &[ALICE_HZ], since, until);
}

#[test]
fn where_encryption_is_required_nobody_is_called_in_clear() {
    let server = Server::start_with(REQUIRED);
    let bot = Bot::of(&server);
    let on_tls = encrypted(&server, "alice", Codec::Pcmu, ALICE_HZ, SrtpPolicy::Off);
    let on_udp = speaking("bob", Codec::Pcmu, BOB_HZ);
    for target in [user_target(ALICE), phone_target(on_udp.uri())] {
        let created = bot.create_call(&[target]);
        let id = created.body["id"].as_str().expect("a call has an id").to_owned();
        bot.expect("the end of the call", |notice| {
            notice.resource()["id"] == id.as_str() && notice.resource()["state"] == "terminated"
        });
    }
    assert_eq!(on_udp.state(), State::Idle, "an offer in clear would have rung it, and keys are not told over UDP");
    assert_ne!(on_tls.state(), State::Established);
}

#[test]
fn keys_are_told_over_udp_where_the_operator_does_not_mind() {
    let (server, _stage) = (Server::start_with("[srtp]\nkeys_without_tls = true"), stage());
    let bot = Bot::of(&server);
    let config = Config { srtp: SrtpPolicy::Required, ..Config::new("alice", Ipv4Addr::LOCALHOST.into()) };
    let alice = Phone::start(config).expect("there are sockets for a phone");
    let bob = speaking("bob", Codec::Opus, BOB_HZ);
    Conversation::of(&bot, &[alice.uri(), bob.uri()]);
    let since = Instant::now();
    let until = listen(&[&alice], TURN_PACKETS);
    assert!(is_encrypted(&alice) && !is_encrypted(&bob));
    assert_hears_again(&alice, &[BOB_HZ], since, until);
}

#[test]
fn baresip_on_tls_and_srtp_hears_only_music_while_held_and_is_not_heard() {
    let (server, files, _stage) = (Server::start_with(REQUIRED), Files::start(), stage());
    let alice = Baresip::start_on(&server, BaresipTransport::TlsAndSrtp, "alice", BaresipCodec::G722, ALICE_HZ);
    let bob = encrypted(&server, "bob", Codec::Pcma, BOB_HZ, SrtpPolicy::Required);
    let bot = Bot::of(&server);
    let call = Conversation::of_targets(&bot, &[ALICE, BOB].map(user_target));
    // It needs a moment until its file is read.
    listen(&[&bob], TURN_PACKETS);
    let since = Instant::now();
    let until = listen(&[&bob], TURN_PACKETS);
    assert_hears_again(&bob, &[ALICE_HZ], since, until);
    let held = call.participant(ALICE);
    let accepted = call.hold(&held, Some(&files.uri("/music.wav"))).accepted;
    let until = listen(&[&bob], TURN_PACKETS);
    assert_hears_again(&bob, &[], accepted, until);
    let since = call.unhold(&held).arrived;
    let until = listen(&[&bob], TURN_PACKETS);
    assert_hears_again(&bob, &[ALICE_HZ], since, until);
    let (together, music): (&[u32], &[u32]) = (&[BOB_HZ], &[MUSIC_HZ]);
    assert_eq!(alice.recording().heard_in_turn(), [together, music, together]);
}
