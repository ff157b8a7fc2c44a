//! Calls that come in, as SIP sees them.
//!
//! ```text
//!            ring, answer               ACK
//!  invited ───────────────► answered ───────────► confirmed ◄─── re-INVITE
//!     │ refused, CANCEL         │ BYE, no ACK          │ BYE, lost
//!     ▼                         ▼                      ▼
//! unreached                 unreached                left
//! ```

use super::dialling::{Step, left};
use super::outcome::status;
use super::{LegAddress, SipLoop};
use crate::engine::new_guid;
use crate::worker::{CallerOffer, Job, LegEvent};
use call::{CallId, ConversationId, HangUpCause, IncomingCall, Invitation, ParticipantId, RejectReason, Unreached};
use edge::sip::{DialogKey, EndCause, Endpoint, NameAddr, Status, Uri};
use std::collections::HashMap;
use std::time::Instant;

/// Who calls, as far as it has proved it.
pub(super) struct Caller {
    pub(super) user: Option<String>,
    pub(super) from: NameAddr,
}

impl SipLoop {
    /// Somebody calls. The worker that will own the conversation decides whether it comes about.
    pub(super) fn receive_call(&mut self, dialog: DialogKey, caller: &Caller, called: &Uri, description: Vec<u8>) {
        let now = Instant::now();
        let Some(application) = self.dialling.directory.application(called) else {
            return self.endpoint.reject(dialog, Status::NOT_FOUND, now);
        };
        let caller = self.invitation_of(caller);
        let by_load = self.workers.iter().enumerate().min_by_key(|(_, worker)| worker.conversations());
        let (worker, _) = by_load.expect("there is at least one worker");
        let conversation = ConversationId::new(new_guid());
        let leg = LegAddress { worker, conversation, participant: caller.participant };
        let (id, participant) = (CallId::new(new_guid()), ParticipantId::new(new_guid()));
        let call = IncomingCall { id, participant, application, caller };
        let offer = self.caller_offer(dialog, description);
        self.hand_over(dialog, leg, Job::Receive { conversation, call, offer });
    }

    /// Somebody calls to take the place of a leg of ours.
    pub(super) fn receive_replacement(
        &mut self,
        dialog: DialogKey,
        caller: &Caller,
        replaced: DialogKey,
        description: Vec<u8>,
    ) {
        let Some(LegAddress { worker, conversation, participant }) = self.dialling.leg(replaced) else {
            return self.endpoint.reject(dialog, Status::CALL_DOES_NOT_EXIST, Instant::now());
        };
        let by = self.invitation_of(caller);
        let leg = LegAddress { worker, conversation, participant: by.participant };
        let offer = self.caller_offer(dialog, description);
        self.hand_over(dialog, leg, Job::Replace { conversation, participant, by, offer });
    }

    fn invitation_of(&self, caller: &Caller) -> Invitation {
        let identity = self.dialling.directory.caller(caller.user.as_deref(), &caller.from);
        Invitation::new(ParticipantId::new(new_guid()), identity)
    }

    fn caller_offer(&self, dialog: DialogKey, description: Vec<u8>) -> CallerOffer {
        let may_tell_keys = self.dialling.may_tell_keys(&self.endpoint, dialog);
        CallerOffer { description, may_tell_keys, transport: self.endpoint.transport(dialog) }
    }

    fn hand_over(&mut self, dialog: DialogKey, leg: LegAddress, job: Job) {
        match self.workers[leg.worker].send(job) {
            Ok(()) => self.dialling.callers.invited(leg, dialog),
            Err(_) => self.endpoint.reject(dialog, Status::SERVICE_UNAVAILABLE, Instant::now()),
        }
    }
}

/// Every leg of somebody who calls.
#[derive(Debug, Default)]
pub(super) struct Callers {
    calls: HashMap<LegAddress, Call>,
    legs: HashMap<DialogKey, LegAddress>,
}

#[derive(Debug)]
struct Call {
    dialog: DialogKey,
    /// Whether we have answered it.
    is_answered: bool,
    /// Whether the caller has confirmed that.
    is_confirmed: bool,
}

impl Callers {
    fn invited(&mut self, address: LegAddress, dialog: DialogKey) {
        self.calls.insert(address, Call { dialog, is_answered: false, is_confirmed: false });
        self.legs.insert(dialog, address);
    }

