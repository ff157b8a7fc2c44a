//! One participant's media path: what was negotiated, and whose packets are its own.

use edge::latch::Latch;
use edge::sdp::{self, Local, Negotiated, Negotiation, SdpError};
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

/// A leg, from its offer on.
#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    pub(crate) transmit: TransmitStart,
    negotiation: Negotiation,
    /// There once offer and answer have met.
    latch: Option<Latch>,
}

impl Leg {
    pub(crate) fn new(id: LegId, address: SocketAddr, random: LegRandom) -> Self {
        let local = Local {
            address: address.ip(),
            rtp_port: address.port(),
            session_id: random.session_id,
            version: 1,
            codecs: CODECS.to_vec(),
            direction: sdp::Direction::SendRecv,
        };
        Self { id, transmit: random.transmit, negotiation: Negotiation::new(local), latch: None }
    }

    /// Makes an offer: the first, or one that the phone has asked for in mid-call.
    pub(crate) fn offer(&mut self) -> String {
        self.negotiation.offer()
    }

    /// Takes the answer to our offer in. If it cannot be used everything stays as it was (RFC 3264 §8).
    pub(crate) fn accept(&mut self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        let negotiated = self.negotiation.accept_answer(answer)?;
        self.signalled(&negotiated);
        Ok(negotiated)
    }

    /// Answers an offer of the phone's. If it cannot be accepted everything stays as it was (RFC 3264 §8).
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<(String, Negotiated), SdpError> {
        let (answer, negotiated) = self.negotiation.answer(offer)?;
        self.signalled(&negotiated);
        Ok((answer, negotiated))
    }

    fn signalled(&mut self, negotiated: &Negotiated) {
        let latch = self.latch.get_or_insert_with(|| Latch::new(negotiated.remote_rtp));
        latch.resignalled(negotiated.remote_rtp);
    }

    fn agreed(&self) -> Option<Negotiated> {
        self.negotiation.agreed()
    }

    pub(crate) fn codec(&self) -> Option<Codec> {
        self.agreed().map(|agreed| agreed.format.codec)
    }

    /// Whether a packet is this leg's and is to be used: RTP of a negotiated payload type (`None`: no RTP at all), from
    /// the right source, sent by a phone that has said that it sends.
    pub(crate) fn admits(&mut self, from: SocketAddr, payload_type: Option<u8>, arrival: Instant) -> bool {
        let (Some(agreed), Some(latch)) = (self.negotiation.agreed(), &mut self.latch) else { return false };
        let format = agreed.format;
        let valid = payload_type == Some(format.payload_type)
            || (payload_type.is_some() && payload_type == format.telephone_event);
        latch.admit(from, valid, arrival).is_admitted() && agreed.remote_sends
    }

    /// Whether an RTCP packet may be this leg's: it comes from the host that its RTP comes from.
    pub(crate) fn admits_rtcp(&self, from: SocketAddr) -> bool {
        self.latch.as_ref().is_some_and(|latch| latch.destination().ip() == from.ip())
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
        agreed.remote_rtcp.filter(|to| !to.ip().is_unspecified()).map(|to| (to, false))
    }
}

/// The phone's direction in the rules' terms. A phone that has stopped listening holds us, in whatever way it says so.
pub(crate) fn direction(negotiated: &Negotiated) -> call::Direction {
    match (negotiated.remote_sends, !negotiated.remote_hold) {
        (true, true) => call::Direction::SendReceive,
        (true, false) => call::Direction::SendOnly,
        (false, true) => call::Direction::ReceiveOnly,
        (false, false) => call::Direction::Inactive,
    }
}
