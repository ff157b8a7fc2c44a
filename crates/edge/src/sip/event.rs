//! What an endpoint tells its owner.

use std::time::Duration;

use super::flow::Flow;
use super::name_addr::NameAddr;
use super::replaces::Replaces;
use super::status::Status;
use super::uri::{SipUri, Uri};

/// Names one call attempt and the dialog that grows out of it.
///
/// The owner chooses the keys of the calls it makes, below [`DialogKey::INCOMING`]; the endpoint chooses those of the
/// calls that come in, from there on. A key is never used again: behind its last event its BYE may still be on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogKey(pub u64);

impl DialogKey {
    /// The first key of incoming calls.
    pub const INCOMING: DialogKey = DialogKey(1 << 63);
}

/// Names one registration that this endpoint keeps up at a registrar. The owner chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationKey(pub u64);

/// News, in the order it happened.
///
/// Each dialog key gets exactly one last event: [`Failed`](Event::Failed), [`Redirected`](Event::Redirected) or
/// [`Ended`](Event::Ended).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The callee was alerted. Told once. A body that came along (early media) is ignored.
    Ringing {
        /// Our call.
        dialog: DialogKey,
    },
    /// The callee answered our INVITE.
    Answered {
        /// Our call.
        dialog: DialogKey,
        /// The SDP answer, empty when the callee sent none; it may have come earlier, in a reliable provisional response.
        /// To an INVITE without an offer, it is the callee's offer and wants
        /// [`answer_offer`](super::Endpoint::answer_offer).
        body: Vec<u8>,
    },
    /// The call did not come about.
    Failed {
        /// Our call.
        dialog: DialogKey,
        /// The final status; 408 also when nobody answered in time, 503 also when the peer could not be reached.
        status: Status,
        /// The reason phrase that the peer sent.
        reason: String,
    },
    /// The call did not come about, and the callee names others who may take it (3xx). Nobody is called unasked.
    Redirected {
        /// Our call.
        dialog: DialogKey,
        /// The final status.
        status: Status,
        /// Whom it names, in its order; at least one.
        targets: Vec<Uri>,
    },
    /// The peer offers another session (re-INVITE, UPDATE). Wants [`answer_offer`](super::Endpoint::answer_offer).
    Offered {
        /// The dialog.
        dialog: DialogKey,
        /// The SDP offer.
        body: Vec<u8>,
    },
    /// A callee that has not taken our call yet offers another session (UPDATE in an early dialog, RFC 3311 §5.2). Wants
    /// [`answer_early_offer`](super::Endpoint::answer_early_offer), and changes nothing before
    /// [`OfferedBefore`](Event::OfferedBefore) says so: another callee may take the call.
    OfferedEarly {
        /// Our call.
        dialog: DialogKey,
        /// What this callee has said before: its SDP answer, then its offers that were taken.
        said: Vec<Vec<u8>>,
        /// The SDP offer.
        body: Vec<u8>,
    },
    /// The callee that has taken our call had made this offer before, and we had taken it. Nothing is to be answered.
    OfferedBefore {
        /// Our call.
        dialog: DialogKey,
        /// The SDP offer.
        body: Vec<u8>,
    },
    /// The peer asks us to offer (a re-INVITE without an offer, RFC 3261 §14.2). Wants
    /// [`answer_offer`](super::Endpoint::answer_offer) with an offer; [`Event::OfferAnswered`] follows.
    OfferWanted {
        /// The dialog.
        dialog: DialogKey,
    },
    /// The peer took our offer.
    OfferAnswered {
        /// The dialog.
        dialog: DialogKey,
        /// The SDP answer, empty when the peer owed us one and sent none.
        body: Vec<u8>,
    },
    /// The session was refreshed with the description that we sent last, unchanged (RFC 4028 §7.4), and the peer has
    /// answered it.
    Refreshed {
        /// The dialog.
        dialog: DialogKey,
        /// The SDP answer.
        body: Vec<u8>,
    },
    /// The peer refused our offer; the session stays as it was.
    OfferRefused {
        /// The dialog.
        dialog: DialogKey,
        /// The final status.
        status: Status,
    },
    /// The dialog is over, or a call was withdrawn before it was answered.
    Ended {
        /// The dialog.
        dialog: DialogKey,
        /// Why.
        cause: EndCause,
    },
    /// Somebody calls. Wants [`ring`](super::Endpoint::ring), [`accept`](super::Endpoint::accept) or
    /// [`reject`](super::Endpoint::reject).
    Incoming {
        /// The new call.
        dialog: DialogKey,
        /// The user of the registrar that the caller has proved to be.
        user: Option<String>,
        /// Who calls, as the caller says, or as a trusted host asserts (RFC 3325).
        from: NameAddr,
        /// Who is called: the Request-URI.
        to: Uri,
        /// The SDP offer. Empty when the caller wants ours: then [`Event::OfferAnswered`] brings its answer.
        body: Vec<u8>,
        /// The call whose place it is to take (RFC 3891). Who accepts hangs that one up.
        replaces: Option<DialogKey>,
    },
    /// The peer asks us to call somebody (REFER, RFC 3515). Wants [`answer_referral`](super::Endpoint::answer_referral).
    Referred {
        /// The call in which it asks.
        dialog: DialogKey,
        /// Who is to be called.
        target: SipUri,
        /// The dialog of theirs whose place the call is to take.
        replaces: Option<Replaces>,
    },
    /// How it goes on what we have asked with [`refer`](super::Endpoint::refer). A final status is the last.
    ReferProgress {
        /// The call in which we asked.
        dialog: DialogKey,
        /// The status of the call that the peer makes, or why it makes none.
        status: Status,
    },
    /// The caller has acknowledged that we answered its call (ACK): the call is up on both sides.
    Confirmed {
        /// The call.
        dialog: DialogKey,
    },
    /// An INFO came inside a dialog, such as a DTMF digit. It is answered already.
    Info {
        /// The dialog.
        dialog: DialogKey,
        /// The Content-Type, in lower case and without parameters; empty when there is none.
        content_type: String,
        /// The body.
        body: Vec<u8>,
    },
    /// A user of our registrar has a contact that it did not have before.
    Registered {
        /// The user.
        user: String,
    },
    /// A user of our registrar has no contact any more.
    Unregistered {
        /// The user.
        user: String,
    },
    /// A registration of ours at a registrar changed.
    RegistrationChanged {
        /// The registration.
        registration: RegistrationKey,
        /// What it is now.
        state: RegistrationState,
    },
    /// A TCP connection carries no SIP, or too many are open: the owner should close it.
    Disconnect {
        /// The connection.
        flow: Flow,
    },
}

/// Why a dialog ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// We hung up or rejected.
    Local,
    /// The peer hung up (BYE), or withdrew its call (CANCEL).
    Remote,
    /// The peer does not answer any more, or did not refresh the session in time.
    Timeout,
    /// The peer says that it does not know the dialog (481).
    Unknown,
}

/// The state of a registration of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationState {
    /// The registrar knows us; it is refreshed before it ends.
    Registered {
        /// How long the registrar keeps it.
        expires: Duration,
    },
    /// We took it back.
    Unregistered,
    /// The registrar refused for good, or took no notice of us. `retry` says when we try again by ourselves.
    Failed {
        /// The status; 408 when no answer came.
        status: Status,
        /// The time until the next try; `None` when there is none.
        retry: Option<Duration>,
    },
}
