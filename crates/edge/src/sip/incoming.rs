//! Calls that come in: INVITE until its final response and the ACK (RFC 3261 §13.3).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::authenticator::Verdict;
use super::authorizer::Authorizer;
use super::body::{Description, SDP_TYPE};
use super::config::Incoming;
use super::dialog::Dialog;
use super::endpoint::Endpoint;
use super::event::{DialogKey, EndCause, Event};
use super::header::Name;
use super::message::Response;
use super::method::Method;
use super::name_addr::NameAddr;
use super::received::Received;
use super::reliable::Alerting;
use super::session::{Phase, Session, SessionTimer, Unacknowledged};
use super::status::Status;
use super::transaction::ServerId;
use super::uri::{Host, Uri};

/// How long the owner may take to answer a call. RFC 3261 §16.6 lets a proxy wait three minutes; nobody listens to
/// ringing for longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);

impl Endpoint {
    /// Takes an INVITE from outside a dialog in.
    pub(super) fn receive_invite(&mut self, server: ServerId, received: &Arc<Received>, now: Instant) {
        let Some(caller) = self.admit(server, received, now) else { return };
        if self.is_interval_too_brief(server, received, now) {
            return;
        }
        if self.sessions.len() >= self.config.limits.dialogs {
            return self.respond_busy(server, now);
        }
        let replaces = match self.replaced_by(received) {
            Ok(replaces) => replaces,
            Err(status) => {
                self.note_stray(received.flow, now);
                return self.respond(server, status, now);
            }
        };
        let tag = self.transactions.tag(server).unwrap_or("").to_owned();
        match Dialog::from_request(received, &tag) {
            Ok(dialog) => {
                let caller = Caller { replaces, ..caller };
                self.receive_call(server, dialog.confined_to(self.reach()), caller, received, now);
            }
            Err(_) => self.respond(server, Status::BAD_REQUEST, now),
        }
    }

    /// Finds out who calls. `None`: the INVITE has its answer, a refusal or a challenge.
    fn admit(&mut self, server: ServerId, received: &Received, now: Instant) -> Option<Caller> {
        let Incoming::Authenticate { trusted } = &self.config.incoming else {
            let is_offered = self.config.incoming == Incoming::Offer;
            if !is_offered {
                self.note_stray(received.flow, now);
                self.respond_warning(server, Status::FORBIDDEN, "incoming calls are not offered here", now);
            }
            return is_offered.then(|| Caller { user: None, from: received.from.clone(), replaces: None });
        };
        let asserted = asserted(received).unwrap_or_else(|| received.from.clone());
        let host = received.flow.remote.ip();
        let is_trusted = trusted.contains(&host) || self.config.trunks.contains(&host);
        if is_trusted && !self.names_user(&asserted) {
            return Some(Caller { user: None, from: asserted, replaces: None });
        }
        match self.authenticator.check(&received.request, &self.config.users, received.flow, now) {
            Verdict::Granted(user) => {
                self.guard.forgive(received.flow);
                let user = Some(self.config.users[user].user.clone());
                return Some(Caller { user, from: received.from.clone(), replaces: None });
            }
            Verdict::Denied => {
                self.note_stranger(received.flow, now);
                self.challenge(server, received.flow, false, now);
            }
            Verdict::Wrong { is_proven } => {
                self.guard.fail(received.flow, is_proven, now);
                self.challenge(server, received.flow, false, now);
            }
            Verdict::Stale => self.challenge(server, received.flow, true, now),
        }
        None
    }

    /// Tells whether an address is one of a user of the registrar.
    fn names_user(&self, address: &NameAddr) -> bool {
        let Uri::Sip(uri) = &address.uri else { return false };
        let host = &uri.host_port.host;
        let is_realm = match host {
            Host::Name(name) => name.eq_ignore_ascii_case(&self.config.realm),
            Host::Ip(ip) => ip.to_string() == self.config.realm,
        };
        // A phone without a registrar says its own address, and may run on this host.
        let is_own_port = uri.host_port.port.is_none_or(|port| self.config.udp.port == Some(port));
        let is_here = (is_realm || *host == self.config.udp.host) && is_own_port;
        let user = address.uri.user();
        is_here && self.config.users.iter().any(|known| Some(&known.user) == user.as_ref())
    }

