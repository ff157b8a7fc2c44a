//! One participant's media path: what was negotiated, and whose packets are its own.

use edge::latch::Latch;
use edge::sdp::{self, Local, Negotiated, SdpError};
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
    local: Local,
    up: Option<Up>,
}

/// What there is once offer and answer have met.
#[derive(Debug)]
struct Up {
    negotiated: Negotiated,
    latch: Latch,
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
        Self { id, transmit: random.transmit, local, up: None }
    }

    pub(crate) fn offer(&self) -> String {
        sdp::offer(&self.local)
    }

    /// Takes the answer to our offer in.
    pub(crate) fn accept(&mut self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        let negotiated = sdp::accept_answer(&self.local, answer)?;
        self.up = Some(Up { negotiated, latch: Latch::new(negotiated.remote_rtp) });
        Ok(negotiated)
    }

    /// Answers a new offer in mid-call. If it cannot be accepted everything stays as it was (RFC 3264 §8).
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<(String, Negotiated), SdpError> {
        let mut next = self.local.clone();
        next.version += 1;
        let (answer, negotiated) = sdp::answer(&next, offer)?;
        self.local = next;
        match &mut self.up {
            Some(up) => {
                up.negotiated = negotiated;
                up.latch.resignalled(negotiated.remote_rtp);
            }
            None => self.up = Some(Up { negotiated, latch: Latch::new(negotiated.remote_rtp) }),
        }
        Ok((answer, negotiated))
    }

    pub(crate) fn codec(&self) -> Option<Codec> {
        self.up.as_ref().map(|up| up.negotiated.format.codec)
    }

    /// Whether a packet is this leg's and is to be used: RTP of a negotiated payload type (`None`: no RTP at all), from
    /// the right source, sent by a phone that has said that it sends.
    pub(crate) fn admits(&mut self, from: SocketAddr, payload_type: Option<u8>, arrival: Instant) -> bool {
        let Some(up) = &mut self.up else { return false };
        let format = up.negotiated.format;
        let valid = payload_type == Some(format.payload_type)
            || (payload_type.is_some() && payload_type == format.telephone_event);
        up.latch.admit(from, valid, arrival).is_admitted() && up.negotiated.remote_sends
    }

    /// Whether an RTCP packet may be this leg's: it comes from the host that its RTP comes from.
    pub(crate) fn admits_rtcp(&self, from: SocketAddr) -> bool {
        self.up.as_ref().is_some_and(|up| up.latch.destination().ip() == from.ip())
    }

    pub(crate) fn rtp_destination(&self) -> Option<SocketAddr> {
        self.up.as_ref().map(|up| up.latch.destination()).filter(|to| !to.ip().is_unspecified())
    }

    /// Where RTCP goes, and whether it goes by the RTP socket (RFC 5761).
    pub(crate) fn rtcp_destination(&self) -> Option<(SocketAddr, bool)> {
        let up = self.up.as_ref()?;
        if up.negotiated.rtcp_mux {
            return self.rtp_destination().map(|to| (to, true));
        }
        up.negotiated.remote_rtcp.filter(|to| !to.ip().is_unspecified()).map(|to| (to, false))
    }
}

/// The phone's direction in the rules' terms. A phone that does not listen holds us, in whatever way it says so.
pub(crate) fn direction(negotiated: &Negotiated) -> call::Direction {
    match (negotiated.remote_sends, negotiated.remote_listens) {
        (true, true) => call::Direction::SendReceive,
        (true, false) => call::Direction::SendOnly,
        (false, true) => call::Direction::ReceiveOnly,
        (false, false) => call::Direction::Inactive,
    }
}
