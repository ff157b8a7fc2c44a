//! A browser: WebRTC (RFC 8825) for one stream of Opus in each direction, as a machine fed with datagrams.
//!
//! ```text
//!  offer ─► Browser::accept ─► answer
//!                                      ┌───────────────────────────────┐
//!  datagrams ─► receive ──────────────►│ ICE (RFC 8445), DTLS (5764),  │──► poll_event: connected, sound, keys, gone
//!  RTP of the mixer ─► send ──────────►│ SRTP, RTCP feedback: str0m    │──► poll_transmit: datagrams
//!  now ─► expire ─────────────────────►└───────────────────────────────┘
//! ```
//!
//! str0m runs in its RTP mode: it gives us packets, not sound, so that a browser's packets go through the same jitter
//! buffer and the same mixer as a phone's. What a browser's description says of holds is read by the same table
//! ([`agree`](crate::sdp::agree)).
//!
//! ICE is the full one, not ICE-lite: behind a NAT or after a change of network a browser is then found from our side,
//! too. The browser offers, so it is the controlling agent (RFC 8445 §6.1.1), and which path is used is its choice. Names of
//! mDNS in its candidates are passed over: its checks come from its true address, which then is a candidate by itself
//! (RFC 8445 §7.3.1.3). So the server needs one address that browsers reach, and resolves nothing.
//!
//! What is random in ICE, DTLS and SRTP, str0m draws by itself: this machine takes no seed.

mod browser;
mod description;
mod packet;

pub use browser::{Browser, Event};
pub use description::{Agreed, OfferError, Settings};
pub use packet::{Packet, Transmit, Transport, connectivity_check_of, is_check_accepted};
