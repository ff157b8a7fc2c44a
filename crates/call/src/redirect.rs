//! `redirect`: an incoming call is given to others. All of them ring, and the first to answer has it.
//!
//! ```text
//!            redirect          one answers             caller confirms
//!  Incoming ──────────► Ringing ───────────► Connecting ───────────────► the two are together, the call is over
//!                         │ nobody does, in time       │ either leaves
//!                         ▼                            ▼
//!                  the caller is told why, the call is over
//! ```
//!
//! The caller goes on ringing until somebody has answered, so that it never pays for, or talks to, nobody. Its application
//! is told how it ended, once.

use crate::conversation::Conversation;
use crate::lifecycle::{CallKind, CallState, unreached_result};
use crate::roster::Participant;
use crate::timer::Timer;
use crate::{Accepted, CallId, Effect, HangUpCause, Invitation, ParticipantId, Refusal, ResultInfo, Unreached, invite};
use std::time::{Duration, Instant};

/// "We support up to 25 targets" (Graph, `call: redirect`).
pub const REDIRECT_TARGETS_MAX: usize = 25;

/// A call on its way to others.
#[derive(Debug)]
pub(crate) struct Redirect {
    call: CallId,
    caller: ParticipantId,
    /// Who rings.
    ringing: Vec<ParticipantId>,
    /// Whether one of them has answered.
    is_taken: bool,
}

impl Conversation {
    pub(crate) fn redirect(
        &mut self,
        call: CallId,
        targets: Vec<Invitation>,
        timeout: Duration,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        let caller = self.caller(call)?;
        if targets.len() > REDIRECT_TARGETS_MAX {
            return Err(Refusal::TooManyTargets);
        }
        self.refuse_twice(&targets)?;
        self.timers.cancel(Timer::Decision(call));
        self.timers.set(Timer::Redirect(call), now + timeout);
        self.set_state(call, CallState::Redirecting);
        self.tell_call(call, false);
        let ringing = targets.iter().map(|target| target.participant).collect();
        self.redirect = Some(Redirect { call, caller, ringing, is_taken: false });
        for Invitation { participant, identity, .. } in targets {
            self.add_ringing(Participant::ringing(participant, identity), Some(timeout));
        }
        Ok(Accepted::Done)
    }

    /// Somebody has answered: a target, who gets the call, or the caller, who has confirmed that it was answered.
    pub(crate) fn redirect_answered(&mut self, participant: ParticipantId, now: Instant) {
        let Some(redirect) = &mut self.redirect else { return };
        let (call, caller) = (redirect.call, redirect.caller);
        if participant == caller {
            return self.redirected(call);
        }
        if !redirect.ringing.contains(&participant) {
            return;
        }
        redirect.is_taken = true;
        let others = std::mem::take(&mut redirect.ringing);
        self.timers.cancel(Timer::Redirect(call));
        self.timers.set(Timer::Ring(caller), now + invite::RING_TIMEOUT);
        for other in others.into_iter().filter(|other| *other != participant) {
            self.end_leg(other);
        }
        self.order(Effect::TakeCall { participant: caller });
    }

    /// The two are together. They stay so without the application.
    fn redirected(&mut self, call: CallId) {
        let found = self.calls.iter_mut().find(|c| c.id == call);
        found.expect("a redirect ends with its call").kind = CallKind::Group;
        self.terminate(call, ResultInfo::new(200, 0, "The call was redirected."));
    }

    /// A target cannot be reached, or the caller has given up.
    pub(crate) fn redirect_unreached(&mut self, participant: ParticipantId, cause: Unreached) {
        let Some(redirect) = &mut self.redirect else { return };
        let (call, caller) = (redirect.call, redirect.caller);
        redirect.ringing.retain(|ringing| *ringing != participant);
        if participant == caller {
            self.terminate(call, unreached_result(cause));
        } else if redirect.ringing.is_empty() && !redirect.is_taken {
            self.turn_away(call, caller, HangUpCause::NotRedirected(cause), unreached_result(cause));
        }
    }

    pub(crate) fn redirect_timed_out(&mut self, call: CallId) {
        let Some(redirect) = self.redirect.take_if(|redirect| redirect.call == call) else { return };
        for target in redirect.ringing {
            self.order(Effect::HangUp { participant: target, cause: HangUpCause::NoAnswer });
            self.take_out(target);
        }
        let cause = Unreached::NoAnswer;
        self.turn_away(call, redirect.caller, HangUpCause::NotRedirected(cause), unreached_result(cause));
    }

    pub(crate) fn end_redirect(&mut self, call: CallId) {
        self.timers.cancel(Timer::Redirect(call));
        self.redirect.take_if(|redirect| redirect.call == call);
    }
}
