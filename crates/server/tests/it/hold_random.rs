//! Holds of the bot's and of a phone's in random order, over the wire. A thousand of them, in every spelling, are tried in
//! virtual time (`engine/src/session/tests/interleavings.rs`); here sockets, threads and SIP are in between.

use phone::{Hold, Level, Manner, Offers};

use crate::harness::{Bot, Conversation, Files, MUSIC_HZ, PATIENCE, Server, Trio, listen, stage};

/// Some dozens; each takes half a second.
const STEPS: u32 = 40;

/// Packets that are let pass after each step: 100 ms, in which Opus still sounds a little of what it was told before.
const SWINGING_OUT: u64 = 5;

/// Checks what bob hears and whether he is heard.
fn check(phones: &Trio, is_held: bool, hold: Hold) {
    let since = listen(&[&phones.alice, &phones.carol], SWINGING_OUT);
    match (is_held, hold) {
        (false, Hold::Off) => phones.assert_together(since),
        (true, Hold::Off | Hold::RecvOnly) => phones.assert_bob_apart(&[MUSIC_HZ], since),
        (_, Hold::RecvOnly | Hold::SendOnly | Hold::Inactive | Hold::ZeroAddress | Hold::PortZero) => {
            phones.assert_bob_unheard(since);
        }
    }
}

#[test]
fn after_every_step_each_hears_what_the_holds_leave() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    let (mut is_held, mut hold, mut random) = (false, Hold::Off, Random(7));
    for step in 0..STEPS {
        match random.below(3) {
            0 if is_held => {
                call.unhold(&bob);
                is_held = false;
            }
            0 => {
                call.hold(&bob, Some(&files.uri("/music.wav")));
                is_held = true;
            }
            _ => {
                let holds =
                    [Hold::Off, Hold::SendOnly, Hold::RecvOnly, Hold::Inactive, Hold::ZeroAddress, Hold::PortZero];
                let offers = [Offers::ByReinvite, Offers::ByUpdate, Offers::Late][random.below(3)];
                let level = [Level::Stream, Level::Session][random.below(2)];
                hold = holds[random.below(holds.len())];
                phones.bob.set_manner(Manner { offers, level });
                phones.bob.hold_by(hold);
                let agreed = phones.bob.wait_until(PATIENCE, |bob| bob.hold == hold);
                agreed.unwrap_or_else(|error| panic!("step {step}, {hold:?} {offers:?}: {error}"));
            }
        }
        check(&phones, is_held, hold);
    }
}

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
