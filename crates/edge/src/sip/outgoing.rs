//! Calls we make: INVITE until its final response (RFC 3261 §13.2).

use std::time::{Duration, Instant};

use super::authorizer::Authorizer;
use super::dialog::{Dialog, MAX_FORWARDS};
use super::digest::Credentials;
use super::early_offer::Said;
use super::ending::ANSWERED_ELSEWHERE;
use super::endpoint::Endpoint;
use super::event::{DialogKey, EndCause, Event};
use super::expiry;
use super::flow::{Destination, Transport};
use super::header::Name;
use super::message::{CSeq, Request, Response};
use super::method::Method;
use super::name_addr::NameAddr;
use super::offering::set_description;
use super::replaces::{self, Replaces};
use super::session::{Calling, Offered, Phase, Session, SessionTimer};
use super::status::Status;
use super::transaction::{ClientEvent, ClientId, Purpose};
use super::uri::{HostPort, Uri};

/// A call to be made.
#[derive(Debug, Clone)]
pub struct Invite {
    /// The Request-URI: who is called.
    pub target: Uri,
    /// Where the INVITE is sent: the flow of a registered contact, an outbound proxy, a resolved name. `None`: to the
    /// target's own host, which must be an address then.
    ///
    /// With a flow, all later requests of the dialog go over it too, whatever the peer's Contact says (NAT).
    pub destination: Option<Destination>,
    /// Who calls. The tag is added.
    pub from: NameAddr,
    /// Who is called, as it is shown to people. `None`: the target.
    pub to: Option<NameAddr>,
    /// Who calls, as a network that trusts us shall take it for proven: P-Asserted-Identity (RFC 3325 §9.1).
    pub asserted: Option<NameAddr>,
    /// The SDP offer. Empty: the callee is to offer, and [`Event::Answered`] brings its offer.
    pub offer: Vec<u8>,
    /// What answers a 401 or 407. `None`: such a call fails.
    pub credentials: Option<Credentials>,
    /// How long the callee may take before the call is withdrawn and fails with 408.
    pub ring_timeout: Duration,
    /// How long the callee may be silent before the call fails with 408 all the same. `None`: for timer B, 64 × T1.
    ///
    /// A server that lives says 100 within 200 ms (RFC 3261 §17.2.1), so whoever knows another one need not wait that long.
    pub silence_max: Option<Duration>,
    /// The dialog of the callee's whose place the call is to take (RFC 3891).
    pub replaces: Option<Replaces>,
}

impl Endpoint {
    /// Calls somebody. The outcome is [`Event::Answered`] or [`Event::Failed`].
    ///
    /// A UDP request longer than 1300 bytes stays on UDP although RFC 3261 §18.1.1 wants TCP then: our offers are
    /// shorter, and phones that registered over UDP rarely listen on TCP.
    ///
    /// # Panics
    ///
    /// When the key is in use, or is one of those that the endpoint chooses.
    pub fn invite(&mut self, dialog: DialogKey, invite: Invite, now: Instant) {
        assert!(dialog < DialogKey::INCOMING, "keys from INCOMING on are chosen by the endpoint");
        assert!(!self.sessions.contains_key(&dialog), "a key names one call at a time");
        let Some(destination) = invite.destination.or_else(|| invite.target.destination()) else {
            return self.refuse(dialog, "No Address For The Target");
        };
        if self.sessions.len() >= self.config.limits.dialogs {
            return self.refuse(dialog, "Too Many Dialogs");
        }
        let request = self.invite_request(dialog, &invite, destination.transport());
        let authorizer = Authorizer::new(invite.credentials, self.random.fork());
        let client = self.transactions.start(request.clone(), destination, Purpose::Invite(dialog), now);
        let ring_until = now + invite.ring_timeout;
        let calling = Calling {
            invite: request,
            destination,
            client,
            has_provisional: false,
            is_ringing: false,
            ring_until,
            cancel_reason: None,
        };
        let session = Session { description: invite.offer, ..Session::new(Phase::Calling(calling), authorizer) };
        self.sessions.insert(dialog, session);
        let silent_until = invite.silence_max.map_or(ring_until, |silence_max| ring_until.min(now + silence_max));
        self.session_timers.set(SessionTimer::Ring(dialog), silent_until);
    }

