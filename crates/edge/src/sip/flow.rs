//! Where bytes come from and go to: flows (RFC 5626 §2) and destinations.

use std::net::SocketAddr;

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams: we retransmit.
    Udp,
    /// Streams: TCP retransmits.
    Tcp,
    /// Streams over TLS: nobody else reads along, and who is at the other end is known by its certificate.
    Tls,
}

impl Transport {
    /// Returns the name in a Via header field (RFC 3261 §20.42).
    pub(super) fn via_name(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// Returns the value of the `transport` parameter of a URI; `None` for UDP, which needs none.
    pub(super) fn parameter(self) -> Option<&'static str> {
        match self {
            Transport::Udp => None,
            Transport::Tcp => Some("tcp"),
            Transport::Tls => Some("tls"),
        }
    }

    /// Returns the port where a URI names none (RFC 3261 §19.1.2).
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
        }
    }

    /// Tells whether nobody between the two ends can read along.
    pub fn is_secure(self) -> bool {
        match self {
            Transport::Tls => true,
            Transport::Udp | Transport::Tcp => false,
        }
    }

    /// Reads the `transport` parameter of a URI (RFC 3261 §19.1.1), without regard to case.
    pub(super) fn from_parameter(name: &str) -> Option<Transport> {
        let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
        all.into_iter().find(|transport| transport.via_name().eq_ignore_ascii_case(name))
    }

    /// Tells whether the transport has connections and retransmits by itself, so that transactions must not.
    pub(super) fn is_reliable(self) -> bool {
        match self {
            Transport::Tcp | Transport::Tls => true,
            Transport::Udp => false,
        }
    }
}

/// A pair of addresses that talk: a connection, or datagrams between two UDP ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The protocol.
    pub transport: Transport,
    /// Our address: for UDP that of the socket, else that of this end of the connection.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
}

/// Where a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Back over a flow that bytes came from. With connections: over this one only.
    Flow(Flow),
    /// To an address. With connections the caller opens one, or takes one it has to the same address.
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
