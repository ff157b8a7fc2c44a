//! Changes of the session inside a dialog: re-INVITE in both directions, and glare (RFC 3261 §14).

use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::event::{DialogKey, Event};
use super::header::Name;
use super::incoming::refusal;
use super::message::Request;
use super::method::Method;
use super::received::Received;
use super::session::{Offering, Phase, Session, SessionTimer};
use super::status::Status;
use super::transaction::{ClientEvent, ClientId, Purpose, ServerId};

/// How long our owner may take to answer an offer. No person is asked, so less than the peer's patience of 32 s.
const OFFER_TIMEOUT: Duration = Duration::from_secs(20);

/// The unit of the pause after a 491 (RFC 3261 §14.1).
const GLARE_UNIT: Duration = Duration::from_millis(10);

/// Says why a re-INVITE can't be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReinviteError {
    /// There is no such dialog, or it is not established, or it ends.
    #[error("the dialog is not established")]
    NotEstablished,
    /// Another INVITE of this dialog is under way, in either direction (RFC 3261 §14.1). Its outcome is an event.
    #[error("another INVITE of this dialog is under way")]
    Pending,
}

impl Endpoint {
    /// Offers another session inside the dialog. The outcome is [`Event::OfferAnswered`] or [`Event::OfferRefused`];
    /// after a collision (491) the offer is sent again by itself.
    ///
    /// # Errors
    ///
    /// [`ReinviteError`]: nothing was sent.
    pub fn reinvite(&mut self, dialog: DialogKey, offer: Vec<u8>, now: Instant) -> Result<(), ReinviteError> {
        let session = self.sessions.get_mut(&dialog).filter(|session| matches!(session.phase, Phase::Established));
        let session = session.ok_or(ReinviteError::NotEstablished)?;
        if session.offering.is_some() || session.is_inviting() {
            return Err(ReinviteError::Pending);
        }
        session.offering = Some(Offering { body: offer, client: None });
        self.send_reinvite(dialog, now);
        Ok(())
    }

    fn send_reinvite(&mut self, key: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let (Some(dialog), Some(offering)) = (&mut session.dialog, &session.offering) else { return };
        let mut request = dialog.request(Method::Invite);
        let (destination, user, body) = (dialog.destination(), dialog.local_user(), offering.body.clone());
        session.authorizer.sign(&mut request);
        request.headers.push(Name::Contact, self.contact(user, destination.transport()));
        self.describe(&mut request, &body);
        let client = self.transactions.start(request, destination, Purpose::Reinvite(key), now);
        self.set_offering_client(key, Some(client));
    }

    fn set_offering_client(&mut self, key: DialogKey, client: Option<ClientId>) {
        if let Some(Session { offering: Some(offering), .. }) = self.sessions.get_mut(&key) {
            offering.client = client;
        }
    }

    pub(super) fn receive_reinvite_response(&mut self, key: DialogKey, outcome: ClientEvent, now: Instant) {
        let status = outcome.response.status;
        if status.is_provisional() {
            return;
        }
        if status.is_success() {
            return self.reinvite_accepted(key, outcome);
        }
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.authorizer.challenged(&outcome.response) {
            return self.send_reinvite(key, now);
        }
        if status == Status::REQUEST_PENDING {
            self.set_offering_client(key, None);
            return self.pause_reinvite(key, now);
        }
        session.offering = None;
        if !self.end_if_gone(key, status, now) {
            self.events.push_back(Event::OfferRefused { dialog: key, status });
        }
    }

    fn reinvite_accepted(&mut self, key: DialogKey, outcome: ClientEvent) {
        let Some((invite, _)) = self.transactions.sent(outcome.id) else { return };
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(dialog) = &mut session.dialog else { return };
        dialog.refresh_target(&outcome.response.headers);
        let (ack, dialog) = (dialog.ack(invite), dialog.clone());
        session.authorizer.accepted();
        let was_waiting = session.offering.take().is_some();
        self.send_ack(outcome.id, &dialog, ack);
        if was_waiting {
            self.events.push_back(Event::OfferAnswered { dialog: key, body: outcome.response.body });
        }
    }

