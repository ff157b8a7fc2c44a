//! `participants/invite`: people are called into a call; the operation ends when each has answered or not. The first to
//! answer makes a group of a peer-to-peer call.

use crate::conversation::Conversation;
use crate::lifecycle::unreached_result;
use crate::roster::Participant;
use crate::timer::Timer;
use crate::{
    Accepted, CallId, Effect, Identity, Invitation, Operation, OperationId, ParticipantId, Refusal, ResultInfo,
    Unreached,
};
use std::time::{Duration, Instant};

/// "Up to 5 participants at once" (Graph, `participant: invite`).
pub const INVITEES_MAX: usize = 5;

/// Somebody who has not answered for so long is not called any longer. Longer than the ring time that the SIP side
/// keeps (60 s), so that it has the first word; this one only makes sure that there is an end.
pub const RING_TIMEOUT: Duration = Duration::from_secs(75);

/// How long another call may take to release its person. It takes a tick; what has not come by then comes no more.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// A running invitation.
#[derive(Debug)]
pub(crate) struct Invite {
    operation: Operation,
    waiting: Vec<ParticipantId>,
    anybody_joined: bool,
}

impl Invite {
    pub(crate) fn operation(&self) -> &Operation {
        &self.operation
    }
}

impl Conversation {
    pub(crate) fn invite(
        &mut self,
        operation: Operation,
        invitations: Vec<Invitation>,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        self.established_call(operation.call)?;
        if invitations.len() > INVITEES_MAX {
            return Err(Refusal::TooManyInvitees);
        }
        self.refuse_twice(&invitations)?;
        let waiting = invitations.iter().map(|i| i.participant).collect();
        self.invites.push(Invite { operation: operation.clone(), waiting, anybody_joined: false });
        for invitation in invitations {
            self.dial(invitation, now);
        }
        Ok(Accepted::Operation(operation))
    }

    /// "One identity cannot be invited twice" (Graph, `call`).
    pub(crate) fn refuse_twice(&self, invitations: &[Invitation]) -> Result<(), Refusal> {
        for (at, invitation) in invitations.iter().enumerate() {
            if let Some(there) = self.roster.find_identity(&invitation.identity) {
                return Err(Refusal::AlreadyInCall { participant: there.id });
            }
            if let Some(twin) = invitations[..at].iter().find(|i| i.identity == invitation.identity) {
                return Err(Refusal::AlreadyInCall { participant: twin.participant });
            }
        }
        Ok(())
    }

    pub(crate) fn dial(&mut self, invitation: Invitation, now: Instant) {
        let Invitation { participant, identity, replaces } = invitation;
        let newcomer = Participant::ringing(participant, identity);
        let Some(from) = replaces else {
            self.timers.set(Timer::Ring(participant), now + RING_TIMEOUT);
            return self.add_ringing(newcomer, None);
        };
        self.timers.set(Timer::Ring(participant), now + FETCH_TIMEOUT);
        self.roster.add(newcomer);
        self.order(Effect::Fetch { participant, from });
    }

    /// Somebody has come from another call.
    pub(crate) fn arrived(&mut self, participant: ParticipantId, identity: Identity, now: Instant) {
        if let Some(newcomer) = self.roster.find(participant) {
            newcomer.identity = identity;
        }
        self.answered(participant, now);
    }

    /// One who was invited has answered (`None`) or not. The operation completes if at least one of its people is in.
    pub(crate) fn invite_settled(&mut self, participant: ParticipantId, unreached: Option<Unreached>) {
        let Some(at) = self.invites.iter().position(|i| i.waiting.contains(&participant)) else { return };
        let invite = &mut self.invites[at];
        invite.waiting.retain(|p| *p != participant);
        invite.anybody_joined |= unreached.is_none();
        if !invite.waiting.is_empty() {
            return;
        }
        let Invite { operation, anybody_joined, .. } = self.invites.remove(at);
        match unreached {
            Some(cause) if !anybody_joined => self.fail(operation, unreached_result(cause)),
            Some(_) | None => self.complete(operation),
        }
    }

    /// The call ends: its invitations fail.
    pub(crate) fn end_invites_of_call(&mut self, call: CallId) {
        while let Some(at) = self.invites.iter().position(|i| i.operation.call == call) {
            self.end_invite(at, ResultInfo::new(400, 8528, "The call has ended."));
        }
    }

    /// An invitation is to have no effect.
    pub(crate) fn withdraw_invite(&mut self, operation: OperationId, result: ResultInfo) {
        if let Some(at) = self.invites.iter().position(|i| i.operation.id == operation) {
            self.end_invite(at, result);
            self.end_if_empty();
        }
    }

    /// Those who have not answered are no longer called.
    fn end_invite(&mut self, at: usize, result: ResultInfo) {
        let Invite { operation, waiting, .. } = self.invites.remove(at);
        self.fail(operation, result);
        for participant in waiting {
            self.end_leg(participant);
        }
    }
}
