//! DTLS-SRTP: keys of SRTP that both sides agree on over the path of the sound itself (RFC 5763, RFC 5764).
//!
//! The descriptions tell no keys, only the [`Fingerprint`] of each side's [`Certificate`]. So whoever reads SIP learns
//! nothing, and whoever cannot change it cannot put himself in between.
//!
//! The protocol is that of the library dimpl, which has no I/O and no clock either. Its randomness, and that of
//! certificates, comes from the crypto library and not from a seed: the library draws ephemeral keys itself, and takes
//! for everything else a seed of 64 bits only, which could be guessed. So two runs of a test differ in their bytes, and in
//! nothing that is measured.

mod association;
mod certificate;
mod fingerprint;
mod terms;

pub use association::{Association, HANDSHAKE_MAX, HandshakeError, Status};
pub use certificate::{Certificate, NoCertificate};
pub use fingerprint::{Fingerprint, HashFunction, are_of};
pub use terms::{Role, Terms};
