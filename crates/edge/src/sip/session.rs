//! One call as an endpoint sees it: from the INVITE to the end of the BYE (RFC 3261 §13 to §15).
//!
//! ```text
//!   invite()                                   INVITE comes in
//!      ▼                                            ▼
//!   Calling ──2xx──► Established ◄──accept()── Invited
//!      │ hang_up()         │ hang_up()             │ reject(), CANCEL
//!      ▼                   ▼                       ▼
//!   Canceling ──2xx──►  Ending ──BYE answered──► gone
//!      │ other final response
//!      ▼
//!     gone
//! ```

use std::time::{Duration, Instant};

use super::authorizer::Authorizer;
use super::dialog::{Dialog, DialogId};
use super::event::DialogKey;
use super::expiry::Interval;
use super::flow::Destination;
use super::header::{Headers, Name};
use super::message::Request;
use super::method::Method;
use super::prack::Early;
use super::refer::Referral;
use super::reliable::Ringing;
use super::transaction::{ClientId, ServerId};

/// Everything about one call.
pub(super) struct Session {
    pub(super) phase: Phase,
    pub(super) dialog: Option<Dialog>,
    pub(super) authorizer: Authorizer,
    /// Our offer that has no final response.
    pub(super) offering: Option<Offering>,
    /// The peer's offer that our owner has not answered.
    pub(super) offered: Option<Offered>,
    /// Our 2xx that the peer has not acknowledged.
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// Our 180, if the caller is to confirm it.
    pub(super) ringing: Option<Ringing>,
    /// Dialogs begun by reliable provisional responses, until the final one.
    pub(super) early: Vec<Early>,
    /// What we said of our session last, as far as the peer has taken it.
    pub(super) description: Vec<u8>,
    /// Whether the peer takes UPDATE.
    pub(super) takes_update: bool,
    /// The session interval, if one is agreed on.
    pub(super) interval: Option<Interval>,
    /// The session interval that a 422 has made us ask for.
    pub(super) interval_wished: Option<Duration>,
    /// Whether the peer was asked if it is still there.
    pub(super) is_probing: bool,
    /// What the peer asks with a REFER.
    pub(super) referral: Option<Referral>,
    /// Whether we ask the peer something with a REFER.
    pub(super) is_referring: bool,
    /// Whether that 2xx answers the call itself, not a change in it.
    pub(super) is_confirming: bool,
    /// What the BYE says in its Reason header field, if there is one.
    pub(super) bye_reason: Option<&'static str>,
}

impl Session {
    pub(super) fn new(phase: Phase, authorizer: Authorizer) -> Session {
        Session {
            phase,
            dialog: None,
            authorizer,
            offering: None,
            offered: None,
            unacknowledged: None,
            ringing: None,
            early: Vec::new(),
            description: Vec::new(),
            takes_update: false,
            interval: None,
            interval_wished: None,
            is_probing: false,
            referral: None,
            is_referring: false,
            is_confirming: false,
            bye_reason: None,
        }
    }

    /// Tells whether an INVITE is on its way in either direction, so that we may not send one (RFC 3261 §14.1).
    pub(super) fn is_inviting(&self) -> bool {
        self.offered.is_some() || self.unacknowledged.is_some()
    }

    /// Returns the dialog of this name, which may be an early one.
    pub(super) fn dialog_mut(&mut self, id: &DialogId) -> Option<&mut Dialog> {
        self.dialogs_mut().find(|dialog| dialog.id() == *id)
    }

    /// Returns the dialog and the early ones.
    pub(super) fn dialogs_mut(&mut self) -> impl Iterator<Item = &mut Dialog> {
        let early = self.early.iter_mut().map(|early| &mut early.dialog);
        self.dialog.iter_mut().chain(early)
    }

    /// Takes in what the peer says that it takes.
    pub(super) fn note_allowed(&mut self, headers: &Headers) {
        if headers.first(&Name::Allow).is_some() {
            self.takes_update = headers.list(&Name::Allow).any(|method| method == Method::Update.as_str());
        }
    }
}

