//! Which core does what, when the server and its load are to be kept apart.

use anyhow::Context;
use rustix::thread::{CpuSet, sched_setaffinity};

/// Where the server runs.
pub(super) const SERVER_CORE: usize = 0;

/// Where the phones and the bot run.
pub(super) const LOAD_CORE: usize = 1;

/// Keeps this thread on one core, and every thread and process that it starts from now on.
///
/// # Errors
///
/// What the system says, as when there is no such core.
pub(super) fn pin(core: usize) -> anyhow::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).with_context(|| format!("--pin: there is no core {core} to be had"))
}
