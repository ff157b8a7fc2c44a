//! The encryption of one leg: of its sound, and of reports that have a port of their own.
//!
//! With `rtcp-mux`, and with keys that were told, reports go through what sound goes through. With a handshake and without
//! `rtcp-mux` they have an association of their own (RFC 5764 §3). Sound does not wait for it: if it fails, reports just do
//! not flow.

use edge::dtls::{Association, Status};
use edge::latch::{Admission, Latch};
use edge::sdp::{Encryption, Negotiated};
use edge::security::Security;
use edge::srtp::{SrtpError, Suite};
use std::net::SocketAddr;
use std::time::Instant;

/// What the packets of one leg go through.
#[derive(Debug)]
pub(crate) struct LegSecurity {
    sound: Security,
    reports: Option<Reports>,
}

/// The association of reports that have a port of their own, and where they come from.
#[derive(Debug)]
struct Reports {
    association: Association,
    latch: Latch,
}

impl LegSecurity {
    pub(crate) fn clear() -> Self {
        Self { sound: Security::Clear, reports: None }
    }

    /// Takes in what offer and answer say. What is the same goes on as it was.
    pub(crate) fn agree(&mut self, encryption: Option<&Encryption>, negotiated: &Negotiated, now: Instant) {
        let terms_before = self.sound.terms().cloned();
        self.sound.agree(encryption, now);
        let terms = self.sound.terms().filter(|_| !negotiated.rtcp_mux);
        // A phone that holds with the zero address says nothing of where reports go.
        let address = negotiated.remote_rtcp.filter(|address| !address.ip().is_unspecified());
        match (terms, address, &mut self.reports) {
            (None, ..) => self.reports = None,
            (Some(terms), Some(address), Some(reports)) if terms_before.as_ref() == Some(terms) => {
                reports.latch.resignalled(address);
            }
            (Some(terms), Some(address), reports) => {
                *reports = Some(Reports { association: Association::new(terms, now), latch: Latch::new(address) });
            }
            (Some(_), None, _) => {}
        }
    }

    /// How far the keys of the sound are.
    pub(crate) fn status(&self) -> Status {
        self.sound.status()
    }

    /// Whether packets prove whose they are.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.sound.is_encrypted()
    }

    /// What sound is encrypted with, as soon as there are keys.
    pub(crate) fn suite(&self) -> Option<Suite> {
        self.sound.suite()
    }

    /// Returns a packet as it is to be sent, by way of `out`.
    pub(crate) fn protect<'a>(
        &mut self,
        by_rtcp: bool,
        packet: &'a [u8],
        out: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], SrtpError> {
        match self.has_own_keys(by_rtcp) {
            true => self.reports()?.protect(packet, out).map(|()| &out[..]),
            false => self.sound.protect(packet, out),
        }
    }

    /// Returns a packet as it was before its sender encrypted it, by way of `out`.
    pub(crate) fn unprotect<'a>(
        &mut self,
        by_rtcp: bool,
        packet: &'a [u8],
        out: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], SrtpError> {
        match self.has_own_keys(by_rtcp) {
            true => self.reports()?.unprotect(packet, out).map(|()| &out[..]),
            false => self.sound.unprotect(packet, out),
        }
    }

    fn has_own_keys(&self, by_rtcp: bool) -> bool {
        by_rtcp && self.sound.terms().is_some()
    }

    fn reports(&mut self) -> Result<&mut Association, SrtpError> {
        self.reports.as_mut().map(|reports| &mut reports.association).ok_or(SrtpError::NoKey)
    }

    /// Takes in a datagram of a handshake that came from `from`. `sound` is the latch of the RTP socket. Returns whether it
    /// is too early to believe that source.
    pub(crate) fn receive(
        &mut self,
        by_rtcp: bool,
        from: SocketAddr,
        datagram: &[u8],
        sound: &mut Latch,
        now: Instant,
    ) -> bool {
        let handshake = match by_rtcp {
            false => self.sound.association().map(|association| (association, sound)),
            true => self.reports.as_mut().map(|reports| (&mut reports.association, &mut reports.latch)),
        };
        let Some((association, latch)) = handshake else { return false };
        let admission = latch.admit(from, true, now);
        if admission.is_admitted() {
            association.receive(datagram, now);
        }
        admission == Admission::Early
    }

    /// Lets the handshakes go on that are due.
    pub(crate) fn expire(&mut self, now: Instant) {
        let reports = self.reports.as_mut().map(|reports| &mut reports.association);
        for association in self.sound.association().into_iter().chain(reports) {
            if association.deadline().is_some_and(|deadline| deadline <= now) {
                association.expire(now);
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        let reports = self.reports.as_ref().and_then(|reports| reports.association.deadline());
        self.sound.deadline().into_iter().chain(reports).min()
    }

    /// Returns the next datagram of a handshake: by which socket, where to, and what. `sound` is the latch of the RTP socket.
    pub(crate) fn poll_transmit(&mut self, sound: &Latch) -> Option<(bool, SocketAddr, Vec<u8>)> {
        if let Some(datagram) = self.sound.association().and_then(Association::poll_transmit) {
            return Some((false, sound.destination(), datagram));
        }
        let reports = self.reports.as_mut()?;
        let datagram = reports.association.poll_transmit()?;
        Some((true, reports.latch.destination(), datagram))
    }

    /// Where reports go that have an association of their own.
    pub(crate) fn rtcp_destination(&self) -> Option<SocketAddr> {
        self.reports.as_ref().map(|reports| reports.latch.destination())
    }
}
