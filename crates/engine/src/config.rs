//! What the engine needs to know to start.

use crate::prompts;
use edge::sdp::{Keying, SrtpPolicy};
use edge::sip::{Algorithm, Credentials, GuardLimits, HostPort, Uri};
use edge::srtp::Suite;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the rules behave where Graph is strict or silent.
    pub policy: call::Policy,
    /// SIP.
    pub sip: SipConfig,
    /// RTP.
    pub rtp: RtpConfig,
    /// Browsers, if they are served.
    pub webrtc: Option<WebRtcConfig>,
    /// What prompts may be and where they may come from.
    pub prompts: prompts::Policy,
    /// How many media worker threads there are, at least one.
    pub workers: usize,
    /// How much is written down of what each participant is given to hear. `None`: nothing.
    pub ledgers: Option<media::LedgerLimits>,
}

/// Where SIP is spoken and with whom.
#[derive(Clone, Debug)]
pub struct SipConfig {
    /// The address of UDP and of TCP. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// TLS, if it is spoken.
    pub tls: Option<SipTls>,
    /// The realm of digest authentication and the host part of our own URIs.
    pub domain: String,
    /// The users of the directory, who may register, and call applications.
    pub users: Vec<User>,
    /// The applications that can be called. Without any, nobody can call here.
    pub applications: Vec<Application>,
    /// The hosts that may call applications without being a user. Trunks may, too.
    pub trusted: Vec<IpAddr>,
    /// Who is asked for the names of SIP hosts. None: those whom the system asks.
    pub name_servers: Vec<SocketAddr>,
    /// Through whom numbers in E.164 form are called.
    pub trunks: Vec<Trunk>,
    /// Which SIP addresses may be called.
    pub dial: DialRule,
    /// How often a call may be redirected (3xx). 0: never; a phone that redirects has not been reached.
    pub redirects_max: u8,
    /// How long a phone may ring.
    pub ring_timeout: Duration,
    /// Whether legs are encrypted.
    pub srtp: SrtpConfig,
    /// What phones are asked to prove their passwords by, in this order.
    pub digest: Vec<Algorithm>,
    /// Who is shut out. The trunk never is.
    pub guard: GuardLimits,
    /// After how long without a sign of life over SIP a call ends, if the phone agrees (RFC 4028). `None`: not asked for.
    pub session_expires: Option<Duration>,
    /// The shortest such time that a phone may ask for.
    pub session_expires_min: Duration,
}

/// Whether legs are encrypted (SRTP), and how keys may travel.
#[derive(Clone, Debug)]
pub struct SrtpConfig {
    /// For everybody but trunks.
    pub phones: SrtpPolicy,
    /// For trunks.
    pub trunk: SrtpPolicy,
    /// What is offered with keys in descriptions, in this order, and taken.
    pub suites: Vec<Suite>,
    /// Where keys may come from, the best first: of a phone that offers several the first is taken.
    pub accepts: Vec<Keying>,
    /// What those are offered who are called: the first, and what follows if they refuse it.
    pub offers: Vec<Keying>,
    /// Whether keys may stand in SIP messages that are not encrypted: then whoever reads those can decrypt the sound.
    pub keys_without_tls: bool,
}

impl Default for SrtpConfig {
    fn default() -> Self {
        let suites = Suite::ALL.to_vec();
        let (accepts, offers) = (vec![Keying::Sdes, Keying::Dtls], vec![Keying::Sdes]);
        let optional = SrtpPolicy::Optional;
        Self { phones: optional, trunk: optional, suites, accepts, offers, keys_without_tls: false }
    }
}

/// SIP over TLS.
#[derive(Clone)]
pub struct SipTls {
    /// The address. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// How we answer those who connect: with which certificate.
    pub server: Arc<rustls::ServerConfig>,
    /// How we connect: which authorities are trusted, and what we show to those who ask.
    pub client: Arc<rustls::ClientConfig>,
}

/// Prints without certificates and keys.
impl fmt::Debug for SipTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipTls").field("listen", &self.listen).finish_non_exhaustive()
    }
}

/// A user of the directory.
#[derive(Clone)]
pub struct User {
    /// The object id, Graph's `identity.user.id`.
    pub id: String,
    /// The user part of the SIP address.
    pub name: String,
    /// The name that callers see.
    pub display_name: String,
    /// The password of digest authentication.
    pub password: String,
}

/// Prints without the password.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// An application that can be called.
#[derive(Clone, Debug)]
pub struct Application {
    /// The application's (client) id, Graph's `identity.application.id`.
    pub id: String,
    /// The name that is shown.
    pub display_name: String,
    /// The user parts of the SIP addresses at which it is called: names, and numbers in E.164 form.
    pub addresses: Vec<String>,
}

/// A SIP provider.
#[derive(Clone)]
pub struct Trunk {
    /// What it is called in logs and metrics.
    pub name: String,
    /// Where SIP is sent: a URI without user, the outbound proxy.
    pub proxy: Uri,
    /// The host part of the URIs that are called there.
    pub host: HostPort,
    /// What answers its challenges. `None`: it knows us by our address.
    pub credentials: Option<Credentials>,
    /// How the numbers begin that it takes, each a `+` and digits. None: it takes all.
    pub prefixes: Vec<String>,
    /// How many leading characters of a number it is not told, the `+` being the first.
    pub strip: usize,
    /// What it is told before the rest of the number.
    pub prepend: String,
    /// Whether we register there, so that it finds us.
    pub registers: bool,
    /// The number that callees see.
    pub caller_id: Option<String>,
}

/// Prints without the password.
impl fmt::Debug for Trunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trunk").field("name", &self.name).field("proxy", &self.proxy).finish_non_exhaustive()
    }
}

/// Which SIP addresses may be called. Registered phones of directory users always may.
#[derive(Clone, Debug, Default)]
pub struct DialRule {
    /// Whether loopback addresses may be called.
    pub loopback: bool,
    /// Hosts that may be called, compared as they are written, without regard to case.
    pub hosts: Vec<String>,
}

/// Where browsers are heard.
#[derive(Clone, Copy, Debug)]
pub struct WebRtcConfig {
    /// The port of all browsers. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address that browsers are told, if it is not the one that is listened on: behind a NAT that forwards the port.
    pub address: Option<IpAddr>,
}

/// Where RTP is received.
#[derive(Clone, Debug)]
pub struct RtpConfig {
    /// The address, also the one that phones are told.
    pub address: IpAddr,
    /// The ports; each leg takes an even one for RTP and the next one for RTCP.
    pub ports: RangeInclusive<u16>,
    /// A phone that has sent neither sound nor reports for this long is asked over SIP whether it is there; one that does
    /// not answer within 32 s has left. `None`: it is not asked.
    pub probe_after: Option<Duration>,
}
