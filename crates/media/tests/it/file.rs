//! Prompt files: each format decodes to its tone; everything else is named. The files were made with ffmpeg and opusenc.

use expect_test::{Expect, expect};
use media::{FileError, Limits, decode_file, tone_dbfs};
use std::time::Duration;

const LIMITS: Limits = Limits { max_duration: Duration::from_secs(600) };

const GRAPH: &[u8] = include_bytes!("../data/graph.wav");
const OPUS: &[u8] = include_bytes!("../data/opus.ogg");
const FLAC: &[u8] = include_bytes!("../data/tone.flac");
const MP3: &[u8] = include_bytes!("../data/tone.mp3");
const VORBIS: &[u8] = include_bytes!("../data/vorbis.ogg");

/// Decodes a file of a tone of 440 Hz at -21 dBFS (ffmpeg's sine).
fn check(bytes: &[u8], milliseconds: u128, expected: Expect) {
    let decoded = decode_file(bytes, LIMITS).unwrap();
    expected.assert_eq(&decoded.description.to_string());
    let recording = &decoded.recording;
    assert!(recording.duration().as_millis().abs_diff(milliseconds) <= 60, "{:?}", recording.duration());
    assert_eq!(recording.rate_hz, decoded.description.rate_hz);
    let level = tone_dbfs(&recording.samples, 440.0, recording.rate_hz);
    assert!((level + 21.0).abs() < 1.5, "{level} dBFS");
    assert_eq!(decoded.description.is_graph_prompt(), bytes == GRAPH);
}

fn check_error(bytes: &[u8], expected: Expect) {
    expected.assert_eq(&decode_file(bytes, LIMITS).unwrap_err().to_string());
}

#[test]
fn wav_of_every_kind() {
    check(GRAPH, 500, expect!["WAV, 1 channel, 16 bit, 16000 Hz, PCM"]);
    check(include_bytes!("../data/mono-8.wav"), 500, expect!["WAV, 1 channel, 8 bit, 8000 Hz, PCM"]);
    check(include_bytes!("../data/stereo-24.wav"), 100, expect!["WAV, 2 channels, 24 bit, 44100 Hz, PCM"]);
    check(include_bytes!("../data/mono-32.wav"), 100, expect!["WAV, 1 channel, 32 bit, 96000 Hz, PCM"]);
    check(include_bytes!("../data/float.wav"), 100, expect!["WAV, 1 channel, 32 bit, 48000 Hz, float"]);
    check(include_bytes!("../data/alaw.wav"), 500, expect!["WAV, 1 channel, 8000 Hz, A-law"]);
    check(include_bytes!("../data/ulaw.wav"), 500, expect!["WAV, 1 channel, 8000 Hz, µ-law"]);
}

#[test]
fn wav_from_a_pipe_goes_on_to_its_end() {
    // What ffmpeg, espeak-ng and others write for lengths they don't know. The lengths are at 4 and at 40.
    for unknown in [u32::MAX, 0x7FFF_F000, 0] {
        let mut bytes = GRAPH.to_vec();
        bytes[4..8].copy_from_slice(&unknown.to_le_bytes());
        bytes[40..44].copy_from_slice(&unknown.to_le_bytes());
        assert_eq!(decode_file(&bytes, LIMITS), decode_file(GRAPH, LIMITS), "{unknown:x}");
    }
}

#[test]
fn compressed_files() {
    check(MP3, 500, expect!["MP3, 2 channels, 44100 Hz"]);
    check(include_bytes!("../data/tagged.mp3"), 500, expect!["MP3, 1 channel, 44100 Hz"]);
    check(FLAC, 500, expect!["FLAC, 1 channel, 16 bit, 48000 Hz"]);
    check(VORBIS, 500, expect!["Ogg Vorbis, 2 channels, 44100 Hz"]);
    check(OPUS, 500, expect!["Ogg Opus, 2 channels, 48000 Hz"]);
}

#[test]
fn what_is_no_audio_is_named() {
    check_error(b"", expect!["the file is empty, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"]);
    check_error(
        b"\r\n<!DOCTYPE html><html>",
        expect!["the file is an HTML page, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"],
    );
    check_error(
        b"{\"error\": 404}",
        expect!["the file is a JSON document, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"],
    );
    check_error(b"Not found", expect!["the file is plain text, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"]);
    check_error(
        b"\xFF\xD8\xFF\xE0\0\x10JFIF",
        expect!["the file is a JPEG image, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"],
    );
    check_error(
        b"\0\0\0\x20ftypM4A ",
        expect!["the file is an MP4 file (AAC or video), not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"],
    );
    check_error(
        b"\0\x01\x02\x03",
        expect!["the file is of an unknown kind, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"],
    );
    check_error(
        b"OggS\0\x02",
        expect!["the file is an Ogg file without Vorbis or Opus, not WAV, MP3, FLAC, Ogg Vorbis or Ogg Opus"],
    );
}

#[test]
fn what_is_damaged_is_named() {
    check_error(&GRAPH[..8_000], expect!["the WAV file is truncated"]);
    check_error(&GRAPH[..30], expect!["the WAV file is truncated"]);
    check_error(&GRAPH[..44], expect!["the WAV file is truncated"]);
    check_error(b"RIFF\0\0\0\0WAVE", expect!["the WAV file is damaged: wav: invalid riff length"]);
    check_error(&MP3[..3], expect!["the MP3 file holds no sound"]);
    check_error(&OPUS[..60], expect!["the Ogg Opus file is damaged: its header is not valid"]);
    check_error(&FLAC[..60], expect!["the FLAC file is truncated"]);
    check_error(&VORBIS[..100], expect!["the Ogg Vorbis file is truncated"]);
}

#[test]
fn a_file_longer_than_allowed_is_refused() {
    let limits = Limits { max_duration: Duration::from_millis(300) };
    for bytes in [GRAPH, MP3, FLAC, VORBIS, OPUS] {
        assert_eq!(decode_file(bytes, limits), Err(FileError::TooLong { max_duration: limits.max_duration }));
    }
}

#[test]
fn rates_and_channels_have_bounds() {
    let with = |at: usize, value: u8| {
        let mut bytes = GRAPH.to_vec();
        bytes[at] = value;
        bytes
    };
    // Byte 24 is the low byte of the rate of 16000, byte 25 the next; byte 22 counts channels.
    check_error(&with(25, 0x10), expect!["the WAV file has a rate of 4224 Hz, not 8000 to 192000 Hz"]);
    check_error(&with(26, 0x10), expect!["the WAV file has a rate of 1064576 Hz, not 8000 to 192000 Hz"]);
    check_error(&with(22, 3), expect!["the WAV file has 3 channels, not 1 to 2"]);
}

#[test]
fn no_mutation_makes_it_panic() {
    let mut random = 7u32;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        random as usize % below
    };
    for original in [GRAPH, MP3, FLAC, VORBIS, OPUS, include_bytes!("../data/alaw.wav")] {
        for _ in 0..60 {
            let mut bytes = original.to_vec();
            for _ in 0..=next(6) {
                let at = if next(2) == 0 { next(bytes.len().min(200)) } else { next(bytes.len()) };
                bytes[at] = next(256) as u8;
            }
            bytes.truncate(1 + next(2 * bytes.len()).min(bytes.len() - 1));
            if let Ok(decoded) = decode_file(&bytes, LIMITS) {
                assert!(decoded.recording.duration() <= LIMITS.max_duration);
            }
        }
    }
}
