//! A person in a real browser: headless Chromium with a microphone that says a tone, signed in as a user of the `dev`
//! profile. What its page does is in interop/browser.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::ears::{SPOKEN_DBFS, TONES_HZ};
use super::interop::node_of_browser;
use super::server::Server;
use super::wav::Wav;

/// A tone above this is heard. The browser's jitter buffer stretches and squeezes where the machine is busy, and a window
/// in which it has made sound up is some dB lower.
const HEARD_MIN_DBFS: f64 = -40.0;

/// A tone above this is too loud to be what was said.
const HEARD_MAX_DBFS: f64 = SPOKEN_DBFS as f64 + 6.0;

/// A tone below this is not there. Opus makes about -65 dBFS of noise next to a tone; one leaked frame of 20 ms in a window
/// would be at -34.
const UNHEARD_DBFS: f64 = -50.0;

/// How long what was before may still be in the browser's jitter buffer, which Chromium empties slowly.
const SETTLING: Duration = Duration::from_millis(500);

/// What is judged each time.
const JUDGED: Duration = Duration::from_millis(400);

/// A browser that is open, so that it rings. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Browser {
    process: Child,
    pipes: Mutex<Pipes>,
    /// Where its voice is.
    #[expect(dead_code, reason = "what counts is that it is there")]
    folder: TempDir,
}

#[derive(Debug)]
struct Pipes {
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts a browser in which a user has signed in.
    pub(crate) fn open(server: &Server, user: &str, hz: u32) -> Browser {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let microphone = folder.path().join("microphone.wav");
        std::fs::write(&microphone, Wav::tone(hz, 48_000, 1).to_bytes()).expect("there is room for a file");
        let mut command = node_of_browser();
        command.arg("browser.mjs").arg(format!("http://{}", server.http())).arg(user).arg(&microphone);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node can be started");
        let orders = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut pipes = Pipes { orders, answers };
        assert_eq!(pipes.read(), json!({ "ready": true }));
        Browser { process, pipes: Mutex::new(pipes), folder }
    }

    /// Waits until it rings. Returns what it is told: the id of the call for this user, and who is in it.
    pub(crate) fn expect_call(&self) -> Value {
        self.order("news", &json!("called"))
    }

    /// Waits until it rings no more, and returns why.
    pub(crate) fn expect_over(&self) -> String {
        self.order("news", &json!("over"))["reason"].as_str().expect("there is a reason").to_owned()
    }

    /// Answers the call, and waits until sound can flow.
    pub(crate) fn answer(&self) {
        self.order("answer", &Value::Null);
    }

    /// The same where the network lets no UDP through.
    pub(crate) fn answer_without_udp(&self) {
        self.order("answer", &json!("udp"));
    }

    pub(crate) fn decline(&self) {
        self.order("decline", &Value::Null);
    }

    /// Offers another direction, in the browser's words.
    pub(crate) fn turn(&self, direction: &str) {
        self.order("turn", &json!(direction));
    }

    /// Goes on from another address.
    pub(crate) fn restart_ice(&self) {
        self.order("restartIce", &Value::Null);
    }

    /// Goes on in a new session, as after a reload.
    pub(crate) fn reconnect(&self) {
        self.order("reconnect", &Value::Null);
    }

    pub(crate) fn leave(&self) {
        self.order("leave", &Value::Null);
    }

    /// Closes the session without asking the server.
    pub(crate) fn close(&self) {
        self.order("close", &Value::Null);
    }

    /// What the browser has counted of its session.
    pub(crate) fn statistics(&self) -> Value {
        self.order("statistics", &Value::Null)
    }

    /// Checks that from now on, when the jitter buffer is through with what was before, exactly these tones are heard: in
    /// every 100 ms.
    #[track_caller]
    pub(crate) fn assert_hears(&self, heard_hz: &[u32]) {
        let seconds = (SETTLING + JUDGED).as_secs_f64();
        let windows = self.order("listen", &json!({ "seconds": seconds, "tones": TONES_HZ }));
        let windows: Vec<[f64; 4]> = serde_json::from_value(windows).expect("there is a level for each tone");
        let settling = (SETTLING.as_millis() / 100) as usize;
        for window in &windows[settling..] {
            let is_fine = |(hz, level): (&u32, &f64)| match heard_hz.contains(hz) {
                true => (HEARD_MIN_DBFS..HEARD_MAX_DBFS).contains(level),
                false => *level <= UNHEARD_DBFS,
            };
            assert!(TONES_HZ.iter().zip(window).all(is_fine), "{heard_hz:?} of {TONES_HZ:?}: {windows:.1?}");
        }
    }

    #[track_caller]
    fn order(&self, order: &str, argument: &Value) -> Value {
        let mut pipes = self.pipes.lock().expect("a test that fails ends");
        writeln!(pipes.orders, "{}", json!({ "order": order, "argument": argument })).expect("the browser runs");
        let answer = pipes.read();
        match answer.get("result") {
            Some(result) => result.clone(),
            None => panic!("{order}: {answer}"),
        }
    }
}

impl Pipes {
    #[track_caller]
    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the browser runs");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // `timeout` hands it on to node, which ends the browser with it.
        let pid = rustix::process::Pid::from_child(&self.process);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.process.wait();
    }
}
