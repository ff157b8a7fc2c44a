//! Legs as SIP sees them: a leg rings at every phone of its target, and the first that answers has it.
//!
//! ```text
//!          dial                 one answers                re-INVITE
//!  (none) ──────► ringing ─────────────────────► answered ◄─────────► answered
//!                    │ the last one has failed       │ BYE, lost
//!                    ▼                               ▼
//!                 unreached                        left
//! ```

use super::LegAddress;
use crate::config::SipConfig;
use crate::directory::{Destination, Directory};
use crate::worker::LegEvent;
use call::{Identity, LeaveCause, Unreached};
use edge::sdp::FirstOffers;
use edge::sip::{
    self, Credentials, DialogKey, EndCause, Endpoint, Event, Host, Invite, NameAddr, Status, Transport, Uri,
};
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Something that a leg's owner is to be told.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) leg: LegAddress,
    pub(super) event: LegEvent,
}

/// Every leg that rings or is answered.
#[derive(Debug)]
pub(super) struct Dialling {
    directory: Directory,
    from: NameAddr,
    ring_timeout: Duration,
    legs: HashMap<LegAddress, Leg>,
    ways: HashMap<DialogKey, Way>,
    /// Whom to call, with what, once the name of the host has an address.
    resolving: HashMap<LegAddress, (Uri, FirstOffers)>,
    next_dialog: u64,
    keys_without_tls: bool,
    /// Who must be at an address that is called over TLS.
    names: Vec<(SocketAddr, ServerName<'static>)>,
}

/// One phone of a leg.
#[derive(Debug)]
struct Way {
    leg: LegAddress,
    /// Whether keys stood in our first offer.
    has_told_keys: bool,
    /// What it is offered if it cannot encrypt.
    fallback: Option<(Phone, FirstOffers)>,
}

/// What came of dialling.
#[derive(Debug)]
pub(super) enum Dialled {
    /// It rings, or will.
    Rings,
    /// This name and port must be resolved; then [`Dialling::resolved`].
    Resolve((String, u16)),
    /// It cannot ring.
    No(Step),
}

#[derive(Debug, Default)]
struct Leg {
    /// The phones that still ring.
    ringing: Vec<DialogKey>,
    answered: Option<DialogKey>,
    /// The best reason that there is so far for not being reached.
    unreached: Option<Unreached>,
}

impl Dialling {
    pub(super) fn new(directory: Directory, config: &SipConfig, local: SocketAddr) -> Self {
        let host = if config.domain.is_empty() { local.ip().to_string() } else { config.domain.clone() };
        let uri = format!("sip:fermata@{host}:{}", local.port());
        let from = uri.parse::<Uri>().expect("a user, a host from the configuration and a port make a URI");
        Self {
            directory,
            from: NameAddr::new(from).named("Fermata"),
            ring_timeout: config.ring_timeout,
            legs: HashMap::new(),
            ways: HashMap::new(),
            resolving: HashMap::new(),
            next_dialog: 0,
            keys_without_tls: config.srtp.keys_without_tls,
            names: Vec::new(),
        }
    }

    /// Rings every phone of `identity`, or finds that there is none or that a name must be resolved first.
    pub(super) fn dial(
        &mut self,
        endpoint: &mut Endpoint,
        address: LegAddress,
        identity: &Identity,
        offers: FirstOffers,
        now: Instant,
    ) -> Dialled {
        let phones = match self.phones(endpoint, identity, now) {
            Ok(phones) => phones,
            Err(cause) => return Dialled::No(Step { leg: address, event: LegEvent::Unreached(cause) }),
        };
        if let [phone] = phones.as_slice()
            && let Some(name) = phone.unresolved()
        {
            self.resolving.insert(address, (phone.target.clone(), offers));
            return Dialled::Resolve(name);
        }
        match self.ring(endpoint, address, phones, &offers, now) {
            Some(step) => Dialled::No(step),
            None => Dialled::Rings,
        }
    }

