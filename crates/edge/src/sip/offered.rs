//! Offers of the peer's inside a dialog, by re-INVITE or UPDATE, and re-INVITEs that ask for our offer (RFC 3261 §14.2,
//! RFC 3311 §5.2).
//!
//! ```text
//!   the peer sends                    we tell        the owner answers with    it goes into
//!   INVITE or UPDATE with an offer    Offered        an answer                 the 200
//!   INVITE without                    OfferWanted    an offer                  the 200; the answer comes in the ACK
//!   200 to our INVITE without         Offered        an answer                 the ACK
//!   UPDATE without                    –              –                         it only refreshes
//! ```
//!
//! An UPDATE before the call is taken is in `early_offer.rs`.

use std::time::{Duration, Instant};

use super::body::Description;
use super::endpoint::Endpoint;
use super::event::{DialogKey, Event};
use super::incoming::refusal;
use super::received::Received;
use super::session::{Offered, Offering, Phase, SessionTimer};
use super::status::Status;
use super::transaction::{ClientId, ServerId};

/// How long our owner may take to answer an offer. No person is asked, so less than the peer's patience of 32 s.
const OFFER_TIMEOUT: Duration = Duration::from_secs(20);

impl Endpoint {
    /// Takes a re-INVITE in.
    pub(super) fn receive_reinvite(&mut self, key: DialogKey, server: ServerId, received: &Received, now: Instant) {
        if !self.may_be_offered(key, server, now) || self.is_interval_too_brief(server, received, now) {
            return;
        }
        self.refresh_by_peer(key, received);
        let event = match received.request.description() {
            Description::Sdp(body) => Event::Offered { dialog: key, body },
            Description::None | Description::Unsupported => Event::OfferWanted { dialog: key },
        };
        self.ask_owner(key, Offered::Request(server), event, now);
    }

    /// Takes an UPDATE in. Without an offer it only refreshes the session and the peer's address.
    pub(super) fn receive_update(&mut self, key: DialogKey, server: ServerId, received: &Received, now: Instant) {
        let Description::Sdp(body) = received.request.description() else {
            if !self.is_interval_too_brief(server, received, now) {
                self.refresh_by_peer(key, received);
                self.respond_success(server, key, Vec::new(), now);
            }
            return;
        };
        if self.sessions.get(&key).is_some_and(|session| session.dialog.is_none()) {
            if !self.is_interval_too_brief(server, received, now) {
                self.receive_early_offer(key, server, received, body, now);
            }
            return;
        }
        if !self.may_be_offered(key, server, now) || self.is_interval_too_brief(server, received, now) {
            return;
        }
        self.refresh_by_peer(key, received);
        self.ask_owner(key, Offered::Request(server), Event::Offered { dialog: key, body }, now);
    }

    /// Refuses an offer that crosses one of ours (491), or that comes before the last one is answered (500).
    fn may_be_offered(&mut self, key: DialogKey, server: ServerId, now: Instant) -> bool {
        let Some(session) = self.sessions.get(&key) else { return false };
        let is_offering = session.offering.as_ref().is_some_and(Offering::collides);
        let waits_for_answer = session.unacknowledged.as_ref().is_some_and(|waiting| waiting.is_offer);
        let is_unanswered = session.offered.is_some() || matches!(session.phase, Phase::Invited(_));
        if is_offering || waits_for_answer {
            self.respond(server, Status::REQUEST_PENDING, now);
        } else if is_unanswered {
            self.respond_later(server, now);
        }
        !(is_offering || waits_for_answer || is_unanswered)
    }

    fn refresh_by_peer(&mut self, key: DialogKey, received: &Received) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.note_allowed(&received.request.headers);
        if let Some(dialog) = &mut session.dialog {
            dialog.refresh_target(&received.request.headers);
        }
    }

    pub(super) fn ask_owner(&mut self, key: DialogKey, offered: Offered, event: Event, now: Instant) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.offered = Some(offered);
        }
        if let Offered::Request(server) | Offered::Early(server) = offered {
            self.transactions.set_owner(server, key);
        }
        self.session_timers.set(SessionTimer::Answer(key), now + OFFER_TIMEOUT);
        self.events.push_back(event);
    }

    /// Takes the offer in that we asked for with an INVITE without one: its answer goes into the ACK.
    pub(super) fn take_offer_in_success(&mut self, key: DialogKey, client: ClientId, body: Vec<u8>, now: Instant) {
        self.ask_owner(key, Offered::Success(client), Event::Offered { dialog: key, body }, now);
    }

    /// Answers [`Event::Offered`] with an SDP answer, or [`Event::OfferWanted`] with an offer; or refuses with a status,
    /// which leaves the session as it was.
    ///
    /// Does nothing when no offer waits: the peer may have withdrawn it or hung up.
    pub fn answer_offer(&mut self, dialog: DialogKey, answer: Result<Vec<u8>, Status>, now: Instant) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        let Some(offered) = session.offered.take() else { return };
        self.session_timers.clear(SessionTimer::Answer(dialog));
        match (offered, answer) {
            (Offered::Request(server), Ok(body)) => {
                session.description.clone_from(&body);
                self.respond_success(server, dialog, body, now);
            }
            (Offered::Early(server), Ok(body)) => self.take_early_offer(dialog, server, body, now),
            (Offered::Request(server) | Offered::Early(server), Err(status)) => {
                self.respond(server, refusal(status), now);
            }
            (Offered::Success(client), Ok(body)) => {
                session.description.clone_from(&body);
                self.acknowledge_success(dialog, client, &body);
            }
            // An offer in a 2xx cannot be refused; an ACK without an answer says as much (RFC 3261 §13.2.2.4).
            (Offered::Success(client), Err(_)) => self.acknowledge_success(dialog, client, &[]),
        }
    }

    /// Takes a CANCEL of the peer's re-INVITE in.
    pub(super) fn withdraw_offer(&mut self, key: DialogKey, invite: ServerId, now: Instant) {
        let is_it = self.sessions.get(&key).is_some_and(|session| session.offered == Some(Offered::Request(invite)));
        if is_it {
            self.answer_offer(key, Err(Status::REQUEST_TERMINATED), now);
        }
    }

    /// Drops what both sides ask when the call ends.
    pub(super) fn drop_offers(&mut self, key: DialogKey, now: Instant) {
        self.answer_referral(key, Err(Status::REQUEST_TERMINATED), now);
        self.answer_offer(key, Err(Status::REQUEST_TERMINATED), now);
        self.session_timers.clear(SessionTimer::Offer(key));
        let offering = self.sessions.get_mut(&key).and_then(|session| session.offering.take());
        if let Some(client) = offering.and_then(|offering| offering.client) {
            self.transactions.abandon(client);
        }
    }
}
