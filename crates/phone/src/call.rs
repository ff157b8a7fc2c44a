//! The one call of a phone: what it has said of itself, and what was agreed on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use edge::sdp::{self, Local, Negotiated, SdpError};
use edge::sip::DialogKey;

use crate::state::Hold;

/// A call, from the first ring to its end.
#[derive(Debug)]
pub(crate) struct Call {
    dialog: DialogKey,
    /// What the phone said last and its peer accepted.
    local: Local,
    hold: Hold,
    wished: Hold,
    /// What it offered and the peer has not answered.
    offered: Option<(Local, Hold)>,
    negotiated: Option<Negotiated>,
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
    pub(crate) fn outgoing(dialog: DialogKey, local: Local) -> (Call, Vec<u8>) {
        let offer = sdp::offer(&local).into_bytes();
        let call = Call::new(dialog, local.clone());
        (Call { offered: Some((local, Hold::Off)), ..call }, offer)
    }

    /// Begins a call that rings here.
    pub(crate) fn incoming(dialog: DialogKey, local: Local, ringing: Ringing) -> Call {
        Call { ringing: Some(ringing), ..Call::new(dialog, local) }
    }

    fn new(dialog: DialogKey, local: Local) -> Call {
        let (hold, wished) = (Hold::Off, Hold::Off);
        Call { dialog, local, hold, wished, offered: None, negotiated: None, ringing: None }
    }

    pub(crate) fn dialog(&self) -> DialogKey {
        self.dialog
    }

    /// Returns what was agreed on; `None` before the call is established.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        self.negotiated
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
        let local = self.next(self.hold);
        let (answer, negotiated) = sdp::answer(&local, offer)?;
        (self.local, self.negotiated) = (local, Some(negotiated));
        Ok(written(&self.local, answer, self.hold))
    }

    /// Wishes to hold the peer, or not to, to be offered with [`Call::next_offer`].
    pub(crate) fn wish(&mut self, hold: Hold) {
        self.wished = hold;
    }

    /// Returns the offer that brings the wished hold about. `None` if it is in force, before the call is
    /// established, and while another offer is not answered: it is to be asked for again after that.
    pub(crate) fn next_offer(&mut self) -> Option<Vec<u8>> {
        let is_busy = self.negotiated.is_none() || self.offered.is_some();
        if is_busy || self.wished == self.hold {
            return None;
        }
        let local = self.next(self.wished);
        let offer = written(&local, sdp::offer(&local), self.wished);
        self.offered = Some((local, self.wished));
        Some(offer)
    }

    /// Takes the answer to the phone's offer in.
    pub(crate) fn take_answer(&mut self, answer: &[u8]) -> Result<(), SdpError> {
        if let Some((local, hold)) = self.offered.take() {
            self.negotiated = Some(sdp::accept_answer(&local, answer)?);
            (self.local, self.hold) = (local, hold);
        }
        Ok(())
    }

    /// Takes an offer back that could not be sent now; the wish stays.
    pub(crate) fn postpone_offer(&mut self) {
        self.offered = None;
    }

    /// Forgets an offer that the peer refused, and the wish: all stays as it was (RFC 3264 §8).
    pub(crate) fn withdraw_offer(&mut self) {
        self.offered = None;
        self.wished = self.hold;
    }

    fn next(&self, hold: Hold) -> Local {
        Local { direction: hold.direction(), version: self.local.version + 1, ..self.local.clone() }
    }
}

/// Writes a description as the phone sends it: [`edge::sdp`] never writes the zero address, so it is put in here.
fn written(local: &Local, description: String, hold: Hold) -> Vec<u8> {
    let zero = match local.address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let connection = |address: IpAddr| format!(" {address}\r\nt=");
    match hold {
        Hold::Off | Hold::SendOnly | Hold::Inactive => description,
        Hold::ZeroAddress => description.replace(&connection(local.address), &connection(zero)),
    }
    .into_bytes()
}
