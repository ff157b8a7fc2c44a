//! One participant's media path: what was negotiated, and whose packets are its own.

use crate::pulse::Pulse;
use edge::latch::Latch;
use edge::sdp::{self, FirstOffers, Local, LocalSrtp, Negotiated, Negotiation, SdpError};
use edge::sip::Transport;
use edge::srtp::{Protection, Suite};
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
    /// There while the leg is encrypted.
    protection: Option<Box<Protection>>,
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
        let pulse = Pulse::default();
        Self { id, transmit: random.transmit, negotiation, latch: None, protection: None, pulse, transport: None }
    }

    /// Makes the first offer, in each way it may be sent.
    pub(crate) fn first_offers(&mut self) -> FirstOffers {
        self.negotiation.first_offers()
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

    /// Takes the answer to our last description in, which SIP has repeated to keep the session.
    pub(crate) fn accept_refresh(&mut self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        let negotiated = self.negotiation.accept_refresh(answer)?;
        self.signalled(&negotiated);
        Ok(negotiated)
    }

    fn signalled(&mut self, negotiated: &Negotiated) {
        let latch = self.latch.get_or_insert_with(|| Latch::new(negotiated.remote_rtp));
        latch.resignalled(negotiated.remote_rtp);
        match (self.negotiation.keys(), &mut self.protection) {
            (Some(keys), Some(protection)) => protection.rekey(keys),
            (Some(keys), none @ None) => *none = Some(Box::new(Protection::new(keys))),
            (None, protection) => *protection = None,
        }
    }

    /// Returns a packet as it was before its sender encrypted it, by way of `scratch`; `None` for one that is not
    /// authentic or came before. Such a packet is counted, and nothing else may look at it.
    pub(crate) fn unprotect<'a>(&mut self, packet: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let Some(protection) = &mut self.protection else { return Some(packet) };
        match protection.unprotect(packet, scratch) {
            Ok(()) => Some(scratch),
            Err(error) => {
                metrics::counter!("fermata_srtp_refused_total", "reason" => error.name()).increment(1);
                None
            }
        }
    }

    /// Returns a packet as it is to be sent, by way of `scratch`; `None` if nothing may be sent under the key any more.
    pub(crate) fn protect<'a>(&mut self, packet: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let Some(protection) = &mut self.protection else { return Some(packet) };
        protection.protect(packet, scratch).ok().map(|()| &scratch[..])
    }

    /// What offer and answer have agreed on, once both are there.
    pub(crate) fn agreed(&self) -> Option<Negotiated> {
        self.negotiation.agreed()
    }

    pub(crate) fn codec(&self) -> Option<Codec> {
        self.agreed().map(|agreed| agreed.format.codec)
    }

    /// What encrypts the leg, if anything does.
    pub(crate) fn encryption(&self) -> Option<Suite> {
        self.negotiation.keys().map(|keys| keys.ours.suite())
    }

    /// Whether a packet is this leg's and is to be used: RTP of a negotiated payload type (`None`: no RTP at all), from
    /// the right source, sent by a phone that has said that it sends.
    pub(crate) fn admits(&mut self, from: SocketAddr, payload_type: Option<u8>, arrival: Instant) -> bool {
        let (Some(agreed), Some(latch)) = (self.negotiation.agreed(), &mut self.latch) else { return false };
        let format = agreed.format;
        let valid = payload_type.is_some_and(|number| format.takes(number));
        // What has come so far under a key was authentic.
        let admission = match self.protection {
            Some(_) => latch.admit_authentic(from, valid, arrival),
            None => latch.admit(from, valid, arrival),
        };
        if admission.is_admitted() {
            self.pulse.felt(arrival);
        }
        admission.is_admitted() && agreed.remote_sends
    }

    /// Whether an RTCP packet may be this leg's: it was authentic, or comes from the host that its RTP comes from.
    pub(crate) fn admits_rtcp(&mut self, from: SocketAddr, arrival: Instant) -> bool {
        let is_from_host = self.latch.as_ref().is_some_and(|latch| latch.destination().ip() == from.ip());
        let is_ours = self.protection.is_some() || is_from_host;
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
