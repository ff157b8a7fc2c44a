//! Registrations that we keep up at a registrar, as a phone does (RFC 3261 §10.2).

use std::time::{Duration, Instant};

use super::authorizer::Authorizer;
use super::dialog::MAX_FORWARDS;
use super::digest::Credentials;
use super::endpoint::Endpoint;
use super::event::{Event, RegistrationKey, RegistrationState};
use super::flow::{Destination, Transport};
use super::header::Name;
use super::message::{CSeq, Request, Response};
use super::method::Method;
use super::name_addr::NameAddr;
use super::status::Status;
use super::transaction::{ClientEvent, Purpose};
use super::uri::Uri;

/// How long we wait before we try again after the registrar was away, when it names no time: the base time of
/// RFC 5626 §4.5, doubled each time. Less loads a registrar that comes up again, more leaves the phone unreachable for
/// longer.
const RETRY_DELAY: Duration = Duration::from_secs(30);

/// The longest such time, the max-time of RFC 5626 §4.5.
const RETRY_DELAY_MAX: Duration = Duration::from_secs(1800);

/// The longest wish that we raise ours to when the registrar says 423. A registrar that wants more than a day is wrong.
const EXPIRES_MAX_S: u32 = 86_400;

/// The shortest pause between two REGISTER. A registrar that grants 0 s, or says "again at once", must not make us a
/// flood.
const PAUSE_MIN: Duration = Duration::from_secs(5);

/// A registration to be made and kept up.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The registrar: a URI without user.
    pub registrar: Uri,
    /// Where REGISTER is sent. `None`: to the registrar's own host, which must be an address then.
    pub destination: Option<Destination>,
    /// The address of record: who we want to be found as.
    pub address_of_record: Uri,
    /// What answers a 401.
    pub credentials: Option<Credentials>,
    /// How long the registration should live. It is refreshed when nine tenths of the time are over.
    pub expires: Duration,
}

/// A registration and where it stands.
pub(super) struct Registering {
    registration: Registration,
    destination: Destination,
    authorizer: Authorizer,
    call_id: String,
    from: NameAddr,
    contact: NameAddr,
    cseq: u32,
    expires_s: u32,
    is_leaving: bool,
    /// How often in a row the registrar was away.
    failures: u32,
}

impl Registering {
    /// Makes the next REGISTER, still without Via. All of one registration have one Call-ID (RFC 3261 §10.2).
    fn request(&mut self, user_agent: &str) -> Request {
        self.cseq += 1;
        let mut request = Request::new(Method::Register, self.registration.registrar.clone());
        let expires_s = if self.is_leaving { 0 } else { self.expires_s };
        let mut contact = self.contact.clone();
        contact.parameters.set("expires", Some(&expires_s.to_string()));
        request.headers.push(Name::MaxForwards, MAX_FORWARDS);
        request.headers.push(Name::From, &self.from);
        request.headers.push(Name::To, NameAddr::new(self.registration.address_of_record.clone()));
        request.headers.push(Name::CallId, &self.call_id);
        request.headers.push(Name::CSeq, CSeq { number: self.cseq, method: Method::Register });
        request.headers.push(Name::Contact, contact);
        request.headers.push(Name::Expires, expires_s);
        request.headers.push(Name::UserAgent, user_agent);
        self.authorizer.sign(&mut request);
        request
    }

    /// Counts a failure, and returns how long we wait after it.
    fn retry_delay(&mut self) -> Duration {
        let delay = RETRY_DELAY.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        self.failures += 1;
        delay.min(RETRY_DELAY_MAX)
    }

    /// Returns how long the registrar keeps us: what it says for our contact, else what it says at all.
    fn granted(&self, response: &Response) -> Duration {
        let contacts = response.headers.list(&Name::Contact).filter_map(|contact| contact.parse::<NameAddr>().ok());
        let ours = contacts.into_iter().find(|contact| contact.uri == self.contact.uri);
        let own_s = ours.and_then(|contact| contact.parameters.value("expires")?.parse::<u32>().ok());
        let seconds = own_s.or_else(|| response.headers.number(&Name::Expires)).unwrap_or(self.expires_s);
        Duration::from_secs(seconds.into())
    }
}

impl Endpoint {
    /// Registers and keeps the registration up. News come as [`Event::RegistrationChanged`]. A key in use starts anew.
    ///
    /// A registrar whose host is a name and that has no destination is [`RegistrationState::Failed`] with 503.
    pub fn register(&mut self, key: RegistrationKey, registration: Registration, now: Instant) {
        let Some(destination) = registration.destination.or_else(|| registration.registrar.destination()) else {
            return self.tell_failure(key, Status::SERVICE_UNAVAILABLE, None);
        };
        let registering = self.registering(registration, destination);
        self.registrations.insert(key, registering);
        self.refresh(key, now);
    }

