//! A program of somebody else's that is told what to do on its standard input and says what it does on its output.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::PATIENCE;
use super::ears::go_first;

/// A program that runs. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    process: Child,
    input: ChildStdin,
    output: Receiver<String>,
}

impl Program {
    /// Starts it before others: it plays and measures sound.
    pub(super) fn start(name: &'static str, command: &mut Command) -> Program {
        go_first();
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be run, which ./test installs: {error}"));
        let (lines, output) = channel();
        let stdout = process.stdout.take().expect("it is piped");
        thread::spawn(move || read_output(BufReader::new(stdout), &lines));
        let input = process.stdin.take().expect("it is piped");
        Program { name, process, input, output }
    }

    /// Returns the id of its process.
    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Presses these keys. What it said before is forgotten: what it is asked for next is what it says of these.
    pub(super) fn press(&mut self, keys: &str) {
        while self.output.try_recv().is_ok() {}
        let written = self.input.write_all(keys.as_bytes()).and_then(|()| self.input.flush());
        written.unwrap_or_else(|error| panic!("{} has ended: {error}", self.name));
    }

    /// Waits until it says something.
    pub(super) fn expect(&self, text: &str) {
        if let Err(written) = self.says_within(text, PATIENCE) {
            panic!("{} does not say {text:?}: {written:#?}", self.name);
        }
    }

    /// Presses keys again and again until it says something.
    pub(super) fn press_until(&mut self, keys: &str, text: &str) {
        const PAUSE: Duration = Duration::from_millis(100);
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.press(keys);
            match self.says_within(text, PAUSE) {
                Ok(()) => return,
                Err(written) => assert!(Instant::now() < deadline, "{}: {written:#?}", self.name),
            }
        }
    }

    /// Tells it to end, and waits until it has closed its files; killed it would not.
    pub(super) fn end(&mut self) {
        rustix::process::kill_process(Pid::from_child(&self.process), Signal::TERM).expect("it runs");
        self.wait();
    }

    /// Waits until it has ended by itself.
    pub(super) fn wait(&mut self) {
        self.process.wait().expect("it is our child");
    }

    /// Waits until it says something, or returns what it has said instead.
    fn says_within(&self, text: &str, time: Duration) -> Result<(), Vec<String>> {
        let deadline = Instant::now() + time;
        let mut written = Vec::new();
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return Ok(()),
                Ok(line) => written.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Err(written),
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read_output(stdout: impl BufRead, lines: &Sender<String>) {
    for line in stdout.lines().map_while(Result::ok) {
        // The test may be over.
        if lines.send(line).is_err() {
            return;
        }
    }
}
