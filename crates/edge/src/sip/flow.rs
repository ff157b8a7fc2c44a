//! Where bytes come from and go to: flows (RFC 5626 §2) and destinations.

use std::net::SocketAddr;

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams: we retransmit.
    Udp,
    /// Streams: TCP retransmits.
    Tcp,
}

impl Transport {
    /// Returns the name in a Via header field (RFC 3261 §20.42).
    pub(super) fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }

    /// Reads the `transport` parameter of a URI (RFC 3261 §19.1.1), without regard to case.
    pub(super) fn from_parameter(name: &str) -> Option<Transport> {
        [Transport::Udp, Transport::Tcp].into_iter().find(|transport| transport.via_name().eq_ignore_ascii_case(name))
    }

    /// Tells whether the transport retransmits by itself, so that transactions must not.
    pub(super) fn is_reliable(self) -> bool {
        self == Transport::Tcp
    }
}

/// A pair of addresses that talk: a TCP connection, or datagrams between two UDP ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The protocol.
    pub transport: Transport,
    /// Our address: for UDP that of the socket, for TCP that of this end of the connection.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

/// Where a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Back over a flow that bytes came from. For TCP: over this connection only.
    Flow(Flow),
    /// To an address. For TCP the caller opens a connection, or takes one it has to the same address.
    Address {
        /// The protocol.
        transport: Transport,
        /// The peer's address.
        remote: SocketAddr,
    },
}

impl Destination {
    /// Returns the protocol.
    pub fn transport(&self) -> Transport {
        match self {
            Destination::Flow(flow) => flow.transport,
            Destination::Address { transport, .. } => *transport,
        }
    }

    /// Returns the peer's address.
    pub fn remote(&self) -> SocketAddr {
        match self {
            Destination::Flow(flow) => flow.remote,
            Destination::Address { remote, .. } => *remote,
        }
    }
}

/// Bytes to send: one whole SIP message, or a keep-alive answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub destination: Destination,
    /// What.
    pub bytes: Vec<u8>,
}
