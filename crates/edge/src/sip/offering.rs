//! Offers of ours inside a dialog, by re-INVITE or UPDATE, and what becomes of them when both sides offer at once
//! (RFC 3261 §14.1, RFC 3311 §5.1).

use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::event::{DialogKey, Event};
use super::expiry;
use super::header::Name;
use super::message::{Request, Response};
use super::method::Method;
use super::session::{Offered, Offering, Phase, Session, SessionTimer};
use super::status::Status;
use super::transaction::{ClientEvent, ClientId, Purpose};

/// The unit of the pause after a 491 (RFC 3261 §14.1).
const GLARE_UNIT: Duration = Duration::from_millis(10);

/// How often one offer is sent, at most. A peer that always says "not now" must not keep us busy for ever; ten times with
/// the pauses of RFC 3261 §14.1 are half a minute, longer than any honest collision.
const ATTEMPTS_MAX: u32 = 10;

/// The longest pause that a peer may ask for (RFC 3261 §14.2 has it say up to 10 s).
const PAUSE_MAX_S: u32 = 32;

/// Says why an offer can't be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReinviteError {
    /// There is no such dialog, or it is not established, or it ends.
    #[error("the dialog is not established")]
    NotEstablished,
    /// Another offer or INVITE of this dialog is under way, in either direction (RFC 3261 §14.1). Its outcome is an event.
    #[error("another offer of this dialog is under way")]
    Pending,
}

impl Endpoint {
    /// Offers another session inside the dialog. The outcome is [`Event::OfferAnswered`] or [`Event::OfferRefused`];
    /// after a collision (491) the offer is sent again by itself.
    ///
    /// An empty offer asks the peer to offer: then [`Event::Offered`] follows, and its answer goes into the ACK.
    ///
    /// # Errors
    ///
    /// [`ReinviteError`]: nothing was sent.
    pub fn reinvite(&mut self, dialog: DialogKey, offer: Vec<u8>, now: Instant) -> Result<(), ReinviteError> {
        self.offer_by(Method::Invite, dialog, offer, now)
    }

    /// Offers another session as [`Endpoint::reinvite`] does, by an UPDATE: no ACK, and no person may be asked (RFC 3311).
    ///
    /// # Errors
    ///
    /// [`ReinviteError`]: nothing was sent.
    pub fn update(&mut self, dialog: DialogKey, offer: Vec<u8>, now: Instant) -> Result<(), ReinviteError> {
        self.offer_by(Method::Update, dialog, offer, now)
    }

    fn offer_by(
        &mut self,
        method: Method,
        dialog: DialogKey,
        body: Vec<u8>,
        now: Instant,
    ) -> Result<(), ReinviteError> {
        let session = self.sessions.get_mut(&dialog).filter(|session| matches!(session.phase, Phase::Established));
        let session = session.ok_or(ReinviteError::NotEstablished)?;
        if session.offering.is_some() || session.is_inviting() {
            return Err(ReinviteError::Pending);
        }
        session.offering = Some(Offering::new(method, body));
        self.send_offering(dialog, now);
        Ok(())
    }

    pub(super) fn send_offering(&mut self, key: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let (Some(dialog), Some(offering)) = (&mut session.dialog, &mut session.offering) else { return };
        offering.attempts += 1;
        let mut request = dialog.request(offering.method.clone());
        let (destination, user, body) = (dialog.destination(), dialog.local_user(), offering.body.clone());
        session.authorizer.sign(&mut request);
        request.headers.push(Name::Contact, self.contact(user, destination.transport(), &request.uri));
        self.ask_for_interval(key, &mut request);
        // Nobody rings in mid-call, so provisional responses need not be reliable.
        request.headers.push(Name::Supported, expiry::OPTION);
        self.describe(&mut request, &body);
        let client = self.transactions.start(request, destination, Purpose::Offer(key), now);
        self.set_offering_client(key, Some(client));
    }

    fn set_offering_client(&mut self, key: DialogKey, client: Option<ClientId>) {
        if let Some(Session { offering: Some(offering), .. }) = self.sessions.get_mut(&key) {
            offering.client = client;
        }
    }

    pub(super) fn receive_offer_response(&mut self, key: DialogKey, outcome: ClientEvent, now: Instant) {
        let status = outcome.response.status;
        if status.is_provisional() {
            return;
        }
        if status.is_success() {
            return self.offering_accepted(key, &outcome, now);
        }
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.authorizer.challenged(&outcome.response) {
            return self.send_offering(key, now);
        }
        if self.is_interval_raised(key, &outcome.response) {
            return self.send_offering(key, now);
        }
        if let Some(pause) = self.pause_after(key, &outcome.response) {
            self.set_offering_client(key, None);
            return self.session_timers.set(SessionTimer::Offer(key), now + pause);
        }
        self.offering_refused(key, status, now);
    }

