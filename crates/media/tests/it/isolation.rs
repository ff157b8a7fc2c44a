//! A hold is a wall: what is said on one side changes not one bit of what is sent to the other.
//!
//! Each test runs a conversation twice. The runs differ only in what somebody says who must not be heard, and must send
//! the same bytes to whoever must not hear it.

use crate::room::{AMPLITUDE, CODECS, MUSIC_HZ, Phone, Room, TONES_HZ, recording};
use media::{Codec, Hears, Loop, Sine};
use std::sync::Arc;

/// When the hold comes and goes, in ticks.
const HOLD: u64 = 20;
const UNHOLD: u64 = 60;
const END: u64 = 90;

/// Runs a conversation in which the second phone is held; `during` may change what is said after the hold is in force.
fn run(codec: Codec, hears: &Hears, during: impl Fn(&mut Room), after: impl Fn(&mut Room)) -> Room {
    let mut room = Room::new([codec; 3]);
    room.run(HOLD);
    room.route(1, hears.clone(), false);
    room.run(1);
    during(&mut room);
    room.run(UNHOLD - HOLD - 1);
    after(&mut room);
    room.route(1, Hears::Conversation, true);
    room.run(END - UNHOLD);
    room
}

fn ways_to_hold(codec: Codec) -> [Hears; 3] {
    let music = Loop::encode(&recording(MUSIC_HZ, 16_000, 16_123), codec);
    [Hears::Music(Arc::new(music)), Hears::Silence, Hears::Nothing]
}

fn say(room: &mut Room, phone: usize, frequency_hz: f64) {
    let rate_hz = room.phones[phone].codec.sample_rate();
    room.phones[phone].tone = Some(Sine::new(frequency_hz, rate_hz, 12_000));
}

#[test]
fn the_held_one_hears_nothing_of_the_others() {
    for codec in CODECS {
        for hears in ways_to_hold(codec) {
            let others_go_on = run(codec, &hears, |_| {}, |_| {});
            let others_shout = run(codec, &hears, |room| say(room, 0, 300.0), |_| {});
            let held = |room: &Room| {
                let packets = room.phones[1].packets.iter();
                packets.filter(|packet| packet.tick < UNHOLD).cloned().collect::<Vec<_>>()
            };
            assert_eq!(held(&others_go_on), held(&others_shout), "{codec:?}");
            assert_ne!(others_go_on.phones[2].packets, others_shout.phones[2].packets, "the test must be able to fail");
        }
    }
}

#[test]
fn the_others_hear_nothing_of_the_held_one_not_even_afterwards() {
    for codec in CODECS {
        for hears in ways_to_hold(codec) {
            let quiet = run(codec, &hears, |room| room.phones[1].tone = None, |room| say(room, 1, 500.0));
            let shouting = run(
                codec,
                &hears,
                |room| say(room, 1, 300.0),
                |room| {
                    // The phone's encoder remembers what was shouted. What the phone itself lets through is not the hold's.
                    room.phones[1] = std::mem::replace(&mut room.phones[1], Phone::new(codec, None));
                    say(room, 1, 500.0);
                },
            );
            let others = |room: &Room, end: u64| {
                let packets = room.phones[0].packets.iter().chain(&room.phones[2].packets);
                packets.filter(|packet| packet.tick < end).cloned().collect::<Vec<_>>()
            };
            // G.711 has no memory anywhere, so even the bytes after the hold are the same.
            let end = if matches!(codec, Codec::Pcmu | Codec::Pcma) { END } else { UNHOLD };
            assert_eq!(others(&quiet, end), others(&shouting, end), "{codec:?}");
        }
    }
}

#[test]
fn the_fade_is_all_that_is_left_of_the_conversation() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let mut room = Room::new([codec; 3]);
        room.run(HOLD);
        room.route(1, Hears::Silence, false);
        room.run(1);
        let frame = &room.phones[1].sound[HOLD as usize * 160..];
        assert!(frame[..20].iter().any(|s| s.abs() > 300), "a fade, not a cut: {frame:?}");
        // A-law has no zero: its quietest value is 8.
        assert!(frame[20..].iter().all(|s| s.abs() <= 8), "{codec:?} {frame:?}");
    }
}

#[test]
fn over_every_codec_the_others_are_gone_within_the_tick() {
    for codec in CODECS {
        let room = run(codec, &ways_to_hold(codec)[0], |_| {}, |_| {});
        let tick = codec.samples_per_tick();
        // One tick for the fade, and the codec's own delay (6.5 ms at most).
        let from = (HOLD as usize + 1) * tick + tick / 2;
        for window in room.phones[1].sound[from..UNHOLD as usize * tick].chunks_exact(5 * tick) {
            for hz in [TONES_HZ[0], TONES_HZ[2]] {
                let level = media::tone_dbfs(window, hz, codec.sample_rate());
                assert!(level < -60.0, "{codec:?}: {hz} Hz at {level} dBFS");
            }
        }
    }
}

#[test]
fn the_music_is_silent_before_the_conversation_is_heard() {
    for codec in [Codec::Pcmu, Codec::Pcma] {
        let room = run(codec, &ways_to_hold(codec)[0], |_| {}, |_| {});
        let first = UNHOLD as usize * 160;
        let frame = &room.phones[1].sound[first..first + 160];
        assert!(frame[..40].iter().any(|s| s.abs() > 1_000), "music at first: {frame:?}");
        assert!(frame[76..84].iter().all(|s| s.abs() < 350), "silence between: {frame:?}");
        assert!(frame[120..].iter().any(|s| s.abs() > 1_000), "then the others: {frame:?}");
    }
}

#[test]
fn neither_side_of_a_hold_clicks() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let room = run(codec, &ways_to_hold(codec)[0], |_| {}, |_| {});
        for phone in 0..3 {
            let sound = &room.phones[phone].sound;
            let jump = sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap();
            // The tones of a phone's three sources step by 3277 * 2 pi * f / rate each; a click would double that.
            let tones: f64 = TONES_HZ.iter().chain([&MUSIC_HZ]).map(|hz| hz / f64::from(codec.sample_rate())).sum();
            let limit = f64::from(AMPLITUDE) * std::f64::consts::TAU * tones;
            assert!(f64::from(jump) < limit, "{codec:?}: phone {phone} hears a jump of {jump}, limit {limit:.0}");
        }
    }
}

#[test]
fn who_joins_unheard_is_not_heard_from_the_first_sample_on() {
    let run = |tone_hz| {
        let mut room = Room::new([Codec::Pcmu; 3]);
        room.join(Phone::new(Codec::Pcmu, tone_hz));
        room.route(3, Hears::Silence, false);
        room.run(10);
        room
    };
    let (silent, talking) = (run(None), run(Some(300.0)));
    assert!(silent.phones[0].packets == talking.phones[0].packets);
}