    fn receive_call(&mut self, server: ServerId, dialog: Dialog, caller: Caller, received: &Received, now: Instant) {
        let key = self.next_incoming;
        self.next_incoming = DialogKey(key.0 + 1);
        let mut session = Session::new(Phase::Invited(server), Authorizer::new(None, self.random.fork()));
        self.dialogs.insert(dialog.id(), key);
        session.dialog = Some(dialog);
        session.note_allowed(&received.request.headers);
        self.sessions.insert(key, session);
        self.transactions.set_owner(server, key);
        self.session_timers.set(SessionTimer::Answer(key), now + ANSWER_TIMEOUT);
        self.events.push_back(Event::Incoming {
            dialog: key,
            user: caller.user,
            from: caller.from,
            to: received.request.uri.clone(),
            body: received.request.description().into_bytes(),
            replaces: caller.replaces,
        });
    }

    /// Tells the caller that it rings (180), reliably if it confirms that (RFC 3262). Does nothing when the call is
    /// answered or gone.
    pub fn ring(&mut self, dialog: DialogKey, now: Instant) {
        let Some(server) = self.invited(dialog) else { return };
        let Some(received) = self.transactions.received(server) else { return };
        let Some(mut response) = self.dialog_response(server, Status::RINGING) else { return };
        response.headers.push(Name::Allow, self.config.allow());
        match Alerting::of(&received.request) {
            Alerting::Plain => self.transactions.respond(server, &response, now),
            Alerting::Reliable => self.ring_reliably(dialog, server, response, now),
            Alerting::None => {}
        }
    }

    /// Answers a call with an SDP answer, or with an offer if the caller sent none. Does nothing when the caller was faster
    /// and withdrew it.
    pub fn accept(&mut self, dialog: DialogKey, answer: Vec<u8>, now: Instant) {
        let Some(server) = self.invited(dialog) else { return };
        self.session_timers.clear(SessionTimer::Answer(dialog));
        self.session_timers.clear(SessionTimer::Ringing(dialog));
        if let Some(session) = self.sessions.get_mut(&dialog) {
            session.phase = Phase::Established;
            session.is_confirming = true;
            session.description.clone_from(&answer);
        }
        self.respond_success(server, dialog, answer, now);
    }

    /// Refuses a call; [`Event::Ended`] follows. Does nothing when the call is answered or gone.
    ///
    /// A status below 300 is no refusal: 480 is sent instead.
    pub fn reject(&mut self, dialog: DialogKey, status: Status, now: Instant) {
        let Some(server) = self.invited(dialog) else { return };
        if let Some(received) = self.transactions.received(server).filter(|_| status == Status::NOT_FOUND) {
            self.note_stray(received.flow, now);
        }
        self.respond(server, refusal(status), now);
        self.forget(dialog, now);
        self.tell_end(dialog, EndCause::Local);
    }

    pub(super) fn invited(&self, dialog: DialogKey) -> Option<ServerId> {
        match self.sessions.get(&dialog)?.phase {
            Phase::Invited(server) => Some(server),
            Phase::Calling(_) | Phase::Canceling(_) | Phase::Established | Phase::Ending => None,
        }
    }

    /// The owner did not answer: a call is refused, a re-INVITE too, and the session stays as it was.
    pub(super) fn answer_late(&mut self, key: DialogKey, now: Instant) {
        if self.invited(key).is_some() {
            return self.reject(key, Status::TEMPORARILY_UNAVAILABLE, now);
        }
        self.answer_offer(key, Err(Status::SERVER_TIMEOUT), now);
    }

    /// Starts a response that makes or refreshes the dialog: with Contact and Record-Route (RFC 3261 §12.1.1).
    fn dialog_response(&self, server: ServerId, status: Status) -> Option<Response> {
        let received = self.transactions.received(server)?;
        let mut response = self.transactions.response(server, status)?;
        for route in received.request.headers.all(&Name::RecordRoute) {
            response.headers.push(Name::RecordRoute, route);
        }
        let user = received.to.uri.user();
        response.headers.push(Name::Contact, self.contact(user, received.flow.transport, &received.request.uri));
        response.headers.push(Name::Server, &self.config.user_agent);
        Some(response)
    }

