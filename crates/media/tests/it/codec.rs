//! Codecs, there and back: the right tone at the right level, little else, and losses that do not hurt.

use crate::room::{AMPLITUDE, CODECS, TONE_DBFS};
use media::{Codec, Decoder, Encoder, Sine, level_dbfs, tone_dbfs};

/// Encodes and decodes a tone; what `lose` says is concealed instead.
fn transmit(codec: Codec, frequency_hz: f64, ticks: usize, lose: impl Fn(usize) -> bool) -> Vec<i16> {
    let (mut encoder, mut decoder) = (Encoder::new(codec), Decoder::new(codec));
    let mut tone = Sine::new(frequency_hz, codec.sample_rate(), AMPLITUDE);
    let mut sound = Vec::new();
    for tick in 0..ticks {
        let mut payload = Vec::new();
        encoder.encode(&tone.take_samples(codec.samples_per_tick()), &mut payload);
        if lose(tick) {
            decoder.conceal(&mut sound);
        } else {
            decoder.decode(&payload, &mut sound).unwrap();
        }
    }
    assert_eq!(sound.len(), ticks * codec.samples_per_tick());
    sound
}

/// The level of what is not the tone, after the codec has settled, against the tone, in dB.
fn noise_db(codec: Codec, sound: &[i16], frequency_hz: f64) -> f32 {
    let settled = &sound[sound.len() / 2..];
    let step = frequency_hz / f64::from(codec.sample_rate()) * std::f64::consts::TAU;
    // The tone with the phase it came out with: least squares over a sine and a cosine.
    let (mut sines, mut cosines) = (0.0, 0.0);
    for (i, s) in settled.iter().enumerate() {
        sines += f64::from(*s) * (step * i as f64).sin();
        cosines += f64::from(*s) * (step * i as f64).cos();
    }
    let scale = 2.0 / settled.len() as f64;
    let rest = settled.iter().enumerate().map(|(i, s)| {
        let (sine, cosine) = (step * i as f64).sin_cos();
        (f64::from(*s) - scale * (sines * sine + cosines * cosine)) as i16
    });
    level_dbfs(&rest.collect::<Vec<_>>()) - level_dbfs(settled)
}

#[test]
fn a_tone_comes_back_clean() {
    // G.711 is bound to 38 dB (G.712); G.722 to what ITU-T measures for 64 kbit/s; Opus keeps a sine, not its phase.
    for (codec, limit_db) in [(Codec::Pcmu, -36.0), (Codec::Pcma, -36.0), (Codec::G722, -30.0), (Codec::Opus, -30.0)] {
        let sound = transmit(codec, 1_000.0, 100, |_| false);
        let noise = noise_db(codec, &sound, 1_000.0);
        assert!(noise < limit_db, "{codec:?} {noise} dB");
        assert!((level_dbfs(&sound[sound.len() / 2..]) - TONE_DBFS).abs() < 0.3, "{codec:?}");
    }
}

#[test]
fn a_lost_frame_in_ten_leaves_the_tone() {
    for codec in CODECS {
        let sound = transmit(codec, 440.0, 100, |tick| tick % 10 == 9);
        let level = tone_dbfs(&sound[sound.len() / 2..], 440.0, codec.sample_rate());
        assert!((level - TONE_DBFS).abs() < 1.5, "{codec:?} {level}");
        let jump = steepest(&sound);
        let clean = steepest(&transmit(codec, 440.0, 100, |_| false));
        assert!(jump < 3 * clean, "{codec:?}: a click of {jump} where the tone steps by {clean}");
    }
}

#[test]
fn concealment_ends_in_silence() {
    for codec in CODECS {
        let sound = transmit(codec, 440.0, 60, |tick| tick >= 30);
        let tick = codec.samples_per_tick();
        assert!(level_dbfs(&sound[30 * tick..31 * tick]) > TONE_DBFS - 6.0, "{codec:?}: the first frame is carried on");
        assert!(
            level_dbfs(&sound[55 * tick..]) < -60.0,
            "{codec:?}: at last, silence, not {:?}",
            (28..60).map(|t| level_dbfs(&sound[t * tick..(t + 1) * tick])).collect::<Vec<_>>()
        );
    }
}

#[test]
fn an_impossible_payload_is_an_error_and_adds_nothing() {
    for codec in CODECS {
        let mut sound = Vec::new();
        assert!(Decoder::new(codec).decode(&[], &mut sound).is_err());
        assert!(Decoder::new(codec).decode(&[0; 1_501], &mut sound).is_err());
        assert!(sound.is_empty());
    }
    let mut sound = Vec::new();
    // A frame count of 0 is forbidden (RFC 6716 section 3.2.5).
    assert!(Decoder::new(Codec::Opus).decode(&[0xFF, 0x00], &mut sound).is_err());
    assert!(sound.is_empty());
}

#[test]
fn no_payload_makes_a_decoder_panic() {
    let mut random = 1u32;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as u8
    };
    for codec in CODECS {
        let mut decoder = Decoder::new(codec);
        for _ in 0..3_000 {
            let payload: Vec<u8> = (0..next()).map(|_| next()).collect();
            let mut sound = Vec::new();
            if decoder.decode(&payload, &mut sound).is_ok() {
                assert!(sound.len() <= 5_760);
            }
        }
    }
}

#[test]
fn the_numbers_of_rfc_3551_and_7587() {
    let numbers = |codec: Codec| {
        (
            codec.sample_rate(),
            codec.clock_rate(),
            codec.static_payload_type(),
            codec.samples_per_tick(),
            codec.timestamp_step(),
        )
    };
    assert_eq!(numbers(Codec::Pcmu), (8_000, 8_000, Some(0), 160, 160));
    assert_eq!(numbers(Codec::Pcma), (8_000, 8_000, Some(8), 160, 160));
    assert_eq!(numbers(Codec::G722), (16_000, 8_000, Some(9), 320, 160));
    assert_eq!(numbers(Codec::Opus), (48_000, 48_000, None, 960, 960));
}

fn steepest(sound: &[i16]) -> i32 {
    let settled = &sound[sound.len() / 2..];
    settled.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max().unwrap()
}

#[test]
fn g722_of_another_encoder_is_understood() {
    // Made with ffmpeg: 200 ms of 1 kHz at -21 dBFS.
    let mut sound = Vec::new();
    Decoder::new(Codec::G722).decode(&include_bytes!("../data/tone.g722")[..1_500], &mut sound).unwrap();
    let level = tone_dbfs(&sound[800..], 1_000.0, 16_000);
    assert!((level + 21.0).abs() < 0.3, "{level}");
    assert!(noise_db(Codec::G722, &sound, 1_000.0) < -30.0);
}
