//! SDP offer and answer for one audio stream over RTP or SRTP: RFC 8866 (and the older RFC 4566) as SIP phones write it,
//! and the negotiation of RFC 3264. Pure functions: text in, text and values out.
//!
//! * [`offer`] writes what we offer, [`accept_answer`] reads what came back.
//! * [`answer`] reads an offer and writes our answer to it.
//! * [`Negotiation`] remembers all of it through a call: versions, numbers and places stay what they were.
//! * [`agree`] is the hold table, which all of them ask.
//!
//! They end in a [`Negotiated`]: where to send, in which format, and whether the peer listens. Reading is lenient:
//! lines and attributes that are not needed are passed over, a missing last newline and bare LF are accepted. What is
//! needed and wrong is an [`SdpError`] that names the line.
//!
//! A description we send has one audio stream, or in an answer as many as the offer had, the others with port 0.
//!
//! Keys of SRTP stand in the descriptions (SDES, RFC 4568), or are made by a DTLS handshake that the descriptions agree on
//! (RFC 5763), as [`LocalSrtp`] says.

mod agreement;
mod answer;
mod attributes;
mod crypto;
mod direction;
mod encryption;
mod error;
mod format;
mod handshake;
mod negotiated;
mod negotiation;
mod offer;
mod parse;
mod print;
mod streams;

pub use agreement::{Agreement, Role, Said, agree};
pub use answer::answer;
pub use direction::Direction;
pub use encryption::{Encryption, Keying, LocalSrtp, SrtpPolicy};
pub use error::SdpError;
pub use negotiated::Negotiated;
pub use negotiation::{FirstOffer, FirstOffers, Negotiation};
pub use offer::{accept_answer, offer};

use std::net::IpAddr;

use media::Codec;

/// Packets we send carry this much sound, and we ask for the same: 20 ms is the default of RFC 3551 §4.2 and the tick
/// of the mixer. Less costs headers, more costs delay.
const PTIME_MS: u8 = 20;

/// What one side of a stream says of itself in an offer or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Where we receive, as the peer can reach it. Never the unspecified address: `c=0.0.0.0` was the hold of RFC 2543
    /// and is not sent any more (RFC 3264 §8.4).
    pub address: IpAddr,
    /// The port where we receive RTP. RTCP comes to the same port if the peer agrees (RFC 5761), else to the next one.
    pub rtp_port: u16,
    /// The session's number in the `o=` line. It stays the same through the whole dialog.
    pub session_id: u64,
    /// The version in the `o=` line. The caller raises it by one with every description that differs from the one
    /// before (RFC 3264 §8).
    pub version: u64,
    /// The codecs we can do. Their order is our preference in an offer; in an answer the order of the offer goes first.
    pub codecs: Vec<Codec>,
    /// Whether we want to send and to receive. In an answer it is cut down to what the offer allows.
    pub direction: Direction,
}