    /// Answers with 200, and waits for the ACK of an INVITE (RFC 3261 §13.3.1.4).
    pub(super) fn respond_success(&mut self, server: ServerId, key: DialogKey, description: Vec<u8>, now: Instant) {
        let Some(mut response) = self.dialog_response(server, Status::OK) else { return };
        let Some(received) = self.transactions.received(server) else { return };
        response.headers.push(Name::Allow, self.config.allow());
        response.headers.push(Name::Supported, self.config.supported());
        self.answer_interval(key, &received, &mut response, now);
        if !description.is_empty() {
            response.headers.push(Name::ContentType, SDP_TYPE);
            response.body = description;
        }
        self.transactions.respond(server, &response, now);
        if received.request.method == Method::Invite {
            self.await_ack(server, key, &received, now);
        }
    }

    fn await_ack(&mut self, server: ServerId, key: DialogKey, received: &Received, now: Instant) {
        let (interval, cseq) = (self.config.timing.t1, received.cseq.number);
        let is_offer = received.request.description() == Description::None;
        if let Some(session) = self.sessions.get_mut(&key) {
            session.unacknowledged = Some(Unacknowledged { server, cseq, interval, is_offer });
        }
        self.session_timers.set(SessionTimer::Resend(key), now + interval);
        self.session_timers.set(SessionTimer::Ack(key), now + self.config.timing.patience());
    }

    /// Sends our 2xx again, over TCP too: a proxy on the way may use UDP.
    pub(super) fn resend_success(&mut self, key: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(unacknowledged) = &mut session.unacknowledged else { return };
        unacknowledged.interval = (unacknowledged.interval * 2).min(self.config.timing.t2);
        self.session_timers.set(SessionTimer::Resend(key), now + unacknowledged.interval);
        self.transactions.resend_response(unacknowledged.server);
    }

    /// Takes the ACK of our 2xx in.
    pub(super) fn receive_ack(&mut self, key: DialogKey, received: &Received, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let is_ours = |waiting: &mut Unacknowledged| waiting.cseq == received.cseq.number;
        let Some(waiting) = session.unacknowledged.take_if(is_ours) else { return };
        let is_ending = matches!(session.phase, Phase::Ending);
        let is_confirmed = std::mem::take(&mut session.is_confirming) && !is_ending;
        self.session_timers.clear(SessionTimer::Resend(key));
        self.session_timers.clear(SessionTimer::Ack(key));
        if is_confirmed {
            self.events.push_back(Event::Confirmed { dialog: key });
        }
        if is_ending {
            self.say_bye(key, now);
        } else if waiting.is_offer {
            let body = received.request.description().into_bytes();
            self.events.push_back(Event::OfferAnswered { dialog: key, body });
        }
    }

    /// No ACK came in 64 × T1: the dialog is ended with a BYE (RFC 3261 §13.3.1.4).
    pub(super) fn miss_ack(&mut self, key: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.unacknowledged = None;
        self.session_timers.clear(SessionTimer::Resend(key));
        if !matches!(session.phase, Phase::Ending) {
            self.tell_end(key, EndCause::Timeout);
        }
        self.say_bye(key, now);
    }
}

/// Who calls, as far as it is known.
struct Caller {
    user: Option<String>,
    from: NameAddr,
    /// Whose place it takes.
    replaces: Option<DialogKey>,
}

/// Returns the caller that a proxy asserts (RFC 3325 §9.1). Only who is trusted may be believed.
fn asserted(received: &Received) -> Option<NameAddr> {
    received.request.headers.list(&Name::PAssertedIdentity).next()?.parse().ok()
}

/// Makes sure that a refusal refuses.
pub(super) fn refusal(status: Status) -> Status {
    match status.code() < 300 {
        true => Status::TEMPORARILY_UNAVAILABLE,
        false => status,
    }
}