    /// Lets the caller hear that it rings.
    pub(super) fn ring(&self, endpoint: &mut Endpoint, address: LegAddress, now: Instant) {
        if let Some(call) = self.calls.get(&address).filter(|call| !call.is_answered) {
            endpoint.ring(call.dialog, now);
        }
    }

    /// Takes the caller's call.
    pub(super) fn answer(&mut self, endpoint: &mut Endpoint, address: LegAddress, answer: String, now: Instant) {
        if let Some(call) = self.calls.get_mut(&address).filter(|call| !call.is_answered) {
            call.is_answered = true;
            endpoint.accept(call.dialog, answer.into_bytes(), now);
        }
    }

    /// Refuses the caller's call, if it has not been taken.
    pub(super) fn refuse(&mut self, endpoint: &mut Endpoint, address: LegAddress, status: Status, now: Instant) {
        if self.calls.get(&address).is_some_and(|call| !call.is_answered)
            && let Some(call) = self.remove(address)
        {
            endpoint.reject(call.dialog, status, now);
        }
    }

    /// Ends the caller's call in whatever state it is.
    pub(super) fn hang_up(&mut self, endpoint: &mut Endpoint, address: LegAddress, cause: HangUpCause, now: Instant) {
        self.refuse(endpoint, address, refusal(cause), now);
        if let Some(call) = self.remove(address) {
            endpoint.hang_up(call.dialog, now);
        }
    }

    /// Returns whose dialog it is.
    pub(super) fn leg(&self, dialog: DialogKey) -> Option<LegAddress> {
        self.legs.get(&dialog).copied()
    }

    /// A leg has another address from now on.
    pub(super) fn rename(&mut self, from: LegAddress, to: LegAddress) {
        if let Some(call) = self.calls.remove(&from) {
            self.legs.insert(call.dialog, to);
            self.calls.insert(to, call);
        }
    }

    /// Returns the dialog of a caller whose call has been taken.
    pub(super) fn answered_dialog(&self, address: LegAddress) -> Option<DialogKey> {
        self.calls.get(&address).filter(|call| call.is_answered).map(|call| call.dialog)
    }

    /// The caller has confirmed that its call was taken.
    pub(super) fn confirmed(&mut self, dialog: DialogKey) -> Option<Step> {
        let leg = self.leg(dialog)?;
        self.calls.get_mut(&leg)?.is_confirmed = true;
        Some(Step { leg, event: LegEvent::Confirmed })
    }

    /// A dialog has ended; nothing happens if it is not a caller's.
    pub(super) fn ended(&mut self, dialog: DialogKey, cause: EndCause) -> Option<Step> {
        let leg = self.leg(dialog)?;
        let call = self.remove(leg)?;
        let event = match cause {
            cause if call.is_confirmed => LegEvent::Left(left(cause)),
            EndCause::Remote => LegEvent::Unreached(Unreached::Withdrawn),
            EndCause::Local if !call.is_answered => LegEvent::Unreached(Unreached::NoAnswer),
            EndCause::Local | EndCause::Timeout | EndCause::Unknown => LegEvent::Unreached(Unreached::NotConfirmed),
        };
        Some(Step { leg, event })
    }

    fn remove(&mut self, address: LegAddress) -> Option<Call> {
        let call = self.calls.remove(&address)?;
        self.legs.remove(&call.dialog);
        Some(call)
    }
}

/// What a caller is told whose call is not taken (RFC 3261 §21).
pub(super) fn refusal(cause: HangUpCause) -> Status {
    match cause {
        HangUpCause::Rejected(RejectReason::None) => Status::DECLINE,
        HangUpCause::Rejected(RejectReason::Busy) => Status::BUSY_HERE,
        HangUpCause::Rejected(RejectReason::Forbidden) => Status::FORBIDDEN,
        HangUpCause::NotRedirected(cause) => status(cause),
        HangUpCause::NotReplaced => Status::DECLINE,
        HangUpCause::CallEnded
        | HangUpCause::Removed
        | HangUpCause::Replaced
        | HangUpCause::NoAnswer
        | HangUpCause::Undecided => Status::TEMPORARILY_UNAVAILABLE,
    }
}
