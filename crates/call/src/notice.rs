//! News for an application: what becomes a Graph notification.

use crate::{CallId, CallKind, CallState, Direction, Identity, Operation, ParticipantId, ResultInfo, Tone};

/// A piece of news about one call, for the application that owns it. Notices of a call are told in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Somebody calls the application: the call is new.
    Incoming {
        /// Which.
        call: CallId,
        /// The application's own entry in the roster (`myParticipantId`).
        participant: ParticipantId,
        /// The application that is called.
        application: Identity,
        /// The entry that the caller gets in the roster.
        caller_participant: ParticipantId,
        /// Who calls.
        caller: Identity,
    },
    /// The call itself.
    Call {
        /// Which.
        call: CallId,
        /// Graph's `changeType`.
        change: Change,
        /// The state after the change.
        state: CallState,
        /// Whether the application's audio is up (`mediaState.audio`).
        audio_active: bool,
        /// Why it ended, or why it was not transferred and is [`CallState::Established`] again.
        result: Option<ResultInfo>,
    },
    /// The whole roster.
    Roster {
        /// Which call.
        call: CallId,
        /// What the call is by now.
        kind: CallKind,
        /// Rises with each change of the conversation's roster.
        sequence: u64,
        /// Everybody who is in, applications too.
        entries: Vec<RosterEntry>,
    },
    /// Somebody has pressed a key.
    Tone {
        /// Which call.
        call: CallId,
        /// Counts the tones that the call was told of.
        sequence: u64,
        /// Which key.
        tone: Tone,
    },
    /// An operation has ended, completed or failed.
    OperationEnded(Operation),
}

impl Notice {
    /// The call that the notice is about.
    #[must_use]
    pub fn call(&self) -> CallId {
        match self {
            Self::Incoming { call, .. }
            | Self::Call { call, .. }
            | Self::Roster { call, .. }
            | Self::Tone { call, .. } => *call,
            Self::OperationEnded(operation) => operation.call,
        }
    }
}

/// Graph's `changeType`, without `created`: that is [`Notice::Incoming`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The resource has changed.
    Updated,
    /// The resource is gone.
    Deleted,
}

/// One entry of a roster, as the applications see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The participant's id.
    pub participant: ParticipantId,
    /// Who it is.
    pub identity: Identity,
    /// Whether it is muted.
    pub muted: bool,
    /// Which way its audio goes, from its own point of view: [`Direction::Inactive`] while an application holds it.
    pub direction: Direction,
    /// The roster's sequence number when this entry last changed.
    pub sequence: u64,
}
