//! The one call of a phone: what it has said of itself, and what was agreed on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use edge::sdp::{Local, LocalSrtp, Negotiated, Negotiation, SdpError};
use edge::sip::DialogKey;
use edge::srtp::Keys;

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
    /// Begins a call of the phone's own, and returns it with its offer.
    pub(crate) fn outgoing(dialog: DialogKey, local: Local, srtp: LocalSrtp) -> (Call, Vec<u8>) {
        let mut call = Call::new(dialog, local, srtp);
        let offer = call.offer(Hold::Off);
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
        Call { dialog, negotiation, hold, wished, offered: None, ringing: None }
    }

    pub(crate) fn dialog(&self) -> DialogKey {
        self.dialog
    }

    /// Returns what was agreed on; `None` before the call is established.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        self.negotiation.agreed()
    }

    /// Returns what both sides encrypt with; `None`: the sound is in clear.
    pub(crate) fn keys(&self) -> Option<&Keys> {
        self.negotiation.keys()
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

    /// Answers an offer of the peer's; a hold of the phone's own stays.
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<Vec<u8>, SdpError> {
        self.negotiation.wish(self.hold.direction());
        let (answer, _) = self.negotiation.answer(offer)?;
        Ok(self.written(&answer, self.hold))
    }

    /// Wishes to hold the peer, or not to, to be offered with [`Call::next_offer`].
    pub(crate) fn wish(&mut self, hold: Hold) {
        self.wished = hold;
    }

    /// Returns the offer that brings the wished hold about. `None` if it is in force, before the call is
    /// established, and while another offer is not answered: it is to be asked for again after that.
    pub(crate) fn next_offer(&mut self) -> Option<Vec<u8>> {
        let is_busy = self.negotiated().is_none() || self.offered.is_some();
        if is_busy || self.wished == self.hold {
            return None;
        }
        Some(self.offer(self.wished))
    }

    fn offer(&mut self, hold: Hold) -> Vec<u8> {
        self.negotiation.wish(hold.direction());
        let offer = self.negotiation.offer();
        self.offered = Some(hold);
        self.written(&offer, hold)
    }

    /// Takes the answer to the phone's offer in.
    pub(crate) fn take_answer(&mut self, answer: &[u8]) -> Result<(), SdpError> {
        if let Some(hold) = self.offered.take() {
            self.negotiation.accept_answer(answer)?;
            self.hold = hold;
        }
        Ok(())
    }

    /// Takes an offer back that could not be sent now; the wish stays.
    pub(crate) fn postpone_offer(&mut self) {
        self.negotiation.withdraw();
        self.offered = None;
    }

    /// Forgets an offer that the peer refused, and the wish: all stays as it was (RFC 3264 §8).
    pub(crate) fn withdraw_offer(&mut self) {
        self.postpone_offer();
        self.wished = self.hold;
    }

    /// Writes a description as the phone sends it: [`edge::sdp`] never writes the zero address, so it is put in here.
    fn written(&self, description: &str, hold: Hold) -> Vec<u8> {
        let address = self.negotiation.local().address;
        let zero = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let connection = |address: IpAddr| format!(" {address}\r\nt=");
        match hold {
            Hold::Off | Hold::SendOnly | Hold::Inactive => description.to_owned(),
            Hold::ZeroAddress => description.replace(&connection(address), &connection(zero)),
        }
        .into_bytes()
    }
}
