//! `fermata demo`, as a visitor runs it: it keeps the promise, says so, and leaves recordings that prove it.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use media::{Limits, Recording, decode_file, tone_dbfs};

use crate::harness::stage;

/// The notes of each motif. That they are stated here again is on purpose: the recordings are judged, not the demo's
/// own judgement.
const ALICE_HZ: &[f64] = &[523.25, 659.26, 783.99];
const BOB_HZ: &[f64] = &[880.0, 987.77, 1_174.66];
const CAROL_HZ: &[f64] = &[1_318.51, 1_567.98, 1_760.0];
const MUSIC_HZ: &[f64] = &[196.0, 220.0, 261.63, 293.66, 329.63];

/// Above it a voice is heard, in dBFS. They come at about -25; what is not there is below -55.
const HEARD_DBFS: f32 = -45.0;

/// Recordings are judged in pieces of this length, long enough for a note of every motif.
const PIECES_PER_SECOND: usize = 5;

/// Longer than any demo.
const RECORDING_MAX: Duration = Duration::from_secs(120);

/// So many pieces in a row are a part of the demo; people who come and go one by one make shorter ones.
const PART_PIECES: usize = 10;

#[test]
fn keeps_the_promise_and_leaves_recordings_that_prove_it() {
    let _stage = stage();
    let folder = tempfile::tempdir().unwrap();
    let output = demo(folder.path());
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("The promise was kept"), "{shown}");
    assert!(!shown.contains('\x1b'), "control characters where there is no terminal: {shown}");
    check_heard(&folder.path().join("alice.wav"), &["bob carol", "carol", "bob carol"]);
    check_heard(&folder.path().join("bob.wav"), &["alice carol", "music", "alice carol"]);
    check_heard(&folder.path().join("carol.wav"), &["alice bob", "alice", "alice bob"]);
}

fn demo(out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fermata"));
    command.arg("demo").arg("--out").arg(out).output().expect("the program is there")
}

/// Checks who is heard in a recording, part after part.
#[track_caller]
fn check_heard(path: &Path, parts: &[&str]) {
    let bytes = std::fs::read(path).expect("the demo leaves a recording");
    let file = decode_file(&bytes, Limits { max_duration: RECORDING_MAX }).expect("the recording is a WAV file");
    let Recording { rate_hz, samples } = file.recording;
    let pieces: Vec<String> =
        samples.chunks(rate_hz as usize / PIECES_PER_SECOND).map(|piece| who_is_in(piece, rate_hz)).collect();
    let runs = pieces.chunk_by(|one, next| one == next).filter(|run| run.len() >= PART_PIECES);
    assert_eq!(runs.map(|run| run[0].as_str()).collect::<Vec<_>>(), parts, "{}: {pieces:?}", path.display());
}

fn who_is_in(piece: &[i16], rate_hz: u32) -> String {
    let voices = [("alice", ALICE_HZ), ("bob", BOB_HZ), ("carol", CAROL_HZ), ("music", MUSIC_HZ)];
    let is_in = |notes_hz: &[f64]| notes_hz.iter().any(|&hz| tone_dbfs(piece, hz, rate_hz) > HEARD_DBFS);
    let heard = voices.into_iter().filter(|(_, notes_hz)| is_in(notes_hz)).map(|(name, _)| name);
    heard.collect::<Vec<_>>().join(" ")
}
