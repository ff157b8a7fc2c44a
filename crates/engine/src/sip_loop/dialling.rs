//! Legs as SIP sees them: a leg rings at every phone of its target, and the first that answers has it.
//!
//! ```text
//!          dial                 one answers                re-INVITE
//!  (none) ──────► ringing ─────────────────────► answered ◄─────────► answered
//!                    │ the last one has failed       │ BYE, lost
//!                    ▼                               ▼
//!                 unreached                        left
//! ```
//!
//! There may be several ways to a phone, tried one after the other: in clear if it cannot encrypt, the next trunk or
//! address if a server is out of order, those to whom a phone redirects. All of them share the time that a leg may ring.
//!
//! The legs of those who call are in `receiving.rs`.

use super::LegAddress;
use super::outcome::{better, cannot_take_offer, is_about_server, unreached};
use super::phone::Phone;
use super::receiving::Callers;
use crate::config::SipConfig;
use crate::directory::{Destination, Directory};
use crate::leg::EarlyOffer;
use crate::worker::LegEvent;
use call::{HangUpCause, Identity, LeaveCause, Unreached};
use edge::sdp::{FirstOffer, FirstOffers, Keying};
use edge::sip::{
    self, DialogKey, EndCause, Endpoint, Event, HostPort, Invite, NameAddr, Replaces, SipUri, Status, Uri,
};
use rustls::pki_types::ServerName;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a server may be silent if there is another way: four transmissions over UDP (0, 0.5, 1.5 and 3.5 s). Less
/// passes by servers that are only far away, more keeps the caller waiting for those that are gone.
const SILENCE_MAX: Duration = Duration::from_secs(4);

/// The most of those that are tried to whom one phone redirects. More is no wish but a way to make us call.
const REDIRECT_TARGETS_MAX: usize = 4;

/// Something that a leg's owner is to be told.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) leg: LegAddress,
    pub(super) event: LegEvent,
}

/// Every leg that rings or is answered.
#[derive(Debug)]
pub(super) struct Dialling {
    pub(super) directory: Directory,
    pub(super) callers: Callers,
    from: NameAddr,
    ring_timeout: Duration,
    redirects_max: u8,
    legs: HashMap<LegAddress, Leg>,
    ways: HashMap<DialogKey, Way>,
    next_dialog: u64,
    keys_without_tls: bool,
    /// Who must be at an address that is called over TLS.
    names: Vec<(SocketAddr, ServerName<'static>)>,
    /// Whose names must be looked up; then [`Dialling::found`].
    lookups: Vec<(DialogKey, Phone)>,
}

/// One of the ways of a leg, each of which rings at one phone at a time.
#[derive(Debug)]
struct Way {
    leg: LegAddress,
    offers: FirstOffers,
    /// Who is called now, or looked up.
    phone: Phone,
    /// How the offer is keyed that its phone has got; `None`: it is in clear.
    offered: Option<Keying>,
    /// Who is called next if this fails.
    next: VecDeque<Phone>,
    /// Who was called before, so that nobody is called in a circle.
    tried: Vec<Uri>,
    redirects_left: u8,
}

#[derive(Debug)]
struct Leg {
    /// How many ways have not begun.
    waiting: usize,
    /// The ways that still ring.
    ringing: Vec<DialogKey>,
    answered: Option<DialogKey>,
    /// The best reason that there is so far for not being reached.
    unreached: Option<Unreached>,
    ring_until: Instant,
    /// The dialog whose place the call is to take.
    replaces: Option<Replaces>,
}

/// Who is to be called, and how.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) identity: Identity,
    /// How long, if not for as long as is configured.
    pub(super) ring_timeout: Option<Duration>,
    /// The dialog whose place the call is to take.
    pub(super) replaces: Option<Replaces>,
}

impl Dialling {
    pub(super) fn new(directory: Directory, config: &SipConfig, local: SocketAddr) -> Self {
        let host = if config.domain.is_empty() { local.ip().to_string() } else { config.domain.clone() };
        let uri = format!("sip:fermata@{host}:{}", local.port());
        let from = uri.parse::<Uri>().expect("a user, a host from the configuration and a port make a URI");
        Self {
            directory,
            callers: Callers::default(),
            from: NameAddr::new(from).named("Fermata"),
            ring_timeout: config.ring_timeout,
            redirects_max: config.redirects_max,
            legs: HashMap::new(),
            ways: HashMap::new(),
            next_dialog: 0,
            keys_without_tls: config.srtp.keys_without_tls,
            names: Vec::new(),
            lookups: Vec::new(),
        }
    }

