//! One participant's media path: what was negotiated, and whose packets are its own.

use crate::early::EarlyDatagrams;
use crate::pulse::Pulse;
use crate::security::LegSecurity;
use edge::dtls::Status;
use edge::latch::Latch;
use edge::sdp::{self, FirstOffers, Keying, Local, LocalSrtp, Negotiated, Negotiation, SdpError};
use edge::sip::Transport;
use edge::srtp::{SrtpError, Suite};
use media::{Codec, LegId, TransmitStart};
use std::net::SocketAddr;
use std::time::Instant;

/// The codecs in the order in which we like them: the best sound first.
const CODECS: [Codec; 4] = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];

/// The numbers of a leg that must be random (RFC 3550 §5.1, RFC 8866 §5.2).
#[derive(Clone, Copy, Debug)]
pub(crate) struct LegRandom {
    pub(crate) transmit: TransmitStart,
    pub(crate) session_id: u64,
}

/// What a phone offers that has not taken the call yet.
#[derive(Debug)]
pub(crate) struct EarlyOffer {
    /// What it has said before: its answer, then its offers that were taken.
    pub(crate) said: Vec<Vec<u8>>,
    /// What it offers now.
    pub(crate) description: Vec<u8>,
    pub(crate) may_tell_keys: bool,
    /// Which of our first offers it has got.
    pub(crate) offered: Option<Keying>,
}

/// A leg, from its offer on.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) transmit: TransmitStart,
    negotiation: Negotiation,
    /// There once offer and answer have met.
    latch: Option<Latch>,
    security: LegSecurity,
    /// What came of a handshake before it could be believed.
    early: EarlyDatagrams,
    /// Whether its phone has answered, or confirmed that it was.
    pub(crate) is_confirmed: bool,
    /// Whether sound gets through: there are keys, or none are needed.
    pub(crate) is_open: bool,
    /// Whether the rules know that its phone is there.
    pub(crate) is_in: bool,
    pub(crate) pulse: Pulse,
    /// How its phone is signalled, once that is known.
    pub(crate) transport: Option<Transport>,
}

impl Leg {
    pub(crate) fn new(id: LegId, address: SocketAddr, random: LegRandom, srtp: LocalSrtp) -> Self {
        let local = Local {
            address: address.ip(),
            rtp_port: address.port(),
            session_id: random.session_id,
            version: 1,
            codecs: CODECS.to_vec(),
            direction: sdp::Direction::SendRecv,
        };
        let negotiation = Negotiation::new(local).with_srtp(srtp);
        Self {
            id,
            transmit: random.transmit,
            negotiation,
            latch: None,
            security: LegSecurity::clear(),
            early: EarlyDatagrams::default(),
            is_confirmed: false,
            is_open: false,
            is_in: false,
            pulse: Pulse::default(),
            transport: None,
        }
    }

    /// Makes the first offer, in each way it may be sent.
    pub(crate) fn first_offers(&mut self) -> FirstOffers {
        self.negotiation.first_offers()
    }

    /// Which of the first offers its phone got.
    pub(crate) fn sent_first(&mut self, keying: Option<Keying>) {
        self.negotiation.sent_first(keying);
    }

    /// Makes an offer in mid-call.
    pub(crate) fn offer(&mut self) -> String {
        self.negotiation.offer()
    }

    /// Whether keys may stand in the descriptions from now on.
    pub(crate) fn let_keys_be_told(&mut self, may_tell_keys: bool) {
        self.negotiation.let_keys_be_told(may_tell_keys);
    }

    /// Takes the answer to our offer in. If it cannot be used everything stays as it was (RFC 3264 §8).
    pub(crate) fn accept(&mut self, answer: &[u8], now: Instant) -> Result<Negotiated, SdpError> {
        let negotiated = self.negotiation.accept_answer(answer)?;
        self.signalled(&negotiated, now);
        Ok(negotiated)
    }

    /// Answers an offer of the phone's. If it cannot be accepted everything stays as it was (RFC 3264 §8).
    pub(crate) fn answer(&mut self, offer: &[u8], now: Instant) -> Result<(String, Negotiated), SdpError> {
        let (answer, negotiated) = self.negotiation.answer(offer)?;
        self.signalled(&negotiated, now);
        Ok((answer, negotiated))
    }

    /// Answers what a phone offers before it takes the call. Nothing changes by that: another phone may take the call.
    pub(crate) fn answer_early(&self, early: &EarlyOffer) -> Result<String, SdpError> {
        let (answer, offers) = early.said.split_first().ok_or(SdpError::NotOffered)?;
        let mut negotiation = self.negotiation.clone();
        negotiation.let_keys_be_told(early.may_tell_keys);
        negotiation.sent_first(early.offered);
        negotiation.accept_answer(answer)?;
        for offer in offers {
            negotiation.answer(offer)?;
        }
        Ok(negotiation.answer(&early.description)?.0)
    }

    /// Takes the answer to our last description in, which SIP has repeated to keep the session.
    pub(crate) fn accept_refresh(&mut self, answer: &[u8], now: Instant) -> Result<Negotiated, SdpError> {
        let negotiated = self.negotiation.accept_refresh(answer)?;
        self.signalled(&negotiated, now);
        Ok(negotiated)
    }

    fn signalled(&mut self, negotiated: &Negotiated, now: Instant) {
        let latch = self.latch.get_or_insert_with(|| Latch::new(negotiated.remote_rtp));
        latch.resignalled(negotiated.remote_rtp);
        self.security.agree(self.negotiation.encryption(), negotiated, now);
        self.is_open = self.status() == Status::Keyed;
        if self.is_open {
            self.early.take();
        }
    }

