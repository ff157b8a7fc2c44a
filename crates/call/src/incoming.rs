//! Calls that come in: an application is called, and answers, rejects or redirects.
//!
//! ```text
//!                    answer                caller confirms
//!  (none) ──► Incoming ──► Establishing ────────────────────► Established
//!              │  │ redirect                        (lifecycle.rs)
//!              │  └───────► Redirecting ──► Terminated  somebody else has the call, or nobody (redirect.rs)
//!              │ reject, given up, not decided in time
//!              └─────────────────────────► Terminated
//! ```
//!
//! Until the caller has confirmed the answer it is as one who rings: not in the roster, and it hears nobody.

use crate::conversation::Conversation;
use crate::invite::RING_TIMEOUT;
use crate::lifecycle::{Call, CallKind, CallState};
use crate::roster::Participant;
use crate::timer::Timer;
use crate::{
    Accepted, CallId, Effect, HangUpCause, IncomingCall, Notice, ParticipantId, Refusal, RejectReason, ResultInfo,
};
use std::time::{Duration, Instant};

/// How long an application may take to decide (Graph, `call: answer`).
pub const DECISION_TIMEOUT: Duration = Duration::from_secs(15);

impl Conversation {
    pub(crate) fn receive_call(&mut self, new: IncomingCall, now: Instant) {
        let IncomingCall { id, participant, application, caller } = new;
        self.add_call(Call::new(id, CallKind::PeerToPeer, participant, CallState::Incoming), application.clone(), now);
        self.timers.set(Timer::Decision(id), now + DECISION_TIMEOUT);
        self.roster.add(Participant::ringing(caller.participant, caller.identity.clone()));
        let (caller_participant, caller) = (caller.participant, caller.identity);
        self.notify(Notice::Incoming { call: id, participant, application, caller_participant, caller });
    }

    pub(crate) fn answer(&mut self, call: CallId, now: Instant) -> Result<Accepted, Refusal> {
        let caller = self.caller(call)?;
        self.timers.cancel(Timer::Decision(call));
        self.timers.set(Timer::Ring(caller), now + RING_TIMEOUT);
        self.set_state(call, CallState::Establishing);
        self.tell_call(call, false);
        self.order(Effect::TakeCall { participant: caller });
        Ok(Accepted::Done)
    }

    pub(crate) fn reject(&mut self, call: CallId, reason: RejectReason) -> Result<Accepted, Refusal> {
        let caller = self.caller(call)?;
        let result = ResultInfo::new(200, 7000, "The call was rejected by its application.");
        self.turn_away(call, caller, HangUpCause::Rejected(reason), result);
        Ok(Accepted::Done)
    }

    pub(crate) fn decision_timed_out(&mut self, call: CallId) {
        let Ok(caller) = self.caller(call) else { return };
        let seconds = DECISION_TIMEOUT.as_secs();
        let message = format!("The application did not answer, reject or redirect the call within {seconds} s.");
        self.turn_away(call, caller, HangUpCause::Undecided, ResultInfo::new(480, 8587, message));
    }

    /// Finds who makes a call that its application has not decided about.
    pub(crate) fn caller(&self, call: CallId) -> Result<ParticipantId, Refusal> {
        if self.live_call(call)?.state != CallState::Incoming {
            return Err(Refusal::CallNotIncoming);
        }
        Ok(*self.roster.people().first().expect("the caller of an incoming call is there until it ends"))
    }

    /// Tells the caller no, and ends the call that it has made.
    pub(crate) fn turn_away(&mut self, call: CallId, caller: ParticipantId, cause: HangUpCause, result: ResultInfo) {
        self.order(Effect::HangUp { participant: caller, cause });
        self.take_out(caller);
        self.terminate(call, result);
        self.end_if_empty();
    }

    /// The call ends: nothing more is to be decided about it.
    pub(crate) fn end_decision(&mut self, call: CallId) {
        self.timers.cancel(Timer::Decision(call));
        self.end_redirect(call);
    }
}
