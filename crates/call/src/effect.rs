//! Orders to whoever drives the conversation, in the rules' own words: what is to be, never how.

use crate::{Identity, Notice, OperationId, ParticipantId, Prompt, RejectReason, Route, Tone, Unreached};
use std::time::Duration;

/// An order. Orders are given in the sequence in which they are to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Call somebody. Answered by [`crate::Event::Answered`] or [`crate::Event::Unreached`].
    Dial {
        /// The roster entry that it will get.
        participant: ParticipantId,
        /// Who.
        identity: Identity,
        /// How long, if not for as long as is configured.
        ring_timeout: Option<Duration>,
    },
    /// Take the call of somebody who calls. Answered by [`crate::Event::Answered`] when the caller has confirmed it, or
    /// by [`crate::Event::Unreached`].
    TakeCall {
        /// Who calls.
        participant: ParticipantId,
    },
    /// End a participant's leg, ringing or answered. Not answered by an event.
    HangUp {
        /// Whose.
        participant: ParticipantId,
        /// Why.
        cause: HangUpCause,
    },
    /// From the next tick on a participant hears, and is heard, so. Isolation is carried out whatever else fails.
    Route {
        /// Whose.
        participant: ParticipantId,
        /// What holds from now on.
        route: Route,
    },
    /// Get the audio of a hold ready. Answered by [`crate::Event::PromptLoaded`] or [`crate::Event::PromptFailed`].
    LoadPrompt {
        /// The operation that wants it.
        operation: OperationId,
        /// For whom.
        participant: ParticipantId,
        /// The audio.
        prompt: Prompt,
    },
    /// Play the audio that was loaded for `operation`, in a loop, until [`Effect::StopHoldMusic`] or
    /// [`Effect::DropHoldMusic`]. Answered by [`crate::Event::MusicStarted`].
    PlayHoldMusic {
        /// The operation that loaded it.
        operation: OperationId,
        /// To whom.
        participant: ParticipantId,
    },
    /// End the music; the participant's new route came before this. Answered by [`crate::Event::MusicStopped`].
    StopHoldMusic {
        /// The operation that stops it.
        operation: OperationId,
        /// For whom.
        participant: ParticipantId,
    },
    /// Forget a participant's music, loaded or loading, without an answer.
    DropHoldMusic {
        /// Whose.
        participant: ParticipantId,
    },
    /// Listen for tones in what people say, or no longer: what phones say of keys by other means is told always.
    ListenForTones {
        /// Whether to listen.
        on: bool,
    },
    /// Send tones to people. Answered by [`crate::Event::TonesSent`]; who stops hearing the conversation misses the rest.
    SendTones {
        /// The operation that sends them.
        operation: OperationId,
        /// To whom.
        participants: Vec<ParticipantId>,
        /// What.
        tones: Vec<Tone>,
        /// The time between two of them.
        pause: Duration,
    },
    /// Forget the tones of an operation that are not sent yet, without an answer.
    DropTones {
        /// The operation that sends them.
        operation: OperationId,
    },
    /// Tell an application.
    Notify(Notice),
    /// The conversation is over: nobody is left, and nothing more will be ordered.
    Close,
}

/// Why a leg is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangUpCause {
    /// The call ended.
    CallEnded,
    /// An application removed the participant.
    Removed,
    /// Nobody answered in time.
    NoAnswer,
    /// An application does not want the call.
    Rejected(RejectReason),
    /// The application did not decide in time whether it wants the call.
    Undecided,
    /// Nobody to whom the call was redirected has taken it.
    NotRedirected(Unreached),
}
