//! Why a command is refused. A refusal changes nothing.

use crate::ParticipantId;

/// A command that cannot be carried out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The conversation has no such call, or the call has ended.
    CallNotFound,
    /// The roster has no such participant (who was invited and has not answered is not in it).
    ParticipantNotFound,
    /// The call does not wait for a decision of its application, or no longer.
    CallNotIncoming,
    /// The call is not established yet.
    CallNotEstablished,
    /// The operation needs a peer-to-peer call.
    NotPeerToPeer,
    /// The operation needs a group call.
    NotAGroupCall,
    /// The participant is an application: it has no audio that could be held or muted for it.
    ParticipantIsApplication,
    /// The participant is on hold already.
    AlreadyOnHold,
    /// Another participant is on hold, and only one may be at a time.
    AnotherOnHold {
        /// Who is on hold.
        held: ParticipantId,
    },
    /// The participant is not on hold.
    NotOnHold,
    /// The participant's hold is ending already.
    HoldEnding,
    /// One of the invited is in the call or being called already.
    AlreadyInCall {
        /// Its entry.
        participant: ParticipantId,
    },
    /// Nobody hears the conversation: everybody is on hold.
    NobodyListens,
    /// Other tones are being sent.
    TonesUnderWay,
    /// More tones were to be sent at once than [`crate::TONES_MAX`].
    TooManyTones,
    /// A call was to be redirected to more than [`crate::REDIRECT_TARGETS_MAX`].
    TooManyTargets,
    /// More were invited at once than [`crate::INVITEES_MAX`].
    TooManyInvitees,
}
