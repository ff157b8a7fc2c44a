//! linphonec, a softphone that people use, in its Debian version 5.1.65: registered as a user, saying a tone from a file,
//! and recording what it hears. It goes on sending while it holds.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::hold_key::HoldKey;
use super::program::Program;
use super::server::Server;
use super::wav::{Wav, tone_wav};

/// The codecs it is tried with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LinphoneCodec {
    Opus,
    Pcmu,
}

/// Its names and rates of the codecs it has; those that are not named here it would add by itself, at the end.
const CODECS: [(&str, u32, u8); 5] =
    [("opus", 48_000, 2), ("PCMU", 8_000, 1), ("PCMA", 8_000, 1), ("speex", 16_000, 1), ("speex", 8_000, 1)];

/// A softphone that is registered. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Linphone {
    program: Program,
    folder: TempDir,
    recordings: usize,
}

impl Linphone {
    /// Starts it as a user of the `dev` profile, with one codec, and waits until it is registered.
    pub(crate) fn start(server: &Server, user: &str, codec: LinphoneCodec, hz: u32) -> Linphone {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path();
        let file = |name: &str, content: &[u8]| fs::write(path.join(name), content).expect("there is room");
        file("speech.wav", &tone_wav(hz).to_bytes());
        file("settings", settings(server, user, codec).as_bytes());
        // It keeps its database there, and says so as an error if it cannot.
        fs::create_dir_all(path.join(".local/share/linphone")).expect("there is room");
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(path.join("settings")).env("HOME", path);
        let mut program = Program::start("linphonec", &mut command);
        program.press("soundcard use files\nautoanswer enable\n");
        program.press(&format!("play {}/speech.wav\n", path.display()));
        program.press_until("status register\n", "registered, identity=");
        let mut linphone = Linphone { program, folder, recordings: 0 };
        linphone.begin_recording();
        linphone
    }

    /// Changes to another codec, which it tells its peer when it resumes the next time. From now on there is another
    /// recording, because each has one rate.
    pub(crate) fn speak(&mut self, codec: LinphoneCodec) {
        self.begin_recording();
        for (at, (name, ..)) in CODECS.iter().enumerate() {
            let verb = if *name == codec.name() { "enable" } else { "disable" };
            self.program.press(&format!("codec {verb} {at}\n"));
        }
    }

    /// Ends it, and returns what it heard in its call, one recording for each codec, without the time in which it held.
    pub(crate) fn recordings(mut self) -> Vec<Wav> {
        self.program.press("quit\n");
        self.program.expect("Terminating");
        self.program.wait();
        let read = |number| fs::read(self.recorded(number)).expect("it has recorded");
        (0..self.recordings).map(|number| Wav::from_bytes(&read(number))).collect()
    }

    fn begin_recording(&mut self) {
        let path = self.recorded(self.recordings);
        self.recordings += 1;
        self.program.press(&format!("record {}\n", path.display()));
    }

    fn recorded(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("heard-{number}.wav"))
    }
}

impl LinphoneCodec {
    fn name(self) -> &'static str {
        match self {
            LinphoneCodec::Opus => "opus",
            LinphoneCodec::Pcmu => "PCMU",
        }
    }
}

impl HoldKey for Linphone {
    fn press_hold(&mut self) {
        self.program.press("pause\n");
        self.program.expect("is now paused");
    }

    fn press_resume(&mut self) {
        self.program.press("resume\n");
        self.program.expect("Media streams established");
    }
}

fn settings(server: &Server, user: &str, codec: LinphoneCodec) -> String {
    let address = server.sip();
    let codecs = CODECS.iter().enumerate().map(|(at, (name, rate_hz, channels))| {
        let enabled = u8::from(*name == codec.name());
        format!("[audio_codec_{at}]\nmime={name}\nrate={rate_hz}\nchannels={channels}\nenabled={enabled}\n")
    });
    format!(
        "[sip]\nsip_port=-1\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\ndefault_proxy=0\n\
         [rtp]\naudio_rtp_port=-1\n[sound]\nechocancellation=0\n\
         [auth_info_0]\nusername={user}\npasswd=fermata-dev\n\
         [proxy_0]\nreg_proxy=<sip:{address};transport=udp>\nreg_identity=sip:{user}@{address}\nreg_expires=3600\n\
         reg_sendregister=1\n{}",
        codecs.collect::<String>()
    )
}
