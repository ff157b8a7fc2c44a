//! Phones that stop sending when nobody speaks: nothing is missing then, so nothing is made up.

use media::{Codec, rtp};

use crate::network::{Outcome, listen};
use crate::room::{CODECS, Phone, TONE_DBFS, TONES_HZ, format};

/// The ticks of one burst of speech, and of the pause after it.
const SPEECH: u64 = 40;
const PAUSE: u64 = 60;

/// What a phone sends when its speaker falls silent, and how often in the pause: nothing at all, comfort noise
/// (RFC 3389), or Opus' frame of no sound (RFC 6716 §2.1.9).
#[derive(Clone, Copy)]
struct Word {
    payload_type: u8,
    payload: &'static [u8],
    every_ticks: u64,
}

/// A level of -60 dBov and no spectrum.
const COMFORT_NOISE: Word = Word { payload_type: 13, payload: &[60], every_ticks: 10 };
/// Silence at 20 ms in one frame, described and not there.
const OPUS_DTX: Word = Word { payload_type: 111, payload: &[0x78], every_ticks: 20 };

/// Three bursts of speech with pauses between them, as they are heard.
fn speak(codec: Codec, word: Option<Word>) -> Outcome {
    let mut phone = Phone::new(codec, Some(TONES_HZ[0]));
    let mut packets = Vec::new();
    let mut sequence = 0;
    for n in 0..3 * (SPEECH + PAUSE) {
        let said = phone.say(1);
        let into_pause = (n % (SPEECH + PAUSE)).checked_sub(SPEECH);
        let said = rtp::Packet::parse(&said).unwrap();
        let packet = match (into_pause, word) {
            (None, _) => Some(said),
            (Some(ticks), Some(word)) if ticks % word.every_ticks == 0 => {
                Some(rtp::Packet { payload_type: word.payload_type, payload: word.payload, ..said })
            }
            (Some(_), _) => None,
        };
        if let Some(packet) = packet {
            let mut bytes = Vec::new();
            let marker = n % (SPEECH + PAUSE) == 0;
            rtp::Packet { sequence, marker, ..packet }.write(&mut bytes);
            sequence += 1;
            packets.push((n as i64 * 20_000, bytes));
        }
    }
    listen(codec, &packets, 3 * (SPEECH + PAUSE))
}

/// How loud it is in each tick, the loudest sample of it, from -96 dBFS.
fn is_quiet(frame: &[i16]) -> bool {
    frame.iter().all(|sample| sample.unsigned_abs() < 20)
}

/// Each burst is heard whole, and each pause is silent from `tail` ticks after the last sound on.
fn check(outcome: &Outcome, tail: usize) {
    let frames: Vec<&[i16]> = outcome.heard.sound.chunks_exact(160).collect();
    for burst in 0..3 {
        let begin = burst * (SPEECH + PAUSE) as usize;
        let (speech, pause) = frames[begin..begin + (SPEECH + PAUSE) as usize].split_at(SPEECH as usize);
        // The jitter buffer keeps a burst back for a tick or two.
        let heard = speech[5..].concat();
        let level = media::tone_dbfs(&heard, TONES_HZ[0], 8_000);
        assert!((level - TONE_DBFS).abs() < 1.5, "burst {burst} at {level} dBFS");
        let noisy = pause[3 + tail..].iter().filter(|frame| !is_quiet(frame)).count();
        assert_eq!(noisy, 0, "ticks of noise in pause {burst}");
    }
    assert_eq!(outcome.statistics.playout.concealed_ticks, 0);
    assert_eq!(outcome.statistics.packets_lost, 0);
}

#[test]
fn comfort_noise_ends_the_sound_at_once() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        check(&speak(codec, Some(COMFORT_NOISE)), 0);
    }
}

#[test]
fn opus_that_sends_frames_of_no_sound_falls_silent_at_once() {
    check(&speak(Codec::Opus, Some(OPUS_DTX)), 0);
}

#[test]
fn a_phone_that_just_stops_fades_out_and_is_no_loss() {
    for codec in CODECS {
        // The guess that a packet was lost is heard for 60 ms, more and more softly; Opus' for some more.
        check(&speak(codec, None), 6);
    }
}

#[test]
fn comfort_noise_is_known_by_its_number_where_it_belongs() {
    assert!(format(Codec::Pcmu).takes(13) && format(Codec::G722).takes(13));
    assert!(!format(Codec::Opus).takes(13), "its clock is another");
    assert!(!format(Codec::Pcmu).takes(14));
}