/// Where a call stands.
pub(super) enum Phase {
    /// Our INVITE has no final response.
    Calling(Calling),
    /// The same, but nobody wants the call any more.
    Canceling(Calling),
    /// The peer's INVITE has no final response.
    Invited(ServerId),
    /// Answered.
    Established,
    /// We want it to end: the BYE is on its way, or waits for the ACK.
    Ending,
}

/// Our INVITE.
#[derive(Clone)]
pub(super) struct Calling {
    /// The request without Via, to be sent again with credentials.
    pub(super) invite: Request,
    pub(super) destination: Destination,
    pub(super) client: ClientId,
    /// True when the peer has answered provisionally: only then a CANCEL may be sent (RFC 3261 §9.1).
    pub(super) has_provisional: bool,
    /// True when the owner knows that it rings.
    pub(super) is_ringing: bool,
    /// When the call is withdrawn if nobody has answered it.
    pub(super) ring_until: Instant,
    /// What the CANCEL says in its Reason header field, if there is one.
    pub(super) cancel_reason: Option<&'static str>,
}

/// Our offer.
pub(super) struct Offering {
    /// INVITE or UPDATE.
    pub(super) method: Method,
    /// Empty in an INVITE that asks the peer to offer, and in an UPDATE that only refreshes.
    pub(super) body: Vec<u8>,
    /// `None` while it waits after a 491.
    pub(super) client: Option<ClientId>,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// True when it says nothing new and is only to keep the session.
    pub(super) is_refresh: bool,
}

impl Offering {
    pub(super) fn new(method: Method, body: Vec<u8>) -> Offering {
        Offering { method, body, client: None, attempts: 0, is_refresh: false }
    }

    pub(super) fn refresh(method: Method, body: Vec<u8>) -> Offering {
        Offering { is_refresh: true, ..Offering::new(method, body) }
    }

    /// Tells whether an offer or an INVITE of the peer's that comes now collides with it. One that waits to be sent again
    /// does not, nor does an UPDATE that offers nothing.
    pub(super) fn collides(&self) -> bool {
        self.client.is_some() && (self.method == Method::Invite || !self.body.is_empty())
    }

    /// Tells whether the peer is asked to offer.
    pub(super) fn is_request_for_offer(&self) -> bool {
        self.method == Method::Invite && self.body.is_empty()
    }
}

/// Where an offer of the peer's came, and so where our answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    /// In a request, or a request asked for our offer: into its 2xx.
    Request(ServerId),
    /// In the 2xx of an INVITE of ours that had none: into its ACK.
    Success(ClientId),
    /// In an UPDATE before the call was taken: into its 2xx.
    Early(ServerId),
}

/// A 2xx of ours.
pub(super) struct Unacknowledged {
    pub(super) server: ServerId,
    pub(super) cseq: u32,
    pub(super) interval: Duration,
    /// True when it brings our offer, whose answer comes in the ACK.
    pub(super) is_offer: bool,
}

/// The deadlines of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum SessionTimer {
    /// Nobody answered our INVITE.
    Ring(DialogKey),
    /// Our CANCEL brought no final response.
    Cancel(DialogKey),
    /// Our owner did not answer the peer's INVITE.
    Answer(DialogKey),
    /// Our reliable 180 is sent again.
    Ringing(DialogKey),
    /// Our owner did not answer the peer's REFER.
    Referral(DialogKey),
    /// Our 2xx is sent again.
    Resend(DialogKey),
    /// No ACK came.
    Ack(DialogKey),
    /// Our offer is tried again after a 491.
    Offer(DialogKey),
    /// It is on us to refresh the session.
    Refresh(DialogKey),
    /// Nobody has refreshed the session.
    Expiry(DialogKey),
}

impl SessionTimer {
    pub(super) fn all(key: DialogKey) -> [SessionTimer; 10] {
        use SessionTimer::{Ack, Answer, Cancel, Expiry, Offer, Referral, Refresh, Resend, Ring, Ringing};
        [Ring, Cancel, Answer, Ringing, Referral, Resend, Ack, Offer, Refresh, Expiry].map(|timer| timer(key))
    }
}
