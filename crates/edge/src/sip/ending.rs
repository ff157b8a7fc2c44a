//! The end of a call: BYE and CANCEL in both directions (RFC 3261 §9, §15).

use std::time::Instant;

use super::endpoint::Endpoint;
use super::event::{DialogKey, EndCause};
use super::header::Name;
use super::method::Method;
use super::received::Received;
use super::session::{Phase, Session, SessionTimer};
use super::status::Status;
use super::transaction::{ClientEvent, Purpose, ServerId};

/// The Reason of a CANCEL to the phones that were too late, word for word as RFC 3326 §3.1 has it, and of the BYE to those
/// that took the call all the same.
pub(super) const ANSWERED_ELSEWHERE: &str = "SIP ;cause=200 ;text=\"Call completed elsewhere\"";

impl Endpoint {
    /// Ends a call, whatever its state. [`Event::Ended`](super::Event::Ended) follows at once; what the wire still needs
    /// (CANCEL, ACK and BYE when a 2xx crosses it, BYE with credentials) is done behind it.
    ///
    /// Does nothing when the call is gone or ends already.
    pub fn hang_up(&mut self, dialog: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get(&dialog) else { return };
        match session.phase {
            Phase::Calling(_) => self.withdraw(dialog, now),
            Phase::Invited(_) => return self.reject(dialog, Status::DECLINE, now),
            Phase::Established => self.say_bye(dialog, now),
            Phase::Canceling(_) | Phase::Ending => return,
        }
        self.tell_end(dialog, EndCause::Local);
    }

    /// Ends a call that somebody else has answered meanwhile, as [`hang_up`](Endpoint::hang_up) does. The CANCEL says so,
    /// so that the phone does not count it as missed (RFC 3326 §3.1).
    pub fn answered_elsewhere(&mut self, dialog: DialogKey, now: Instant) {
        if let Some(Session { phase: Phase::Calling(calling), .. }) = self.sessions.get_mut(&dialog) {
            calling.cancel_reason = Some(ANSWERED_ELSEWHERE);
        }
        self.hang_up(dialog, now);
    }

    /// Sends the BYE, or waits for the ACK first: until then the callee must not send one (RFC 3261 §15).
    pub(super) fn say_bye(&mut self, key: DialogKey, now: Instant) {
        self.drop_offers(key, now);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.phase = Phase::Ending;
        if session.unacknowledged.is_none() {
            self.send_bye(key, now);
        }
    }

    /// Sends the BYE as [`say_bye`](Endpoint::say_bye) does, and in it why.
    pub(super) fn say_bye_because(&mut self, key: DialogKey, reason: Option<&'static str>, now: Instant) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.bye_reason = reason;
        }
        self.say_bye(key, now);
    }

    fn send_bye(&mut self, key: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(dialog) = &mut session.dialog else { return };
        let mut bye = dialog.request(Method::Bye);
        if let Some(reason) = session.bye_reason {
            bye.headers.push(Name::Reason, reason);
        }
        session.authorizer.sign(&mut bye);
        self.transactions.start(bye, dialog.destination(), Purpose::Bye(key), now);
    }

    /// Any final answer ends the dialog, also "I do not know it" and none at all (RFC 3261 §15.1.1).
    pub(super) fn receive_bye_response(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        if outcome.response.status.is_provisional() {
            return;
        }
        let Some(session) = self.sessions.get_mut(&key) else { return };
        match session.authorizer.challenged(&outcome.response) {
            true => self.send_bye(key, now),
            false => self.forget(key, now),
        }
    }

    pub(super) fn receive_bye(&mut self, key: DialogKey, server: ServerId, now: Instant) {
        self.respond(server, Status::OK, now);
        self.end_by_peer(key, now);
    }

    /// Takes a CANCEL in (RFC 3261 §9.2). It has no effect on an INVITE that is answered.
    pub(super) fn receive_cancel(&mut self, server: ServerId, cancel: &Received, now: Instant) {
        let Some((invite, owner)) = self.transactions.invite_of(cancel) else {
            return self.respond(server, Status::CALL_DOES_NOT_EXIST, now);
        };
        self.respond(server, Status::OK, now);
        let Some(key) = owner else { return };
        if self.invited(key) == Some(invite) {
            return self.end_by_peer(key, now);
        }
        self.withdraw_offer(key, invite, now);
    }

    fn end_by_peer(&mut self, key: DialogKey, now: Instant) {
        let is_told = self.sessions.get(&key).is_none_or(|session| matches!(session.phase, Phase::Ending));
        if let Some(invite) = self.invited(key) {
            self.respond(invite, Status::REQUEST_TERMINATED, now);
        }
        self.forget(key, now);
        if !is_told {
            self.tell_end(key, EndCause::Remote);
        }
    }

    /// The peer does not know the dialog or does not answer in it: the dialog is over (RFC 3261 §12.2.1.2). Returns
    /// whether that was the case.
    pub(super) fn end_if_gone(&mut self, key: DialogKey, status: Status, now: Instant) -> bool {
        let cause = match status {
            Status::CALL_DOES_NOT_EXIST => EndCause::Unknown,
            Status::REQUEST_TIMEOUT => EndCause::Timeout,
            _ => return false,
        };
        if self.sessions.get(&key).is_some_and(|session| matches!(session.phase, Phase::Established)) {
            self.tell_end(key, cause);
            self.say_bye(key, now);
        }
        true
    }

    /// Forgets all of a call: its dialog, its timers, its requests that nobody waits for any more.
    pub(super) fn forget(&mut self, key: DialogKey, now: Instant) {
        self.drop_offers(key, now);
        for timer in SessionTimer::all(key) {
            self.session_timers.clear(timer);
        }
        if let Some(session) = self.sessions.remove(&key) {
            let early = session.early.into_iter().map(|early| early.dialog);
            for dialog in session.dialog.into_iter().chain(early) {
                self.dialogs.remove(&dialog.id());
            }
        }
    }
}
