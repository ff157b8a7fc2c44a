//! The offers and answers of one call, one after the other (RFC 3264 §8).
//!
//! ```text
//!              offer()                    accept_answer()
//!   settled ──────────────► offering ─────────────────────► settled
//!      ▲  answer()             │ withdraw(), an answer of no use
//!      └───────────────────────┘
//! ```

use super::answer::answer_in_call;
use super::negotiated::Negotiated;
use super::offer::{accept_answer_in_call, offer_in_call};
use super::streams::Streams;
use super::{Direction, Local, SdpError};

/// What one side of a call has said of itself, and what was agreed on.
///
/// An offer or an answer that comes to nothing leaves everything as it was. The version in the `o=` line rises exactly
/// when a description differs from the one sent before.
#[derive(Debug, Clone)]
pub struct Negotiation {
    local: Local,
    /// The description sent last.
    sent: Option<String>,
    agreed: Option<Negotiated>,
    streams: Streams,
    /// What our offer said that has no answer yet.
    offered: Option<Local>,
}

impl Negotiation {
    /// Begins without an agreement. `local` tells the version of the first description.
    pub fn new(local: Local) -> Negotiation {
        Negotiation { local, sent: None, agreed: None, streams: Streams::audio(), offered: None }
    }

    /// Returns what was agreed on last.
    pub fn agreed(&self) -> Option<Negotiated> {
        self.agreed
    }

    /// Returns what we say of ourselves.
    pub fn local(&self) -> &Local {
        &self.local
    }

    /// Wishes another direction, to be said with the next description.
    pub fn wish(&mut self, direction: Direction) {
        self.local.direction = direction;
    }

    /// Has other codecs from the next description on.
    pub fn set_codecs(&mut self, codecs: Vec<media::Codec>) {
        self.local.codecs = codecs;
    }

    /// Receives at another port from the next description on.
    pub fn set_rtp_port(&mut self, rtp_port: u16) {
        self.local.rtp_port = rtp_port;
    }

    /// Writes an offer of everything we can do, in our own direction: neither what was negotiated nor a hold of the peer's
    /// narrows it.
    pub fn offer(&mut self) -> String {
        let in_use = self.agreed.map(|agreed| agreed.format);
        let mut offer = offer_in_call(&self.local, in_use, &self.streams);
        if self.is_news(&offer) {
            self.local.version += 1;
            offer = offer_in_call(&self.local, in_use, &self.streams);
        }
        self.sent = Some(offer.clone());
        self.offered = Some(self.local.clone());
        offer
    }

    /// Takes the answer to our offer in.
    ///
    /// # Errors
    ///
    /// [`SdpError::NotOffered`] if there was no offer, every other variant if the answer is of no use: what was agreed
    /// before stays in force.
    pub fn accept_answer(&mut self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        let offered = self.offered.take().ok_or(SdpError::NotOffered)?;
        let negotiated = match (accept_answer_in_call(&offered, &self.streams, answer), self.agreed) {
            (Err(SdpError::AudioRejected { .. }), Some(agreed)) => agreed.ended(),
            (outcome, _) => outcome?,
        };
        self.agreed = Some(negotiated);
        Ok(negotiated)
    }

    /// Takes the answer to our last description in, which was sent once more just as it was to keep the session alive
    /// (RFC 4028 §7.4).
    ///
    /// # Errors
    ///
    /// As [`Negotiation::accept_answer`].
    pub fn accept_refresh(&mut self, answer: &[u8]) -> Result<Negotiated, SdpError> {
        self.offered.get_or_insert(self.local.clone());
        self.accept_answer(answer)
    }

    /// Takes our offer back: the peer refused it, or it could not be sent.
    pub fn withdraw(&mut self) {
        self.offered = None;
    }

    /// Answers the peer's offer.
    ///
    /// # Errors
    ///
    /// Why it cannot be accepted (SIP: 488 Not Acceptable Here): what was agreed before stays in force.
    pub fn answer(&mut self, offer: &[u8]) -> Result<(String, Negotiated), SdpError> {
        let mut answered = answer_in_call(&self.local, self.agreed, offer)?;
        if self.is_news(&answered.text) {
            self.local.version += 1;
            answered = answer_in_call(&self.local, self.agreed, offer)?;
        }
        self.sent = Some(answered.text.clone());
        (self.agreed, self.streams) = (Some(answered.negotiated), answered.streams);
        Ok((answered.text, answered.negotiated))
    }

    /// Whether a description says something else than the one before: only then its version rises (RFC 3264 §8).
    fn is_news(&self, description: &str) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent != description)
    }
}
