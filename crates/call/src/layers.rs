//! The layers of a participant, and the one function that says what they add up to.
//!
//! Layers are never mixed up: each is set and cleared by its own cause only, and what a participant hears, and whether
//! the others hear it, is [`Layers::route`] of all of them. No layer's end can undo another one:
//!
//! | `hold_music` | `remote_hold` | `muted` | hears | heard |
//! |---|---|---|---|---|
//! | no | no | no | the conversation | yes |
//! | no | no | yes | the conversation | no |
//! | yes | no | any | hold music only | no |
//! | any | yes | any | nothing: the phone does not listen | no: its own music must not reach the room |

/// What is laid over a participant's plain part in the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Layers {
    /// An application holds the participant (`startHoldMusic`).
    pub hold_music: bool,
    /// The phone itself has put the call on hold: re-INVITE `sendonly` or `inactive` (RFC 3264 §8.4, RFC 6337 §5.3).
    pub remote_hold: bool,
    /// The server drops the participant's audio (`mute`).
    pub muted: bool,
}

/// What a participant hears, and whether the others hear it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// What the participant hears.
    pub hears: Hears,
    /// Whether the others hear the participant.
    pub heard: bool,
}

/// What a participant hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hears {
    /// Everybody who is heard, except itself.
    Conversation,
    /// Hold music and nothing else; silence until the music is there.
    HoldMusic,
    /// Nothing: the far end has stopped receiving.
    Nothing,
}

impl Layers {
    /// What the layers add up to.
    #[must_use]
    pub fn route(self) -> Route {
        let hears = if self.remote_hold {
            Hears::Nothing
        } else if self.hold_music {
            Hears::HoldMusic
        } else {
            Hears::Conversation
        };
        Route { hears, heard: hears == Hears::Conversation && !self.muted }
    }
}

/// The direction of a participant's audio from its own point of view (RFC 3264 §5.1, Graph `mediaDirection`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It sends and listens.
    #[default]
    SendReceive,
    /// It sends and does not listen: a phone that holds us.
    SendOnly,
    /// It listens and does not send.
    ReceiveOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Whether the participant listens.
    #[must_use]
    pub fn receives(self) -> bool {
        match self {
            Self::SendReceive | Self::ReceiveOnly => true,
            Self::SendOnly | Self::Inactive => false,
        }
    }
}
