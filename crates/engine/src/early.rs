//! Datagrams of a handshake that come before they can be believed.
//!
//! A phone that answers begins its handshake at once, and over UDP its first datagram may be here before its answer
//! (RFC 5763 §5). And a phone behind a NAT comes from an address that nobody has told, which the latch believes after a
//! moment only. To throw these datagrams away would cost the second until they are repeated.

use edge::latch::PATIENCE;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

/// How many are kept. A first flight is one datagram, or two with long keys; more would be repetitions or a flood.
const DATAGRAMS_MAX: usize = 4;

/// What came too early, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct EarlyDatagrams(VecDeque<EarlyDatagram>);

/// One of them.
#[derive(Debug)]
pub(crate) struct EarlyDatagram {
    pub(crate) by_rtcp: bool,
    pub(crate) from: SocketAddr,
    pub(crate) bytes: Vec<u8>,
    arrival: Instant,
}

impl EarlyDatagrams {
    /// Keeps a datagram. One that does not fit is lost, as on a network.
    pub(crate) fn keep(&mut self, by_rtcp: bool, from: SocketAddr, bytes: &[u8], arrival: Instant) {
        if self.0.len() < DATAGRAMS_MAX {
            self.0.push_back(EarlyDatagram { by_rtcp, from, bytes: bytes.to_vec(), arrival });
        }
    }

    /// Returns when the first of them may be believed, whoever sent it.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.front().map(|first| first.arrival + PATIENCE)
    }

    /// Takes all of them out.
    pub(crate) fn take(&mut self) -> VecDeque<EarlyDatagram> {
        std::mem::take(&mut self.0)
    }
}
