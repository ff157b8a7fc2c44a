//! Holds on a network that loses, delays, reorders and repeats what it is to carry.

use std::time::{Duration, Instant};

use phone::{Codec, Phone, State};

use crate::harness::{
    ALICE_HZ, BOB_HZ, Bot, CAROL_HZ, Conversation, Disorder, FAR, Files, HoldKey, MUSIC_HZ, NEAR, Network, Server,
    Trio, Wire, assert_hears_again_over, assert_hears_over, listen, speaking_at, stage, wire_settings,
};

/// A bad mobile network. Of the RTP of a second, two or three packets never come.
const DISORDER: Disorder = Disorder {
    lost: 0.05,
    duplicated: 0.03,
    overtaking: 0.10,
    delay: Duration::from_millis(40),
    jitter: Duration::from_millis(20),
};

/// Any will do.
const SEED: u64 = 4;

/// The loudest noise seen was -62 dBFS; one leaked frame of 20 ms would be at -34.
const NETWORK: Network = Network { delay_max: DISORDER.delay_max(), noise_dbfs: -50.0 };

const CYCLES: usize = 3;

/// What is listened to each time: 600 ms, of which more than half is judged.
const PACKETS: u64 = 30;

#[test]
fn holds_hold_on_a_network_that_loses_delays_reorders_and_repeats() {
    let Some(wire) = Wire::lay(DISORDER, SEED) else { return };
    let _stage = stage();
    wire.near.enter(|| {
        let (server, files) = (Server::start_at(NEAR, &wire_settings()), Files::start());
        let (bot, mut phones) = (Bot::of(&server), wire.far.enter(trio));
        let call = Conversation::of(&bot, &phones.uris());
        let (bob, music) = (call.participant(phones.bob.uri()), files.uri("/music.wav"));
        assert_together(&phones, Instant::now());
        for _ in 0..CYCLES {
            let accepted = call.hold(&bob, Some(&music)).accepted;
            assert_apart(&phones, Some(accepted));
            phones.bob.press_hold();
            assert_apart(&phones, None);
            phones.bob.press_resume();
            assert_apart(&phones, Some(Instant::now()));
            assert_together(&phones, call.unhold(&bob).arrived);
            phones.bob.press_hold();
            call.expect_direction(&bob, "inactive");
            assert_apart(&phones, None);
            phones.bob.press_resume();
            call.expect_direction(&bob, "sendReceive");
            assert_together(&phones, Instant::now());
        }
        for phone in phones.phones() {
            assert_eq!(phone.state(), State::Established, "{}", phone.uri());
            let statistics = phone.statistics();
            let disorder = [statistics.lost, statistics.duplicates, statistics.reordered];
            assert!(disorder.iter().all(|count| *count > 0), "the network was not bad: {statistics:?}");
        }
    });
}

fn trio() -> Trio {
    Trio {
        alice: speaking_at(FAR, "alice", Codec::Pcmu, ALICE_HZ),
        bob: speaking_at(FAR, "bob", Codec::Pcma, BOB_HZ),
        carol: speaking_at(FAR, "carol", Codec::Pcmu, CAROL_HZ),
    }
}

/// Checks that the others do not hear bob, and that he hears only the music, if he listens, since a moment.
#[track_caller]
fn assert_apart(phones: &Trio, bob_listens_since: Option<Instant>) {
    let since = bob_listens_since.unwrap_or_else(Instant::now);
    let to = listen(&[&phones.alice, &phones.carol], PACKETS);
    assert_hears_over(NETWORK, &phones.alice, &[CAROL_HZ], since, to);
    assert_hears_over(NETWORK, &phones.carol, &[ALICE_HZ], since, to);
    if bob_listens_since.is_some() {
        assert_hears_again_over(NETWORK, &phones.bob, &[MUSIC_HZ], since, to);
    }
}

#[track_caller]
fn assert_together(phones: &Trio, since: Instant) {
    let to = listen(&phones.phones(), PACKETS);
    let rows: [(&Phone, [u32; 2]); 3] =
        [(&phones.alice, [BOB_HZ, CAROL_HZ]), (&phones.bob, [ALICE_HZ, CAROL_HZ]), (&phones.carol, [ALICE_HZ, BOB_HZ])];
    for (phone, heard_hz) in rows {
        assert_hears_again_over(NETWORK, phone, &heard_hz, since, to);
    }
}
