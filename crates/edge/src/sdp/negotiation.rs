//! The offers and answers of one call, one after the other (RFC 3264 §8).
//!
//! ```text
//!              offer()                    accept_answer()
//!   settled ──────────────► offering ─────────────────────► settled
//!      ▲  answer()             │ withdraw(), an answer of no use
//!      └───────────────────────┘
//! ```

use std::fmt;

use super::answer::answer_in_call;
use super::negotiated::Negotiated;
use super::offer::{Accepted, accept_answer_in_call, first_offer, offer_in_call};
use super::streams::Streams;
use super::{Direction, Encryption, Keying, Local, LocalSrtp, SdpError};
use crate::srtp::Keys;

/// What one side of a call has said of itself, and what was agreed on.
///
/// An offer or an answer that comes to nothing leaves everything as it was. The version in the `o=` line rises exactly
/// when a description differs from the one sent before.
#[derive(Clone)]
pub struct Negotiation {
    local: Local,
    /// The description sent last.
    sent: Option<String>,
    agreed: Option<Negotiated>,
    streams: Streams,
    /// What our offer said that has no answer yet.
    offered: Option<Local>,
    srtp: LocalSrtp,
    /// The first offers, until one of them is said to have been sent.
    first: Option<FirstOffers>,
    encryption: Option<Encryption>,
}

/// Prints no description: keys may stand in it.
impl fmt::Debug for Negotiation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Negotiation { local, agreed, srtp, .. } = self;
        let mut shown = f.debug_struct("Negotiation");
        shown.field("local", local).field("agreed", agreed).field("srtp", srtp).finish_non_exhaustive()
    }
}

/// The first offer of a call, in the ways it may be sent, the best first.
///
/// Who places a call does not know how it will be signalled: that is found out phone by phone. One of them is sent to
/// each, and [`Negotiation::sent_first`] tells which it was.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstOffers(Vec<FirstOffer>);

/// One of the ways to make the first offer.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstOffer {
    /// Where the keys would come from; `None`: it is in clear.
    pub keying: Option<Keying>,
    /// What is sent. Keys may stand in it.
    pub description: String,
}

impl FirstOffers {
    /// Returns the best one that may be sent.
    pub fn best(&self, mut may_be_sent: impl FnMut(Option<Keying>) -> bool) -> Option<&FirstOffer> {
        self.0.iter().find(|offer| may_be_sent(offer.keying))
    }

    /// Returns the description that is keyed so.
    pub fn keyed(&self, keying: Option<Keying>) -> Option<&str> {
        self.best(|offered| offered == keying).map(|offer| offer.description.as_str())
    }
}

/// Prints which there are, without the keys.
impl fmt::Debug for FirstOffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

/// Prints without the keys.
impl fmt::Debug for FirstOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstOffer").field("keying", &self.keying).finish_non_exhaustive()
    }
}

impl Negotiation {
    /// Begins without an agreement, and without encryption. `local` tells the version of the first description.
    pub fn new(local: Local) -> Negotiation {
        let (streams, srtp) = (Streams::audio(), LocalSrtp::off());
        Negotiation { local, sent: None, agreed: None, streams, offered: None, srtp, first: None, encryption: None }
    }

    /// Encrypts as `srtp` says.
    #[must_use]
    pub fn with_srtp(self, srtp: LocalSrtp) -> Negotiation {
        Negotiation { srtp, ..self }
    }

    /// Says whether keys may stand in the descriptions from now on: they go over TLS, or the operator does not mind
    /// (RFC 4568 §8.2).
    pub fn let_keys_be_told(&mut self, may_tell_keys: bool) {
        self.srtp.let_keys_be_told(may_tell_keys);
    }

    /// Returns what both sides encrypt with; `None`: the stream is in clear.
    pub fn encryption(&self) -> Option<&Encryption> {
        self.encryption.as_ref()
    }

    /// Returns the keys that both sides have told. A stream without them is not in clear if a handshake makes them.
    pub fn keys(&self) -> Option<&Keys> {
        match self.encryption.as_ref()? {
            Encryption::Keys(keys) => Some(keys),
            Encryption::Handshake(_) => None,
        }
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

    /// Writes the first offer, in each way it may be sent. [`Negotiation::sent_first`] says which it was, before the answer
    /// is taken in.
    pub fn first_offers(&mut self) -> FirstOffers {
        let write = |keying| {
            let description = first_offer(&self.local, &self.srtp, keying, &self.streams);
            FirstOffer { keying, description }
        };
        let offers = FirstOffers(self.srtp.first_keyings().into_iter().map(write).collect());
        self.offered = Some(self.local.clone());
        self.first = Some(offers.clone());
        offers
    }

    /// Says which of [`Negotiation::first_offers`] was sent to the one that answers.
    pub fn sent_first(&mut self, keying: Option<Keying>) {
        let sent = self.first.take().and_then(|offers| offers.keyed(keying).map(str::to_owned));
        self.sent = sent.or(self.sent.take());
    }

    /// Writes an offer of everything we can do, in our own direction: neither what was negotiated nor a hold of the peer's
    /// narrows it.
    pub fn offer(&mut self) -> String {
        let in_use = self.agreed.map(|agreed| agreed.format);
        let mut offer = offer_in_call(&self.local, &self.srtp, in_use, &self.streams);
        if self.is_news(&offer) {
            self.local.version += 1;
            offer = offer_in_call(&self.local, &self.srtp, in_use, &self.streams);
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
        let sent = self.sent.as_deref().ok_or(SdpError::NotOffered)?;
        let accepted = accept_answer_in_call(&offered, &self.srtp, sent, &self.streams, answer);
        let negotiated = match (accepted, self.agreed) {
            (Err(SdpError::AudioRejected { .. }), Some(agreed)) => agreed.ended(),
            (accepted, _) => {
                let Accepted { negotiated, encryption, protocol } = accepted?;
                self.streams.set_audio_protocol(protocol);
                self.agree_on(encryption);
                negotiated
            }
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
        let mut answered = answer_in_call(&self.local, &self.srtp, self.agreed, offer)?;
        if self.is_news(&answered.text) {
            self.local.version += 1;
            answered = answer_in_call(&self.local, &self.srtp, self.agreed, offer)?;
        }
        self.sent = Some(answered.text.clone());
        (self.agreed, self.streams) = (Some(answered.negotiated), answered.streams);
        if !answered.is_ended {
            self.agree_on(answered.encryption);
        }
        Ok((answered.text, answered.negotiated))
    }

    fn agree_on(&mut self, encryption: Option<Encryption>) {
        self.srtp.agree(encryption.as_ref());
        self.encryption = encryption;
    }

    /// Whether a description says something else than the one before: only then its version rises (RFC 3264 §8).
    fn is_news(&self, description: &str) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent != description)
    }
}
