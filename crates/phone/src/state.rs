//! Where a phone stands, as others may look at it.

use std::time::Instant;

use edge::sdp::Direction;
use edge::sip::{RegistrationState, Replaces, Status};
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

/// How a phone holds its peer, which is how it describes its own stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Hold {
    /// Not: `a=sendrecv`.
    #[default]
    Off,
    /// `a=sendonly` (RFC 3264 §8.4). The phone goes on saying what it says, as a PBX plays its music.
    SendOnly,
    /// `a=recvonly`: no hold, the phone listens and is silent.
    RecvOnly,
    /// `a=inactive`: nothing is said either.
    Inactive,
    /// `c=0.0.0.0` with `a=sendrecv`, the hold of RFC 2543, which old phones still have. The phone goes on saying what
    /// it says.
    ZeroAddress,
    /// Port 0: the stream is ended, to be begun again (RFC 3264 §8.2).
    PortZero,
}

impl Hold {
    pub(crate) fn direction(self) -> Direction {
        match self {
            Hold::Off | Hold::ZeroAddress => Direction::SendRecv,
            Hold::SendOnly => Direction::SendOnly,
            Hold::RecvOnly => Direction::RecvOnly,
            Hold::Inactive | Hold::PortZero => Direction::Inactive,
        }
    }
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
    /// How the phone holds its peer, as far as the peer has agreed to it.
    pub hold: Hold,
    /// The direction its peer said last.
    pub remote: Direction,
    /// Whether its peer does not listen to it: it holds the phone.
    pub is_held: bool,
    /// Whether the sound is encrypted: there are keys.
    pub is_encrypted: bool,
    /// RTP packets sent.
    pub sent: u64,
    /// What names the call to the phone's peer, for somebody who is to take the phone's place.
    pub dialog: Option<Replaces>,
    /// What the peer has said last of the phone's REFER.
    pub refer_status: Option<Status>,
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
