//! Wishes of an application.

use crate::{CallId, CallKind, ClientContext, Identity, Operation, OperationId, ParticipantId, Prompt};

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

/// Somebody who is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The roster entry it gets when it answers.
    pub participant: ParticipantId,
    /// Who it is.
    pub identity: Identity,
}

/// A wish of the application whose call it goes to. Graph's operation names.
#[derive(Clone, Debug)]
pub enum Command {
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
    /// `keepAlive`.
    KeepAlive,
    /// `DELETE calls/{id}`: the application leaves.
    HangUp,
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
