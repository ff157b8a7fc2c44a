//! The one call of a phone: what it has said of itself, and what was agreed on.

use std::time::Instant;

use edge::sdp::{self, Direction, Local, Negotiated, SdpError};
use edge::sip::DialogKey;

/// A call, from the first ring to its end.
#[derive(Debug)]
pub(crate) struct Call {
    dialog: DialogKey,
    /// What the phone said last and its peer accepted.
    local: Local,
    wished: Direction,
    /// What it offered and the peer has not answered.
    offered: Option<Local>,
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
        let offered = Some(local.clone());
        let wished = local.direction;
        (Call { dialog, local, wished, offered, negotiated: None, ringing: None }, offer)
    }

    /// Begins a call that rings here.
    pub(crate) fn incoming(dialog: DialogKey, local: Local, ringing: Ringing) -> Call {
        let wished = local.direction;
        Call { dialog, local, wished, offered: None, negotiated: None, ringing: Some(ringing) }
    }

    pub(crate) fn dialog(&self) -> DialogKey {
        self.dialog
    }

    /// Returns what was agreed on; `None` before the call is established.
    pub(crate) fn negotiated(&self) -> Option<Negotiated> {
        self.negotiated
    }

    /// Returns the direction the phone has said and its peer has accepted.
    pub(crate) fn direction(&self) -> Direction {
        self.local.direction
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

    /// Answers an offer of the peer's with the direction the phone wishes.
    pub(crate) fn answer(&mut self, offer: &[u8]) -> Result<Vec<u8>, SdpError> {
        let local = self.next(self.local.direction);
        let (answer, negotiated) = sdp::answer(&local, offer)?;
        (self.local, self.negotiated) = (local, Some(negotiated));
        Ok(answer.into_bytes())
    }

    /// Wishes another direction, to be offered with [`Call::next_offer`].
    pub(crate) fn wish(&mut self, direction: Direction) {
        self.wished = direction;
    }

    /// Returns the offer that brings the wished direction about. `None` if it is in force, before the call is
    /// established, and while another offer is not answered: it is to be asked for again after that.
    pub(crate) fn next_offer(&mut self) -> Option<Vec<u8>> {
        let is_busy = self.negotiated.is_none() || self.offered.is_some();
        if is_busy || self.wished == self.local.direction {
            return None;
        }
        let local = self.next(self.wished);
        let offer = sdp::offer(&local).into_bytes();
        self.offered = Some(local);
        Some(offer)
    }

    /// Takes the answer to the phone's offer in.
    pub(crate) fn take_answer(&mut self, answer: &[u8]) -> Result<(), SdpError> {
        if let Some(local) = self.offered.take() {
            self.negotiated = Some(sdp::accept_answer(&local, answer)?);
            self.local = local;
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
        self.wished = self.local.direction;
    }

    fn next(&self, direction: Direction) -> Local {
        Local { direction, version: self.local.version + 1, ..self.local.clone() }
    }
}
