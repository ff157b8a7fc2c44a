//! `transfer`: the other side of a peer-to-peer call is to talk to somebody else, and the application leaves.
//!
//! ```text
//!               transfer                target answers
//!  Established ──────────► Transferring ───────────────► TransferAccepted ──► Terminated  the two are together
//!       ▲                       │ target cannot be reached
//!       └───────────────────────┘ with the reason; the call is as it was, a hold included
//! ```
//!
//! The target is called from here, and the transferee stays where it is: it needs not know how to transfer. Or the
//! application has asked the target first, in a call of its own (consultative): then the target is moved here from there, and
//! that call ends. Until the target is there nothing changes for the transferee; with the application's call its holds end,
//! as always.

use crate::conversation::Conversation;
use crate::lifecycle::{CallKind, CallState, unreached_result};
use crate::{Accepted, CallId, Change, Identity, Invitation, Notice, ParticipantId, Refusal, ResultInfo, Unreached};
use std::time::Instant;

/// A call on its way to somebody else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    call: CallId,
    target: ParticipantId,
    is_consultative: bool,
}

impl Conversation {
    pub(crate) fn transfer(&mut self, call: CallId, target: Invitation, now: Instant) -> Result<Accepted, Refusal> {
        if self.established_call(call)?.kind != CallKind::PeerToPeer {
            return Err(Refusal::NotPeerToPeer);
        }
        self.refuse_twice(std::slice::from_ref(&target))?;
        self.transfer = Some(Transfer { call, target: target.participant, is_consultative: target.replaces.is_some() });
        self.set_state(call, CallState::Transferring);
        self.tell_call(call, false);
        self.dial(target, now);
        Ok(Accepted::Done)
    }

    /// Gives the person of a peer-to-peer call away, to another conversation of the same application. The call ends, its
    /// hold with it; the person's leg goes on. Returns who it is.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if it is not a call with one person who is in; nothing is changed then.
    pub fn release_person(&mut self, call: CallId) -> Result<(ParticipantId, Identity), Refusal> {
        let is_peer_to_peer = self.established_call(call)?.kind == CallKind::PeerToPeer;
        let person = self.roster.people().into_iter().find(|id| self.roster.person(*id).is_ok());
        let released = person.filter(|_| is_peer_to_peer).ok_or(Refusal::NotPeerToPeer)?;
        let identity = self.roster.person(released)?.identity.clone();
        self.end_replacement_of(released);
        self.take_out(released);
        self.terminate(call, ResultInfo::new(200, 7015, "The call was transferred."));
        self.end_if_empty();
        Ok((released, identity))
    }

    /// The target has answered: the two stay together without the application.
    pub(crate) fn transfer_answered(&mut self, participant: ParticipantId) {
        let Some(Transfer { call, .. }) = self.transfer.take_if(|transfer| transfer.target == participant) else {
            return;
        };
        self.set_state(call, CallState::TransferAccepted);
        self.tell_call(call, false);
        let found = self.calls.iter_mut().find(|c| c.id == call);
        found.expect("a transfer ends with its call").kind = CallKind::Group;
        self.terminate(call, ResultInfo::new(200, 7015, "The call was transferred."));
    }

    /// The target cannot be reached: the call is as it was.
    pub(crate) fn transfer_unreached(&mut self, participant: ParticipantId, cause: Unreached) {
        let Some(transfer) = self.transfer.take_if(|transfer| transfer.target == participant) else {
            return;
        };
        let Transfer { call, is_consultative, .. } = transfer;
        let subcode = if is_consultative { 7700 } else { 7000 };
        let state = CallState::Established;
        self.set_state(call, state);
        let ResultInfo { message, .. } = unreached_result(cause);
        let result = Some(ResultInfo::new(500, subcode, format!("The call was not transferred. {message}")));
        self.notify(Notice::Call { call, change: Change::Updated, state, audio_active: true, result });
    }

    /// The call ends: its transfer is over.
    pub(crate) fn end_transfer(&mut self, call: CallId) {
        self.transfer.take_if(|transfer| transfer.call == call);
    }
}
