//! The endpoint: declares the state and sorts what comes in. Each rule is in a file of its own.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::time::Instant;

use super::authenticator::Authenticator;
use super::config::{Config, Reach};
use super::dialog::DialogId;
use super::event::{DialogKey, Event, RegistrationKey};
use super::flow::{Destination, Flow, Transmit, Transport};
use super::guard::{Ban, Guard};
use super::message::Message;
use super::random::{Random, hmac_sha256};
use super::registrar::{Binding, Registrar};
use super::registration::Registering;
use super::session::{Offered, Session, SessionTimer};
use super::stream::{Piece, Stream};
use super::timers::Timers;
use super::transaction::{ClientEvent, Purpose, Transactions};
use super::unreadable::Unreadable;

/// A SIP user agent, client and server, and a registrar: RFC 3261 without sockets and without a clock.
///
/// After each call of a method that takes `now`, drain [`poll_transmit`](Endpoint::poll_transmit) and
/// [`poll_event`](Endpoint::poll_event), then sleep until [`deadline`](Endpoint::deadline) or until bytes come.
pub struct Endpoint {
    pub(super) config: Config,
    pub(super) random: Random,
    /// Makes the tags of responses that leave no state behind.
    pub(super) tag_key: [u8; 32],
    pub(super) transactions: Transactions,
    pub(super) sessions: HashMap<DialogKey, Session>,
    pub(super) dialogs: HashMap<DialogId, DialogKey>,
    pub(super) session_timers: Timers<SessionTimer>,
    pub(super) authenticator: Authenticator,
    pub(super) registrar: Registrar,
    pub(super) registrations: HashMap<RegistrationKey, Registering>,
    pub(super) registration_timers: Timers<RegistrationKey>,
    pub(super) events: VecDeque<Event>,
    pub(super) next_incoming: DialogKey,
    pub(super) guard: Guard,
    streams: HashMap<Flow, Stream>,
}

impl Endpoint {
    /// Makes an endpoint. The seed must be secret and new each time: branches, tags and nonces come from it.
    pub fn new(config: Config, seed: [u8; 32]) -> Endpoint {
        Endpoint {
            random: Random::new(&seed, "endpoint"),
            tag_key: hmac_sha256(&seed, &[b"tag"]),
            transactions: Transactions::new(&config, Random::new(&seed, "transactions")),
            sessions: HashMap::new(),
            dialogs: HashMap::new(),
            session_timers: Timers::new(),
            authenticator: Authenticator::new(&config, hmac_sha256(&seed, &[b"nonce"])),
            registrar: Registrar::new(&config.users, config.registrar),
            registrations: HashMap::new(),
            registration_timers: Timers::new(),
            events: VecDeque::new(),
            next_incoming: DialogKey::INCOMING,
            guard: Guard::new(config.guard.clone(), config.trunks.clone()),
            streams: HashMap::new(),
            config,
        }
    }

    /// Takes in where the trunks are now. Calls that are up go on as they were told.
    pub fn set_trunks(&mut self, trunks: HashSet<IpAddr>) {
        self.guard.set_trunks(trunks.clone());
        self.config.trunks = trunks;
    }

    /// Returns where the requests of a call may go that begins now.
    pub(super) fn reach(&self) -> Reach {
        self.config.reach.with(&self.config.trunks)
    }

    /// Takes a UDP datagram in, or the next bytes of a TCP connection. Bytes that are no SIP are
    /// dropped, requests that can't be read are refused.
    pub fn receive(&mut self, flow: Flow, bytes: &[u8], now: Instant) {
        match flow.transport {
            Transport::Udp => match Message::parse(bytes) {
                Ok(message) => self.receive_message(flow, message, now),
                Err(error) => self.receive_unreadable(flow, Unreadable::find(bytes, error)),
            },
            Transport::Tcp | Transport::Tls => self.receive_stream(flow, bytes, now),
        }
    }

    /// Takes the end of a TCP connection in. Contacts that registered over it are forgotten (RFC 5626 §5.2).
    pub fn closed(&mut self, flow: Flow, now: Instant) {
        self.streams.remove(&flow);
        let gone = self.registrar.forget_flow(flow);
        self.events.extend(gone.into_iter().map(|user| Event::Unregistered { user }));
        for session in self.sessions.values_mut() {
            session.dialogs_mut().for_each(|dialog| dialog.lose(flow));
        }
        let lost = self.transactions.lose(|destination| Transactions::leads_over(destination, flow));
        self.receive_outcomes(lost, now);
    }

    /// Takes in that a [`Transmit`] could not be sent: the connection was refused, or the port is closed.
    pub fn unreachable(&mut self, destination: Destination, now: Instant) {
        let peer = (destination.transport(), destination.remote());
        let lost = self.transactions.lose(|other| (other.transport(), other.remote()) == peer);
        self.receive_outcomes(lost, now);
    }

    /// Runs everything that is due at `now`.
    pub fn expire(&mut self, now: Instant) {
        self.guard.expire(now);
        while let Some(outcome) = self.transactions.expire_one(now) {
            self.receive_outcomes(outcome, now);
        }
        while let Some(timer) = self.session_timers.pop_due(now) {
            self.expire_session(timer, now);
        }
        while let Some(registration) = self.registration_timers.pop_due(now) {
            self.refresh(registration, now);
        }
        let gone = self.registrar.expire(now);
        self.events.extend(gone.into_iter().map(|user| Event::Unregistered { user }));
    }

    /// Returns the next address that was shut out, for the log: each is told once.
    pub fn poll_ban(&mut self) -> Option<Ban> {
        self.guard.poll_ban()
    }

