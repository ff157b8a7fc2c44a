//! One step of a climb: so many legs, measured for a while.

use crate::bench::phase::{self, Lab, Phase};
use crate::bench::process::Process;
use serde::Serialize;
use std::time::{Duration, Instant};

/// A core that does so much has no more to give. A bit less than all: the rest is the kernel's.
const FULL: f64 = 0.95;

/// Up to this load of its core a server is asked to be punctual, and its figures are compared.
const HEALTHY: f64 = 0.7;

/// One packet of so many may be lost: a busy machine drops some that no server could keep.
const PACKETS_PER_LOSS: u64 = 10_000;

/// The server with its first conversation: what is in memory by then serves all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Baseline {
    pub(super) legs: usize,
    pub(super) rss_kib: u64,
}

/// What was found with so many legs.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Step {
    pub(super) legs: usize,
    /// How much of its core the server used, as a part of 1.
    pub(super) core: f64,
    /// How much of theirs the phones used. Near 1 it is they who are late.
    pub(super) load_core: f64,
    /// By how much the server's memory has grown with each leg since its first conversation, in KiB. Zero if there are no more.
    pub(super) memory_per_leg_kib: f64,
    #[serde(flatten)]
    pub(super) phase: Phase,
}

/// Measures for a while.
///
/// # Errors
///
/// If the server ends meanwhile.
pub(super) async fn measure(
    length: Duration,
    legs: usize,
    baseline: Baseline,
    load: &Process,
    lab: Lab<'_>,
) -> anyhow::Result<Step> {
    let (began, before) = (Instant::now(), load.usage()?);
    let phase = phase::measure(length, legs, lab).await?;
    let load_cpu = load.usage()?.cpu_since(&before).all;
    let grown_kib = lab.server.usage()?.rss_kib.saturating_sub(baseline.rss_kib);
    Ok(Step {
        legs,
        core: phase.cpu_us_per_leg_second * legs as f64 / 1e6,
        load_core: load_cpu.as_secs_f64() / began.elapsed().as_secs_f64(),
        memory_per_leg_kib: grown_kib as f64 / legs.saturating_sub(baseline.legs).max(1) as f64,
        phase,
    })
}

impl Step {
    /// Tells whether more legs would show nothing but what is missing.
    pub(super) fn is_saturated(&self) -> bool {
        self.core > FULL || self.load_core > FULL || self.loses()
    }

    /// Tells whether the server has enough of its core, and the phones of theirs, that the figures are those of the work.
    pub(super) fn is_healthy(&self) -> bool {
        self.core <= HEALTHY && self.load_core <= FULL && !self.loses()
    }

    /// Tells whether more packets are missing at the phones than a good network loses.
    pub(super) fn loses(&self) -> bool {
        let Phase { packets_lost, packets_received, .. } = self.phase;
        packets_lost * PACKETS_PER_LOSS > packets_lost + packets_received
    }
}
