//! SIPp, which plays a script of SIP messages and a file as RTP. It shows how the server takes messages that no phone of
//! ours would write.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;

use media::{Codec, Encoder};
use tempfile::TempDir;

use super::ears::go_first;
use super::free_address::free_address;
use super::wav::Wav;

/// A script that runs. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Sipp {
    process: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Sipp {
    /// Starts a script for one call, which may play the file `speech.ul`: this tone in G.711 µ-law.
    pub(crate) fn start(scenario: &str, hz: u32) -> Sipp {
        go_first();
        let folder = tempfile::tempdir().expect("there is room for a folder");
        fs::write(folder.path().join("scenario.xml"), scenario).expect("there is room");
        fs::write(folder.path().join("speech.ul"), encode(hz)).expect("there is room");
        let address = free_address();
        let (port, rtp_port) = (address.port().to_string(), free_address().port().to_string());
        let process = Command::new("sipp")
            .args(["-sf", "scenario.xml", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", &port, "-m", "1", "-nostdin"])
            .args(["-mp", &rtp_port])
            // It ends by itself in any case: a call that hangs is a failed one.
            .args(["-timeout", "60s", "-timeout_error"])
            .args(["-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("complaints")).expect("there is room"))
            .spawn()
            .expect("sipp is installed: ./test does that");
        Sipp { process, folder, address }
    }

    /// Returns where it is called.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until its script is over, and checks that every message was as the script wants it.
    pub(crate) fn finish(mut self) {
        let status = self.process.wait().expect("it is our child");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Sipp {
    #[expect(clippy::print_stderr, reason = "the reason of a failed test is often in the messages")]
    fn drop(&mut self) {
        if thread::panicking() {
            for name in ["complaints", "errors", "messages"] {
                eprintln!("{name}:\n{}", fs::read_to_string(self.folder.path().join(name)).unwrap_or_default());
            }
        }
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two seconds of a tone, as SIPp sends files: the payloads of RTP one after the other.
fn encode(hz: u32) -> Vec<u8> {
    let mut payloads = Vec::new();
    let mut encoder = Encoder::new(Codec::Pcmu);
    let tone = Wav::tone(hz, encoder.rate_hz(), 1);
    let frame = encoder.rate_hz() as usize / 50;
    tone.samples.chunks_exact(frame).for_each(|frame| encoder.encode(frame, &mut payloads));
    payloads
}
