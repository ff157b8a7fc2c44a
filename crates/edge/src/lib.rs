//! How phones and browsers talk to us: SIP, SDP, SRTP, DTLS, WebRTC and the address of their RTP, as machines fed with
//! datagrams.
//!
//! No sockets, no clock, no async: bytes and `now` come in as arguments, bytes and events go out as values. Whoever owns
//! the sockets (the `engine`, a scripted `phone`, a test with a virtual network) drives the machines.

pub mod demux;
pub mod dtls;
pub mod latch;
pub mod sdp;
pub mod security;
pub mod sip;
pub mod srtp;
pub mod webrtc;
