//! Somebody who is called at phones and in browsers at once: the first to answer has the call, and only when nothing rings
//! any more has nobody been reached.
//!
//! ```text
//!            a phone answers ──────────► (gone; browsers fall silent)
//!  ringing ─ a browser answers ────────► (gone; phones fall silent)
//!     │      phones fail, browsers ring ► ringing ┐
//!     │      declined, or time is over  ► ringing ┴─ nothing rings ─► unreached, for the best reason
//! ```
//!
//! SIP keeps the time of phones; browsers have nobody else to do that, so theirs is kept here.

use super::{Output, Session};
use crate::browsers::RingEnd;
use crate::sip_loop::better;
use call::{ParticipantId, Unreached};
use std::time::Instant;

/// What rings for somebody who is called in browsers.
pub(super) struct Ringing {
    browsers_until: Option<Instant>,
    at_phones: bool,
    /// The best reason so far for not being reached.
    cause: Option<Unreached>,
}

impl Ringing {
    fn failed(&mut self, cause: Unreached) {
        self.cause = Some(self.cause.map_or(cause, |before| better(before, cause)));
    }
}

impl Session {
    /// Browsers ring for somebody who is called, too. To be said before its phones are dialled.
    pub(crate) fn rings_in_browsers(&mut self, participant: ParticipantId, until: Instant) {
        let ringing = Ringing { browsers_until: Some(until), at_phones: true, cause: None };
        self.ringing.insert(participant, ringing);
    }

    /// No phone rings any more.
    pub(crate) fn unreached(&mut self, participant: ParticipantId, cause: Unreached, now: Instant) {
        if let Some(ringing) = self.ringing.get_mut(&participant) {
            ringing.at_phones = false;
            ringing.failed(cause);
            return self.settle_ringing(participant, now);
        }
        self.give_up(participant, cause, now);
    }

    /// Somebody has declined in a browser: its phones go on.
    pub(crate) fn declined_in_browser(&mut self, participant: ParticipantId, now: Instant) {
        self.silence(participant, Unreached::Declined, RingEnd::Declined, now);
    }

    /// Browsers that have rung for long enough fall silent.
    pub(super) fn expire_ringing(&mut self, now: Instant) {
        let is_over = |ringing: &Ringing| ringing.browsers_until.is_some_and(|until| until <= now);
        let over: Vec<_> =
            self.ringing.iter().filter(|(_, r)| is_over(r)).map(|(participant, _)| *participant).collect();
        for participant in over {
            self.silence(participant, Unreached::NoAnswer, RingEnd::Over, now);
        }
    }

    /// The call is taken somewhere: nothing is to ring any more. Returns whether anything did in browsers.
    pub(super) fn stop_ringing(&mut self, participant: ParticipantId, end: RingEnd) -> bool {
        let Some(ringing) = self.ringing.remove(&participant) else { return false };
        if ringing.browsers_until.is_some() {
            self.outputs.push_back(Output::StopRinging { participant, end });
        }
        ringing.browsers_until.is_some()
    }

    fn silence(&mut self, participant: ParticipantId, cause: Unreached, end: RingEnd, now: Instant) {
        let Some(ringing) = self.ringing.get_mut(&participant) else { return };
        if ringing.browsers_until.take().is_some() {
            ringing.failed(cause);
            self.outputs.push_back(Output::StopRinging { participant, end });
            self.settle_ringing(participant, now);
        }
    }

    fn settle_ringing(&mut self, participant: ParticipantId, now: Instant) {
        let Some(Ringing { browsers_until: None, at_phones: false, cause: Some(cause) }) =
            self.ringing.get(&participant)
        else {
            return;
        };
        self.give_up(participant, *cause, now);
    }
}
