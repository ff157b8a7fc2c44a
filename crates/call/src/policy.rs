//! What an operator may decide about the rules.

/// How the rules behave where Graph is strict or silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How many participants may be on hold at a time.
    pub holds: Holds,
    /// What becomes of a hold whose prompt cannot be played.
    pub on_prompt_failure: OnPromptFailure,
    /// Whether the other side of a peer-to-peer call is a participant that can be addressed.
    pub peer: Peer,
}

/// How many participants of one conversation may be on hold at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holds {
    /// One, as Graph documents (`participant: startHoldMusic`, the note).
    #[default]
    OneAtATime,
    /// Any number.
    Several,
}

/// What becomes of a hold whose prompt cannot be fetched or decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnPromptFailure {
    /// The operation fails and the participant is back in the conversation.
    #[default]
    Fail,
    /// The hold goes on with the built-in music.
    DefaultMusic,
}

/// Whether the other side of a peer-to-peer call can be addressed as a participant. Graph's documentation is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Peer {
    /// It has no roster entry; requests for it answer "not found", as observed of Graph.
    #[default]
    NotAddressable,
    /// It is listed and can be held.
    Participant,
}
