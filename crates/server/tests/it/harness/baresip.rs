//! baresip, a softphone that people use, in its Debian version 1.0.0: registered as a user, saying a tone from a file,
//! and recording what it hears.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use super::PATIENCE;
use super::ears::go_first;
use super::server::Server;
use super::wav::Wav;

/// The codecs it is tried with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BaresipCodec {
    G722,
    Opus,
}

impl BaresipCodec {
    fn name(self) -> &'static str {
        match self {
            BaresipCodec::G722 => "G722/16000/1",
            BaresipCodec::Opus => "opus/48000/2",
        }
    }

    fn module(self) -> &'static str {
        match self {
            BaresipCodec::G722 => "g722.so",
            BaresipCodec::Opus => "opus.so",
        }
    }

    /// The file must have the codec's own format, and it is played once: a minute is longer than any test.
    fn speech(self, hz: u32) -> Wav {
        let (rate_hz, channels) = match self {
            BaresipCodec::G722 => (16_000, 1),
            BaresipCodec::Opus => (48_000, 2),
        };
        let tone = Wav::tone(hz, rate_hz, channels);
        Wav { samples: tone.samples.repeat(30), ..tone }
    }
}

/// What its signalling and its sound go over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BaresipTransport {
    Udp,
    /// It trusts the server's local authority, and takes no call in clear.
    TlsAndSrtp,
}

/// A softphone that is registered. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Baresip {
    process: Child,
    folder: TempDir,
    output: Receiver<String>,
}

impl Baresip {
    /// Starts it as a user of the `dev` profile and waits until it is registered.
    pub(crate) fn start(server: &Server, user: &str, codec: BaresipCodec, hz: u32) -> Baresip {
        Baresip::start_on(server, BaresipTransport::Udp, user, codec, hz)
    }

    /// The same over this transport.
    pub(crate) fn start_on(
        server: &Server,
        transport: BaresipTransport,
        user: &str,
        codec: BaresipCodec,
        hz: u32,
    ) -> Baresip {
        go_first();
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().to_str().expect("the path of temporary files is text");
        let file = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).expect("there is room");
        file("speech.wav", &codec.speech(hz).to_bytes());
        let authority = server.data().join("ca.pem");
        file("config", format!("{}sip_cafile {}\n", config(path, codec), authority.display()).as_bytes());
        file("accounts", account(server, transport, user, codec).as_bytes());
        let mut process = Command::new("baresip")
            .args(["-f", path])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip is installed: ./test does that");
        let (lines, output) = channel();
        let stdout = process.stdout.take().expect("it is piped");
        thread::spawn(move || read_output(BufReader::new(stdout), &lines));
        let baresip = Baresip { process, folder, output };
        baresip.expect("200 OK");
        baresip
    }

    /// Ends it, and returns what it heard in its call.
    pub(crate) fn recording(mut self) -> Wav {
        // Told to end it closes its files; killed it would not.
        let process = Pid::from_child(&self.process);
        rustix::process::kill_process(process, Signal::TERM).expect("it runs");
        self.process.wait().expect("it is our child");
        let entries = fs::read_dir(self.folder.path()).expect("its folder is there");
        let paths = entries.map(|entry| entry.expect("its folder can be read").path());
        let mut decoded = paths.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        let path: PathBuf = decoded.next().expect("it has recorded");
        Wav::from_bytes(&fs::read(path).expect("its recording can be read"))
    }

    /// Waits until it writes something.
    fn expect(&self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut written = Vec::new();
        loop {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return,
                Ok(line) => written.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("baresip does not say {text:?}: {written:#?}")
                }
            }
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn config(path: &str, codec: BaresipCodec) -> String {
    let module = codec.module();
    format!(
        "sip_listen 127.0.0.1:0\n\
         audio_source aufile,{path}/speech.wav\n\
         audio_player aubridge,player\n\
         audio_channels 1-2\n\
         module_path /usr/lib/baresip/modules\n\
         module {module}\n\
         module aufile.so\n\
         module aubridge.so\n\
         module sndfile.so\n\
         module srtp.so\n\
         snd_path {path}\n\
         module_tmp account.so\n\
         module_app menu.so\n"
    )
}

fn account(server: &Server, transport: BaresipTransport, user: &str, codec: BaresipCodec) -> String {
    let (address, encryption) = match transport {
        BaresipTransport::Udp => (server.sip().to_string(), ""),
        BaresipTransport::TlsAndSrtp => (format!("{};transport=tls", server.sips()), ";mediaenc=srtp-mand"),
    };
    let codec = codec.name();
    format!(
        "<sip:{user}@{address}>;auth_user={user};auth_pass=fermata-dev;answermode=auto;audio_codecs={codec}{encryption}\n"
    )
}

fn read_output(stdout: impl BufRead, lines: &Sender<String>) {
    for line in stdout.lines().map_while(Result::ok) {
        // The test may be over.
        if lines.send(line).is_err() {
            return;
        }
    }
}
