//! The hold table over the wire: a phone changes its direction in each way that phones have, and each time who hears what
//! and what the roster says is right.

use std::time::{Duration, Instant};

use phone::{Codec, Hold, Level, Manner, Observation, Offers};

use crate::harness::{
    ALICE_HZ, Bot, CAROL_HZ, Conversation, Files, MUSIC_HZ, PATIENCE, SETTLING, Server, Trio, assert_hears, listen,
    stage,
};

/// What bob's phone says, what the roster says of him then, and whether he listens.
const ROWS: [(Hold, &str, bool); 5] = [
    (Hold::SendOnly, "inactive", false),
    (Hold::RecvOnly, "receiveOnly", true),
    (Hold::Inactive, "inactive", false),
    (Hold::ZeroAddress, "inactive", false),
    (Hold::PortZero, "inactive", false),
];

/// Packets of what is listened to: 260 ms.
const PACKETS: u64 = 13;

/// Packets that are let pass before: 100 ms, in which Opus still sounds a little of what it was told before. That a hold
/// holds from the next tick on is tested where ticks can be counted (`engine/src/session/tests.rs`).
const SWINGING_OUT: u64 = 5;

fn press(phones: &Trio, hold: Hold) {
    phones.bob.hold_by(hold);
    phones.bob.wait_until(PATIENCE, |bob| bob.hold == hold).expect("the server agrees");
}

/// Bob is not heard, and hears the others if he listens, or the music if he is held.
fn check_row(phones: &Trio, listens: bool, held: bool) {
    let others = [&phones.alice, &phones.carol];
    let since = listen(&others, SWINGING_OUT);
    let to = listen(&others, PACKETS);
    assert_hears(&phones.alice, &[CAROL_HZ], since, to);
    assert_hears(&phones.carol, &[ALICE_HZ], since, to);
    let heard_hz: &[u32] = if held { &[MUSIC_HZ] } else { &[ALICE_HZ, CAROL_HZ] };
    if listens {
        assert_hears(&phones.bob, heard_hz, since, to);
    } else {
        let after = phones.bob.heard_between(since + SETTLING, to);
        assert_eq!(after.packets(), 0, "a phone that does not listen is sent no sound");
    }
}

/// Walks the rows twice: with bob in the conversation, and with bob held by the bot.
fn check_table(offers: Offers, level: Level) {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    phones.bob.set_manner(Manner { offers, level });
    for (hold, shown, listens) in ROWS {
        press(&phones, hold);
        call.expect_direction(&bob, shown);
        check_row(&phones, listens, false);
        press(&phones, Hold::Off);
        call.expect_direction(&bob, "sendReceive");
        phones.assert_together(Instant::now());
    }
    call.hold(&bob, Some(&files.uri("/music.wav")));
    for (hold, _, listens) in ROWS {
        press(&phones, hold);
        call.expect_direction(&bob, "inactive");
        check_row(&phones, listens, true);
        press(&phones, Hold::Off);
        phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    }
    call.unhold(&bob);
    phones.assert_together(Instant::now());
}

#[test]
fn by_reinvite_with_the_direction_at_the_stream() {
    check_table(Offers::ByReinvite, Level::Stream);
}

#[test]
fn by_reinvite_with_the_direction_at_the_session() {
    check_table(Offers::ByReinvite, Level::Session);
}

#[test]
fn by_update_with_the_direction_at_the_stream() {
    check_table(Offers::ByUpdate, Level::Stream);
}

#[test]
fn by_update_with_the_direction_at_the_session() {
    check_table(Offers::ByUpdate, Level::Session);
}

#[test]
fn by_answering_our_offer_with_the_direction_at_the_stream() {
    check_table(Offers::Late, Level::Stream);
}

#[test]
fn by_answering_our_offer_with_the_direction_at_the_session() {
    check_table(Offers::Late, Level::Session);
}

fn hears_music(bob: &Observation) -> bool {
    let now = Instant::now();
    bob.hearing.between(now - Duration::from_millis(200), now).level_at(MUSIC_HZ.into()) > -30.0
}

#[test]
fn codec_and_port_change_in_mid_call_and_during_a_hold() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    for held in [false, true] {
        if held {
            call.hold(&bob, Some(&files.uri("/music.wav")));
        }
        for (offers, codec) in
            [(Offers::ByReinvite, Codec::Pcmu), (Offers::ByUpdate, Codec::Opus), (Offers::Late, Codec::G722)]
        {
            phones.bob.set_manner(Manner { offers, level: Level::Stream });
            phones.bob.speak(&[codec]);
            phones.bob.wait_until(PATIENCE, |bob| bob.codec == Some(codec)).expect("the server takes the codec");
            phones.bob.move_rtp();
            let packets = phones.bob.statistics().packets;
            phones
                .bob
                .wait_until(PATIENCE, |bob| bob.hearing.statistics().packets > packets + 20)
                .expect("it is found");
            match held {
                true => {
                    // The music is made anew for the codec; until then there is silence.
                    phones.bob.wait_until(PATIENCE, hears_music).expect("the music comes in the new codec");
                    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
                }
                false => phones.assert_together(Instant::now()),
            }
        }
    }
    call.unhold(&bob);
    phones.assert_together(Instant::now());
}
