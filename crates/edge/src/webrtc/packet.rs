//! What goes in and comes out: datagrams with their transport, and RTP packets that were authentic.

use std::net::SocketAddr;
use std::sync::Arc;

use media::rtp;
use str0m::net::Protocol;

use crate::demux::{self, Datagram};

/// How a datagram travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// As it is.
    Udp,
    /// In a connection that the browser has opened, each with its length before it (RFC 4571, RFC 6544).
    Tcp,
}

impl Transport {
    pub(super) fn protocol(self) -> Protocol {
        match self {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        }
    }
}

/// A datagram for a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// How it travels.
    pub transport: Transport,
    /// Where to.
    pub destination: SocketAddr,
    /// What is sent.
    pub bytes: Vec<u8>,
}

/// An RTP packet of a browser's, decrypted and authentic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// As in [`rtp::Packet`].
    pub marker: bool,
    /// As in [`rtp::Packet`].
    pub payload_type: u8,
    /// As in [`rtp::Packet`].
    pub sequence: u16,
    /// As in [`rtp::Packet`].
    pub timestamp: u32,
    /// As in [`rtp::Packet`].
    pub ssrc: u32,
    /// As in [`rtp::Packet`].
    pub payload: Arc<[u8]>,
}

impl Packet {
    /// Returns it as the mixer takes it.
    pub fn as_rtp(&self) -> rtp::Packet<'_> {
        let Packet { marker, payload_type, sequence, timestamp, ssrc, ref payload } = *self;
        rtp::Packet { marker, payload_type, sequence, timestamp, ssrc, payload }
    }
}

/// The types of STUN messages (RFC 8489 §5): a Binding request, and a success response to one.
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];

/// The attribute that names both sides (RFC 8489 §14.3).
const USERNAME: u16 = 0x0006;

/// Type, length, cookie and transaction of a STUN message (RFC 8489 §5).
const STUN_HEADER_BYTES: usize = 20;

/// Returns the user fragment of ours that a connectivity check names (RFC 8445 §7.2.2); `None` if the datagram is none.
///
/// Nothing is proved by that: only the browser that the fragment was given to, and those who have seen its description,
/// know it, but the check must still be verified.
pub fn connectivity_check_of(datagram: &[u8]) -> Option<&str> {
    if !datagram.starts_with(&BINDING_REQUEST) {
        return None;
    }
    let mut attributes = datagram.get(STUN_HEADER_BYTES..)?;
    loop {
        let (head, rest) = attributes.split_first_chunk::<4>()?;
        let [kind, length] = [[head[0], head[1]], [head[2], head[3]]].map(u16::from_be_bytes);
        let value = rest.get(..length.into())?;
        if kind == USERNAME {
            // Ours comes first, then the browser's.
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        attributes = rest.get(usize::from(length).next_multiple_of(4)..)?;
    }
}

/// Returns whether a datagram of ours says that a connectivity check of the address it goes to was authentic.
pub fn is_check_accepted(datagram: &[u8]) -> bool {
    datagram.starts_with(&BINDING_SUCCESS)
}

/// Returns whether a datagram is SRTP and not SRTCP, which the second byte tells (RFC 5761 §4).
pub(super) fn is_srtp(datagram: &[u8]) -> bool {
    demux::claims(datagram) == Datagram::Media && datagram.get(1).is_some_and(|second| !(192..=223).contains(second))
}
