//! Keeps guessers, scanners and floods away: bans and limits by source address, without memory that strangers can fill.
//!
//! The source of a datagram can be forged, so what is held against an address depends on what the address has proved:
//!
//! | what came | proof of the address | after [`GuardLimits::failures_max`] of them |
//! |---|---|---|
//! | a wrong password with a nonce that we made for this address, over UDP | its sender read our challenge | banned: nothing is answered |
//! | any other failure over TCP or TLS | the handshake | banned |
//! | a call to nobody, a scanner's request, over UDP | none | muted: only REGISTER is answered, which needs a password anyway |
//! | a call without the password it needs, which the next one may bring | does not matter | muted |
//!
//! So whoever forges an address can get nobody banned from registering; as long as a flood from it lasts, it has to share
//! its rate. And whoever is registered, or in a call, is let in over
//! its flow whatever else comes from its address: phones share one with strangers behind a NAT. What a ban costs an
//! innocent phone there is a new registration until it ends.
//!
//! Everything is kept per IPv4 address or IPv6 network of 64 bits, which is what one customer has. Each table has
//! [`GuardLimits::sources_max`] entries at most; beyond, the entry that would be forgotten next makes room.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::dialog::DialogId;
use super::digest::Authorization;
use super::endpoint::Endpoint;
use super::flow::Flow;
use super::header::Name;
use super::message::Request;
use super::method::Method;
use super::received::Received;
use super::timers::Timers;

/// What tools for scanning write into User-Agent unless their users change it, in lower case.
const SCANNERS: [&str; 9] =
    ["friendly-scanner", "sipvicious", "sip-scan", "sundayddr", "iwar", "sipcli", "vaxsipuseragent", "pplsip", "smap"];

/// The span over which requests are counted. Less forgives bursts less.
const RATE_WINDOW: Duration = Duration::from_secs(1);

/// When somebody is shut out, and how much is answered at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardLimits {
    /// How many failures within `window` shut an address out. 0: none does. Less shuts out those who mistype, more lets
    /// guessers try.
    pub failures_max: u32,
    /// How long a failure is held against an address.
    pub window: Duration,
    /// How long an address is shut out.
    pub ban: Duration,
    /// How many requests from outside of calls an address may send in a second; further ones are dropped. 0: any number.
    pub requests_per_s_max: u32,
    /// How many addresses are remembered in each table, some 100 bytes each.
    pub sources_max: usize,
    /// Addresses that are never shut out or limited, besides trunks: proxies, behind which there are many.
    pub trusted: HashSet<IpAddr>,
}

impl GuardLimits {
    /// Shuts nobody out, for a user agent that answers one or a few servers.
    pub fn off() -> GuardLimits {
        GuardLimits { failures_max: 0, requests_per_s_max: 0, ..GuardLimits::default() }
    }
}

impl Default for GuardLimits {
    fn default() -> GuardLimits {
        GuardLimits {
            failures_max: 20,
            window: Duration::from_secs(300),
            ban: Duration::from_secs(600),
            requests_per_s_max: 100,
            sources_max: 10_000,
            trusted: HashSet::new(),
        }
    }
}

/// An address has been shut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ban {
    /// The address of the last failure.
    pub address: IpAddr,
    /// Whether nothing is answered any more; else REGISTER still is.
    pub is_proven: bool,
    /// For how long.
    pub duration: Duration,
}

/// Who an address is for us: itself, or the network of 64 bits that an IPv6 address is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Source(IpAddr);

/// Whose requests are counted together: a registered phone's by themselves, so that a flood from its address does not
/// keep it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Source(Source),
    Phone(SocketAddr),
}

/// The failures of one source.
#[derive(Debug, Default)]
struct Record {
    failures: u32,
    is_shut_out: bool,
}

/// The failures of all sources. Each is forgotten at its deadline: the end of its window, or of its ban.
#[derive(Debug)]
struct Records {
    records: HashMap<Source, Record>,
    deadlines: Timers<Source>,
}

/// How many requests came in this window.
#[derive(Debug, Default)]
struct Rates {
    begun: Option<Instant>,
    counts: HashMap<Counted, u32>,
}

/// Decides who is answered.
#[derive(Debug)]
pub(super) struct Guard {
    limits: GuardLimits,
    trunks: HashSet<IpAddr>,
    proven: Records,
    unproven: Records,
    rates: Rates,
    bans: VecDeque<Ban>,
    dropped: u64,
}

impl Guard {
    pub(super) fn new(limits: GuardLimits, trunks: HashSet<IpAddr>) -> Guard {
        let (proven, unproven) = (Records::new(), Records::new());
        Guard { limits, trunks, proven, unproven, rates: Rates::default(), bans: VecDeque::new(), dropped: 0 }
    }

    pub(super) fn set_trunks(&mut self, trunks: HashSet<IpAddr>) {
        self.trunks = trunks;
    }

    fn is_on(&self) -> bool {
        self.limits.failures_max > 0
    }

    fn trusts(&self, flow: Flow) -> bool {
        let ip = flow.remote.ip();
        self.limits.trusted.contains(&ip) || self.trunks.contains(&ip)
    }

    /// Decides about a request from outside of calls. `is_register`: it is a REGISTER. `is_bound`: it comes over the flow
    /// of a registered phone.
    pub(super) fn lets_in(&mut self, flow: Flow, is_register: bool, is_bound: bool, now: Instant) -> bool {
        if self.trusts(flow) {
            return true;
        }
        let source = Source::of(flow);
        let is_shut_out = self.proven.shuts_out(source) || (!is_register && self.unproven.shuts_out(source));
        let counted = if is_bound { Counted::Phone(flow.remote) } else { Counted::Source(source) };
        let lets_in = (is_bound || !is_shut_out) && self.is_within_rate(counted, now);
        self.dropped += u64::from(!lets_in);
        lets_in
    }

