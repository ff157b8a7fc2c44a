//! The tests of `media`: one file per subject, one binary.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

mod allocation;
mod codec;
mod dtmf;
mod file;
mod fuzz_seeds;
mod heard;
mod hold_music;
mod isolation;
mod mixer;
mod music;
mod network;
mod pauses;
mod reports;
mod room;