    /// How far the keys of its sound are.
    pub(crate) fn status(&self) -> Status {
        self.security.status()
    }

    /// Returns a packet as it was before its sender encrypted it, by way of `scratch`; `None` for one that is not
    /// authentic, came before, or came before there are keys. Such a packet is counted, and nothing else may look at it.
    pub(crate) fn unprotect<'a>(
        &mut self,
        by_rtcp: bool,
        packet: &'a [u8],
        scratch: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        let unprotected: Result<_, SrtpError> = self.security.unprotect(by_rtcp, packet, scratch);
        let refused = |error: SrtpError| {
            metrics::counter!("fermata_srtp_refused_total", "reason" => error.name()).increment(1);
        };
        unprotected.map_err(refused).ok()
    }

    /// Returns a packet as it is to be sent, by way of `scratch`; `None` if nothing may be sent, not yet or not any more.
    pub(crate) fn protect<'a>(
        &mut self,
        by_rtcp: bool,
        packet: &'a [u8],
        scratch: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        self.security.protect(by_rtcp, packet, scratch).ok()
    }

    /// Takes in a datagram of a handshake.
    pub(crate) fn receive_handshake(&mut self, by_rtcp: bool, from: SocketAddr, datagram: &[u8], now: Instant) {
        let is_early = match &mut self.latch {
            Some(latch) => self.security.receive(by_rtcp, from, datagram, latch, now),
            None => true,
        };
        if is_early {
            self.early.keep(by_rtcp, from, datagram, now);
        }
    }

    /// When [`Leg::expire`] is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let handshake = self.security.deadline()?;
        Some(self.early.deadline().map_or(handshake, |early| early.min(handshake)))
    }

    /// Lets a handshake go on.
    pub(crate) fn expire(&mut self, now: Instant) {
        for datagram in self.early.take() {
            self.receive_handshake(datagram.by_rtcp, datagram.from, &datagram.bytes, now);
        }
        self.security.expire(now);
    }

    /// Returns the next datagram of a handshake that is to be sent: whether by the RTCP socket, where to, and what.
    pub(crate) fn poll_transmit(&mut self) -> Option<(bool, SocketAddr, Vec<u8>)> {
        self.security.poll_transmit(self.latch.as_ref()?)
    }

    /// What offer and answer have agreed on, once both are there.
    pub(crate) fn agreed(&self) -> Option<Negotiated> {
        self.negotiation.agreed()
    }

    pub(crate) fn codec(&self) -> Option<Codec> {
        self.agreed().map(|agreed| agreed.format.codec)
    }

    /// What encrypts the leg, if anything does, and as soon as there are keys.
    pub(crate) fn encryption(&self) -> Option<Suite> {
        self.security.suite()
    }

    /// Whether a packet is this leg's and is to be used: RTP of a negotiated payload type (`None`: no RTP at all), from
    /// the right source, sent by a phone that has said that it sends.
    pub(crate) fn admits(&mut self, from: SocketAddr, payload_type: Option<u8>, arrival: Instant) -> bool {
        let (Some(agreed), Some(latch)) = (self.negotiation.agreed(), &mut self.latch) else { return false };
        let format = agreed.format;
        let valid = payload_type.is_some_and(|number| format.takes(number));
        // What has come so far under a key was authentic.
        let admission = match self.security.is_encrypted() {
            true => latch.admit_authentic(from, valid, arrival),
            false => latch.admit(from, valid, arrival),
        };
        if admission.is_admitted() {
            self.pulse.felt(arrival);
        }
        admission.is_admitted() && agreed.remote_sends
    }

    /// Whether an RTCP packet may be this leg's: it was authentic, or comes from the host that its RTP comes from.
    pub(crate) fn admits_rtcp(&mut self, from: SocketAddr, arrival: Instant) -> bool {
        let is_from_host = self.latch.as_ref().is_some_and(|latch| latch.destination().ip() == from.ip());
        let is_ours = self.security.is_encrypted() || is_from_host;
        if is_ours {
            self.pulse.felt(arrival);
        }
        is_ours
    }

    /// Where RTP goes: nowhere while the phone has said the zero address, not even reports (RFC 3264 §8.4).
    pub(crate) fn rtp_destination(&self) -> Option<SocketAddr> {
        self.agreed().filter(|agreed| !agreed.remote_rtp.ip().is_unspecified())?;
        self.latch.as_ref().map(Latch::destination)
    }

    /// Where RTCP goes, and whether it goes by the RTP socket (RFC 5761).
    pub(crate) fn rtcp_destination(&self) -> Option<(SocketAddr, bool)> {
        let agreed = self.agreed()?;
        if agreed.rtcp_mux {
            return self.rtp_destination().map(|to| (to, true));
        }
        if let Some(destination) = self.security.rtcp_destination() {
            return Some((destination, false));
        }
        agreed.remote_rtcp.filter(|to| !to.ip().is_unspecified()).map(|to| (to, false))
    }
}

/// The phone's direction in the rules' terms. A phone that has stopped listening holds us, in whatever way it says so.
pub(crate) fn direction(negotiated: &Negotiated) -> call::Direction {
    direction_of(negotiated.remote_sends, negotiated.remote_hold)
}

/// The same, of whoever it is that sends and holds us.
pub(crate) fn direction_of(remote_sends: bool, remote_hold: bool) -> call::Direction {
    match (remote_sends, !remote_hold) {
        (true, true) => call::Direction::SendReceive,
        (true, false) => call::Direction::SendOnly,
        (false, true) => call::Direction::ReceiveOnly,
        (false, false) => call::Direction::Inactive,
    }
}
