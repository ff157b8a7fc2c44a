//! The RTP and RTCP sockets of legs.

use crate::config::RtpConfig;
use mio::net::UdpSocket;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// Hands out pairs of sockets: an even port for RTP, the next one for RTCP (RFC 3550 §11).
#[derive(Debug)]
pub(crate) struct RtpPorts {
    address: IpAddr,
    first: u16,
    pairs: u16,
    /// The pair to be tried next. It goes round, so that a port is not used again at once: late packets of the call
    /// before would find it.
    next: u16,
}

/// The sockets of one leg.
#[derive(Debug)]
pub(crate) struct RtpSockets {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    /// The RTP port.
    pub(crate) port: u16,
}

impl RtpPorts {
    /// `part` of `parts` workers starts at its own place, so that they rarely try the same port.
    pub(crate) fn new(config: &RtpConfig, part: usize, parts: usize) -> Self {
        let first = config.ports.start().next_multiple_of(2);
        let pairs = (config.ports.end().saturating_sub(first).saturating_add(1)) / 2;
        let next = (usize::from(pairs) * part / parts.max(1)) as u16;
        Self { address: config.address, first, pairs, next }
    }

    /// Binds the next free pair.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if no pair of the range is free.
    pub(crate) fn bind(&mut self) -> io::Result<RtpSockets> {
        for _ in 0..self.pairs {
            let port = self.first + 2 * self.next;
            self.next = (self.next + 1) % self.pairs;
            if let (Ok(rtp), Ok(rtcp)) = (self.bind_one(port), self.bind_one(port + 1)) {
                return Ok(RtpSockets { rtp, rtcp, port });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no pair of ports in rtp.ports is free"))
    }

    fn bind_one(&self, port: u16) -> io::Result<UdpSocket> {
        UdpSocket::bind(SocketAddr::new(self.address, port))
    }
}
