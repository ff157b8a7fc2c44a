//! What an endpoint is told when it is made.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::digest::{Algorithm, Credentials};
use super::flow::Destination;
use super::guard::GuardLimits;
use super::method::Method;
use super::uri::HostPort;

/// The settings of an [`Endpoint`](super::Endpoint).
#[derive(Debug, Clone)]
pub struct Config {
    /// What Via and Contact say for UDP: the address at which peers reach us.
    pub udp: HostPort,
    /// The same for TCP.
    pub tcp: HostPort,
    /// The same for TLS.
    pub tls: HostPort,
    /// The realm of digest authentication, shown to the users of the registrar.
    pub realm: String,
    /// The product name in User-Agent and Server.
    pub user_agent: String,
    /// The base values of the retransmission timers.
    pub timing: Timing,
    /// Who may register. Without users the endpoint is no registrar and refuses REGISTER with 405.
    pub users: Vec<Credentials>,
    /// What the registrar's challenges offer, in this order (RFC 8760 §2.4); a phone may use any of them.
    ///
    /// Only MD5 unless set otherwise: phones exist that refuse to register as soon as SHA-256 is offered at all, even
    /// beside MD5 (baresip 1.0, in Debian 12, says "Function not implemented").
    pub algorithms: Vec<Algorithm>,
    /// How long registrations live.
    pub registrar: RegistrarLimits,
    /// What happens with an INVITE that comes in from outside a dialog.
    pub incoming: Incoming,
    /// After how long without a refresh a session ends, asked for in each call (RFC 4028). `None`: not asked for; the peer
    /// may still.
    pub session_expires: Option<Duration>,
    /// The shortest such time that a peer may ask for; RFC 4028 §5 wants at least 90 s. Less lets peers make more work.
    pub session_expires_min: Duration,
    /// How much state the endpoint keeps.
    pub limits: Limits,
    /// Who is shut out, and for how long.
    pub guard: GuardLimits,
    /// Where the requests of a call may go, besides to where it began.
    pub reach: Reach,
    /// Where the trunks are: they are trusted in all of that. They may move:
    /// [`set_trunks`](super::Endpoint::set_trunks).
    pub trunks: HashSet<IpAddr>,
}

/// The shortest session interval of RFC 4028 §5.
const SESSION_EXPIRES_MIN: Duration = Duration::from_secs(90);

/// The methods that an endpoint can serve, in the order of `Allow`.
const METHODS: [Method; 11] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Options,
    Method::Info,
    Method::Prack,
    Method::Update,
    Method::Refer,
    Method::Notify,
    Method::Register,
];

/// The extensions that we know, in `Supported`, and that a peer may require.
const OPTIONS: [&str; 3] = [super::expiry::OPTION, super::prack::OPTION, super::replaces::OPTION];

impl Config {
    /// Makes the settings of a user agent that is reached at one address over UDP and TCP.
    ///
    /// It offers incoming calls to its owner and registers nobody.
    pub fn new(address: SocketAddr) -> Config {
        Config {
            udp: address.into(),
            tcp: address.into(),
            tls: address.into(),
            realm: "fermata".to_owned(),
            user_agent: "Fermata".to_owned(),
            timing: Timing::default(),
            users: Vec::new(),
            algorithms: vec![Algorithm::Md5],
            registrar: RegistrarLimits::default(),
            incoming: Incoming::Offer,
            session_expires: None,
            session_expires_min: SESSION_EXPIRES_MIN,
            limits: Limits::default(),
            guard: GuardLimits::off(),
            reach: Reach::Anywhere,
            trunks: HashSet::new(),
        }
    }

    /// Tells whether a method is served, so that `Allow` and the answers agree.
    pub(super) fn allows(&self, method: &Method) -> bool {
        match method {
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Options
            | Method::Info
            | Method::Prack
            | Method::Update
            | Method::Refer
            | Method::Notify => true,
            Method::Register => !self.users.is_empty(),
            Method::Subscribe | Method::Message | Method::Publish | Method::Other(_) => false,
        }
    }

    /// Returns the value of the Allow header field (RFC 3261 §20.5).
    pub(super) fn allow(&self) -> String {
        let served: Vec<&str> = METHODS.iter().filter(|method| self.allows(method)).map(Method::as_str).collect();
        served.join(", ")
    }

    /// Returns the value of the Supported header field (RFC 3261 §20.37).
    pub(super) fn supported(&self) -> String {
        OPTIONS.join(", ")
    }

