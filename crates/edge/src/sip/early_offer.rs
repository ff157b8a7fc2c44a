//! Offers of a callee's that has not taken our call yet (RFC 3311 §5.2): a server on the way changes the phone, or the
//! sound, before somebody answers.
//!
//! Several phones may do so in one call of ours, each in an early dialog of its own, and only one will have the call. So
//! an early dialog keeps what was said in it, the owner answers as if all of that held, and is told it once more when
//! that phone takes the call:
//!
//! ```text
//!   the callee sends                    we tell
//!   183 with an answer, PRACK'd         –
//!   UPDATE with an offer                OfferedEarly, with all that was said before; the owner answers
//!   2xx                                 Answered with the answer, then OfferedBefore with each offer that we took
//! ```

use std::time::Instant;

use super::dialog::DialogId;
use super::endpoint::Endpoint;
use super::event::{DialogKey, Event};
use super::received::Received;
use super::session::Offered;
use super::status::Status;
use super::transaction::ServerId;

/// The most offers that are taken in one early dialog. More than a handful is no call that is being set up.
const OFFERS_MAX: usize = 8;

/// What was said in an early dialog.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// The callee's answer to our offer; a 2xx need not bring it again.
    pub(super) answer: Option<Vec<u8>>,
    /// The callee's offers since, each of which we took.
    pub(super) offers: Vec<Vec<u8>>,
    /// Our answer to the last one.
    pub(super) description: Option<Vec<u8>>,
}

impl Endpoint {
    /// Takes an UPDATE with an offer in, in an early dialog of a call of ours.
    pub(super) fn receive_early_offer(
        &mut self,
        key: DialogKey,
        server: ServerId,
        received: &Received,
        body: Vec<u8>,
        now: Instant,
    ) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let is_busy = session.offered.is_some();
        let Some(early) = session.early_mut(&DialogId::of(received)) else { return };
        let Some(answer) = early.said.answer.clone() else {
            // Our own offer has no answer yet.
            return self.respond(server, Status::REQUEST_PENDING, now);
        };
        let is_full = early.said.offers.len() >= OFFERS_MAX;
        if is_busy || is_full {
            return self.respond_later(server, now);
        }
        early.dialog.refresh_target(&received.request.headers);
        let said = [answer].into_iter().chain(early.said.offers.iter().cloned()).collect();
        self.ask_owner(key, Offered::Early(server), Event::OfferedEarly { dialog: key, said, body }, now);
    }

    /// Answers [`Event::OfferedEarly`] with an SDP answer, or refuses with a status. Does nothing when no such offer waits.
    pub fn answer_early_offer(&mut self, dialog: DialogKey, answer: Result<Vec<u8>, Status>, now: Instant) {
        let offered = self.sessions.get(&dialog).and_then(|session| session.offered);
        if matches!(offered, Some(Offered::Early(_))) {
            self.answer_offer(dialog, answer, now);
        }
    }

    pub(super) fn take_early_offer(&mut self, key: DialogKey, server: ServerId, answer: Vec<u8>, now: Instant) {
        let Some(received) = self.transactions.received(server) else { return };
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(early) = session.early_mut(&DialogId::of(&received)) else { return };
        early.said.offers.push(received.request.description().into_bytes());
        early.said.description = Some(answer.clone());
        self.respond_success(server, key, answer, now);
    }

    /// The call is taken, and an offer that was made before waits for its answer: the callee may make it again.
    pub(super) fn put_off_early_offer(&mut self, key: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if let Some(Offered::Early(server)) = session.offered.take_if(|offered| matches!(offered, Offered::Early(_))) {
            self.respond_later(server, now);
        }
    }
}
