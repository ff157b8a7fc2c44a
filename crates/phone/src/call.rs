//! The one call of a phone: what it has said of itself, and what was agreed on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use edge::sdp::{Encryption, Local, LocalSrtp, Negotiated, Negotiation, SdpError};
use edge::sip::DialogKey;
use media::Codec;

use crate::manner::{Level, Manner, Offers};
use crate::state::Hold;

/// A call, from the first ring to its end.
#[derive(Debug)]
pub(crate) struct Call {
    dialog: DialogKey,
    negotiation: Negotiation,
    hold: Hold,
    wished: Hold,
    /// The hold that it offered and the peer has not answered.
    offered: Option<Hold>,
    /// The hold with which it will answer the offer that it has asked for.
    asked: Option<Hold>,
    /// Whether it has something else to offer than a hold: other codecs, another port.
    is_changed: bool,
    /// What the caller offered, while the phone rings.
    ringing: Option<Ringing>,
}

#[derive(Debug)]
pub(crate) struct Ringing {
    pub(crate) offer: Vec<u8>,
    /// When the phone takes the call; `None`: never.
    pub(crate) answer_at: Option<Instant>,
}

impl Call {
    /// Begins a call of the phone's own, and returns it with its offer, which is empty if the callee is to offer.
    pub(crate) fn outgoing(dialog: DialogKey, local: Local, srtp: LocalSrtp, manner: Manner) -> (Call, Vec<u8>) {
        let mut call = Call::new(dialog, local, srtp);
        let offer = match manner.offers {
            Offers::ByReinvite | Offers::ByUpdate => call.offer(Hold::Off, manner.level),
            Offers::Late => Vec::new(),
        };
        (call, offer)
    }

    /// Begins a call that rings here.
    pub(crate) fn incoming(dialog: DialogKey, local: Local, srtp: LocalSrtp, ringing: Ringing) -> Call {
        Call { ringing: Some(ringing), ..Call::new(dialog, local, srtp) }
    }

    fn new(dialog: DialogKey, local: Local, srtp: LocalSrtp) -> Call {
        let (hold, wished) = (Hold::Off, Hold::Off);
        let mut negotiation = Negotiation::new(local).with_srtp(srtp);
        negotiation.let_keys_be_told(true);
        Call { dialog, negotiation, hold, wished, offered: None, asked: None, is_changed: false, ringing: None }
    }

    pub(crate) fn dialog(&self) -> DialogKey {
        self.dialog
    }

