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

use std::time::Duration;

use super::authorizer::Authorizer;
use super::dialog::Dialog;
use super::event::DialogKey;
use super::flow::Destination;
use super::message::Request;
use super::transaction::{ClientId, ServerId};

/// Everything about one call.
pub(super) struct Session {
    pub(super) phase: Phase,
    pub(super) dialog: Option<Dialog>,
    pub(super) authorizer: Authorizer,
    /// Our re-INVITE that has no final response.
    pub(super) offering: Option<Offering>,
    /// The peer's re-INVITE that we have not answered.
    pub(super) offered: Option<ServerId>,
    /// Our 2xx that the peer has not acknowledged.
    pub(super) unacknowledged: Option<Unacknowledged>,
}

impl Session {
    pub(super) fn new(phase: Phase, authorizer: Authorizer) -> Session {
        Session { phase, dialog: None, authorizer, offering: None, offered: None, unacknowledged: None }
    }

    /// Tells whether an INVITE is on its way in either direction, so that we may not send one (RFC 3261 §14.1).
    pub(super) fn is_inviting(&self) -> bool {
        self.offered.is_some() || self.unacknowledged.is_some()
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
}

/// Our re-INVITE.
pub(super) struct Offering {
    pub(super) body: Vec<u8>,
    /// `None` while it waits after a 491.
    pub(super) client: Option<ClientId>,
}

/// A 2xx of ours.
pub(super) struct Unacknowledged {
    pub(super) server: ServerId,
    pub(super) cseq: u32,
    pub(super) interval: Duration,
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
    /// Our 2xx is sent again.
    Resend(DialogKey),
    /// No ACK came.
    Ack(DialogKey),
    /// Our re-INVITE is tried again after a 491.
    Reinvite(DialogKey),
}

impl SessionTimer {
    pub(super) fn all(key: DialogKey) -> [SessionTimer; 6] {
        use SessionTimer::{Ack, Answer, Cancel, Reinvite, Resend, Ring};
        [Ring(key), Cancel(key), Answer(key), Resend(key), Ack(key), Reinvite(key)]
    }
}
