//! Where a phone stands, as others may look at it.

use std::time::Instant;

use edge::sdp::Direction;
use edge::sip::{RegistrationState, Status};
use media::Codec;

use crate::hearing::Hearing;

/// Where the phone's call stands. A phone has one call at a time; others are refused with 486 Busy Here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// No call yet.
    Idle,
    /// It calls somebody, and nothing has come back.
    Calling,
    /// It rings, here or there.
    Ringing,
    /// The call is up.
    Established,
    /// The call was up, or ringing here, and is over.
    Ended,
    /// The other side did not take the call, or what it offered is of no use.
    Failed(Status),
}

/// Everything to be seen of a phone at one moment.
#[derive(Debug)]
pub struct Observation {
    /// Where the call stands.
    pub state: State,
    /// What became of the phone's registration; `None` before the registrar has answered, and without one.
    pub registration: Option<RegistrationState>,
    /// When the call was established, if it is.
    pub established_at: Option<Instant>,
    /// The codec of the call.
    pub codec: Option<Codec>,
    /// The direction the phone wishes and its peer has agreed to: `SendOnly` while it holds its peer.
    pub direction: Direction,
    /// The direction its peer said last.
    pub remote: Direction,
    /// RTP packets sent.
    pub sent: u64,
    /// What came in.
    pub hearing: Hearing,
}

impl Observation {
    /// Returns whether the registrar knows the phone.
    pub fn is_registered(&self) -> bool {
        match self.registration {
            Some(RegistrationState::Registered { .. }) => true,
            Some(RegistrationState::Unregistered | RegistrationState::Failed { .. }) | None => false,
        }
    }
}