    /// Returns what was agreed on; `None` before the call is established.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        self.negotiation.agreed()
    }

    /// Returns what both sides encrypt with; `None`: the sound is in clear.
    pub(crate) fn encryption(&self) -> Option<&Encryption> {
        self.negotiation.encryption()
    }

    /// Says whether the phone called without an offer, so that the callee's is the first.
    pub(crate) fn is_to_be_offered(&self) -> bool {
        self.negotiated().is_none() && self.offered.is_none()
    }

    /// Returns how the phone holds its peer, as far as the peer has agreed.
    pub(crate) fn hold(&self) -> Hold {
        self.hold
    }

    /// Returns when the phone is to take the call.
    pub(crate) fn answer_at(&self) -> Option<Instant> {
        self.ringing.as_ref()?.answer_at
    }

    /// Stops ringing and returns the caller's offer; `None` if it does not ring.
    pub(crate) fn pick_up(&mut self) -> Option<Vec<u8>> {
        Some(self.ringing.take()?.offer)
    }

    /// Says whether it rings here.
    pub(crate) fn rings_here(&self) -> bool {
        self.ringing.is_some()
    }

    /// Answers an offer of the peer's; a hold of the phone's own stays, unless it asked for the offer to change that.
    pub(crate) fn answer(&mut self, offer: &[u8], level: Level) -> Result<Vec<u8>, SdpError> {
        let hold = self.asked.take().unwrap_or(self.hold);
        self.negotiation.wish(hold.direction());
        let (answer, _) = self.negotiation.answer(offer)?;
        self.hold = hold;
        Ok(self.written(&answer, hold, level))
    }

    /// Offers what the phone says of itself, to a peer that has asked for it.
    pub(crate) fn offer_wanted(&mut self, level: Level) -> Vec<u8> {
        self.offer(self.hold, level)
    }

    /// Wishes to hold the peer, or not to, to be offered with [`Call::next_offer`].
    pub(crate) fn wish(&mut self, hold: Hold) {
        self.wished = hold;
    }

    /// Has other codecs, to be offered.
    pub(crate) fn set_codecs(&mut self, codecs: Vec<Codec>) {
        self.negotiation.set_codecs(codecs);
        self.is_changed = true;
    }

    /// Receives at another port, to be offered.
    pub(crate) fn set_rtp_port(&mut self, rtp_port: u16) {
        self.negotiation.set_rtp_port(rtp_port);
        self.is_changed = true;
    }

    /// Returns the offer that brings about what is wished; it is empty when the peer is to offer. `None` if all is in
    /// force, before the call is established, and while another offer is not answered: it is to be asked for again after
    /// that.
    pub(crate) fn next_offer(&mut self, manner: Manner) -> Option<Vec<u8>> {
        let is_busy = self.negotiated().is_none() || self.offered.is_some() || self.asked.is_some();
        if is_busy || (self.wished == self.hold && !self.is_changed) {
            return None;
        }
        self.is_changed = false;
        match manner.offers {
            Offers::ByReinvite | Offers::ByUpdate => Some(self.offer(self.wished, manner.level)),
            Offers::Late => {
                self.asked = Some(self.wished);
                Some(Vec::new())
            }
        }
    }

    fn offer(&mut self, hold: Hold, level: Level) -> Vec<u8> {
        self.negotiation.wish(hold.direction());
        let offer = self.negotiation.offer();
        self.offered = Some(hold);
        self.written(&offer, hold, level)
    }

    /// Takes the answer to the phone's offer in.
    pub(crate) fn take_answer(&mut self, answer: &[u8]) -> Result<(), SdpError> {
        if let Some(hold) = self.offered.take() {
            self.negotiation.accept_answer(answer)?;
            self.hold = hold;
        }
        Ok(())
    }

    /// Takes the answer to the phone's last description in, which was repeated to keep the session.
    pub(crate) fn take_refresh(&mut self, answer: &[u8]) -> Result<(), SdpError> {
        self.negotiation.accept_refresh(answer).map(drop)
    }

    /// Takes an offer back that could not be sent now; the wish stays.
    pub(crate) fn postpone_offer(&mut self) {
        self.withdraw();
        self.is_changed = true;
    }

    fn withdraw(&mut self) {
        self.negotiation.withdraw();
        (self.offered, self.asked) = (None, None);
    }

    /// Forgets an offer that the peer refused, and the wish: all stays as it was (RFC 3264 §8).
    pub(crate) fn withdraw_offer(&mut self) {
        self.withdraw();
        self.wished = self.hold;
    }

    /// Writes a description as the phone sends it: [`edge::sdp`] writes neither the zero address nor port 0, and directions
    /// at the stream only, so all that is put in here.
    fn written(&self, description: &str, hold: Hold, level: Level) -> Vec<u8> {
        let local = self.negotiation.local();
        let zero = match local.address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let connection = |address: IpAddr| format!(" {address}\r\nt=");
        let description = match hold {
            Hold::Off | Hold::SendOnly | Hold::RecvOnly | Hold::Inactive => description.to_owned(),
            Hold::ZeroAddress => description.replace(&connection(local.address), &connection(zero)),
            Hold::PortZero => description.replace(&format!("m=audio {} ", local.rtp_port), "m=audio 0 "),
        };
        match level {
            Level::Stream => description,
            Level::Session => at_session_level(&description),
        }
        .into_bytes()
    }
}

/// Moves the direction, which stands last, from below the stream to above it.
fn at_session_level(description: &str) -> String {
    let moved = description.rfind("a=").zip(description.find("m="));
    moved.map_or_else(
        || description.to_owned(),
        |(direction, stream)| {
            let (rest, direction) = description.split_at(direction);
            format!("{}{direction}{}", &rest[..stream], &rest[stream..])
        },
    )
}
