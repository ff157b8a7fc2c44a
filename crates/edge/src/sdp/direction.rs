//! Who sends and who receives: the four directions and the rule of RFC 3264 for answering them.

/// The direction of a stream, as the side that says it sees it (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Sends and receives. What a description means when it names no direction (RFC 3264 §5.1).
    #[default]
    SendRecv,
    /// Sends and does not receive: how a phone holds its peer (RFC 3264 §8.4).
    SendOnly,
    /// Receives and does not send.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Returns the direction that sends and receives as told.
    pub fn new(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    /// Returns whether the side that says this sends.
    pub fn sends(self) -> bool {
        match self {
            Direction::SendRecv | Direction::SendOnly => true,
            Direction::RecvOnly | Direction::Inactive => false,
        }
    }

    /// Returns whether the side that says this receives.
    pub fn receives(self) -> bool {
        match self {
            Direction::SendRecv | Direction::RecvOnly => true,
            Direction::SendOnly | Direction::Inactive => false,
        }
    }

    /// Returns the same stream as the other side sees it.
    pub fn reversed(self) -> Direction {
        Direction::new(self.receives(), self.sends())
    }

    /// Returns what a side that wishes `self` says to a peer that said `peer`: it sends if it wants to and the peer
    /// receives, it receives if it wants to and the peer sends (RFC 3264 §6.1).
    ///
    /// It is the direction of an answer, and equally what is in force for an offerer after the answer came.
    pub fn facing(self, peer: Direction) -> Direction {
        Direction::new(self.sends() && peer.receives(), self.receives() && peer.sends())
    }

    /// Returns the attribute's name as it stands in SDP.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    pub(super) fn named(name: &str) -> Option<Direction> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
            .into_iter()
            .find(|direction| direction.name().eq_ignore_ascii_case(name))
    }
}