    /// Holds a failure against an address. `is_proven`: nobody else can have sent it.
    pub(super) fn fail(&mut self, flow: Flow, is_proven: bool, now: Instant) {
        self.hold_against(flow, is_proven || flow.transport.is_reliable(), now);
    }

    /// Takes back one failure that was not proven: a call that came without a password has come with it.
    pub(super) fn forgive(&mut self, flow: Flow) {
        self.unproven.forgive(Source::of(flow));
    }

    fn hold_against(&mut self, flow: Flow, is_proven: bool, now: Instant) {
        if !self.is_on() || self.trusts(flow) {
            return;
        }
        let records = if is_proven { &mut self.proven } else { &mut self.unproven };
        if records.fail(Source::of(flow), &self.limits, now) {
            self.bans.push_back(Ban { address: flow.remote.ip(), is_proven, duration: self.limits.ban });
        }
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.proven.expire(now);
        self.unproven.expire(now);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.proven.deadlines.next(), self.unproven.deadlines.next()].into_iter().flatten().min()
    }

    pub(super) fn poll_ban(&mut self) -> Option<Ban> {
        self.bans.pop_front()
    }

    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Addresses beyond the table's end are not limited: a flood of forged ones must not shut out the true ones. How many
    /// transactions there are has a bound of its own.
    fn is_within_rate(&mut self, counted: Counted, now: Instant) -> bool {
        if self.limits.requests_per_s_max == 0 {
            return true;
        }
        let is_over = self.rates.begun.is_none_or(|begun| now.saturating_duration_since(begun) >= RATE_WINDOW);
        if is_over {
            self.rates.counts.clear();
            self.rates.begun = Some(now);
        }
        if self.rates.counts.len() >= self.limits.sources_max && !self.rates.counts.contains_key(&counted) {
            return true;
        }
        let count = self.rates.counts.entry(counted).or_default();
        *count = count.saturating_add(1);
        *count <= self.limits.requests_per_s_max
    }
}

impl Records {
    fn new() -> Records {
        Records { records: HashMap::new(), deadlines: Timers::new() }
    }

    fn shuts_out(&self, source: Source) -> bool {
        self.records.get(&source).is_some_and(|record| record.is_shut_out)
    }

    /// Returns whether the source is shut out by this failure.
    fn fail(&mut self, source: Source, limits: &GuardLimits, now: Instant) -> bool {
        if !self.records.contains_key(&source) {
            self.make_room(limits.sources_max);
            self.deadlines.set(source, now + limits.window);
        }
        let record = self.records.entry(source).or_default();
        record.failures += 1;
        let is_enough = !record.is_shut_out && record.failures >= limits.failures_max;
        if is_enough {
            record.is_shut_out = true;
            self.deadlines.set(source, now + limits.ban);
        }
        is_enough
    }

    fn forgive(&mut self, source: Source) {
        if let Some(record) = self.records.get_mut(&source) {
            record.failures = record.failures.saturating_sub(1);
        }
    }

    fn make_room(&mut self, sources_max: usize) {
        while self.records.len() >= sources_max
            && let Some(source) = self.deadlines.pop_first()
        {
            self.records.remove(&source);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some(source) = self.deadlines.pop_due(now) {
            self.records.remove(&source);
        }
    }
}

impl Source {
    fn of(flow: Flow) -> Source {
        Source(match flow.remote.ip() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        })
    }
}

impl Endpoint {
    /// Decides whether a request is looked at. One of a call that is up always is.
    pub(super) fn lets_in(&mut self, received: &Received, now: Instant) -> bool {
        let (request, flow) = (&received.request, received.flow);
        if self.dialogs.contains_key(&DialogId::of(received)) {
            return true;
        }
        if is_scan(request) && self.guard.is_on() && !self.guard.trusts(flow) {
            self.guard.fail(flow, false, now);
            self.guard.dropped += 1;
            return false;
        }
        let is_register = request.method == Method::Register;
        let user = self.registrar.user_of(flow, now);
        // Whoever is registered may not guess the passwords of others.
        let is_bound = user.is_some_and(|user| !is_register || is_signed_by(request, user));
        self.guard.lets_in(flow, is_register, is_bound, now)
    }

    /// Holds against an address that it called nobody, unless a phone is registered over this flow.
    pub(super) fn note_stray(&mut self, flow: Flow, now: Instant) {
        if self.registrar.user_of(flow, now).is_none() {
            self.guard.fail(flow, false, now);
        }
    }

    /// Holds against an address that it called without a password, unless a phone is registered over this flow. Every
    /// phone does so that has no nonce yet, and then comes with the password: [`Guard::forgive`].
    pub(super) fn note_stranger(&mut self, flow: Flow, now: Instant) {
        if self.registrar.user_of(flow, now).is_none() {
            self.guard.hold_against(flow, false, now);
        }
    }
}

fn is_signed_by(request: &Request, user: &str) -> bool {
    let mut signed = request.headers.all(&Name::Authorization).filter_map(Authorization::parse);
    signed.all(|authorization| authorization.user == user)
}

/// Tells whether a request says itself that it comes from a tool for scanning.
fn is_scan(request: &Request) -> bool {
    let user_agent = request.headers.first(&Name::UserAgent).unwrap_or("").to_ascii_lowercase();
    SCANNERS.iter().any(|scanner| user_agent.contains(scanner))
}