    /// Tells whether a peer may require an extension.
    pub(super) fn supports(&self, option: &str) -> bool {
        OPTIONS.iter().any(|known| known.eq_ignore_ascii_case(option))
    }
}

/// What happens with an INVITE from outside a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// It becomes [`Event::Incoming`](super::Event::Incoming), and the owner accepts or rejects it.
    Offer,
    /// It is offered to the owner if it comes from a trusted host, or from a user of the registrar who proves it by the
    /// password (401 otherwise). Nobody is believed to be a user without it.
    Authenticate {
        /// The hosts, besides trunks, whose calls need no password, and who are believed whom they assert (RFC 3325).
        trusted: Vec<IpAddr>,
    },
    /// It is answered with 403 and a Warning that says that incoming calls are not offered.
    Refuse,
}

/// Where the requests of a call may go, besides to where it began.
///
/// A peer tells in Contact and Record-Route where it wants our next requests. It might name a host that the operator would
/// never let us call: one inside the network, or somebody else's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Wherever the peer says (RFC 3261 §12.2.1.1).
    Anywhere,
    /// To these addresses and those of trunks, loopback if it is allowed, and the host where the call began, at any port.
    /// What is to go elsewhere goes to where the call began: a proxy there knows the way.
    Only {
        /// Whether loopback addresses may be reached.
        loopback: bool,
        /// Which others.
        addresses: Vec<IpAddr>,
    },
}

impl Reach {
    /// Adds where the trunks are.
    pub(super) fn with(&self, trunks: &HashSet<IpAddr>) -> Reach {
        match self {
            Reach::Anywhere => Reach::Anywhere,
            Reach::Only { loopback, addresses } => {
                Reach::Only { loopback: *loopback, addresses: addresses.iter().chain(trunks).copied().collect() }
            }
        }
    }

    /// Tells whether a request of a call that began at `first` may go to `next`.
    pub(super) fn allows(&self, next: Destination, first: Destination) -> bool {
        // What began over TLS never goes on in clear: keys may stand in it.
        if first.transport().is_secure() && !next.transport().is_secure() {
            return false;
        }
        let (next, first) = (next.remote().ip(), first.remote().ip());
        match self {
            Reach::Anywhere => true,
            Reach::Only { loopback, addresses } => {
                next == first || (*loopback && next.is_loopback()) || addresses.contains(&next)
            }
        }
    }
}

/// The base values of RFC 3261 §17 (table 4 of the RFC); all other timers are made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// The estimated round trip, 500 ms. Less retransmits sooner and needlessly on slow networks; timer B, the time until
    /// a dead peer is given up, is 64 times as long.
    pub t1: Duration,
    /// The longest interval between retransmissions, 4 s. Less finds a peer that comes back sooner, and sends more.
    pub t2: Duration,
    /// How long a message may live in the network, 5 s. Less forgets transactions sooner and may take a late duplicate
    /// for a new request.
    pub t4: Duration,
}

impl Timing {
    /// Returns how long a peer may be silent before it counts as gone: 64 × T1, timers B, F, H, J, L and M.
    pub(super) fn patience(&self) -> Duration {
        self.t1 * 64
    }
}

impl Default for Timing {
    fn default() -> Timing {
        Timing { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

/// How long registrations live, and how many one user may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrarLimits {
    /// A shorter wish is refused with 423 (RFC 3261 §10.3). Less lets phones make more work; more keeps dead phones
    /// ringing longer.
    pub expires_min: Duration,
    /// What a phone gets that names no time.
    pub expires_default: Duration,
    /// A longer wish is cut to this. More keeps dead phones longer, less makes more traffic.
    pub expires_max: Duration,
    /// The most contacts of one user; one more is refused with 403.
    pub contacts_max: usize,
}

impl Default for RegistrarLimits {
    fn default() -> RegistrarLimits {
        RegistrarLimits {
            expires_min: Duration::from_secs(60),
            expires_default: Duration::from_secs(600),
            expires_max: Duration::from_secs(3600),
            contacts_max: 10,
        }
    }
}

/// How much state the endpoint keeps. Over a limit a request is answered with 503 and Retry-After.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most dialogs, those that only ring included. Each takes some 4 KiB.
    pub dialogs: usize,
    /// The most server transactions. Each takes some 4 KiB and lives for 32 s, so this is also a limit of requests per
    /// time.
    pub transactions: usize,
    /// The most TCP connections with bytes that are not a whole message yet. Each may hold one message of 64 KiB.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { dialogs: 4_000, transactions: 20_000, streams: 1_000 }
    }
}
