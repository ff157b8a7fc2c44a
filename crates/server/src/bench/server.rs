//! The server under test: a child process with free ports and a data folder that goes with it.

use super::affinity::{LOAD_CORE, SERVER_CORE, pin};
use super::process::{Process, Usage};
use super::scrape::TickCounts;
use anyhow::{Context, bail};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::{sleep, timeout};

/// How long a start may take; the target is 1 s. A busy machine needs more, a broken server never gets ready.
const START_MAX: Duration = Duration::from_secs(30);

/// How long a server is looked at to see whether it rests.
const REST: Duration = Duration::from_millis(300);

/// How long it may be busy after its start: it encodes the built-in music ahead of need. Then it is measured as it is.
const REST_WAIT_MAX: Duration = Duration::from_secs(10);

/// Less CPU time than this in [`REST`] is rest: 3 % of a core.
const REST_CPU_MAX: Duration = Duration::from_millis(10);

/// What differs from the configuration that is in force otherwise: free ports, and no limit of one hold at a time.
const SETTINGS: [(&str, &str); 9] = [
    ("FERMATA__PROFILE", "dev"),
    ("FERMATA__HTTP__LISTEN", "127.0.0.1:0"),
    ("FERMATA__HTTPS__LISTEN", ""),
    ("FERMATA__SIP__LISTEN", "127.0.0.1:0"),
    ("FERMATA__SIP__TLS_LISTEN", ""),
    ("FERMATA__WEBRTC__LISTEN", ""),
    ("FERMATA__GRAPH__MODE", "extended"),
    // As in production: what people are given to hear is not written down.
    ("FERMATA__OBSERVATION__HEARD", "false"),
    ("FERMATA__OBSERVATION__HEARD_AUDIO_SECONDS", "0"),
];

/// What differs where sound is encrypted. The keys go over UDP, which on loopback nobody reads.
pub(super) const ENCRYPTED: [(&str, &str); 2] =
    [("FERMATA__SRTP__PHONES", "required"), ("FERMATA__SRTP__KEYS_WITHOUT_TLS", "true")];

/// A server that runs. Dropping it kills it and removes its data.
#[derive(Debug)]
pub(super) struct Server {
    http: SocketAddr,
    start: Duration,
    process: Process,
    _child: Child,
    data: TempDir,
}

impl Server {
    /// Starts a server of this program, with its data in a folder of its own below `place`, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// What the server says when it does not start.
    pub(super) async fn start(is_pinned: bool, settings: &[(&str, &str)], place: &Path) -> anyhow::Result<Self> {
        let data =
            tempfile::Builder::new().prefix("fermata-bench-").tempdir_in(place).context("no folder for the data")?;
        let mut command = Command::new(std::env::current_exe().context("this program cannot be found")?);
        command
            .arg("serve")
            .arg("--data")
            .arg(data.path())
            .envs(SETTINGS)
            .envs(settings.iter().copied())
            .env("FERMATA_LOG", "info");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let began = Instant::now();
        let mut child = if is_pinned { spawn_pinned(&mut command)? } else { spawn(&mut command)? };
        let mut log = BufReader::new(child.stderr.take().context("the server has no log")?).lines();
        let http = timeout(START_MAX, ready(&mut log)).await.context("the server was not ready in time")??;
        let start = began.elapsed();
        tokio::spawn(pass_on(log));
        let process = Process::new(child.id().context("the server has ended")?);
        Ok(Self { http, start, process, _child: child, data })
    }

    /// Where the API is.
    pub(super) fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where its data is.
    pub(super) fn data(&self) -> &Path {
        self.data.path()
    }

    /// How long it took from its start until it said that it is ready.
    pub(super) fn start_time(&self) -> Duration {
        self.start
    }

    /// How punctual its ticks have been since its start.
    ///
    /// # Errors
    ///
    /// What it answers when it refuses.
    pub(super) async fn tick_counts(&self) -> anyhow::Result<TickCounts> {
        let answer = reqwest::get(format!("http://{}/metrics", self.http)).await?.error_for_status()?;
        Ok(TickCounts::parse(&answer.text().await?))
    }

    /// What it has used.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        self.process.usage()
    }

    /// Waits until it rests after its start, and says what it has used then.
    ///
    /// # Errors
    ///
    /// If it has ended.
    pub(super) async fn rest(&self) -> anyhow::Result<Usage> {
        let began = Instant::now();
        let mut before = self.usage()?;
        loop {
            sleep(REST).await;
            let now = self.usage()?;
            if now.cpu_since(&before).all < REST_CPU_MAX || began.elapsed() > REST_WAIT_MAX {
                return Ok(now);
            }
            before = now;
        }
    }
}

fn spawn(command: &mut Command) -> anyhow::Result<Child> {
    command.spawn().context("the server cannot be started")
}

/// A process begins on the cores of the thread that starts it.
fn spawn_pinned(command: &mut Command) -> anyhow::Result<Child> {
    pin(SERVER_CORE)?;
    let child = spawn(command);
    pin(LOAD_CORE)?;
    child
}

/// Reads the log until the server says where it listens.
async fn ready(log: &mut Lines<BufReader<ChildStderr>>) -> anyhow::Result<SocketAddr> {
    let mut last = String::new();
    while let Some(line) = log.next_line().await.context("the server's log cannot be read")? {
        if line.contains("Fermata is ready") {
            let http = line.split_whitespace().find_map(|word| word.strip_prefix("http="));
            return http.and_then(|address| address.parse().ok()).context("the server does not say where it listens");
        }
        last = line;
    }
    bail!("the server has ended: {last}")
}

/// Shows what the server complains about, and reads the rest so that it is never kept waiting.
#[expect(clippy::print_stderr, reason = "what goes wrong in the server belongs to the figures")]
async fn pass_on(mut log: Lines<BufReader<ChildStderr>>) {
    while let Ok(Some(line)) = log.next_line().await {
        if line.contains("WARN") || line.contains("ERROR") {
            eprintln!("server: {line}");
        }
    }
}
