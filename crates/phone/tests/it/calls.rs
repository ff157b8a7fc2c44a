//! Calls: made, taken, refused, given up, ended.

use std::time::Duration;

use edge::sip::{Status, Transport};
use media::Codec;
use phone::{Answer, Config, Phone, State};

use crate::{SOON, check_hears, connect, says};

/// Lets two phones that know one codec talk.
fn check_talk(codec: Codec, transport: Transport) {
    let knows = |config: Config| Config { codecs: vec![codec], transport, ..config };
    let alice = Phone::start(knows(says("alice", 440))).unwrap();
    let bob = Phone::start(knows(says("bob", 1000))).unwrap();
    connect(&alice, &bob);
    assert_eq!(alice.observe(|phone| phone.codec), Some(codec));
    check_hears(&alice, 1000, 440);
    check_hears(&bob, 440, 1000);
    for phone in [&alice, &bob] {
        let statistics = phone.statistics();
        let troubles = [statistics.lost, statistics.duplicates, statistics.undecodable, statistics.invalid];
        assert_eq!((troubles, statistics.foreign, statistics.source_changes), ([0; 4], 0, 0));
    }
}

#[test]
fn talk_in_pcmu() {
    check_talk(Codec::Pcmu, Transport::Udp);
}

#[test]
fn talk_in_pcma() {
    check_talk(Codec::Pcma, Transport::Udp);
}

#[test]
fn talk_in_g722() {
    check_talk(Codec::G722, Transport::Udp);
}

#[test]
fn talk_in_opus() {
    check_talk(Codec::Opus, Transport::Udp);
}

#[test]
fn talk_over_tcp() {
    check_talk(Codec::Pcmu, Transport::Tcp);
}

#[test]
fn either_side_hangs_up() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    for hangs_up in [&alice, &bob] {
        connect(&alice, &bob);
        hangs_up.hang_up();
        alice.wait_for(State::Ended, SOON).unwrap();
        bob.wait_for(State::Ended, SOON).unwrap();
    }
}

#[test]
fn a_phone_that_is_switched_off_says_goodbye() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    drop(bob);
    alice.wait_for(State::Ended, SOON).unwrap();
}

#[test]
fn a_phone_rings_before_it_answers() {
    let late = Config { answer: Answer::After(Duration::from_millis(300)), ..says("bob", 1000) };
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(late).unwrap());
    alice.call(bob.uri()).unwrap();
    alice.wait_for(State::Ringing, SOON).unwrap();
    alice.wait_for(State::Established, SOON).unwrap();
}

#[test]
fn a_caller_gives_up_ringing() {
    let silent = Config { answer: Answer::Never, ..says("bob", 1000) };
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(silent).unwrap());
    alice.call(bob.uri()).unwrap();
    alice.wait_for(State::Ringing, SOON).unwrap();
    alice.hang_up();
    bob.wait_for(State::Ended, SOON).unwrap();
    alice.wait_until(SOON, |phone| matches!(phone.state, State::Ended | State::Failed(_))).unwrap();
}

#[test]
fn a_phone_refuses() {
    let refusing = Config { answer: Answer::Reject(Status::DECLINE), ..says("bob", 1000) };
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(refusing).unwrap());
    alice.call(bob.uri()).unwrap();
    alice.wait_for(State::Failed(Status::DECLINE), SOON).unwrap();
}

#[test]
fn a_phone_in_a_call_is_busy_and_the_call_goes_on() {
    let [alice, bob, carol] =
        [("alice", 440), ("bob", 1000), ("carol", 1500)].map(|(name, hz)| Phone::start(says(name, hz)).unwrap());
    connect(&alice, &bob);
    carol.call(bob.uri()).unwrap();
    carol.wait_for(State::Failed(Status::BUSY_HERE), SOON).unwrap();
    check_hears(&bob, 440, 1500);
}

#[test]
fn phones_without_a_common_codec_do_not_meet() {
    let knows = |codec, config: Config| Config { codecs: vec![codec], ..config };
    let alice = Phone::start(knows(Codec::Pcmu, says("alice", 440))).unwrap();
    let bob = Phone::start(knows(Codec::G722, says("bob", 1000))).unwrap();
    alice.call(bob.uri()).unwrap();
    alice.wait_for(State::Failed(Status::NOT_ACCEPTABLE_HERE), SOON).unwrap();
    bob.wait_until(SOON, |phone| phone.state != State::Ringing).unwrap();
}

#[test]
fn what_cannot_be_called() {
    let alice = Phone::start(says("alice", 440)).unwrap();
    for uri in ["bob", "tel:+15550100", "sip:bob@example.com", "sip:bob@127.0.0.1;transport=tcp"] {
        assert_eq!(alice.call(uri).unwrap_err().uri, uri);
    }
    assert_eq!(alice.state(), State::Idle);
}
