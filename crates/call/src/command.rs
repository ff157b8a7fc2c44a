//! Wishes of an application.

use crate::{CallId, CallKind, ClientContext, Identity, Operation, OperationId, ParticipantId, Prompt, Tone};
use std::time::Duration;

/// A call that an application places.
#[derive(Clone, Debug)]
pub struct NewCall {
    /// The call's id.
    pub id: CallId,
    /// The application's own entry in the roster (`myParticipantId`).
    pub participant: ParticipantId,
    /// The application.
    pub application: Identity,
    /// One target, or a conversation of several.
    pub kind: CallKind,
    /// Who is called. Must not be empty for [`CallKind::PeerToPeer`].
    pub targets: Vec<Invitation>,
}

/// A call that an application gets. Its state is [`crate::CallState::Incoming`] until the application decides.
#[derive(Clone, Debug)]
pub struct IncomingCall {
    /// The call's id.
    pub id: CallId,
    /// The application's own entry in the roster (`myParticipantId`).
    pub participant: ParticipantId,
    /// The application.
    pub application: Identity,
    /// Who calls, and the roster entry it gets when the call is answered.
    pub caller: Invitation,
}

/// Somebody who is to be called, or who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The roster entry it gets when it answers.
    pub participant: ParticipantId,
    /// Who it is.
    pub identity: Identity,
    /// The peer-to-peer call of the same application in which it is now (`replacesCallId`): it is moved here, and that
    /// call ends. `None`: it is called.
    pub replaces: Option<CallId>,
}

impl Invitation {
    /// Somebody who is called.
    #[must_use]
    pub fn new(participant: ParticipantId, identity: Identity) -> Self {
        Self { participant, identity, replaces: None }
    }
}

/// A wish of the application whose call it goes to. Graph's operation names.
#[derive(Clone, Debug)]
pub enum Command {
    /// `answer`: the application takes an incoming call.
    Answer,
    /// `reject`: the application does not want an incoming call.
    Reject {
        /// What the caller is told.
        reason: RejectReason,
    },
    /// `redirect`: others are to have an incoming call.
    Redirect {
        /// Who. All are called at once, and the first to answer has it.
        targets: Vec<Invitation>,
        /// How long they are called.
        timeout: Duration,
    },
    /// `participants/invite`.
    Invite {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
        /// Who is invited, at least one.
        invitations: Vec<Invitation>,
    },
    /// `participants/{id}/startHoldMusic`.
    StartHoldMusic {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
        /// Who is to be held.
        participant: ParticipantId,
        /// What it is to hear.
        prompt: Prompt,
    },
    /// `participants/{id}/stopHoldMusic`.
    StopHoldMusic {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
        /// Who is to come back.
        participant: ParticipantId,
    },
    /// `participants/{id}/mute`.
    MuteParticipant {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
        /// Who is to be muted.
        participant: ParticipantId,
    },
    /// Takes a mute away. Graph has no such method: there only the participant itself can.
    UnmuteParticipant {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
        /// Who is to be heard again.
        participant: ParticipantId,
    },
    /// `mute`: the application mutes itself.
    Mute {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
    },
    /// `unmute`: the application unmutes itself.
    Unmute {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
    },
    /// `DELETE participants/{id}`.
    RemoveParticipant {
        /// Who is to go.
        participant: ParticipantId,
    },
    /// `transfer`: the other side of a peer-to-peer call is to talk to somebody else.
    Transfer {
        /// Who.
        target: Invitation,
    },
    /// `subscribeToTone`.
    SubscribeToTone {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
    },
    /// `sendDtmfTones`.
    SendDtmfTones {
        /// The id of the operation that is to be.
        operation: OperationId,
        /// The application's mark.
        client_context: ClientContext,
        /// What is sent, in this order.
        tones: Vec<Tone>,
        /// The time between two of them.
        pause: Duration,
    },
    /// `keepAlive`.
    KeepAlive,
    /// `DELETE calls/{id}`: the application leaves.
    HangUp,
}

/// Graph's `rejectReason`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RejectReason {
    /// None is given.
    #[default]
    None,
    /// The application is busy.
    Busy,
    /// The caller may not call.
    Forbidden,
}

/// A command that was carried out, or is being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// There is an operation: running, or completed already (Graph then sends no notification for it).
    Operation(Operation),
    /// An earlier command asked for the same and its operation still runs: this is it. Nothing has changed.
    Repeated(Operation),
    /// Done; Graph answers without an operation.
    Done,
}
