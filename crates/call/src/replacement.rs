//! A phone hands its place in the conversation on: it refers us to somebody else (REFER, RFC 3515), or somebody else calls
//! and says whose place it takes (`Replaces`, RFC 3891).
//!
//! ```text
//!  referred ────────► the target rings ─────┐ answers
//!                                           ├─────────► in its place; the predecessor's leg ends
//!  replacement called ► its call is taken ──┘ confirms
//!                           │ it does not, or the predecessor is held
//!                           ▼
//!                     the predecessor is in as before
//! ```
//!
//! Who is on hold hands nothing on: its successor would be off hold, and nobody has asked for that. A phone that has referred
//! us may hang up at once (RFC 5589 §6.1): its call then waits for the successor.

use crate::conversation::Conversation;
use crate::invite::RING_TIMEOUT;
use crate::roster::Participant;
use crate::timer::Timer;
use crate::{Effect, HangUpCause, Identity, Invitation, ParticipantId, ReferProgress, Unreached};
use std::time::Instant;

/// Somebody on its way to another's place.
#[derive(Debug)]
pub(crate) struct Replacement {
    predecessor: ParticipantId,
    successor: ParticipantId,
    /// Whether the predecessor has asked for it and is told how it goes on.
    is_referred: bool,
}

impl Conversation {
    /// Only people of the directory may have others called: a stranger must not ring anybody at our cost.
    pub(crate) fn referred(&mut self, referrer: ParticipantId, target: Invitation, now: Instant) {
        let is_user = self.roster.person(referrer).is_ok_and(|p| matches!(p.identity, Identity::User { .. }));
        if !is_user || !self.is_replaceable(referrer) || self.refuse_twice(std::slice::from_ref(&target)).is_err() {
            return self.tell_referrer(referrer, ReferProgress::Refused);
        }
        self.tell_referrer(referrer, ReferProgress::Accepted);
        let successor = target.participant;
        self.replacements.push(Replacement { predecessor: referrer, successor, is_referred: true });
        self.dial(target, now);
    }

    pub(crate) fn replacement_called(&mut self, predecessor: ParticipantId, by: Invitation, now: Instant) {
        let Invitation { participant: successor, identity, .. } = by;
        if !self.is_replaceable(predecessor) {
            return self.order(Effect::HangUp { participant: successor, cause: HangUpCause::NotReplaced });
        }
        self.timers.set(Timer::Ring(successor), now + RING_TIMEOUT);
        self.roster.add(Participant::ringing(successor, identity));
        self.replacements.push(Replacement { predecessor, successor, is_referred: false });
        self.order(Effect::TakeCall { participant: successor });
    }

    fn is_replaceable(&mut self, participant: ParticipantId) -> bool {
        !self.is_being_replaced(participant)
            && self.roster.person(participant).is_ok_and(|person| !person.layers.hold_music)
    }

    /// Whether somebody is on the way to its place.
    pub(crate) fn is_being_replaced(&self, participant: ParticipantId) -> bool {
        self.replacements.iter().any(|replacement| replacement.predecessor == participant)
    }

    /// Somebody has answered or confirmed: if it comes to another's place, that one goes.
    pub(crate) fn replacement_answered(&mut self, successor: ParticipantId) {
        let Some(Replacement { predecessor, is_referred, .. }) = self.take_replacement(successor) else { return };
        if self.roster.person(predecessor).is_err() {
            return;
        }
        if is_referred {
            self.tell_referrer(predecessor, ReferProgress::Succeeded);
        }
        self.order(Effect::HangUp { participant: predecessor, cause: HangUpCause::Replaced });
        self.take_out(predecessor);
    }

    /// Somebody cannot be reached: whose place it was to take stays, if it is still there.
    pub(crate) fn replacement_unreached(&mut self, successor: ParticipantId, cause: Unreached) {
        let Some(Replacement { predecessor, is_referred, .. }) = self.take_replacement(successor) else { return };
        if is_referred && self.roster.person(predecessor).is_ok() {
            self.tell_referrer(predecessor, ReferProgress::Failed(cause));
        }
    }

    /// A participant is put on hold, or removed: nobody takes its place any more.
    pub(crate) fn end_replacement_of(&mut self, predecessor: ParticipantId) {
        let Some(at) = self.replacements.iter().position(|r| r.predecessor == predecessor) else { return };
        let successor = self.replacements[at].successor;
        self.order(Effect::HangUp { participant: successor, cause: HangUpCause::NotReplaced });
        self.unreached(successor, Unreached::NoAnswer);
    }

    fn take_replacement(&mut self, successor: ParticipantId) -> Option<Replacement> {
        let at = self.replacements.iter().position(|replacement| replacement.successor == successor)?;
        Some(self.replacements.remove(at))
    }

    fn tell_referrer(&mut self, participant: ParticipantId, progress: ReferProgress) {
        self.order(Effect::TellReferrer { participant, progress });
    }
}