    /// The name of a target has an address, or none.
    pub(super) fn resolved(
        &mut self,
        endpoint: &mut Endpoint,
        address: LegAddress,
        remote: Option<SocketAddr>,
        now: Instant,
    ) -> Option<Step> {
        let (target, offers) = self.resolving.remove(&address)?;
        let Some(remote) = remote else {
            return Some(Step { leg: address, event: LegEvent::Unreached(Unreached::NoEndpoint) });
        };
        let destination = Some(sip::Destination::Address { transport: transport(&target), remote });
        self.ring(endpoint, address, vec![Phone { target, destination, credentials: None }], &offers, now)
    }

    /// Rings all phones, or says that none of them may be offered anything.
    fn ring(
        &mut self,
        endpoint: &mut Endpoint,
        address: LegAddress,
        phones: Vec<Phone>,
        offers: &FirstOffers,
        now: Instant,
    ) -> Option<Step> {
        let mut leg = Leg::default();
        for phone in phones {
            leg.ringing.extend(self.ring_one(endpoint, address, phone, offers.clone(), now));
        }
        if leg.ringing.is_empty() {
            return Some(Step { leg: address, event: LegEvent::Unreached(Unreached::NotAcceptable) });
        }
        self.legs.insert(address, leg);
        None
    }

    /// A phone whose signalling hides keys is offered encryption first. One that cannot is called once more in clear, if
    /// that is allowed.
    fn ring_one(
        &mut self,
        endpoint: &mut Endpoint,
        leg: LegAddress,
        phone: Phone,
        offers: FirstOffers,
        now: Instant,
    ) -> Option<DialogKey> {
        self.names.extend(phone.tls_name());
        let may_tell_keys = self.keys_without_tls || phone.is_secure();
        let FirstOffers { plain, encrypted } = offers;
        let encrypted = encrypted.filter(|_| may_tell_keys);
        let has_told_keys = encrypted.is_some();
        let (offer, plain) = match encrypted {
            Some(encrypted) => (encrypted, plain),
            None => (plain?, None),
        };
        let fallback = plain.map(|plain| (phone.clone(), FirstOffers { plain: Some(plain), encrypted: None }));
        self.next_dialog += 1;
        let dialog = DialogKey(self.next_dialog);
        self.ways.insert(dialog, Way { leg, has_told_keys, fallback });
        let invite = Invite {
            target: phone.target,
            destination: phone.destination,
            from: self.from.clone(),
            to: None,
            offer: offer.into_bytes(),
            credentials: phone.credentials,
            ring_timeout: self.ring_timeout,
        };
        endpoint.invite(dialog, invite, now);
        Some(dialog)
    }

    fn may_tell_keys(&self, endpoint: &Endpoint, dialog: DialogKey) -> bool {
        self.keys_without_tls || endpoint.is_secure(dialog)
    }

    /// Takes out who must be at which address, before anything is sent there.
    pub(super) fn take_names(&mut self) -> Vec<(SocketAddr, ServerName<'static>)> {
        std::mem::take(&mut self.names)
    }

    /// Ends a leg in whatever state it is.
    pub(super) fn hang_up(&mut self, endpoint: &mut Endpoint, address: LegAddress, now: Instant) {
        self.resolving.remove(&address);
        let Some(leg) = self.legs.remove(&address) else { return };
        for dialog in leg.ringing.into_iter().chain(leg.answered) {
            self.ways.remove(&dialog);
            endpoint.hang_up(dialog, now);
        }
    }

    pub(super) fn answered_dialog(&self, address: LegAddress) -> Option<DialogKey> {
        self.legs.get(&address)?.answered
    }