    fn refuse(&mut self, dialog: DialogKey, reason: &str) {
        let status = Status::SERVICE_UNAVAILABLE;
        self.events.push_back(Event::Failed { dialog, status, reason: reason.to_owned() });
    }

    fn invite_request(&mut self, dialog: DialogKey, invite: &Invite, transport: Transport) -> Request {
        let mut request = Request::new(Method::Invite, invite.target.clone());
        let to = invite.to.clone().unwrap_or_else(|| NameAddr::new(invite.target.clone()));
        let from = invite.from.clone().tagged(&self.random.token());
        let contact = self.contact(from.uri.user(), transport, &invite.target);
        request.headers.push(Name::MaxForwards, MAX_FORWARDS);
        request.headers.push(Name::From, from);
        request.headers.push(Name::To, to);
        request.headers.push(Name::CallId, self.random.token());
        request.headers.push(Name::CSeq, CSeq { number: 1, method: Method::Invite });
        request.headers.push(Name::Contact, contact);
        if let Some(asserted) = &invite.asserted {
            request.headers.push(Name::PAssertedIdentity, asserted);
        }
        if let Some(replaces) = &invite.replaces {
            request.headers.push(Name::Require, replaces::OPTION);
            request.headers.push(Name::Replaces, replaces);
        }
        self.ask_for_interval(dialog, &mut request);
        // Without an offer of ours a reliable provisional response would bring one, to be answered in the PRACK.
        let supported = if invite.offer.is_empty() { expiry::OPTION.to_owned() } else { self.config.supported() };
        request.headers.push(Name::Supported, supported);
        self.describe(&mut request, &invite.offer);
        request
    }

    /// Adds what an INVITE says about us, and the offer.
    pub(super) fn describe(&self, request: &mut Request, offer: &[u8]) {
        request.headers.push(Name::Allow, self.config.allow());
        request.headers.push(Name::UserAgent, &self.config.user_agent);
        set_description(request, offer);
    }

    /// Makes our Contact. Over TCP and TLS it says so, else the peer would send its requests over UDP (RFC 3261 §19.1.1).
    /// Who asked for `sips` gets it (RFC 3261 §12.1.1).
    pub(super) fn contact(&self, user: Option<String>, transport: Transport, asked_for: &Uri) -> NameAddr {
        let host_port: HostPort = match transport {
            Transport::Udp => self.config.udp.clone(),
            Transport::Tcp => self.config.tcp.clone(),
            Transport::Tls => self.config.tls.clone(),
        };
        let mut uri = Uri::sip(user.as_deref(), host_port);
        if let Uri::Sip(uri) = &mut uri {
            uri.is_secure = asked_for.is_sips() && transport.is_secure();
            if let Some(name) = transport.parameter().filter(|_| !uri.is_secure) {
                uri.parameters.set("transport", Some(name));
            }
        }
        NameAddr::new(uri)
    }

    pub(super) fn receive_invite_response(&mut self, key: DialogKey, outcome: ClientEvent, now: Instant) {
        let status = outcome.response.status;
        let phase = self.sessions.get(&key).map(|session| &session.phase);
        match phase {
            Some(Phase::Calling(_)) if status.is_provisional() => {
                self.confirm(key, &outcome, now);
                self.note_provisional(key, status);
            }
            Some(Phase::Calling(_)) if status.is_success() => self.answered(key, &outcome, now),
            Some(Phase::Calling(_)) => self.invite_failed(key, &outcome, now),
            Some(Phase::Canceling(_)) if status.is_provisional() => self.cancel_now(key, now),
            // The 2xx crossed our CANCEL: there is a dialog now, and only a BYE ends it (RFC 3261 §9.1, §15).
            Some(Phase::Canceling(calling)) if status.is_success() => {
                let reason = calling.cancel_reason;
                self.establish(key, &outcome, now);
                self.say_bye_because(key, reason, now);
            }
            Some(Phase::Canceling(_)) => self.forget(key, now),
            Some(Phase::Established | Phase::Ending | Phase::Invited(_)) | None if status.is_success() => {
                self.drop_fork(&outcome, now);
            }
            Some(Phase::Established | Phase::Ending | Phase::Invited(_)) | None => {}
        }
    }

