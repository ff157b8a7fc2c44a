//! Symmetric RTP (RFC 4961) with a latch that cannot be hijacked: from which address a leg's packets are taken, and to
//! which its packets go.
//!
//! Behind a NAT a phone cannot know its own address, so what its SDP says is often of no use: we answer to where its
//! packets come from. Whoever sends first would then get the call's audio and could speak in it. Therefore:
//!
//! * Valid packets from the **signalled IP address**, at whatever port, are believed at once.
//! * Another address is believed only when it has been sending for [`PATIENCE`] and the signalled one has sent nothing.
//! * The first source believed is **fixed**. Packets of all others are dropped and counted, until a new description
//!   with another address comes over SIP, which opens the latch once more.
//! * Only the signalled address itself, its port included, may still correct a choice of the first [`CORRECTION`] that
//!   fell on another port of its host. There one phone easily speaks before another: after a crash and a restart the
//!   phones of the calls before go on sending to the same ports, from the same office.
//!
//! What it protects against: anybody who sprays packets at our ports during a call, and anybody who does so at its start
//! while the phone itself is reachable as signalled. What it does not: an attacker who can send from the phone's own IP
//! address (the same NAT, a forged source: he can speak, but hears nothing), one on the path, and one who sprays at the
//! very start of a call of a phone behind a NAT, before the phone's first packet. Only SRTP helps against these. A phone
//! whose NAT gives it a new port in the middle of a call is not followed either: it looks just like a hijacker.
//!
//! With SRTP a packet proves by its tag whose it is, and that it is new. Then none of these rules is needed:
//! [`Latch::admit_authentic`] believes it at once and follows it wherever it comes from. What is left is an attacker on
//! the path who holds back the phone's packets and sends them on himself: he may turn our packets away, and hears nothing.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long an unsignalled address must have been sending alone before it is believed. Less, and a sprayer beats a phone
/// that is slow to start; more, and callers behind a NAT lose their first word. Phones that answer send their first
/// packet within about 100 ms.
pub const PATIENCE: Duration = Duration::from_millis(200);

/// How long the signalled address may still take a leg over from another port of its host. It has to outlast a phone that
/// is slow to start; for ever would let whoever forges the address of a phone turn its sound away in the middle of a
/// call.
pub const CORRECTION: Duration = Duration::from_secs(5);

/// Decides for one leg which packets are its own, and where its packets go.
#[derive(Debug, Clone)]
pub struct Latch {
    signalled: SocketAddr,
    source: Source,
    refused: u64,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Open,
    /// An unsignalled address has been sending from `since` to `last`, and nobody better came.
    Candidate {
        from: SocketAddr,
        since: Instant,
        last: Instant,
    },
    Fixed {
        from: SocketAddr,
        since: Instant,
    },
}

/// What becomes of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is the leg's, and fixes the source: from now on [`Latch::destination`] is where it came from.
    Latched,
    /// It is the leg's.
    Admitted,
    /// It is no RTP of this leg, whoever sent it.
    Invalid,
    /// It is from an address not signalled, too early to believe it.
    Early,
    /// It is from another source than the fixed one.
    Foreign,
}

impl Admission {
    /// Returns whether the packet is to be used.
    pub fn is_admitted(self) -> bool {
        match self {
            Admission::Latched | Admission::Admitted => true,
            Admission::Invalid | Admission::Early | Admission::Foreign => false,
        }
    }
}

impl Latch {
    /// Creates an open latch for a peer whose SDP says it receives at `signalled`.
    pub fn new(signalled: SocketAddr) -> Latch {
        Latch { signalled, source: Source::Open, refused: 0 }
    }

    /// Decides about a packet that came from `from` at `arrival`. `valid`: it is RTP version 2 with a payload type that
    /// was negotiated.
    pub fn admit(&mut self, from: SocketAddr, valid: bool, arrival: Instant) -> Admission {
        let admission = match valid {
            true => self.admit_valid(from, arrival),
            false => Admission::Invalid,
        };
        if !admission.is_admitted() {
            self.refused += 1;
        }
        admission
    }

    /// Decides about a packet that was authentic and new under the peer's SRTP key. `valid`: its payload type was
    /// negotiated.
    pub fn admit_authentic(&mut self, from: SocketAddr, valid: bool, arrival: Instant) -> Admission {
        match self.source {
            _ if !valid => {
                self.refused += 1;
                Admission::Invalid
            }
            Source::Fixed { from: fixed, .. } if fixed == from => Admission::Admitted,
            Source::Fixed { .. } | Source::Open | Source::Candidate { .. } => {
                self.source = Source::Fixed { from, since: arrival };
                Admission::Latched
            }
        }
    }

    fn admit_valid(&mut self, from: SocketAddr, arrival: Instant) -> Admission {
        match self.source {
            Source::Fixed { from: fixed, .. } if fixed == from => return Admission::Admitted,
            Source::Fixed { from: fixed, since } if self.corrects(from, fixed, arrival, since) => {}
            Source::Fixed { .. } => return Admission::Foreign,
            Source::Open | Source::Candidate { .. } => {}
        }
        if from.ip() != self.signalled.ip() && !self.has_waited(from, arrival) {
            return Admission::Early;
        }
        self.source = Source::Fixed { from, since: arrival };
        Admission::Latched
    }

    fn corrects(&self, from: SocketAddr, fixed: SocketAddr, arrival: Instant, since: Instant) -> bool {
        from == self.signalled
            && fixed.ip() == self.signalled.ip()
            && arrival.saturating_duration_since(since) < CORRECTION
    }

    /// A candidate that goes on sending is not replaced by newcomers: a sprayer with many addresses could keep the true
    /// phone out for ever. One that fell silent is, or its single packet would do the same.
    fn has_waited(&mut self, from: SocketAddr, arrival: Instant) -> bool {
        match &mut self.source {
            Source::Candidate { from: candidate, since, last } if *candidate == from => {
                *last = arrival;
                arrival.saturating_duration_since(*since) >= PATIENCE
            }
            Source::Candidate { last, .. } if arrival.saturating_duration_since(*last) < PATIENCE => false,
            Source::Open | Source::Candidate { .. } | Source::Fixed { .. } => {
                self.source = Source::Candidate { from, since: arrival, last: arrival };
                false
            }
        }
    }

    /// Takes in the address of a new description of the peer. If it differs from the one before, the latch opens once
    /// more; the unspecified address of an RFC 2543 hold says nothing and is passed over.
    pub fn resignalled(&mut self, signalled: SocketAddr) {
        if signalled.ip().is_unspecified() || signalled == self.signalled {
            return;
        }
        self.signalled = signalled;
        self.source = Source::Open;
    }

    /// Returns where the leg's packets go: the fixed source, before that the signalled address.
    pub fn destination(&self) -> SocketAddr {
        match self.source {
            Source::Fixed { from, .. } => from,
            Source::Open | Source::Candidate { .. } => self.signalled,
        }
    }

    /// Returns how many packets were refused, for whatever reason.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}
