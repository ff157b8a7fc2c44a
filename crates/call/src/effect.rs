//! Orders to whoever drives the conversation, in the rules' own words: what is to be, never how.

use crate::{CallId, Identity, Notice, OperationId, ParticipantId, Prompt, RejectReason, Route, Tone, Unreached};
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
    /// Have the person of another call come into this conversation: that call ends ([`crate::Conversation::release_person`]).
    /// Answered by [`crate::Event::Arrived`] or [`crate::Event::Unreached`].
    Fetch {
        /// The roster entry that it will get.
        participant: ParticipantId,
        /// The other call.
        from: CallId,
    },
    /// Tell a phone how what it asked for with a REFER goes on ([`crate::Event::Referred`]).
    TellReferrer {
        /// Whose phone.
        participant: ParticipantId,
        /// How it goes on.
        progress: ReferProgress,
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

/// What a phone is told of its REFER: `Accepted` or `Refused` first, and after `Accepted` one of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferProgress {
    /// The target is being called.
    Accepted,
    /// It may not refer anybody: it is on hold, is nobody of the directory, or has referred already.
    Refused,
    /// The target has taken its place.
    Succeeded,
    /// The target has not.
    Failed(Unreached),
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
    /// It called to take a place that is not free: its holder is on hold, or gone.
    NotReplaced,
    /// Somebody else has taken its place.
    Replaced,
}
