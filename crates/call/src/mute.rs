//! `participants/{id}/mute` and its way back, and an application's own `mute` and `unmute`. They complete at once.

use crate::conversation::{Conversation, completed, running};
use crate::lifecycle::CallKind;
use crate::{Accepted, CallId, ClientContext, Operation, OperationId, OperationKind, ParticipantId, Refusal};

impl Conversation {
    /// Drops a participant's audio at the server, or no longer.
    pub(crate) fn mute_participant(
        &mut self,
        operation: Operation,
        participant: ParticipantId,
        muted: bool,
    ) -> Result<Accepted, Refusal> {
        self.group_call(operation.call)?;
        self.roster.person(participant)?.layers.muted = muted;
        self.reroute(participant);
        self.tell_roster();
        Ok(completed(operation))
    }

    /// Mutes or unmutes the application itself.
    pub(crate) fn mute_self(
        &mut self,
        operation: OperationId,
        client_context: ClientContext,
        call: CallId,
        muted: bool,
    ) -> Result<Accepted, Refusal> {
        let participant = self.group_call(call)?;
        self.roster.find(participant).ok_or(Refusal::ParticipantNotFound)?.layers.muted = muted;
        self.tell_roster();
        let kind = match muted {
            true => OperationKind::MuteParticipant { participant },
            false => OperationKind::UnmuteParticipant { participant },
        };
        Ok(completed(running(operation, call, client_context, kind)))
    }

    /// Checks that the call is an established group; returns the application's own participant.
    fn group_call(&self, call: CallId) -> Result<ParticipantId, Refusal> {
        let call = self.established_call(call)?;
        if call.kind == CallKind::Group { Ok(call.participant) } else { Err(Refusal::NotAGroupCall) }
    }
}
