//! The disk under the database: what one wait for it takes, before anything of ours is added.

use anyhow::Context;
use rustix::fs::{FsWord, statfs};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// How often it is waited for.
const TRIES: usize = 200;

/// What is written each time: a page of SQLite's.
const PAGE: [u8; 4096] = [0; 4096];

/// A file system in memory (statfs(2)).
const TMPFS_MAGIC: FsWord = 0x0102_1994;

/// Appends to a file and waits until it is on the disk, many times (fdatasync(2), as SQLite does at each commit).
///
/// # Errors
///
/// What the system says.
pub(super) fn waits(folder: &Path) -> anyhow::Result<Vec<Duration>> {
    let path = folder.join("disk-probe");
    let mut file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    let wait = |_| {
        let began = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        Ok(began.elapsed())
    };
    let waits = (0..TRIES).map(wait).collect::<std::io::Result<Vec<_>>>().context("the disk fails");
    std::fs::remove_file(&path).with_context(|| format!("{} cannot be removed", path.display()))?;
    waits
}

/// Tells whether a folder is on a disk, and not in memory.
///
/// # Errors
///
/// What the system says.
pub(super) fn is_on_disk(folder: &Path) -> anyhow::Result<bool> {
    let system = statfs(folder).with_context(|| format!("{} cannot be looked at", folder.display()))?;
    Ok(system.f_type != TMPFS_MAGIC)
}
