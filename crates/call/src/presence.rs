//! What an onlooker sees of a conversation. Looking changes nothing.

use crate::conversation::Conversation;
use crate::hold_music::{Hold, HoldPhase};
use crate::roster::{Participant, Role};
use crate::{CallId, CallKind, CallState, Direction, Identity, Layers, OperationId, ParticipantId};

/// Somebody in the conversation or on the way into it.
#[derive(Clone, Copy, Debug)]
pub struct Presence<'a> {
    /// The roster entry.
    pub participant: ParticipantId,
    /// Who it is.
    pub identity: &'a Identity,
    /// What it is.
    pub role: Role,
    /// What lies over it.
    pub layers: Layers,
    /// Its audio as the roster shows it.
    pub direction: Direction,
    /// The hold that an application has laid over it.
    pub hold: Option<HoldPresence>,
}

/// A hold, and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldPresence {
    /// The operation that started it.
    pub started_by: OperationId,
    /// How far it is.
    pub phase: HoldPhase,
}

/// A call of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallPresence {
    /// Which.
    pub id: CallId,
    /// One target, or a group by now.
    pub kind: CallKind,
    /// How far it is.
    pub state: CallState,
    /// The application's own entry in the roster.
    pub participant: ParticipantId,
}

impl Conversation {
    /// Everybody who is in or being called, applications too, in the order in which they came.
    pub fn presences(&self) -> impl Iterator<Item = Presence<'_>> {
        self.roster.participants().map(|participant| self.presence(participant))
    }

    /// The calls that have not ended.
    pub fn call_presences(&self) -> impl Iterator<Item = CallPresence> + '_ {
        let presence = |call: &crate::lifecycle::Call| {
            let &crate::lifecycle::Call { id, kind, state, participant, .. } = call;
            CallPresence { id, kind, state, participant }
        };
        self.calls.iter().map(presence)
    }

    fn presence<'a>(&'a self, participant: &'a Participant) -> Presence<'a> {
        Presence {
            participant: participant.id,
            identity: &participant.identity,
            role: participant.role,
            layers: participant.layers,
            direction: participant.shown_direction(),
            hold: self.holds.iter().find(|hold| hold.participant == participant.id).map(Hold::presence),
        }
    }
}
