//! `DELETE participants/{id}`: a person who has answered is sent away, without an announcement.

use crate::conversation::Conversation;
use crate::{Accepted, CallId, Effect, HangUpCause, LeaveCause, ParticipantId, Refusal};

impl Conversation {
    pub(crate) fn remove_participant(&mut self, call: CallId, participant: ParticipantId) -> Result<Accepted, Refusal> {
        self.established_call(call)?;
        self.addressable(call, participant)?;
        self.end_replacement_of(participant);
        self.order(Effect::HangUp { participant, cause: HangUpCause::Removed });
        self.left(participant, LeaveCause::HungUp);
        Ok(Accepted::Done)
    }
}
