//! A prompt file: decoded, within its limit, or refused with a sentence.

use std::time::Duration;

use media::{Limits, decode_file};

const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn run(bytes: &[u8]) {
    match decode_file(bytes, Limits { max_duration: LIMIT }) {
        Ok(file) => assert!(file.recording.duration() <= LIMIT, "longer than allowed"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
