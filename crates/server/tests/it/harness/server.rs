//! The real binary as a child process, with a data folder and ports of its own.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Resource, Rlimit};
use tempfile::TempDir;

use super::PATIENCE;
use super::http::block_on;

/// A server that runs. Dropping it kills it, and prints its log if the test fails.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    log: Log,
    http: SocketAddr,
    https: SocketAddr,
    sip: SocketAddr,
    sips: SocketAddr,
    /// Where data and configuration are.
    folder: Arc<TempDir>,
    /// Where SIP is listened to.
    address: Ipv4Addr,
}

type Log = Arc<Mutex<Vec<String>>>;

impl Server {
    /// Starts the `dev` profile.
    pub(crate) fn start() -> Server {
        Server::start_with("")
    }

    /// Starts the `dev` profile with what this TOML changes in it.
    pub(crate) fn start_with(settings: &str) -> Server {
        Server::start_at(Ipv4Addr::LOCALHOST, settings)
    }

    /// The same, and SIP is spoken at this address.
    pub(crate) fn start_at(address: Ipv4Addr, settings: &str) -> Server {
        Server::start_in(folder_with(settings), address, "info")
    }

    /// The same, with the loudest log.
    pub(crate) fn start_telling_everything(settings: &str) -> Server {
        Server::start_in(folder_with(settings), Ipv4Addr::LOCALHOST, "trace")
    }

    /// Kills it with SIGKILL, and starts it again on the same data.
    pub(crate) fn kill_and_restart(self) -> Server {
        self.kill_and_restart_after(|| ())
    }

    /// Kills it with SIGKILL, and starts it again on the same data after something else is done.
    pub(crate) fn kill_and_restart_after(mut self, meanwhile: impl FnOnce()) -> Server {
        self.kill();
        meanwhile();
        Server::start_in(Arc::clone(&self.folder), self.address, "info")
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    pub(crate) fn https(&self) -> SocketAddr {
        self.https
    }

    /// Returns the folder of the database, the keys and the local authority.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Returns the lines of its log with this text in them.
    pub(crate) fn log_lines(&self, text: &str) -> Vec<String> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// Returns where SIP is spoken over TLS.
    pub(crate) fn sips(&self) -> SocketAddr {
        self.sips
    }

    pub(crate) fn sip(&self) -> SocketAddr {
        self.sip
    }

    /// Returns what has been written so far.
    pub(crate) fn log(&self) -> String {
        text(&self.log)
    }

    /// Waits for a line with this text.
    pub(crate) fn expect_log_line(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(line) = self.log().lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("there is no line with {text:?}");
    }

    /// Waits until its metrics have this line.
    pub(crate) fn expect_metric(&self, line: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut metrics = String::new();
        while Instant::now() < deadline {
            metrics = self.metrics();
            if metrics.lines().any(|found| found == line) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("there is no {line:?} in\n{metrics}");
    }

    fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.http);
        block_on(async { reqwest::get(url).await?.text().await }).expect("the server answers")
    }

    /// Returns the memory that the process has in use now (`VmRSS`), in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells the memory");
        line.trim().trim_end_matches(" kB").parse().expect("it is a number")
    }

    /// Lets no file grow and nothing be written any more, as on a full disk, or lifts that again (setrlimit(2)).
    pub(crate) fn set_disk_full(&self, is_full: bool) {
        let all = rustix::process::getrlimit(Resource::Fsize);
        let limit = Rlimit { current: if is_full { Some(0) } else { all.maximum }, ..all };
        rustix::process::prlimit(Some(Pid::from_child(&self.process)), Resource::Fsize, limit)
            .expect("it is our child");
    }

    fn start_in(folder: Arc<TempDir>, address: Ipv4Addr, log_filter: &str) -> Server {
        let mut process =
            command(&folder, address).env("FERMATA_LOG", log_filter).spawn().expect("the binary is built");
        let log = Log::default();
        let (ready, is_ready) = channel();
        let stderr = process.stderr.take().expect("it is piped");
        let written = Arc::clone(&log);
        thread::spawn(move || read_log(stderr, &written, &ready));
        let Ok(line) = is_ready.recv_timeout(PATIENCE) else {
            // The process must not outlive the test.
            let _ = process.kill();
            panic!("the server does not start:\n{}", text(&log));
        };
        let [http, https, sip, sips] = ["http=", "https=", "sip=", "sips="].map(|name| address_in(&line, name));
        Server { process, http, https, sip, sips, log, folder, address }
    }

    fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    #[expect(clippy::print_stderr, reason = "the reason of a failed test is often in the log")]
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("the server's log:\n{}", text(&self.log));
        }
    }
}

fn folder_with(settings: &str) -> Arc<TempDir> {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("fermata.toml"), settings).expect("there is room for a file");
    Arc::new(folder)
}

fn command(folder: &TempDir, sip: Ipv4Addr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fermata"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FERMATA")) {
        command.env_remove(name);
    }
    command.arg("serve");
    command.arg("--config").arg(folder.path().join("fermata.toml"));
    command.arg("--data").arg(folder.path().join("data"));
    command.env("FERMATA__HTTP__LISTEN", "127.0.0.1:0").env("FERMATA__HTTPS__LISTEN", "127.0.0.1:0");
    command.env("FERMATA__SIP__LISTEN", format!("{sip}:0")).env("FERMATA__SIP__TLS_LISTEN", format!("{sip}:0"));
    command.env("FERMATA__WEBRTC__LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Keeps every line, and hands over the one that says where everything is.
fn read_log(stderr: ChildStderr, log: &Log, ready: &Sender<String>) {
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        if line.contains("Fermata is ready") {
            // Whoever waited may have given up.
            let _ = ready.send(line.clone());
        }
        log.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

fn address_in(line: &str, name: &str) -> SocketAddr {
    let value = line.split(' ').find_map(|word| word.strip_prefix(name));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {line:?}"))
}

fn text(log: &Log) -> String {
    log.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
}
