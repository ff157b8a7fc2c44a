//! The hold table: what an offer and its answer make of a stream's direction (RFC 3264 §5 to §8, RFC 6337 §5.3).
//!
//! One pure function of what we wish and what the peer said, for both roles. Nothing else decides who holds whom.

use super::Direction;

/// Which part we had in an exchange of offer and answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// We offered, the peer has answered.
    Offerer,
    /// The peer has offered, we answer.
    Answerer,
}

/// What the peer's description says of one stream, as far as it tells who sends and who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Said {
    /// The direction that stands above all streams.
    pub session: Option<Direction>,
    /// The direction of the stream itself; it goes first (RFC 8866 §6.7).
    pub stream: Option<Direction>,
    /// The address is `0.0.0.0` or `::`: the hold of RFC 2543. The peer then does not listen, whatever else it says
    /// (RFC 3264 §8.4).
    pub is_zero_address: bool,
    /// The port is 0: the stream is refused or ended (RFC 3264 §6, §8.2).
    pub is_port_zero: bool,
}

/// What a stream does once offer and answer have met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// Our direction: as answerer the one to be written, as offerer the one in force.
    pub direction: Direction,
    /// Whether the peer plays what we send.
    pub remote_listens: bool,
    /// Whether the peer may send.
    pub remote_sends: bool,
    /// Whether it is the peer that stopped listening: it holds us. A peer that only mirrors our own wish not to send does
    /// not.
    pub remote_hold: bool,
}

impl Said {
    /// Returns the peer's direction as it wrote it.
    pub fn direction(self) -> Direction {
        self.stream.or(self.session).unwrap_or_default()
    }

    /// Returns what it means.
    fn meant(self) -> Direction {
        let sends = self.direction().sends() && !self.is_port_zero;
        let receives = self.direction().receives() && !self.is_zero_address && !self.is_port_zero;
        Direction::new(sends, receives)
    }
}

/// Returns what our wish and the peer's description agree on.
///
/// A peer that answers more than was offered gets what was offered (RFC 3264 §6.1 forbids it, phones do it).
pub fn agree(role: Role, wished: Direction, said: Said) -> Agreement {
    let meant = said.meant();
    let direction = wished.facing(meant);
    let remote_hold = match role {
        // An offer states the peer's own wish.
        Role::Answerer => !meant.receives(),
        // An answer to somebody who does not send cannot listen; only a stream that is refused says more than that.
        Role::Offerer => !meant.receives() && (wished.sends() || said.is_port_zero),
    };
    Agreement { direction, remote_listens: direction.sends(), remote_sends: direction.receives(), remote_hold }
}
