//! Asks a silent peer whether it is still there, by OPTIONS inside the dialog (RFC 3261 §11).

use std::time::Instant;

use super::endpoint::Endpoint;
use super::event::{DialogKey, EndCause};
use super::header::Name;
use super::method::Method;
use super::session::Phase;
use super::transaction::{ClientEvent, Purpose};

impl Endpoint {
    /// Asks whether the peer is still there. Any answer says so, except that it does not know the dialog; that, or no
    /// answer at all in 64 × T1, ends the call with [`Event::Ended`](super::Event::Ended).
    ///
    /// Does nothing when the dialog is not established, or while the last question has no answer.
    pub fn probe(&mut self, dialog: DialogKey, now: Instant) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        let (Phase::Established, Some(state), false) = (&session.phase, &mut session.dialog, session.is_probing) else {
            return;
        };
        let mut options = state.request(Method::Options);
        options.headers.push(Name::Accept, super::body::SDP_TYPE);
        session.authorizer.sign(&mut options);
        session.is_probing = true;
        self.transactions.start(options, state.destination(), Purpose::Probe(dialog), now);
    }

    pub(super) fn receive_probe_response(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        let status = outcome.response.status;
        let Some(session) = self.sessions.get_mut(&key).filter(|_| !status.is_provisional()) else { return };
        session.is_probing = false;
        if self.end_if_gone(key, status, now) || !outcome.is_unreachable() {
            return;
        }
        if self.sessions.get(&key).is_some_and(|session| matches!(session.phase, Phase::Established)) {
            self.tell_end(key, EndCause::Timeout);
            self.say_bye(key, now);
        }
    }
}
