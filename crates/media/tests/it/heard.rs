//! The ledger says what was sent: the sounds with their times and levels, and the sound itself.

use crate::room::{AMPLITUDE, CODECS, MUSIC_HZ, Room, TONE_DBFS, recording};
use media::{Codec, HeardLedger, Hears, LedgerLimits, LegId, Loop, Mixer, SILENCE_DBFS, Sine, Sound, TICK};
use std::sync::Arc;
use std::time::Duration;

const LIMITS: LedgerLimits = LedgerLimits { intervals_max: 64, audio: Duration::from_secs(4) };

fn room(limits: LedgerLimits, codec: Codec) -> Room {
    Room::with(Mixer::new().with_ledgers(limits), [codec; 3])
}

fn ledger(room: &Room, phone: u64) -> &HeardLedger {
    room.mixer.heard(LegId(phone)).expect("there are ledgers")
}

/// One sound in a few letters: `02` for two who are mixed, `m` for music, `.` for silence, `-` for nothing, `k` for a key.
fn letters(ledger: &HeardLedger, sound: &Sound) -> String {
    match sound {
        Sound::Nothing => "-".to_owned(),
        Sound::Silence => ".".to_owned(),
        Sound::Mix(_) => ledger.heard_legs(sound).map(|leg| leg.0.to_string()).collect(),
        Sound::Music => "m".to_owned(),
        Sound::Key => "k".to_owned(),
    }
}

/// The whole ledger: `02 5, m<02 1, m 9`.
fn told(ledger: &HeardLedger) -> String {
    let interval = |interval: &media::Interval| {
        let fading = interval.fading_out.as_ref().map(|sound| format!("<{}", letters(ledger, sound)));
        format!("{}{} {}", letters(ledger, &interval.sound), fading.unwrap_or_default(), interval.ticks)
    };
    ledger.intervals().map(interval).collect::<Vec<_>>().join(", ")
}

fn music(codec: Codec) -> Hears {
    Hears::Music(Arc::new(Loop::encode(&recording(MUSIC_HZ, 16_000, 16_000), codec)))
}

#[test]
fn a_hold_is_told_tick_by_tick() {
    let mut room = room(LIMITS, Codec::Pcmu);
    room.run(20);
    room.route(1, music(Codec::Pcmu), false);
    room.run(30);
    room.route(1, Hears::Conversation, true);
    room.run(10);
    let held = told(ledger(&room, 1));
    assert!(held.ends_with("m<02 1, m 29, 02<m 1, 02 9"), "{held}");
    // Who comes back is heard when its jitter buffer is full again.
    let other = told(ledger(&room, 0));
    assert!(
        other.contains("12 ") && other.contains(", 2 ") && other.ends_with(&format!(", 12 {}", last_ticks(&room, 0))),
        "{other}"
    );
}

fn last_ticks(room: &Room, phone: u64) -> u64 {
    ledger(room, phone).intervals().last().expect("it was given something").ticks
}

#[test]
fn every_tick_is_told_once_and_in_its_time() {
    let mut room = room(LIMITS, Codec::G722);
    let start = room.now;
    for hears in [Hears::Silence, Hears::Nothing, music(Codec::G722), Hears::Conversation] {
        room.run(7);
        room.route(2, hears, false);
    }
    room.run(7);
    let mut next = 0;
    for interval in ledger(&room, 2).intervals() {
        assert_eq!((interval.tick, interval.from), (next, start + TICK * next as u32));
        next += interval.ticks;
    }
    assert_eq!(next, 35);
}

#[test]
fn levels_are_those_of_what_was_sent() {
    let mut room = room(LIMITS, Codec::Pcmu);
    room.run(20);
    room.route(1, music(Codec::Pcmu), false);
    room.run(20);
    room.route(1, Hears::Silence, false);
    room.run(20);
    let levels: Vec<_> =
        ledger(&room, 1).intervals().map(|interval| (interval.ticks, interval.levels_dbfs())).collect();
    let longest = |at: usize| levels.iter().filter(|(ticks, _)| *ticks > 10).nth(at).expect("an interval").1;
    // Two tones of equal level are 3 dB louder than one.
    assert!((longest(0)[1] - (TONE_DBFS + 3.0)).abs() < 1.0, "{levels:?}");
    assert!((longest(1)[1] - TONE_DBFS).abs() < 0.5, "{levels:?}");
    assert_eq!(longest(2), [SILENCE_DBFS; 3]);
}

#[test]
fn the_tape_is_what_the_phone_heard_sample_by_sample() {
    for codec in CODECS {
        let mut room = room(LIMITS, codec);
        room.run(20);
        room.route(1, music(codec), false);
        room.run(20);
        let tape = ledger(&room, 1).tape().expect("the sound is kept").decode();
        assert_eq!(tape.rate_hz, codec.sample_rate());
        assert!(tape.samples[..] == room.phones[1].sound[..], "{codec:?}");
    }
}

#[test]
fn after_a_change_of_codec_the_tape_goes_on_at_the_better_rate() {
    let mut room = room(LIMITS, Codec::Pcmu);
    room.run(50);
    room.mixer.set_format(LegId(1), crate::room::format(Codec::Opus));
    room.phones[1].codec = Codec::Opus;
    for _ in 0..50 {
        room.mixer.tick(room.now, media::NtpTime::default(), &mut |_| {});
        room.now += TICK;
    }
    let tape = ledger(&room, 1).tape().expect("the sound is kept").decode();
    assert_eq!((tape.rate_hz, tape.duration()), (48_000, Duration::from_secs(2)));
}

#[test]
fn a_key_takes_the_place_of_the_conversation_in_the_ledger_too() {
    let mut room = room(LIMITS, Codec::Pcmu);
    room.run(20);
    room.mixer.press_keys(LegId(1), &[media::Key::from_event(5).expect("a key")], Duration::from_millis(40));
    room.run(20);
    let told = told(ledger(&room, 1));
    assert!(told.contains(", k ") && told.ends_with(&format!(", 02 {}", last_ticks(&room, 1))), "{told}");
}

#[test]
fn the_oldest_goes_first_and_is_counted() {
    let mut room = room(LedgerLimits { intervals_max: 3, audio: Duration::from_millis(100) }, Codec::Pcmu);
    for _ in 0..4 {
        room.run(3);
        room.route(1, Hears::Nothing, false);
        room.run(3);
        room.route(1, Hears::Silence, false);
    }
    let ledger = ledger(&room, 1);
    assert_eq!(ledger.intervals().count(), 3);
    assert!(ledger.dropped_intervals() >= 5);
    assert_eq!(ledger.tape().expect("the sound is kept").duration(), Duration::from_millis(100));
}

#[test]
fn without_limits_nothing_is_written_down() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    room.phones[0].tone = Some(Sine::new(440.0, 8_000, AMPLITUDE));
    room.run(3);
    assert!(room.mixer.heard(LegId(1)).is_none() && room.mixer.remove_leg(LegId(1)).is_none());
}
