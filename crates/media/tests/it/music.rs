//! Loops without a gap and without a click, whatever their length.

use crate::room::{AMPLITUDE, CODECS, Room, recording};
use media::{Codec, Decoder, Hears, Loop, Recording, level_dbfs, tone_dbfs};
use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

/// A recording of a whole number of periods, so that looped it is an endless sine and every click is the loop's own.
fn endless_sine(rate_hz: u32, samples: usize) -> (Recording, f64) {
    let periods = (samples as f64 * 500.0 / f64::from(rate_hz)).round();
    let frequency_hz = periods * f64::from(rate_hz) / samples as f64;
    (recording(frequency_hz, rate_hz, samples), frequency_hz)
}

fn play(music: &Loop, ticks: u64) -> Vec<i16> {
    let mut decoder = Decoder::new(music.codec());
    let mut sound = Vec::new();
    for tick in 0..ticks {
        decoder.decode(music.payload(tick), &mut sound).unwrap();
    }
    sound
}

/// Checks that the looped sine never bends more than a sine does: neither at the seam nor anywhere.
fn check_no_click(codec: Codec, rate_hz: u32, samples: usize) {
    let (recording, frequency_hz) = endless_sine(rate_hz, samples);
    let music = Loop::encode(&recording, codec);
    let rounds = (200 / music.ticks()).max(2) as u64;
    let sound = play(&music, rounds * music.ticks() as u64);
    let settled = &sound[(codec.sample_rate() / 5) as usize..];
    let case = format!("{codec:?}, {samples} samples at {rate_hz} Hz");
    let bend = bend(settled);
    let own = f64::from(AMPLITUDE) * (TAU * frequency_hz / f64::from(codec.sample_rate())).powi(2);
    // The codec's noise bends too: 8 bit steps of G.711 most, at this level 128 at worst, twice.
    let noise = if matches!(codec, Codec::Pcmu | Codec::Pcma) { 330.0 } else { 250.0 };
    assert!(f64::from(bend) < own + noise, "{case}: bends by {bend}, a sine by {own:.0}");
    let second = &settled[..codec.sample_rate() as usize];
    assert!((tone_dbfs(second, frequency_hz, codec.sample_rate()) + 23.0).abs() < 0.5, "{case}");
}

/// The greatest second difference: large at a click, even a small one.
fn bend(sound: &[i16]) -> i32 {
    sound.windows(3).map(|s| (i32::from(s[0]) - 2 * i32::from(s[1]) + i32::from(s[2])).abs()).max().unwrap()
}

#[test]
fn loops_of_any_length_do_not_click() {
    for codec in CODECS {
        check_no_click(codec, 16_000, 16_000);
        check_no_click(codec, 16_000, 19_753);
        check_no_click(codec, 44_100, 44_101);
        check_no_click(codec, 8_000, 7_919);
        check_no_click(codec, 48_000, 1_234);
    }
}

#[test]
fn a_click_would_be_found() {
    let (recording, _) = endless_sine(16_000, 16_000);
    let cut = Recording { rate_hz: 16_000, samples: recording.samples[..15_990].into() };
    let music = Loop::encode(&cut, Codec::Pcmu);
    assert!(bend(&play(&music, 3 * music.ticks() as u64)) > 1_500);
}

#[test]
fn the_length_is_kept_to_a_fiftieth_of_a_percent() {
    for (rate_hz, samples) in [(16_000, 320), (16_000, 321), (44_100, 1_000_003), (44_100, 30_000), (8_000, 500_001)] {
        let recording = recording(440.0, rate_hz, samples);
        let music = Loop::encode(&recording, Codec::Pcmu);
        let rounds = (music.duration().as_secs_f64() / recording.duration().as_secs_f64()).round();
        let stretch = music.duration().as_secs_f64() / (rounds * recording.duration().as_secs_f64()) - 1.0;
        assert!(stretch.abs() < 0.0002, "{samples} at {rate_hz}: {stretch}");
        assert!(music.duration() <= Duration::from_secs(61).max(recording.duration() + Duration::from_millis(20)));
    }
}

#[test]
fn a_recording_at_the_codecs_rate_is_played_to_the_sample() {
    let recording = recording(440.0, 8_000, 8_000);
    let music = Loop::encode(&recording, Codec::Pcmu);
    assert_eq!(music.ticks(), 50);
    let sound = play(&music, 50);
    assert!(sound.iter().zip(&*recording.samples).all(|(a, b)| a.abs_diff(*b) <= 64));
}

#[test]
fn resampling_keeps_the_band_and_what_is_above_it_out() {
    // 48 kHz to 8 kHz: 3 kHz stays, 5 kHz would come back as 3 kHz.
    let level = |hz: f64, seen_hz: f64| {
        let music = Loop::encode(&recording(hz, 48_000, 48_000), Codec::Pcmu);
        tone_dbfs(&play(&music, 50), seen_hz, 8_000)
    };
    assert!((level(3_000.0, 3_000.0) + 23.0).abs() < 0.2);
    assert!(level(5_000.0, 3_000.0) < -75.0);
    assert!((level(3_700.0, 3_700.0) + 23.0).abs() < 0.5);
}

#[test]
fn opus_music_keeps_its_treble() {
    let music = Loop::encode(&recording(15_000.0, 48_000, 48_000), Codec::Opus);
    let level = tone_dbfs(&play(&music, 100)[48_000..], 15_000.0, 48_000);
    assert!((level + 23.0).abs() < 2.0, "{level}");
}

#[test]
fn an_empty_recording_is_silence() {
    for codec in CODECS {
        let music = Loop::encode(&Recording { rate_hz: 16_000, samples: [].into() }, codec);
        assert_eq!((music.ticks(), music.codec()), (1, codec));
        assert!(level_dbfs(&play(&music, 50)) < -60.0);
    }
}

#[test]
fn a_full_scale_recording_is_not_clipped() {
    let square: Vec<i16> = (0..16_000).map(|i| if i / 20 % 2 == 0 { 32_767 } else { -32_768 }).collect();
    let music = Loop::encode(&Recording { rate_hz: 16_000, samples: square.into() }, Codec::G722);
    assert!(music.bytes() > 8_000);
    let upsampled = Loop::encode(&Recording { rate_hz: 8_000, samples: [32_767; 8_000].into() }, Codec::G722);
    assert!(play(&upsampled, 50)[16_000 / 2..].iter().all(|&s| s > 20_000));
}

#[test]
fn music_begins_and_goes_on_without_a_click_at_the_phone() {
    for codec in CODECS {
        let mut room = Room::new([codec; 3]);
        for phone in &mut room.phones {
            phone.tone = None;
        }
        let (recording, frequency_hz) = endless_sine(16_000, 16_000);
        room.run(20);
        room.route(1, Hears::Music(Arc::new(Loop::encode(&recording, codec))), false);
        room.run(100);
        let sound = &room.phones[1].sound;
        let bend = bend(sound);
        let own = f64::from(AMPLITUDE) * (TAU * frequency_hz / f64::from(codec.sample_rate())).powi(2);
        assert!(f64::from(bend) < own + 330.0, "{codec:?}: bends by {bend}, a sine by {own:.0}");
    }
}
