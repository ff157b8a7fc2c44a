//! What the benchmark found: what `--json` writes.

use super::Options;
use super::conversation::LEGS_PER_CONVERSATION;
use super::run::Figures;
use serde::Serialize;
use std::num::NonZero;

/// All figures, and under which conditions they were taken.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    pub(super) fermata_version: &'static str,
    /// How many cores there are.
    pub(super) cores: usize,
    /// Whether the server had a core of its own.
    pub(super) pinned: bool,
    pub(super) legs: usize,
    pub(super) legs_per_conversation: usize,
    /// How long each phase was measured, in seconds.
    pub(super) phase_seconds: u64,
    /// One entry for each codec.
    pub(super) runs: Vec<Figures>,
}

impl Report {
    /// Begins a report.
    pub(super) fn new(options: &Options) -> Self {
        Self {
            fermata_version: env!("CARGO_PKG_VERSION"),
            // Without --pin the same as the machine's.
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            pinned: options.pin,
            legs: options.legs,
            legs_per_conversation: LEGS_PER_CONVERSATION,
            phase_seconds: options.seconds,
            runs: Vec::new(),
        }
    }
}