    fn offering_refused(&mut self, key: DialogKey, status: Status, now: Instant) {
        let Some(offering) = self.sessions.get_mut(&key).and_then(|session| session.offering.take()) else { return };
        if self.end_if_gone(key, status, now) {
            return;
        }
        match offering.is_refresh {
            true => self.refresh_refused(key, &offering, now),
            false => self.events.push_back(Event::OfferRefused { dialog: key, status }),
        }
    }

    fn offering_accepted(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(dialog) = &mut session.dialog else { return };
        dialog.refresh_target(&outcome.response.headers);
        session.authorizer.accepted();
        self.note_interval(key, &outcome.response, now);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.offered == Some(Offered::Success(outcome.id)) {
            // A repeated 2xx, whose ACK waits for our owner's answer.
            return;
        }
        let offering = session.offering.take();
        let body = outcome.response.description();
        match offering {
            Some(offering) if offering.is_request_for_offer() => {
                self.take_offer_in_success(key, outcome.id, body, now);
            }
            Some(offering) => {
                self.acknowledge_success(key, outcome.id, &[]);
                self.tell_answer(key, offering, body);
            }
            // Nobody waits for it any more: the call ends.
            None => self.acknowledge_success(key, outcome.id, &[]),
        }
    }

    fn tell_answer(&mut self, key: DialogKey, offering: Offering, body: Vec<u8>) {
        if !offering.is_refresh {
            if let Some(session) = self.sessions.get_mut(&key) {
                session.description = offering.body;
            }
            self.events.push_back(Event::OfferAnswered { dialog: key, body });
        } else if !offering.body.is_empty() {
            self.events.push_back(Event::Refreshed { dialog: key, body });
        }
    }

    /// Sends the ACK of a 2xx to an INVITE inside the dialog. Other requests have none.
    pub(super) fn acknowledge_success(&mut self, key: DialogKey, client: ClientId, answer: &[u8]) {
        let Some((request, _)) = self.transactions.sent(client) else { return };
        if request.method != Method::Invite {
            return;
        }
        let Some(Session { dialog: Some(dialog), .. }) = self.sessions.get(&key) else { return };
        let (mut ack, dialog) = (dialog.ack(request), dialog.clone());
        set_description(&mut ack, answer);
        self.send_ack(client, &dialog, ack);
    }

    /// Returns how long to wait until an offer is sent again: after a 491 the maker of the Call-ID 2.1 to 4 s, the other
    /// up to 2 s, so that they do not collide again (RFC 3261 §14.1); after a 500, what it says (§14.2).
    fn pause_after(&mut self, key: DialogKey, response: &Response) -> Option<Duration> {
        let session = self.sessions.get(&key)?;
        if session.offering.as_ref()?.attempts >= ATTEMPTS_MAX {
            return None;
        }
        match response.status {
            Status::REQUEST_PENDING => self.glare_pause(key),
            Status::SERVER_INTERNAL_ERROR => {
                let pause_s = response.headers.number(&Name::RetryAfter)?;
                Some(Duration::from_secs(pause_s.min(PAUSE_MAX_S).into()))
            }
            _ => None,
        }
    }

    fn glare_pause(&mut self, key: DialogKey) -> Option<Duration> {
        let units = match self.sessions.get(&key)?.dialog.as_ref()?.is_caller {
            true => 210 + self.random.below(191),
            false => self.random.below(201),
        };
        Some(GLARE_UNIT * u32::try_from(units).expect("at most 400"))
    }

    pub(super) fn retry_offering(&mut self, key: DialogKey, now: Instant) {
        match self.sessions.get(&key).is_some_and(Session::is_inviting) {
            true => {
                let pause = self.glare_pause(key).unwrap_or(GLARE_UNIT);
                self.session_timers.set(SessionTimer::Offer(key), now + pause);
            }
            false => self.send_offering(key, now),
        }
    }
}

/// Puts a session description into a request, or none.
pub(super) fn set_description(request: &mut Request, description: &[u8]) {
    if !description.is_empty() {
        request.headers.push(Name::ContentType, super::body::SDP_TYPE);
        request.body = description.to_vec();
    }
}
