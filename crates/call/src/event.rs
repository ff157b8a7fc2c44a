//! Facts about the world. They cannot be refused; one that no longer matters is ignored.

use crate::{Direction, Identity, Invitation, OperationId, ParticipantId, PromptFailure, Tone};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody who was called has answered, and its audio is negotiated.
    Answered {
        /// Who.
        participant: ParticipantId,
    },
    /// Somebody has come from another call ([`crate::Effect::Fetch`]), and its audio goes on as it was negotiated there.
    Arrived {
        /// Who.
        participant: ParticipantId,
        /// Who it is, as the other call knows it.
        identity: Identity,
    },
    /// Somebody who was called cannot be reached or does not want to.
    Unreached {
        /// Who.
        participant: ParticipantId,
        /// Why.
        cause: Unreached,
    },
    /// A participant has gone.
    Left {
        /// Who.
        participant: ParticipantId,
        /// How.
        cause: LeaveCause,
    },
    /// The phone has said which way its audio goes from now on (an offer or an answer, RFC 3264).
    DirectionChanged {
        /// Whose.
        participant: ParticipantId,
        /// From the phone's point of view.
        direction: Direction,
    },
    /// A participant's phone asks that somebody else be called to take its place (REFER, RFC 3515). Answered by
    /// [`crate::Effect::TellReferrer`].
    Referred {
        /// Who asks.
        participant: ParticipantId,
        /// Who is to take its place.
        target: Invitation,
    },
    /// Somebody calls to take a participant's place (`Replaces`, RFC 3891). Answered by [`crate::Effect::TakeCall`] or
    /// [`crate::Effect::HangUp`].
    ReplacementCalled {
        /// Whose place.
        participant: ParticipantId,
        /// Who calls.
        by: Invitation,
    },
    /// The audio of a hold is ready to be played.
    PromptLoaded {
        /// The operation that wants it.
        operation: OperationId,
    },
    /// The audio of a hold cannot be had.
    PromptFailed {
        /// The operation that wants it.
        operation: OperationId,
        /// Why.
        failure: PromptFailure,
    },
    /// The first packet of music has been handed to the network; or, while the phone does not listen, the music has
    /// begun to run for it.
    MusicStarted {
        /// The operation that started it.
        operation: OperationId,
    },
    /// A participant has pressed a key.
    TonePressed {
        /// Who.
        participant: ParticipantId,
        /// Which key.
        tone: Tone,
    },
    /// The last packet of tones that were to be sent has been handed to the network.
    TonesSent {
        /// The operation that sends them.
        operation: OperationId,
    },
    /// A running operation could not be stored, so its application was told that it was not accepted.
    NotRecorded {
        /// The operation, which must not have an effect.
        operation: OperationId,
    },
    /// The music has ended and the first packet of the conversation has been handed to the network; or, while the
    /// phone does not listen, the music no longer runs for it.
    MusicStopped {
        /// The operation that stopped it.
        operation: OperationId,
    },
}

/// Why somebody who was called did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// Nothing is registered for the user, or the number has no trunk.
    NoEndpoint,
    /// Dialling there is not allowed.
    Forbidden,
    /// The phone is busy (SIP 486, 600).
    Busy,
    /// The person declined (SIP 603).
    Declined,
    /// It rang and nobody answered (SIP 408, 480, 487).
    NoAnswer,
    /// The phone answered with a description of audio that we cannot use.
    NotAcceptable,
    /// It was to come from another call, which is no call with one person, or no longer.
    NotReleased,
    /// It called, and has given up before anybody answered.
    Withdrawn,
    /// It called, and has not confirmed that its call was answered.
    NotConfirmed,
    /// It answered in a browser, which has found no way here in time.
    NotConnected,
    /// It answered, and no keys could be agreed on for its sound.
    NotSecured,
    /// Another final answer.
    Status(u16),
}

/// How a participant left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveCause {
    /// It hung up.
    HungUp,
    /// Its connection is lost.
    ConnectionLost,
    /// No new keys could be agreed on for its sound.
    NotSecured,
}
