//! What a process uses, as Linux' `/proc` tells it (proc(5)).

use anyhow::Context;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the names of the threads that mix begin with.
const MEDIA_THREADS: &str = "media-";

/// A process that is looked at.
#[derive(Debug)]
pub(super) struct Process {
    folder: PathBuf,
}

/// What a process has used since it began.
#[derive(Clone, Debug)]
pub(super) struct Usage {
    /// What it has in memory now, in KiB.
    pub(super) rss_kib: u64,
    /// Its threads by their ids.
    threads: BTreeMap<String, Thread>,
}

/// What a thread has used since it began.
#[derive(Clone, Debug)]
struct Thread {
    is_media: bool,
    cpu: Duration,
}

/// User and system time of a process in a span of time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CpuTime {
    /// Of all its threads.
    pub(super) all: Duration,
    /// Of the threads that mix.
    pub(super) media: Duration,
}

impl Process {
    pub(super) fn new(id: u32) -> Self {
        Self { folder: PathBuf::from(format!("/proc/{id}")) }
    }

    /// Looks at it.
    ///
    /// # Errors
    ///
    /// If there is no such process, or no such `/proc`.
    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        Ok(Usage { rss_kib: self.rss_kib()?, threads: self.threads()? })
    }

    fn rss_kib(&self) -> anyhow::Result<u64> {
        let status = read(&self.folder.join("status"))?;
        let value = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = value.and_then(|value| value.trim().strip_suffix("kB"));
        number.and_then(|number| number.trim().parse().ok()).context("/proc tells no VmRSS")
    }

    fn threads(&self) -> anyhow::Result<BTreeMap<String, Thread>> {
        let folders = fs::read_dir(self.folder.join("task")).context("the server's threads cannot be read")?;
        let mut threads = BTreeMap::new();
        for folder in folders.flatten() {
            // One that ends while it is looked at is not there.
            let Ok(name) = read(&folder.path().join("comm")) else { continue };
            let thread = Thread { is_media: name.starts_with(MEDIA_THREADS), cpu: cpu(&folder.path())? };
            threads.insert(folder.file_name().to_string_lossy().into_owned(), thread);
        }
        Ok(threads)
    }
}

impl Usage {
    /// Returns what was used since an earlier look. What a thread used that has ended meanwhile is not in it: those of
    /// the server that come and go do little.
    pub(super) fn cpu_since(&self, earlier: &Usage) -> CpuTime {
        let mut used = CpuTime::default();
        for (id, thread) in &self.threads {
            let before = earlier.threads.get(id).map_or(Duration::ZERO, |thread| thread.cpu);
            let cpu = thread.cpu.saturating_sub(before);
            used.all += cpu;
            used.media += if thread.is_media { cpu } else { Duration::ZERO };
        }
        used
    }
}

/// Reads the CPU time of a thread. `stat` counts it in steps of 10 ms, which is too coarse for a few legs; the first
/// number of `schedstat` is in nanoseconds.
fn cpu(thread: &Path) -> anyhow::Result<Duration> {
    let times = read(&thread.join("schedstat"))?;
    let nanoseconds = times.split(' ').next().and_then(|number| number.parse().ok());
    nanoseconds.map(Duration::from_nanos).context("/proc tells no CPU time")
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn this_process_uses_something() {
        let process = Process::new(std::process::id());
        let before = process.usage().unwrap();
        assert!(before.rss_kib > 100);
        let worker = std::thread::Builder::new().name("media-test".to_owned());
        let deadline = Instant::now() + Duration::from_secs(10);
        let working = move || loop {
            let used = process.usage().unwrap().cpu_since(&before);
            // The kernel books the time of a running thread when its next tick comes.
            if used.media > Duration::ZERO || Instant::now() > deadline {
                return used;
            }
        };
        let used = worker.spawn(working).unwrap().join().unwrap();
        assert!(used.media > Duration::ZERO && used.media <= used.all, "{used:?}");
    }
}
