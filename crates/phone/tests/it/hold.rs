//! Phones that hold each other.

use std::time::Duration;

use edge::sdp::Direction;
use phone::{Codec, Hold, Level, Manner, Observation, Offers, Phone};

use crate::{SOON, arrival_of_next, check_hears, connect, says};

/// Waits until no packet of sound comes any more: for ten times the time between two.
fn fall_silent(phone: &Phone) {
    let mut packets = u64::MAX;
    while packets != phone.statistics().packets {
        packets = phone.statistics().packets;
        let _ = phone.wait_until(Duration::from_millis(200), |phone| phone.hearing.statistics().packets > packets);
    }
}

fn wait(phone: &Phone, condition: impl Fn(&Observation) -> bool) {
    phone.wait_until(SOON, condition).unwrap();
}

#[test]
fn a_held_phone_is_silent_and_hears_what_the_other_plays() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    bob.hold();
    wait(&bob, |phone| phone.hold == Hold::SendOnly);
    wait(&alice, |phone| phone.is_held && phone.remote == Direction::SendOnly);
    fall_silent(&bob);
    check_hears(&alice, 1000, 440);
    bob.resume();
    wait(&alice, |phone| !phone.is_held && phone.remote == Direction::SendRecv);
    check_hears(&bob, 440, 1000);
    check_hears(&alice, 1000, 440);
    assert_eq!((alice.statistics().lost, bob.statistics().lost), (0, 0));
}

#[test]
fn an_inactive_call_is_silent_both_ways_and_comes_back() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    arrival_of_next(&alice, 5);
    alice.hold_by(Hold::Inactive);
    wait(&alice, |phone| phone.hold == Hold::Inactive);
    fall_silent(&alice);
    fall_silent(&bob);
    alice.resume();
    check_hears(&bob, 440, 1000);
    check_hears(&alice, 1000, 440);
}

#[test]
fn the_last_wish_wins_however_fast_it_comes() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    for _ in 0..5 {
        bob.hold();
        bob.resume();
    }
    bob.hold();
    wait(&alice, |phone| phone.is_held && phone.remote == Direction::SendOnly);
    wait(&bob, |phone| phone.hold == Hold::SendOnly);
    bob.resume();
    wait(&bob, |phone| phone.hold == Hold::Off);
    check_hears(&bob, 440, 1000);
}

#[test]
fn the_zero_address_of_old_phones_is_a_hold() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    bob.hold_by(Hold::ZeroAddress);
    wait(&alice, |phone| phone.is_held && phone.remote == Direction::SendRecv);
    wait(&bob, |phone| phone.hold == Hold::ZeroAddress && phone.remote == Direction::RecvOnly);
    fall_silent(&bob);
    check_hears(&alice, 1000, 440);
    bob.resume();
    check_hears(&bob, 440, 1000);
}

#[test]
fn every_hold_is_understood_in_every_manner() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    for offers in [Offers::ByReinvite, Offers::ByUpdate, Offers::Late] {
        for level in [Level::Stream, Level::Session] {
            bob.set_manner(Manner { offers, level });
            for hold in [Hold::SendOnly, Hold::RecvOnly, Hold::Inactive, Hold::ZeroAddress, Hold::PortZero] {
                bob.hold_by(hold);
                wait(&bob, |phone| phone.hold == hold);
                wait(&alice, |phone| phone.is_held == (hold != Hold::RecvOnly));
                bob.resume();
                wait(&bob, |phone| phone.hold == Hold::Off);
                wait(&alice, |phone| !phone.is_held && phone.remote == Direction::SendRecv);
            }
        }
    }
    check_hears(&bob, 440, 1000);
    check_hears(&alice, 1000, 440);
}

#[test]
fn both_hold_at_once_and_resume_at_once() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    for offers in [Offers::ByReinvite, Offers::ByUpdate, Offers::Late] {
        for phone in [&alice, &bob] {
            phone.set_manner(Manner { offers, level: Level::Stream });
        }
        for hold in [Hold::SendOnly, Hold::Off] {
            // Their offers cross on the way, and are made again.
            alice.hold_by(hold);
            bob.hold_by(hold);
            wait(&alice, |phone| phone.hold == hold);
            wait(&bob, |phone| phone.hold == hold);
        }
    }
    check_hears(&bob, 440, 1000);
    check_hears(&alice, 1000, 440);
}

#[test]
fn a_call_without_an_offer_is_a_call() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    alice.set_manner(Manner { offers: Offers::Late, level: Level::Session });
    connect(&alice, &bob);
    check_hears(&bob, 440, 1000);
    check_hears(&alice, 1000, 440);
}

#[test]
fn another_codec_and_another_port_are_taken_in_mid_call() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    for codec in [Codec::Pcmu, Codec::Opus, Codec::G722] {
        bob.speak(&[codec]);
        wait(&alice, |phone| phone.codec == Some(codec));
        bob.move_rtp();
        check_hears(&bob, 440, 1000);
        check_hears(&alice, 1000, 440);
    }
}
