//! The tests of `edge`, one file per subject.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod latch;
mod sdp;
