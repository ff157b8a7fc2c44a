//! Operations: accepted commands that end later, exactly once.

use crate::{CallId, Identity, OperationId, ParticipantId, Tone};
use std::fmt;

/// Graph's `commsOperation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The operation's id.
    pub id: OperationId,
    /// The call whose application asked for it.
    pub call: CallId,
    /// What was asked.
    pub kind: OperationKind,
    /// The application's own mark, echoed exactly.
    pub client_context: ClientContext,
    /// Where it stands.
    pub status: OperationStatus,
    /// Why it failed; `None` while it runs and after success.
    pub result: Option<ResultInfo>,
}

/// What an operation does, after Graph's derived types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationKind {
    /// `startHoldMusicOperation`.
    StartHoldMusic {
        /// Who is put on hold.
        participant: ParticipantId,
    },
    /// `stopHoldMusicOperation`.
    StopHoldMusic {
        /// Who comes back.
        participant: ParticipantId,
    },
    /// `inviteParticipantsOperation`.
    InviteParticipants {
        /// Who is invited.
        identities: Vec<Identity>,
    },
    /// `muteParticipantOperation`.
    MuteParticipant {
        /// Who is muted.
        participant: ParticipantId,
    },
    /// `subscribeToToneOperation`.
    SubscribeToTone,
    /// `sendDtmfTonesOperation`.
    SendDtmfTones {
        /// What is sent.
        tones: Vec<Tone>,
        /// Whether nobody was left to hear the rest (`mediaOperationCanceled`).
        is_cancelled: bool,
    },
    /// `unmuteParticipantOperation`.
    UnmuteParticipant {
        /// Who is unmuted.
        participant: ParticipantId,
    },
}

/// Graph's `operationStatus`, without `notStarted`: what we accept runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationStatus {
    /// Accepted, not ended.
    Running,
    /// Done.
    Completed,
    /// Not done, and nothing is changed.
    Failed,
}

/// Graph's `resultInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultInfo {
    /// The class of the outcome, in HTTP's terms.
    pub code: u16,
    /// The platform's own number (graph-calls 4.3, 4.4).
    pub subcode: u32,
    /// A sentence for people.
    pub message: String,
}

impl ResultInfo {
    /// Makes a result.
    #[must_use]
    pub fn new(code: u16, subcode: u32, message: impl Into<String>) -> Self {
        Self { code, subcode, message: message.into() }
    }
}

/// An application's own mark on an operation: at most [`ClientContext::UTF16_UNITS_MAX`] UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientContext(String);

impl ClientContext {
    /// "Can have a maximum of 256 characters" (Graph, `startHoldMusic`); .NET, where the limit comes from, counts
    /// UTF-16 units.
    pub const UTF16_UNITS_MAX: usize = 256;

    /// Takes a mark as it is.
    ///
    /// # Errors
    ///
    /// [`ClientContextTooLong`] if it has more than [`Self::UTF16_UNITS_MAX`] units.
    pub fn new(text: impl Into<String>) -> Result<Self, ClientContextTooLong> {
        let text = text.into();
        match text.encode_utf16().count() {
            0..=Self::UTF16_UNITS_MAX => Ok(Self(text)),
            utf16_units => Err(ClientContextTooLong { utf16_units }),
        }
    }

    /// The mark.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A client context that is longer than [`ClientContext::UTF16_UNITS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientContextTooLong {
    /// How long it is.
    pub utf16_units: usize,
}

impl fmt::Display for ClientContextTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} UTF-16 units, at most {} are allowed", self.utf16_units, ClientContext::UTF16_UNITS_MAX)
    }
}

impl std::error::Error for ClientContextTooLong {}