    fn note_provisional(&mut self, key: DialogKey, status: Status) {
        let Some(Session { phase: Phase::Calling(calling), .. }) = self.sessions.get_mut(&key) else { return };
        calling.has_provisional = true;
        self.session_timers.set(SessionTimer::Ring(key), calling.ring_until);
        if status != Status::TRYING && !calling.is_ringing {
            calling.is_ringing = true;
            self.events.push_back(Event::Ringing { dialog: key });
        }
    }

    fn answered(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        self.put_off_early_offer(key, now);
        let early = self.sessions.get(&key).and_then(|session| session.early_of(&outcome.response));
        let said = early.map(|early| early.said.clone()).unwrap_or_default();
        match self.establish(key, outcome, now) {
            true => self.tell_answered(key, said, &outcome.response),
            false => self.fail(key, &outcome.response, now),
        }
    }

    /// The answer is the first; a 2xx after it must not bring another (RFC 3261 §13.2.1).
    fn tell_answered(&mut self, dialog: DialogKey, said: Said, response: &Response) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        if let Some(description) = said.description {
            session.description = description;
        }
        let body = said.answer.unwrap_or_else(|| response.description());
        self.events.push_back(Event::Answered { dialog, body });
        self.events.extend(said.offers.into_iter().map(|body| Event::OfferedBefore { dialog, body }));
    }

    /// Makes the dialog of a 2xx and acknowledges it, unless our answer is to go into the ACK. Returns false when the 2xx
    /// is too broken for a dialog.
    fn establish(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) -> bool {
        let Some((mut dialog, ack)) = self.dialog_of(outcome) else {
            self.forget(key, now);
            return false;
        };
        let Some(session) = self.sessions.get_mut(&key) else { return false };
        for early in std::mem::take(&mut session.early) {
            self.dialogs.remove(&early.dialog.id());
            if early.dialog.id() == dialog.id() {
                dialog.continues(&early.dialog);
            }
        }
        self.dialogs.insert(dialog.id(), key);
        session.phase = Phase::Established;
        session.authorizer.accepted();
        session.dialog = Some(dialog.clone());
        match session.description.is_empty() {
            true => session.offered = Some(Offered::Success(outcome.id)),
            false => self.send_ack(outcome.id, &dialog, ack),
        }
        self.session_timers.clear(SessionTimer::Ring(key));
        self.session_timers.clear(SessionTimer::Cancel(key));
        self.note_interval(key, &outcome.response, now);
        true
    }

    /// Makes the dialog of a 2xx of our first INVITE, and its ACK.
    fn dialog_of(&self, outcome: &ClientEvent) -> Option<(Dialog, Request)> {
        let (invite, first) = self.transactions.sent(outcome.id)?;
        let dialog = Dialog::from_response(invite, &outcome.response, first).ok()?.confined_to(self.reach());
        let ack = dialog.ack(invite);
        Some((dialog, ack))
    }

    /// Sends an ACK: a request without a transaction, with a branch of its own (RFC 3261 §17).
    pub(super) fn send_ack(&mut self, invite: ClientId, dialog: &Dialog, mut ack: Request) {
        let destination = dialog.destination();
        let via = self.transactions.via(destination.transport());
        ack.headers.push_first(Name::Via, via);
        self.transactions.acknowledge(invite, &dialog.id().remote_tag, destination, ack.to_bytes());
    }

    /// A second callee answered the same INVITE behind a forking proxy: it is told that we do not want it
    /// (RFC 3261 §13.2.2.4).
    fn drop_fork(&mut self, outcome: &ClientEvent, now: Instant) {
        let Some((mut dialog, ack)) = self.dialog_of(outcome) else { return };
        if self.dialogs.contains_key(&dialog.id()) {
            // It is our own, whose ACK waits for the owner's answer.
            return;
        }
        self.send_ack(outcome.id, &dialog, ack);
        let mut bye = dialog.request(Method::Bye);
        bye.headers.push(Name::Reason, ANSWERED_ELSEWHERE);
        self.transactions.start(bye, dialog.destination(), Purpose::Orphan, now);
    }

    fn invite_failed(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let is_challenged = session.authorizer.challenged(&outcome.response);
        match is_challenged || self.is_interval_raised(key, &outcome.response) {
            true => self.invite_again(key, now),
            false => self.refused(key, &outcome.response, now),
        }
    }

    /// The callee does not take the call, and perhaps says who might (RFC 3261 §8.1.3.4).
    fn refused(&mut self, key: DialogKey, response: &Response, now: Instant) {
        let contacts = response.headers.list(&Name::Contact).filter_map(|contact| contact.parse::<NameAddr>().ok());
        let targets: Vec<Uri> = contacts.into_iter().map(|contact| contact.uri).collect();
        if !response.status.is_redirection() || targets.is_empty() {
            return self.fail(key, response, now);
        }
        self.forget(key, now);
        self.events.push_back(Event::Redirected { dialog: key, status: response.status, targets });
    }

    /// Sends our INVITE once more: signed, and for the session interval that the callee wants.
    fn invite_again(&mut self, key: DialogKey, now: Instant) {
        let Some(Session { phase: Phase::Calling(calling), .. }) = self.sessions.get(&key) else { return };
        let (mut invite, destination) = (calling.invite.clone(), calling.destination);
        let number = 1 + cseq_number(&invite);
        invite.headers.set(Name::CSeq, CSeq { number, method: Method::Invite });
        self.ask_for_interval(key, &mut invite);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.authorizer.sign(&mut invite);
        let client = self.transactions.start(invite.clone(), destination, Purpose::Invite(key), now);
        let Phase::Calling(calling) = &mut session.phase else { return };
        (calling.invite, calling.client, calling.has_provisional) = (invite, client, false);
    }

    fn fail(&mut self, key: DialogKey, response: &Response, now: Instant) {
        self.forget(key, now);
        let (status, reason) = (response.status, response.reason.clone());
        self.events.push_back(Event::Failed { dialog: key, status, reason });
    }

    /// Nobody answered in time.
    pub(super) fn stop_ringing(&mut self, key: DialogKey, now: Instant) {
        let status = Status::REQUEST_TIMEOUT;
        self.events.push_back(Event::Failed { dialog: key, status, reason: status.reason().to_owned() });
        self.withdraw(key, now);
    }

    /// Withdraws our INVITE: at once when the peer has answered provisionally, else as soon as it does.
    pub(super) fn withdraw(&mut self, key: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Phase::Calling(calling) = &session.phase else { return };
        let calling = calling.clone();
        let has_provisional = calling.has_provisional;
        session.phase = Phase::Canceling(calling);
        self.session_timers.clear(SessionTimer::Ring(key));
        if has_provisional {
            self.cancel_now(key, now);
        }
    }

    fn cancel_now(&mut self, key: DialogKey, now: Instant) {
        let timer = SessionTimer::Cancel(key);
        if self.session_timers.is_set(timer) {
            return;
        }
        let Some(Session { phase: Phase::Canceling(calling), .. }) = self.sessions.get(&key) else { return };
        self.transactions.cancel(calling.client, calling.cancel_reason, now);
        self.session_timers.set(timer, now + self.config.timing.patience());
    }

    /// The CANCEL brought no final response: the transaction is over (RFC 3261 §9.1).
    pub(super) fn abandon(&mut self, key: DialogKey, now: Instant) {
        if let Some(Session { phase: Phase::Canceling(calling), .. }) = self.sessions.get(&key) {
            self.transactions.abandon(calling.client);
        }
        self.forget(key, now);
    }

    /// Tells the owner that a call is over.
    pub(super) fn tell_end(&mut self, dialog: DialogKey, cause: EndCause) {
        self.events.push_back(Event::Ended { dialog, cause });
    }
}

fn cseq_number(request: &Request) -> u32 {
    let cseq = request.headers.first(&Name::CSeq).and_then(|cseq| cseq.parse::<CSeq>().ok());
    cseq.map_or(0, |cseq| cseq.number)
}