    fn registering(&mut self, registration: Registration, destination: Destination) -> Registering {
        let transport: Transport = destination.transport();
        let from = NameAddr::new(registration.address_of_record.clone());
        Registering {
            destination,
            authorizer: Authorizer::new(registration.credentials.clone(), self.random.fork()),
            call_id: self.random.token(),
            from: from.tagged(&self.random.token()),
            contact: self.contact(registration.address_of_record.user(), transport, &registration.address_of_record),
            cseq: 0,
            expires_s: u32::try_from(registration.expires.as_secs()).unwrap_or(EXPIRES_MAX_S),
            is_leaving: false,
            failures: 0,
            registration,
        }
    }

    /// Sends a registration that does not come about to another address of its registrar, at once. How often it has failed
    /// counts on. Returns false if there is no such registration, because it was never made or was refused.
    pub fn register_elsewhere(&mut self, key: RegistrationKey, destination: Destination, now: Instant) -> bool {
        let Some(registering) = self.registrations.get(&key) else { return false };
        let address = registering.registration.address_of_record.clone();
        let contact = self.contact(address.user(), destination.transport(), &address);
        let Some(registering) = self.registrations.get_mut(&key) else { return false };
        (registering.destination, registering.contact) = (destination, contact);
        self.refresh(key, now);
        true
    }

    /// Takes the registration back. [`RegistrationState::Unregistered`] follows, also when nobody answers.
    pub fn unregister(&mut self, key: RegistrationKey, now: Instant) {
        let Some(registering) = self.registrations.get_mut(&key) else { return };
        registering.is_leaving = true;
        self.refresh(key, now);
    }

    /// Sends the next REGISTER.
    pub(super) fn refresh(&mut self, key: RegistrationKey, now: Instant) {
        let Some(registering) = self.registrations.get_mut(&key) else { return };
        self.registration_timers.clear(key);
        let request = registering.request(&self.config.user_agent);
        self.transactions.start(request, registering.destination, Purpose::Register(key), now);
    }

    pub(super) fn receive_register_response(&mut self, key: RegistrationKey, outcome: &ClientEvent, now: Instant) {
        let response = &outcome.response;
        let Some(registering) = self.registrations.get_mut(&key) else { return };
        let is_current = response
            .headers
            .first(&Name::CSeq)
            .is_none_or(|cseq| cseq.parse::<CSeq>().is_ok_and(|cseq| cseq.number == registering.cseq));
        if response.status.is_provisional() || !is_current {
            return;
        }
        if registering.authorizer.challenged(response) {
            return self.refresh(key, now);
        }
        if registering.is_leaving {
            return self.leave(key);
        }
        match response.status.is_success() {
            true => self.registered(key, response, now),
            false => self.registration_failed(key, response, now),
        }
    }

    fn leave(&mut self, registration: RegistrationKey) {
        self.registrations.remove(&registration);
        self.events.push_back(Event::RegistrationChanged { registration, state: RegistrationState::Unregistered });
    }

    fn registered(&mut self, key: RegistrationKey, response: &Response, now: Instant) {
        let Some(registering) = self.registrations.get_mut(&key) else { return };
        registering.authorizer.accepted();
        registering.failures = 0;
        let expires = registering.granted(response);
        self.registration_timers.set(key, now + (expires * 9 / 10).max(PAUSE_MIN));
        let state = RegistrationState::Registered { expires };
        self.events.push_back(Event::RegistrationChanged { registration: key, state });
    }

    fn registration_failed(&mut self, key: RegistrationKey, response: &Response, now: Instant) {
        if self.raise_expires(key, response) {
            return self.refresh(key, now);
        }
        let status = response.status;
        let Some(registering) = self.registrations.get_mut(&key) else { return };
        let retry = match status {
            // The registrar was away or busy: it may come back. Any other refusal stays one.
            Status::REQUEST_TIMEOUT | Status::SERVER_INTERNAL_ERROR | Status::SERVICE_UNAVAILABLE => {
                let asked_s = response.headers.number(&Name::RetryAfter);
                let delay = registering.retry_delay();
                Some(asked_s.map_or(delay, |seconds| Duration::from_secs(seconds.into())).max(PAUSE_MIN))
            }
            _ => None,
        };
        match retry {
            Some(retry) => self.registration_timers.set(key, now + retry),
            None => drop(self.registrations.remove(&key)),
        }
        self.tell_failure(key, status, retry);
    }

    /// Takes the registrar's shortest time (423). Returns false when that is no reason to try again.
    fn raise_expires(&mut self, key: RegistrationKey, response: &Response) -> bool {
        let Some(registering) = self.registrations.get_mut(&key) else { return false };
        let min_s = response.headers.number(&Name::MinExpires).filter(|min_s| *min_s <= EXPIRES_MAX_S);
        match min_s.filter(|min_s| *min_s > registering.expires_s) {
            Some(min_s) if response.status == Status::INTERVAL_TOO_BRIEF => {
                registering.expires_s = min_s;
                true
            }
            Some(_) | None => false,
        }
    }

    fn tell_failure(&mut self, registration: RegistrationKey, status: Status, retry: Option<Duration>) {
        let state = RegistrationState::Failed { status, retry };
        self.events.push_back(Event::RegistrationChanged { registration, state });
    }
}