    /// Waits after a 491: the maker of the Call-ID 2.1 to 4 s, the other up to 2 s, so that they do not collide again.
    fn pause_reinvite(&mut self, key: DialogKey, now: Instant) {
        let Some(Session { dialog: Some(dialog), .. }) = self.sessions.get(&key) else { return };
        let units = match dialog.is_caller {
            true => 210 + self.random.below(191),
            false => self.random.below(201),
        };
        let units = u32::try_from(units).expect("at most 400");
        self.session_timers.set(SessionTimer::Reinvite(key), now + GLARE_UNIT * units);
    }

    pub(super) fn retry_reinvite(&mut self, key: DialogKey, now: Instant) {
        match self.sessions.get(&key).is_some_and(Session::is_inviting) {
            true => self.pause_reinvite(key, now),
            false => self.send_reinvite(key, now),
        }
    }

    /// Takes a re-INVITE in (RFC 3261 §14.2).
    pub(super) fn receive_reinvite(&mut self, key: DialogKey, server: ServerId, received: &Received, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let is_offering = session.offering.as_ref().is_some_and(|offering| offering.client.is_some());
        if is_offering {
            return self.respond(server, Status::REQUEST_PENDING, now);
        }
        let is_unanswered = session.offered.is_some() || matches!(session.phase, Phase::Invited(_));
        if is_unanswered {
            return self.respond_later(server, now);
        }
        if received.request.body.is_empty() {
            return self.respond_warning(server, Status::NOT_ACCEPTABLE_HERE, "an SDP offer is required", now);
        }
        session.offered = Some(server);
        if let Some(dialog) = &mut session.dialog {
            dialog.refresh_target(&received.request.headers);
        }
        self.transactions.set_owner(server, key);
        self.session_timers.set(SessionTimer::Answer(key), now + OFFER_TIMEOUT);
        self.events.push_back(Event::Offered { dialog: key, body: received.request.body.clone() });
    }

    /// Answers [`Event::Offered`]: with an SDP answer, or with a status that refuses it and leaves the session as it was.
    ///
    /// Does nothing when no offer waits: the peer may have withdrawn it or hung up.
    pub fn answer_offer(&mut self, dialog: DialogKey, answer: Result<Vec<u8>, Status>, now: Instant) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        let Some(server) = session.offered.take() else { return };
        self.session_timers.clear(SessionTimer::Answer(dialog));
        match answer {
            Ok(body) => self.respond_success(server, dialog, body, now),
            Err(status) => self.respond(server, refusal(status), now),
        }
    }

    /// Takes a CANCEL of the peer's re-INVITE in.
    pub(super) fn withdraw_offer(&mut self, key: DialogKey, invite: ServerId, now: Instant) {
        let is_it = self.sessions.get(&key).is_some_and(|session| session.offered == Some(invite));
        if is_it {
            self.answer_offer(key, Err(Status::REQUEST_TERMINATED), now);
        }
    }

    /// Drops the offers of both sides when the call ends.
    pub(super) fn drop_offers(&mut self, key: DialogKey, now: Instant) {
        self.answer_offer(key, Err(Status::REQUEST_TERMINATED), now);
        self.session_timers.clear(SessionTimer::Reinvite(key));
        let offering = self.sessions.get_mut(&key).and_then(|session| session.offering.take());
        if let Some(client) = offering.and_then(|offering| offering.client) {
            self.transactions.abandon(client);
        }
    }
}

/// Tells whether the body of an INVITE is one that we read.
pub(super) fn is_sdp(request: &Request) -> bool {
    request.body.is_empty() || super::requests::content_type(request) == super::SDP_TYPE
}
