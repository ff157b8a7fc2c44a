//! Calls that are on hold for longer than every timer, by short timers.

use std::time::{Duration, Instant};

use phone::{Codec, Hold, Phone, State};

use crate::harness::{
    ALICE_HZ, BOB_HZ, Bot, CAROL_HZ, Conversation, Files, MUSIC_HZ, PATIENCE, Server, Trio, assert_hears_again, listen,
    speaking, stage,
};

/// Sessions end after 6 s without a refresh, which comes after 3 s; a phone that was silent for 1 s is asked after.
/// Shorter, and a busy machine's hiccup would be longer than what is left for a refresh.
const TIMERS: &str =
    "[sip]\nsession_expires_seconds = 6\nsession_expires_min_seconds = 1\n[rtp]\nprobe_after_seconds = 1";

/// Longer than all of them, several times.
const LONG: Duration = Duration::from_secs(20);

/// Lets this much time pass while a phone hears something, which is checked to go on.
fn listen_for(phones: &[&Phone], time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        listen(phones, 25);
    }
}

#[test]
fn a_call_that_is_held_by_both_sides_for_longer_than_every_timer_is_up_and_right_after_it() {
    let (server, files, _stage) = (Server::start_with(TIMERS), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    call.hold(&bob, Some(&files.uri("/music.wav")));
    // From now on nothing comes from bob's phone but what SIP asks of it.
    phones.bob.hold_by(Hold::Inactive);
    phones.bob.wait_until(PATIENCE, |bob| bob.hold == Hold::Inactive).expect("the server agrees");
    let reports = phones.bob.statistics().rtcp;
    listen_for(&[&phones.alice, &phones.carol], LONG);
    assert_eq!(phones.bob.state(), State::Established);
    assert!(phones.bob.statistics().rtcp > reports, "our reports keep the way to it open");
    phones.bob.resume();
    phones.bob.wait_until(PATIENCE, |bob| bob.hold == Hold::Off).expect("the server agrees");
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    call.unhold(&bob);
    phones.assert_together(Instant::now());
}

#[test]
fn a_held_phone_that_is_gone_leaves_when_its_session_ends() {
    let (server, _stage) = (Server::start_with(TIMERS), stage());
    let [alice, carol] = [("alice", ALICE_HZ), ("carol", CAROL_HZ)].map(|(name, hz)| speaking(name, Codec::Pcmu, hz));
    let bob = speaking("bob", Codec::Pcmu, BOB_HZ);
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &[alice.uri(), bob.uri(), carol.uri()]);
    let participant = call.participant(bob.uri());
    call.hold(&participant, None);
    bob.hold_by(Hold::Inactive);
    bob.wait_until(PATIENCE, |bob| bob.hold == Hold::Inactive).expect("the server agrees");
    bob.vanish();
    call.expect_roster_without(&participant);
    let since = Instant::now();
    let to = listen(&[&alice, &carol], 20);
    assert_hears_again(&alice, &[CAROL_HZ], since, to);
    assert_hears_again(&carol, &[ALICE_HZ], since, to);
}