    /// Takes in what the endpoint has to say.
    pub(super) fn take_event(&mut self, endpoint: &mut Endpoint, event: Event, now: Instant) -> Option<Step> {
        match event {
            Event::Answered { dialog, body } => self.answered(endpoint, dialog, body, now),
            Event::Failed { dialog, status, reason: _ } => {
                let dialog = self.fall_back(endpoint, dialog, status, now)?;
                self.failed(dialog, unreached(status))
            }
            Event::Offered { dialog, body } => {
                let may_tell_keys = self.may_tell_keys(endpoint, dialog);
                self.step(dialog, LegEvent::Offered { description: body, may_tell_keys })
            }
            Event::OfferWanted { dialog } => {
                let may_tell_keys = self.may_tell_keys(endpoint, dialog);
                self.step(dialog, LegEvent::OfferWanted { may_tell_keys })
            }
            Event::OfferAnswered { dialog, body } => self.step(dialog, LegEvent::OfferAnswered { description: body }),
            Event::Refreshed { dialog, body } => self.step(dialog, LegEvent::Refreshed { description: body }),
            Event::Ended { dialog, cause } => self.ended(dialog, cause),
            Event::Registered { user: _ } => {
                metrics::counter!("fermata_sip_registered_total").increment(1);
                None
            }
            // Ringing is no state of Graph's roster; the rest belongs to roles that the server does not have: it offers
            // nothing of its own accord, registers nowhere, and its endpoint refuses calls that come in.
            Event::Ringing { .. }
            | Event::OfferRefused { .. }
            | Event::Incoming { .. }
            | Event::Info { .. }
            | Event::Unregistered { .. }
            | Event::RegistrationChanged { .. }
            | Event::Disconnect { .. } => None,
        }
    }

    fn step(&self, dialog: DialogKey, event: LegEvent) -> Option<Step> {
        Some(Step { leg: self.ways.get(&dialog)?.leg, event })
    }

    fn answered(
        &mut self,
        endpoint: &mut Endpoint,
        dialog: DialogKey,
        description: Vec<u8>,
        now: Instant,
    ) -> Option<Step> {
        let way = self.ways.get_mut(&dialog)?;
        let (address, may_tell_keys) = (way.leg, way.has_told_keys);
        way.fallback = None;
        let leg = self.legs.get_mut(&address)?;
        leg.answered = Some(dialog);
        for other in std::mem::take(&mut leg.ringing).into_iter().filter(|other| *other != dialog) {
            self.ways.remove(&other);
            endpoint.hang_up(other, now);
        }
        Some(Step { leg: address, event: LegEvent::Answered { description, may_tell_keys } })
    }

    /// Calls a phone that cannot encrypt once more, in clear. Returns the dialog that failed for good, if it did.
    fn fall_back(
        &mut self,
        endpoint: &mut Endpoint,
        dialog: DialogKey,
        status: Status,
        now: Instant,
    ) -> Option<DialogKey> {
        let cannot = matches!(unreached(status), Unreached::NotAcceptable) || status.code() == 415;
        let way = self.ways.get_mut(&dialog)?;
        let Some((phone, offers)) = way.fallback.take().filter(|_| cannot) else { return Some(dialog) };
        let address = way.leg;
        self.ways.remove(&dialog);
        let again = self.ring_one(endpoint, address, phone, offers, now)?;
        let leg = self.legs.get_mut(&address)?;
        leg.ringing.retain(|ringing| *ringing != dialog);
        leg.ringing.push(again);
        None
    }

    fn failed(&mut self, dialog: DialogKey, cause: Unreached) -> Option<Step> {
        let address = self.ways.remove(&dialog)?.leg;
        let leg = self.legs.get_mut(&address)?;
        leg.ringing.retain(|ringing| *ringing != dialog);
        let cause = leg.unreached.map_or(cause, |before| better(before, cause));
        leg.unreached = Some(cause);
        if !leg.ringing.is_empty() || leg.answered.is_some() {
            return None;
        }
        self.legs.remove(&address);
        Some(Step { leg: address, event: LegEvent::Unreached(cause) })
    }

    fn ended(&mut self, dialog: DialogKey, cause: EndCause) -> Option<Step> {
        let address = self.ways.get(&dialog)?.leg;
        if self.legs.get(&address)?.answered != Some(dialog) {
            return self.failed(dialog, Unreached::NoAnswer);
        }
        self.ways.remove(&dialog);
        self.legs.remove(&address);
        let cause = match cause {
            EndCause::Local | EndCause::Remote => LeaveCause::HungUp,
            EndCause::Timeout | EndCause::Unknown => LeaveCause::ConnectionLost,
        };
        Some(Step { leg: address, event: LegEvent::Left(cause) })
    }

