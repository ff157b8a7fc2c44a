//! What a phone is told when it is switched on.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use edge::sdp::{Keying, SrtpPolicy};
use edge::sip::{Status, Transport};
use edge::srtp::Suite;
use media::{Codec, Recording};
use rustls::ClientConfig;

/// How long a phone remembers what it heard, unless told otherwise. Ten minutes at 48 kHz are 58 MB; a longer memory
/// has no use in a test, a shorter one loses the beginning of a demo's recording.
pub const REMEMBERED_DEFAULT: Duration = Duration::from_secs(600);

/// What a phone is, says and does when it rings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The user part of its address.
    pub name: String,
    /// The address it listens on. Its ports are free ones that the system chooses.
    pub listen: IpAddr,
    /// What SIP goes over.
    pub transport: Transport,
    /// Whom it trusts over TLS; [`trusting`](crate::trusting) makes one. A phone on TLS registers, and is not called
    /// directly.
    pub tls: Option<Arc<ClientConfig>>,
    /// The codecs it can do, best first.
    pub codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    pub srtp: SrtpPolicy,
    /// Where keys come from: the first is offered, and of several that are offered the first is taken. Those in its
    /// descriptions (SDES) it tells over whatever transport.
    pub keys: Vec<Keying>,
    /// Whether it has another certificate than it tells, as somebody who has put himself in between.
    pub is_impostor: bool,
    /// The suites it offers in this order, and takes.
    pub suites: Vec<Suite>,
    /// What it says in a call, again and again.
    pub speaks: Speech,
    /// What it does when it rings.
    pub answer: Answer,
    /// Where it registers, if it does.
    pub register: Option<Register>,
    /// After how long without a refresh its calls end, if its peer agrees (RFC 4028). Any peer may ask for as little as 1 s.
    pub session_expires: Option<Duration>,
    /// How much of what it heard it keeps for measuring; older sound is forgotten.
    pub remembers: Duration,
}

impl Config {
    /// Describes a phone on `listen` that speaks UDP, in clear, knows all codecs, is silent and answers at once.
    pub fn new(name: &str, listen: IpAddr) -> Config {
        Config {
            name: name.to_owned(),
            listen,
            transport: Transport::Udp,
            tls: None,
            codecs: vec![Codec::Opus, Codec::G722, Codec::Pcma, Codec::Pcmu],
            srtp: SrtpPolicy::Off,
            keys: vec![Keying::Sdes],
            is_impostor: false,
            suites: Suite::ALL.to_vec(),
            speaks: Speech::Silence,
            answer: Answer::AtOnce,
            register: None,
            session_expires: None,
            remembers: REMEMBERED_DEFAULT,
        }
    }
}

/// What a phone says.
#[derive(Debug, Clone)]
pub enum Speech {
    /// Packets of silence.
    Silence,
    /// A sine that never ends.
    Tone {
        /// Its frequency, below half the codec's sample rate.
        hz: u32,
        /// Its level; the loudest sine there can be has -3.
        level_dbfs: f32,
    },
    /// A recording, from its beginning when the call is answered, and again when it is over.
    Recording(Recording),
}

/// What a phone does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Takes the call at once.
    AtOnce,
    /// Rings, then takes the call.
    After(Duration),
    /// Refuses the call with this status.
    Reject(Status),
    /// Rings until the caller gives up.
    Never,
}

/// A registrar, and who the phone is there.
#[derive(Debug, Clone)]
pub struct Register {
    /// The registrar's address.
    pub server: SocketAddr,
    /// The user name, for the address of record and for the digest.
    pub user: String,
    /// The password.
    pub password: String,
}
