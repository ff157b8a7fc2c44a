//! What shares a socket with RTP, told apart by the first byte (RFC 7983 §7, RFC 9443 §3).

/// What a datagram claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Datagram {
    /// STUN, of ICE (RFC 8489).
    Stun,
    /// A record of DTLS.
    Dtls,
    /// RTP or RTCP, encrypted or not; which of both says the second byte (RFC 5761 §4).
    Media,
    /// Something that has no place here: ZRTP, channels of TURN, QUIC, nothing at all.
    Unknown,
}

/// Returns what a datagram claims to be. Nothing of it is true before it is read.
pub fn claims(datagram: &[u8]) -> Datagram {
    match datagram.first() {
        Some(0..=3) => Datagram::Stun,
        Some(20..=63) => Datagram::Dtls,
        Some(128..=191) => Datagram::Media,
        Some(4..=19 | 64..=127 | 192..=255) | None => Datagram::Unknown,
    }
}