    /// Returns how many requests were dropped since it was asked last: of those who are shut out, and beyond the rate.
    pub fn take_dropped(&mut self) -> u64 {
        self.guard.take_dropped()
    }

    /// Returns when [`expire`](Endpoint::expire) has something to do. Changes with every other call.
    pub fn deadline(&self) -> Option<Instant> {
        let deadlines = [
            self.transactions.deadline(),
            self.session_timers.next(),
            self.registration_timers.next(),
            self.registrar.deadline(),
            self.guard.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Returns the next bytes to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transactions.poll_transmit()
    }

    /// Returns the next news.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Returns the contacts of a user of the registrar, the newest first.
    pub fn bindings(&self, user: &str, now: Instant) -> impl Iterator<Item = &Binding> {
        self.registrar.bindings(user, now)
    }

    /// Returns how many calls there are, those included whose CANCEL or BYE is not answered yet. At 0 the owner may close
    /// its sockets without being rude.
    pub fn dialog_count(&self) -> usize {
        self.sessions.len()
    }

    /// Tells whether no call is left and also no transaction, which wait up to 32 s for stragglers.
    pub fn is_idle(&self) -> bool {
        self.sessions.is_empty()
            && self.dialogs.is_empty()
            && self.session_timers.is_empty()
            && self.transactions.is_empty()
    }

    /// Returns how the requests of a call go to the other side; `None` if there is no such dialog.
    pub fn transport(&self, dialog: DialogKey) -> Option<Transport> {
        let dialog = self.sessions.get(&dialog)?.dialog.as_ref()?;
        Some(dialog.destination().transport())
    }

    /// Tells whether what a call says next goes over TLS: to where its requests go, and back to where an offer came from
    /// that waits for its answer. Keys may stand in it then (RFC 4568 §8.2).
    pub fn is_secure(&self, dialog: DialogKey) -> bool {
        let Some(session) = self.sessions.get(&dialog) else { return false };
        let ours = session.dialog.as_ref().is_some_and(|dialog| dialog.destination().transport().is_secure());
        let offer = match session.offered {
            Some(Offered::Request(server) | Offered::Early(server)) => self.transactions.received(server),
            Some(Offered::Success(_)) | None => None,
        };
        ours && offer.is_none_or(|offer| offer.flow.transport.is_secure())
    }

    fn receive_stream(&mut self, flow: Flow, bytes: &[u8], now: Instant) {
        let is_full = self.streams.len() >= self.config.limits.streams && !self.streams.contains_key(&flow);
        if is_full {
            return self.disconnect(flow, now);
        }
        self.streams.entry(flow).or_default().push(bytes);
        loop {
            let Some(stream) = self.streams.get_mut(&flow) else { return };
            match stream.pop() {
                Ok(Some(Piece::Message(message))) => self.receive_message(flow, message, now),
                Ok(Some(Piece::Ping)) => self.transactions.send(Destination::Flow(flow), b"\r\n".to_vec()),
                Ok(Some(Piece::Unreadable(unreadable))) => self.receive_unreadable(flow, unreadable),
                Ok(None) => return,
                Err(_) => return self.disconnect(flow, now),
            }
        }
    }

    fn disconnect(&mut self, flow: Flow, now: Instant) {
        self.closed(flow, now);
        self.events.push_back(Event::Disconnect { flow });
    }

    fn receive_unreadable(&mut self, flow: Flow, unreadable: Option<Unreadable>) {
        if let Some(unreadable) = unreadable {
            self.refuse_unreadable(flow, &unreadable);
        }
    }

    fn receive_message(&mut self, flow: Flow, message: Message, now: Instant) {
        match message {
            Message::Request(request) => self.receive_request(request, flow, now),
            Message::Response(response) => {
                let outcome = self.transactions.receive_response(response, now);
                self.receive_outcomes(outcome, now);
            }
        }
    }

    fn receive_outcomes(&mut self, outcomes: impl IntoIterator<Item = ClientEvent>, now: Instant) {
        for outcome in outcomes {
            match outcome.purpose {
                Purpose::Invite(dialog) => self.receive_invite_response(dialog, outcome, now),
                Purpose::Offer(dialog) => self.receive_offer_response(dialog, outcome, now),
                Purpose::Probe(dialog) => self.receive_probe_response(dialog, &outcome, now),
                Purpose::Bye(dialog) => self.receive_bye_response(dialog, &outcome, now),
                Purpose::Info(dialog) => self.receive_info_response(dialog, &outcome, now),
                Purpose::Refer(dialog) => self.receive_refer_response(dialog, &outcome, now),
                Purpose::Notify(dialog) => self.receive_notify_response(dialog, &outcome),
                Purpose::Register(registration) => self.receive_register_response(registration, &outcome, now),
                Purpose::Orphan => {}
            }
        }
    }

    fn expire_session(&mut self, timer: SessionTimer, now: Instant) {
        match timer {
            SessionTimer::Ring(dialog) => self.stop_ringing(dialog, now),
            SessionTimer::Cancel(dialog) => self.abandon(dialog, now),
            SessionTimer::Answer(dialog) => self.answer_late(dialog, now),
            SessionTimer::Ringing(dialog) => self.resend_ringing(dialog, now),
            SessionTimer::Referral(dialog) => self.answer_referral_late(dialog, now),
            SessionTimer::Resend(dialog) => self.resend_success(dialog, now),
            SessionTimer::Ack(dialog) => self.miss_ack(dialog, now),
            SessionTimer::Offer(dialog) => self.retry_offering(dialog, now),
            SessionTimer::Refresh(dialog) => self.refresh_session(dialog, now),
            SessionTimer::Expiry(dialog) => self.let_expire(dialog, now),
        }
    }
}
