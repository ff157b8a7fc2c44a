//! Reliable provisional responses, as the caller: each is confirmed with PRACK, and may bring the answer (RFC 3262).

use std::time::Instant;

use super::dialog::{Dialog, DialogId};
use super::early_offer::Said;
use super::endpoint::Endpoint;
use super::event::DialogKey;
use super::header::Name;
use super::message::Response;
use super::method::Method;
use super::name_addr::NameAddr;
use super::session::Session;
use super::transaction::{ClientEvent, Purpose};

/// The option tag of reliable provisional responses.
pub(super) const OPTION: &str = "100rel";

/// The most early dialogs of one call: phones behind a forking proxy. More are not confirmed, and end by themselves.
const EARLY_MAX: usize = 16;

/// A dialog that a reliable provisional response has begun.
pub(super) struct Early {
    pub(super) dialog: Dialog,
    /// The number of the last response that was confirmed.
    rseq: u32,
    pub(super) said: Said,
}

impl Endpoint {
    /// Confirms a provisional response if it is a reliable one and its turn. A repeated one is confirmed already, and one
    /// that overtook another will be repeated (RFC 3262 §4).
    pub(super) fn confirm(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        let Some(rseq) = rseq_of(&outcome.response) else { return };
        let Some((invite, first)) = self.transactions.sent(outcome.id) else { return };
        let cseq = invite.headers.first(&Name::CSeq).unwrap_or("").to_owned();
        let Ok(dialog) = Dialog::from_response(invite, &outcome.response, first) else { return };
        let dialog = dialog.confined_to(self.reach());
        let id = dialog.id();
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(early) = session.early_for(dialog, rseq, EARLY_MAX) else { return };
        let body = outcome.response.description();
        if !body.is_empty() {
            early.said.answer.get_or_insert(body);
        }
        let mut prack = early.dialog.request(Method::Prack);
        prack.headers.push(Name::RAck, format!("{rseq} {cseq}"));
        let destination = early.dialog.destination();
        session.authorizer.sign(&mut prack);
        self.dialogs.insert(id, key);
        self.transactions.start(prack, destination, Purpose::Orphan, now);
    }
}

impl Session {
    /// Returns the early dialog of a response whose turn it is.
    fn early_for(&mut self, dialog: Dialog, rseq: u32, early_max: usize) -> Option<&mut Early> {
        let id = dialog.id();
        match self.early.iter().position(|early| early.dialog.id() == id) {
            Some(at) if self.early[at].rseq.checked_add(1) == Some(rseq) => {
                self.early[at].rseq = rseq;
                Some(&mut self.early[at])
            }
            None if self.early.len() < early_max => {
                self.early.push(Early { dialog, rseq, said: Said::default() });
                self.early.last_mut()
            }
            Some(_) | None => None,
        }
    }

    /// Returns the early dialog of this name.
    pub(super) fn early_mut(&mut self, id: &DialogId) -> Option<&mut Early> {
        self.early.iter_mut().find(|early| early.dialog.id() == *id)
    }

    /// Returns what the early dialog of a final response has come to.
    pub(super) fn early_of(&self, response: &Response) -> Option<&Early> {
        let to: NameAddr = response.headers.first(&Name::To)?.parse().ok()?;
        let tag = to.tag().unwrap_or("");
        self.early.iter().find(|early| early.dialog.id().remote_tag == tag)
    }
}

/// Returns the number of a reliable provisional response; `None` for any other.
fn rseq_of(response: &Response) -> Option<u32> {
    let is_reliable = response.headers.list(&Name::Require).any(|option| option.eq_ignore_ascii_case(OPTION));
    // RFC 3262 §3: from 1 to 2^31 - 1. A 100 is hop by hop and never reliable.
    let rseq = response.headers.number(&Name::RSeq).filter(|rseq| (1..1 << 31).contains(rseq));
    rseq.filter(|_| is_reliable && response.status.code() > 100)
}
