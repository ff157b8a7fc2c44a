//! SRTP and SRTCP: RFC 3711 with the suites of RFC 4568, RFC 6188 and RFC 7714. Bytes in, bytes out.
//!
//! [`Protection`] is both directions of one leg. The keys are those that [`sdp`](crate::sdp) has agreed on.
//!
//! Ciphers and hashes are aws-lc's; what is here is how RFC 3711 uses them. The library for it that we tried, rtc-srtp,
//! remembers every SSRC before it knows that the packet is authentic, so strangers could fill the memory; it allocates
//! for each packet; and with it come packages for URLs and interfaces of the network, which a crate without I/O has no
//! use for.

mod master_key;
mod protection;
mod stream;
mod suite;
mod transform;

pub use master_key::{KeySource, MasterKey};
pub use protection::{Keys, Protection};
pub use suite::Suite;

/// Why a packet is not taken, or cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SrtpError {
    /// It is too short for its header and tag, or the header says what cannot be.
    #[error("too short for its header and its tag")]
    TooShort,
    /// It was not made with the key, was changed on the way, or was never encrypted.
    #[error("not authentic")]
    NotAuthentic,
    /// It came before, or so late that nobody can tell.
    #[error("came before")]
    Replayed,
    /// Nothing more may be sent under this key: too many packets (RFC 3711 §9.2), or too many streams.
    #[error("the key is used up")]
    Exhausted,
    /// There is no key yet: the handshake that makes it is not over.
    #[error("there is no key yet")]
    NoKey,
}

impl SrtpError {
    /// Returns a short name, for counting.
    pub fn name(self) -> &'static str {
        match self {
            SrtpError::TooShort => "too-short",
            SrtpError::NotAuthentic => "not-authentic",
            SrtpError::Replayed => "replayed",
            SrtpError::Exhausted => "exhausted",
            SrtpError::NoKey => "no-key",
        }
    }
}
