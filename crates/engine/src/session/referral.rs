//! Phones that hand their place on: what they want comes in as facts for the rules (`call/src/replacement.rs`).

use super::{Caller, Session};
use call::{Event, Invitation, ParticipantId};
use edge::sip::Replaces;
use std::time::Instant;

impl Session {
    /// A phone asks by REFER that `target` be called, in the place of the dialog `replaces` if there is one.
    pub(crate) fn referred(
        &mut self,
        participant: ParticipantId,
        target: Invitation,
        replaces: Option<Replaces>,
        now: Instant,
    ) {
        self.replacing = replaces.map(|replaces| (target.participant, replaces));
        self.observe(Event::Referred { participant, target }, now);
        self.replacing = None;
    }

    /// Somebody calls to take a participant's place.
    pub(crate) fn replacement_called(
        &mut self,
        participant: ParticipantId,
        by: Invitation,
        caller: Caller,
        now: Instant,
    ) {
        self.take_caller(by.participant, caller);
        self.observe(Event::ReplacementCalled { participant, by }, now);
    }
}