    /// Rings every phone of a target, for this long if not for as long as is configured, or says why none of them rings.
    pub(super) fn dial(
        &mut self,
        endpoint: &mut Endpoint,
        address: LegAddress,
        target: Target,
        offers: &FirstOffers,
        now: Instant,
    ) -> Option<Step> {
        let ways = match self.ways_to(endpoint, &target.identity, now) {
            Ok(ways) => ways,
            Err(cause) => return Some(Step { leg: address, event: LegEvent::Unreached(cause) }),
        };
        let ring_until = now + target.ring_timeout.unwrap_or(self.ring_timeout);
        let waiting = ways.len();
        let (ringing, replaces) = (Vec::new(), target.replaces);
        self.legs.insert(address, Leg { waiting, ringing, answered: None, unreached: None, ring_until, replaces });
        ways.into_iter().fold(None, |_, phones| self.start(endpoint, address, phones, offers.clone(), now))
    }

    /// Begins with the first phone of a way. The last way may find that none of them rings.
    fn start(
        &mut self,
        endpoint: &mut Endpoint,
        leg: LegAddress,
        phones: Vec<Phone>,
        offers: FirstOffers,
        now: Instant,
    ) -> Option<Step> {
        self.legs.get_mut(&leg)?.waiting -= 1;
        let mut next = VecDeque::from(phones);
        let phone = next.pop_front()?;
        let redirects_left = self.redirects_max;
        let way = Way { leg, offers, phone, offered: None, next, tried: Vec::new(), redirects_left };
        self.ring(endpoint, way, now)
    }

    /// Rings the phone of a way, which looks its name up first. Each time is a call of its own.
    fn ring(&mut self, endpoint: &mut Endpoint, mut way: Way, now: Instant) -> Option<Step> {
        self.next_dialog += 1;
        let dialog = DialogKey(self.next_dialog);
        if way.phone.is_only_named() {
            self.lookups.push((dialog, way.phone.clone()));
        } else {
            let Some(invite) = self.invite(&mut way, now) else {
                return self.ring_next(endpoint, way, Unreached::NotAcceptable, now);
            };
            self.names.extend(way.phone.tls_name());
            endpoint.invite(dialog, invite, now);
        }
        self.legs.get_mut(&way.leg)?.ringing.push(dialog);
        self.ways.insert(dialog, way);
        None
    }

