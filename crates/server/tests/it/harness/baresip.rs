//! baresip, a softphone that people use, in its Debian version 1.0.0: registered as a user, saying a tone from a file,
//! and recording what it hears.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::hold_key::HoldKey;
use super::program::Program;
use super::server::Server;
use super::wav::Wav;

/// The codecs it is tried with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BaresipCodec {
    Pcmu,
    G722,
    Opus,
}

impl BaresipCodec {
    fn name(self) -> &'static str {
        match self {
            BaresipCodec::Pcmu => "PCMU/8000/1",
            BaresipCodec::G722 => "G722/16000/1",
            BaresipCodec::Opus => "opus/48000/2",
        }
    }

    fn module(self) -> &'static str {
        match self {
            BaresipCodec::Pcmu => "g711.so",
            BaresipCodec::G722 => "g722.so",
            BaresipCodec::Opus => "opus.so",
        }
    }

    /// The file must have the codec's own format, and it is played once: a minute is longer than any test.
    fn speech(self, hz: u32) -> Wav {
        let (rate_hz, channels) = match self {
            BaresipCodec::Pcmu => (8_000, 1),
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
    /// Its sound is encrypted with keys of a handshake, and it takes no call in clear.
    UdpAndDtls,
    /// It trusts the server's local authority, and takes no call in clear.
    TlsAndSrtp,
}

/// A softphone that is registered. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Baresip {
    program: Program,
    folder: TempDir,
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
        Baresip::start_at(Ipv4Addr::LOCALHOST, server, transport, user, codec, hz)
    }

    /// The same at an address that need not be the loopback's.
    pub(crate) fn start_at(
        address: Ipv4Addr,
        server: &Server,
        transport: BaresipTransport,
        user: &str,
        codec: BaresipCodec,
        hz: u32,
    ) -> Baresip {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().to_str().expect("the path of temporary files is text");
        let file = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).expect("there is room");
        file("speech.wav", &codec.speech(hz).to_bytes());
        let authority = server.data().join("ca.pem");
        file("config", format!("{}sip_cafile {}\n", config(address, path, codec), authority.display()).as_bytes());
        file("accounts", account(server, transport, user, codec).as_bytes());
        let program = Program::start("baresip", Command::new("baresip").args(["-f", path]));
        program.expect("200 OK");
        Baresip { program, folder }
    }

    /// Ends it, and returns what it heard in its call. Where it held, its recording ends: this version takes the recorder
    /// away then, and the sound goes on without it.
    pub(crate) fn recording(mut self) -> Wav {
        self.program.end();
        let entries = fs::read_dir(self.folder.path()).expect("its folder is there");
        let paths = entries.map(|entry| entry.expect("its folder can be read").path());
        let mut decoded = paths.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        let path: PathBuf = decoded.next().expect("it has recorded");
        Wav::from_bytes(&fs::read(path).expect("its recording can be read"))
    }

    /// Presses a key that makes a re-INVITE, and waits until that is answered.
    fn renegotiate(&mut self, key: &str) {
        self.program.press(key);
        self.program.expect("stream: update");
    }
}

impl HoldKey for Baresip {
    fn press_hold(&mut self) {
        self.renegotiate("x");
    }

    fn press_resume(&mut self) {
        self.renegotiate("X");
    }
}

fn config(address: Ipv4Addr, path: &str, codec: BaresipCodec) -> String {
    let module = codec.module();
    format!(
        "sip_listen {address}:0\n\
         audio_source aufile,{path}/speech.wav\n\
         audio_player aubridge,player\n\
         audio_channels 1-2\n\
         module_path /usr/lib/baresip/modules\n\
         module {module}\n\
         module aufile.so\n\
         module aubridge.so\n\
         module sndfile.so\n\
         module srtp.so\n\
         module dtls_srtp.so\n\
         module stdio.so\n\
         snd_path {path}\n\
         module_tmp account.so\n\
         module_app menu.so\n"
    )
}

fn account(server: &Server, transport: BaresipTransport, user: &str, codec: BaresipCodec) -> String {
    let (address, encryption) = match transport {
        BaresipTransport::Udp => (server.sip().to_string(), ""),
        BaresipTransport::UdpAndDtls => (server.sip().to_string(), ";mediaenc=dtls_srtp"),
        BaresipTransport::TlsAndSrtp => (format!("{};transport=tls", server.sips()), ";mediaenc=srtp-mand"),
    };
    let codec = codec.name();
    format!(
        "<sip:{user}@{address}>;auth_user={user};auth_pass=fermata-dev;answermode=auto;audio_codecs={codec}{encryption}\n"
    )
}