    fn phones(&self, endpoint: &Endpoint, identity: &Identity, now: Instant) -> Result<Vec<Phone>, Unreached> {
        match self.directory.find(identity) {
            Destination::Registered { user } => {
                let phones: Vec<_> = endpoint.bindings(&user, now).map(Phone::registered).collect();
                if phones.is_empty() { Err(Unreached::NoEndpoint) } else { Ok(phones) }
            }
            Destination::Uri(target) => Ok(vec![Phone { target, destination: None, credentials: None }]),
            Destination::Trunk { number } => Ok(vec![self.through_trunk(&number).ok_or(Unreached::NoEndpoint)?]),
            Destination::Unknown => Err(Unreached::NoEndpoint),
            Destination::Unsupported => Err(Unreached::Status(Status::UNSUPPORTED_URI_SCHEME.code())),
            Destination::Forbidden => Err(Unreached::Forbidden),
        }
    }

    fn through_trunk(&self, number: &str) -> Option<Phone> {
        let trunk = self.directory.trunk()?;
        let target = format!("sip:{number}@{}", trunk.host).parse().ok()?;
        let (user, password) = (trunk.user.clone(), trunk.password.clone());
        let destination = sip::Destination::Address { transport: trunk.transport, remote: trunk.address };
        Some(Phone { target, destination: Some(destination), credentials: Some(Credentials { user, password }) })
    }
}

/// One phone of a target.
#[derive(Clone, Debug)]
struct Phone {
    target: Uri,
    destination: Option<sip::Destination>,
    credentials: Option<Credentials>,
}

impl Phone {
    /// The name and port that must be resolved before this phone can be called.
    fn unresolved(&self) -> Option<(String, u16)> {
        let Uri::Sip(uri) = &self.target else { return None };
        match &uri.host_port.host {
            Host::Name(name) if self.destination.is_none() => {
                Some((name.clone(), uri.host_port.port.unwrap_or(transport(&self.target).default_port())))
            }
            Host::Name(_) | Host::Ip(_) => None,
        }
    }

    fn address(&self) -> Option<sip::Destination> {
        self.destination.or_else(|| self.target.destination())
    }

    /// Whether it is called over TLS.
    fn is_secure(&self) -> bool {
        self.address().is_some_and(|destination| destination.transport().is_secure())
    }

    /// Whom we connect to over TLS must prove the host of the URI that is called (RFC 5922 §7.2). A registered phone has
    /// connected to us.
    fn tls_name(&self) -> Option<(SocketAddr, ServerName<'static>)> {
        let Some(sip::Destination::Address { transport: Transport::Tls, remote }) = self.address() else { return None };
        let Uri::Sip(uri) = &self.target else { return None };
        let name = match &uri.host_port.host {
            Host::Ip(ip) => ServerName::IpAddress((*ip).into()),
            Host::Name(name) => ServerName::try_from(name.clone()).ok()?,
        };
        Some((remote, name))
    }

    fn registered(binding: &sip::Binding) -> Self {
        Self { target: binding.contact.clone(), destination: Some(binding.destination()), credentials: None }
    }
}

/// The transport that a URI asks for; the directory lets none through that asks for another one.
fn transport(target: &Uri) -> Transport {
    match target {
        Uri::Sip(uri) => uri.transport().unwrap_or(Transport::Udp),
        Uri::Other(_) => Transport::Udp,
    }
}

/// What a final status means for the call.
fn unreached(status: Status) -> Unreached {
    match status.code() {
        486 | 600 => Unreached::Busy,
        603 => Unreached::Declined,
        408 | 480 | 487 => Unreached::NoAnswer,
        488 | 606 => Unreached::NotAcceptable,
        code => Unreached::Status(code),
    }
}

/// Which of two reasons says more: what a person did, before what a phone said, before silence.
fn better(a: Unreached, b: Unreached) -> Unreached {
    let rank = |cause: &Unreached| match cause {
        Unreached::Declined => 0,
        Unreached::Busy => 1,
        Unreached::NotAcceptable | Unreached::Forbidden | Unreached::Status(_) => 2,
        Unreached::NoAnswer => 3,
        Unreached::NoEndpoint => 4,
    };
    if rank(&b) < rank(&a) { b } else { a }
}