    /// The best offer that the phone of a way may get and has not refused. Keys are told only where its signalling hides
    /// them.
    fn best_offer<'a>(&self, way: &'a Way) -> Option<&'a FirstOffer> {
        let may_tell_keys = self.keys_without_tls || way.phone.is_secure();
        way.offers.best(|keying| match keying {
            Some(Keying::Sdes) if !may_tell_keys => false,
            Some(keying) => !way.phone.refused.contains(&keying),
            None => true,
        })
    }

    /// What is sent to the phone of a way; `None` if nothing may be offered to it.
    fn invite(&self, way: &mut Way, now: Instant) -> Option<Invite> {
        let FirstOffer { keying, description } = self.best_offer(way)?.clone();
        way.offered = keying;
        let phone = &way.phone;
        let has_other_way = !way.next.is_empty();
        way.tried.push(phone.target.clone());
        Some(Invite {
            target: phone.target.clone(),
            destination: phone.destination(),
            from: phone.caller.clone().unwrap_or_else(|| self.from.clone()),
            to: None,
            asserted: phone.caller.clone(),
            offer: description.into_bytes(),
            credentials: phone.credentials.clone(),
            ring_timeout: self.legs.get(&way.leg)?.ring_until.saturating_duration_since(now),
            silence_max: has_other_way.then_some(SILENCE_MAX),
            replaces: self.legs.get(&way.leg)?.replaces.clone(),
        })
    }

    /// The name of a phone leads to these addresses, or to none. Those that may not be called are passed over.
    pub(super) fn found(
        &mut self,
        endpoint: &mut Endpoint,
        dialog: DialogKey,
        destinations: Vec<sip::Destination>,
        now: Instant,
    ) -> Option<Step> {
        let mut way = self.take_way(dialog)?;
        let cause = if destinations.is_empty() { Unreached::NoEndpoint } else { Unreached::Forbidden };
        for destination in destinations.into_iter().rev() {
            if way.phone.is_configured() || self.directory.may_lead_to(destination.remote().ip()) {
                way.next.push_front(way.phone.reached_at(destination));
            }
        }
        self.ring_next(endpoint, way, cause, now)
    }

    /// Calls the next phone of a way. Without one, or when the time is over, it has failed for this reason.
    fn ring_next(&mut self, endpoint: &mut Endpoint, mut way: Way, cause: Unreached, now: Instant) -> Option<Step> {
        let is_time_left = self.legs.get(&way.leg).is_some_and(|leg| now < leg.ring_until);
        let Some(phone) = way.next.pop_front().filter(|_| is_time_left) else { return self.failed(way, cause) };
        way.phone = phone;
        self.ring(endpoint, way, now)
    }

    /// Takes out a way that does not ring any more.
    fn take_way(&mut self, dialog: DialogKey) -> Option<Way> {
        let way = self.ways.remove(&dialog)?;
        let leg = self.legs.get_mut(&way.leg)?;
        leg.ringing.retain(|ringing| *ringing != dialog);
        Some(way)
    }

    pub(super) fn may_tell_keys(&self, endpoint: &Endpoint, dialog: DialogKey) -> bool {
        self.keys_without_tls || endpoint.is_secure(dialog)
    }

    /// Takes out who must be at which address, before anything is sent there.
    pub(super) fn take_names(&mut self) -> Vec<(SocketAddr, ServerName<'static>)> {
        std::mem::take(&mut self.names)
    }

    /// Takes out whose names must be looked up.
    pub(super) fn take_lookups(&mut self) -> Vec<(DialogKey, Phone)> {
        std::mem::take(&mut self.lookups)
    }

    /// Ends a leg in whatever state it is.
    pub(super) fn hang_up(&mut self, endpoint: &mut Endpoint, address: LegAddress, cause: HangUpCause, now: Instant) {
        self.callers.hang_up(endpoint, address, cause, now);
        let Some(leg) = self.legs.remove(&address) else { return };
        for dialog in leg.ringing.into_iter().chain(leg.answered) {
            self.ways.remove(&dialog);
            endpoint.hang_up(dialog, now);
        }
    }

    /// Ends a leg that is answered by other means than SIP: phones are not to show a missed call. One that was quicker than
    /// this is hung up on.
    pub(super) fn answered_elsewhere(&mut self, endpoint: &mut Endpoint, address: LegAddress, now: Instant) {
        let Some(leg) = self.legs.remove(&address) else { return };
        for dialog in leg.ringing {
            self.ways.remove(&dialog);
            endpoint.answered_elsewhere(dialog, now);
        }
        if let Some(dialog) = leg.answered {
            self.ways.remove(&dialog);
            endpoint.hang_up(dialog, now);
        }
    }

    pub(super) fn answered_dialog(&self, address: LegAddress) -> Option<DialogKey> {
        let called = self.legs.get(&address).and_then(|leg| leg.answered);
        called.or_else(|| self.callers.answered_dialog(address))
    }

    /// Takes in what the endpoint has to say.
    pub(super) fn take_event(&mut self, endpoint: &mut Endpoint, event: Event, now: Instant) -> Option<Step> {
        match event {
            Event::Answered { dialog, body } => self.answered(endpoint, dialog, body, now),
            Event::Failed { dialog, status, reason: _ } => self.refused(endpoint, dialog, status, now),
            Event::Redirected { dialog, status, targets } => self.redirected(endpoint, dialog, status, targets, now),
            Event::Offered { dialog, body } => {
                let may_tell_keys = self.may_tell_keys(endpoint, dialog);
                self.step(dialog, LegEvent::Offered { description: body, may_tell_keys })
            }
            Event::OfferedEarly { dialog, said, body } => {
                let way = self.ways.get(&dialog)?;
                let (may_tell_keys, offered) = (self.keys_without_tls || way.phone.is_secure(), way.offered);
                let early = EarlyOffer { said, description: body, may_tell_keys, offered };
                self.step(dialog, LegEvent::OfferedEarly { dialog, early })
            }
            Event::OfferedBefore { dialog, body } => self.step(dialog, LegEvent::OfferedBefore { description: body }),
            Event::OfferWanted { dialog } => {
                let may_tell_keys = self.may_tell_keys(endpoint, dialog);
                self.step(dialog, LegEvent::OfferWanted { may_tell_keys })
            }
            Event::OfferAnswered { dialog, body } => self.step(dialog, LegEvent::OfferAnswered { description: body }),
            Event::Refreshed { dialog, body } => self.step(dialog, LegEvent::Refreshed { description: body }),
            Event::Ended { dialog, cause } => self.callers.ended(dialog, cause).or_else(|| self.ended(dialog, cause)),
            Event::Confirmed { dialog } => self.callers.confirmed(dialog),
            Event::Info { dialog, content_type, body } => {
                self.step(dialog, LegEvent::Pressed(sip::key_of_info(&content_type, &body)?))
            }
            Event::Registered { user: _ } => {
                metrics::counter!("fermata_sip_registered_total").increment(1);
                None
            }
            // Ringing is no state of Graph's roster; calls that come in and our registrations are dealt with before; the rest
            // belongs to a role that the server does not have: it offers nothing of its own accord.
            Event::Ringing { .. }
            | Event::OfferRefused { .. }
            | Event::Incoming { .. }
            | Event::Referred { .. }
            | Event::ReferProgress { .. }
            | Event::Unregistered { .. }
            | Event::RegistrationChanged { .. }
            | Event::Disconnect { .. } => None,
        }
    }

    fn step(&self, dialog: DialogKey, event: LegEvent) -> Option<Step> {
        Some(Step { leg: self.leg(dialog)?, event })
    }

    /// Returns whose dialog it is.
    pub(super) fn leg(&self, dialog: DialogKey) -> Option<LegAddress> {
        self.ways.get(&dialog).map(|way| way.leg).or_else(|| self.callers.leg(dialog))
    }

    /// A leg has another address from now on.
    pub(super) fn rename(&mut self, from: LegAddress, to: LegAddress) {
        self.callers.rename(from, to);
        if let Some(leg) = self.legs.remove(&from) {
            self.legs.insert(to, leg);
        }
        self.ways.values_mut().filter(|way| way.leg == from).for_each(|way| way.leg = to);
    }

    /// Says who it is whom a phone refers us to.
    pub(super) fn referred_to(&self, target: SipUri) -> Identity {
        let Uri::Sip(own) = &self.from.uri else { return self.directory.elsewhere(target) };
        let without_port = HostPort { port: None, ..own.host_port.clone() };
        match target.host_port == own.host_port || target.host_port == without_port {
            true => self.directory.here(&target.user.unwrap_or_default()),
            false => self.directory.elsewhere(target),
        }
    }

    fn answered(
        &mut self,
        endpoint: &mut Endpoint,
        dialog: DialogKey,
        description: Vec<u8>,
        now: Instant,
    ) -> Option<Step> {
        let way = self.ways.get(&dialog)?;
        let (address, offered) = (way.leg, way.offered);
        let may_tell_keys = self.keys_without_tls || way.phone.is_secure();
        let leg = self.legs.get_mut(&address)?;
        leg.answered = Some(dialog);
        for other in std::mem::take(&mut leg.ringing).into_iter().filter(|other| *other != dialog) {
            self.ways.remove(&other);
            endpoint.answered_elsewhere(other, now);
        }
        let transport = endpoint.transport(dialog);
        let event = LegEvent::Answered { description, may_tell_keys, offered, transport };
        Some(Step { leg: address, event })
    }

    /// A phone that cannot encrypt so is called once more with the next best offer, if there is one; where a server has
    /// failed, the next one is.
    fn refused(&mut self, endpoint: &mut Endpoint, dialog: DialogKey, status: Status, now: Instant) -> Option<Step> {
        let mut way = self.take_way(dialog)?;
        let cause = unreached(status);
        if cannot_take_offer(status) && way.offered.is_some() {
            way.phone.refused.extend(way.offered);
            if self.best_offer(&way).is_some() {
                return self.ring(endpoint, way, now);
            }
        }
        match is_about_server(status) {
            true => {
                metrics::counter!("fermata_sip_server_failures_total").increment(1);
                self.ring_next(endpoint, way, cause, now)
            }
            false => self.failed(way, cause),
        }
    }

    /// Those to whom a phone redirects are called one after the other: if that is wished, nobody whom applications may not
    /// call, and nobody twice.
    fn redirected(
        &mut self,
        endpoint: &mut Endpoint,
        dialog: DialogKey,
        status: Status,
        targets: Vec<Uri>,
        now: Instant,
    ) -> Option<Step> {
        let mut way = self.take_way(dialog)?;
        let Some(redirects_left) = way.redirects_left.checked_sub(1) else {
            return self.failed(way, unreached(status));
        };
        way.redirects_left = redirects_left;
        let allowed = targets.into_iter().take(REDIRECT_TARGETS_MAX).filter_map(|target| self.allowed(&target));
        way.next = allowed.filter(|target| !way.tried.contains(target)).map(Phone::at).collect();
        self.ring_next(endpoint, way, unreached(status), now)
    }

    /// Whom we call may not choose the header fields of our requests (RFC 3261 §19.1.5).
    fn allowed(&self, target: &Uri) -> Option<Uri> {
        match self.directory.find_phone(&target.to_string()) {
            Destination::Uri(Uri::Sip(target)) => Some(Uri::Sip(SipUri { headers: None, ..target })),
            Destination::Uri(Uri::Other(_))
            | Destination::Registered { .. }
            | Destination::Trunks { .. }
            | Destination::Unknown
            | Destination::Unsupported
            | Destination::Forbidden => None,
        }
    }

    /// A way leads nowhere. The last one decides.
    fn failed(&mut self, way: Way, cause: Unreached) -> Option<Step> {
        let address = way.leg;
        let leg = self.legs.get_mut(&address)?;
        let cause = leg.unreached.map_or(cause, |before| better(before, cause));
        leg.unreached = Some(cause);
        if leg.waiting > 0 || !leg.ringing.is_empty() || leg.answered.is_some() {
            return None;
        }
        self.legs.remove(&address);
        Some(Step { leg: address, event: LegEvent::Unreached(cause) })
    }

    fn ended(&mut self, dialog: DialogKey, cause: EndCause) -> Option<Step> {
        let address = self.ways.get(&dialog)?.leg;
        if self.legs.get(&address)?.answered != Some(dialog) {
            let way = self.take_way(dialog)?;
            return self.failed(way, Unreached::NoAnswer);
        }
        self.ways.remove(&dialog);
        self.legs.remove(&address);
        Some(Step { leg: address, event: LegEvent::Left(left(cause)) })
    }

    /// The ways to a target that are tried at the same time, each with the phones that are tried one after the other.
    fn ways_to(&self, endpoint: &Endpoint, identity: &Identity, now: Instant) -> Result<Vec<Vec<Phone>>, Unreached> {
        match self.directory.find(identity) {
            Destination::Registered { user } => {
                let ways: Vec<_> =
                    endpoint.bindings(&user, now).map(|binding| vec![Phone::registered(binding)]).collect();
                if ways.is_empty() { Err(Unreached::NoEndpoint) } else { Ok(ways) }
            }
            Destination::Uri(target) => Ok(vec![vec![Phone::at(target)]]),
            Destination::Trunks { number } => {
                Ok(vec![self.directory.trunks_to(&number).map(|trunk| Phone::behind(trunk, &number)).collect()])
            }
            Destination::Unknown => Err(Unreached::NoEndpoint),
            Destination::Unsupported => Err(Unreached::Status(Status::UNSUPPORTED_URI_SCHEME.code())),
            Destination::Forbidden => Err(Unreached::Forbidden),
        }
    }
}

/// Why a leg has left whose dialog has ended.
pub(super) fn left(cause: EndCause) -> LeaveCause {
    match cause {
        EndCause::Local | EndCause::Remote => LeaveCause::HungUp,
        EndCause::Timeout | EndCause::Unknown => LeaveCause::ConnectionLost,
    }
}
