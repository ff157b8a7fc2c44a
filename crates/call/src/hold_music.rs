//! `startHoldMusic` and `stopHoldMusic`.
//!
//! ```text
//!          start            loaded              first packet            stop              back in the mix
//!  (free) ───────► Loading ────────► Starting ──────────────► Playing ───────► Stopping ─────────────────► (free)
//!                     │                  │  operation completed    ▲               │  operation completed
//!                     │ cannot be had    │ did not start           └───────────────┘ did not stop: operation failed
//!                     ▼                  ▼
//!                  (free)             (free)      operation failed, the participant is back in the conversation
//! ```
//!
//! The layer is laid over the participant when the command is accepted and taken away when the hold ends; between the
//! two only silence or music is heard, whatever happens to the prompt: it fails closed. A stop that comes before the
//! music has started waits for it. Every arrow that waits for a fact has a deadline, so every operation ends.

use crate::conversation::Conversation;
use crate::roster::Participant;
use crate::timer::Timer;
use crate::{
    Accepted, CallId, Effect, HoldPresence, Holds, OnPromptFailure, Operation, OperationId, ParticipantId, Prompt,
    PromptFailure, PromptFailureKind, Refusal, ResultInfo,
};
use std::time::{Duration, Instant};

/// A prompt that is not ready after so long is given up. Fetching is bounded to 15 s by whoever fetches; this leaves
/// room for decoding. Together with [`MUSIC_START_TIMEOUT`] it stays below the 30 s that the .NET SDK waits.
pub const PROMPT_LOAD_TIMEOUT: Duration = Duration::from_secs(22);

/// Music that was ordered starts with the next tick (20 ms); after so long the leg is not being served.
pub const MUSIC_START_TIMEOUT: Duration = Duration::from_secs(3);

/// A participant that was released is back in the mix with the next tick; after so long the leg is not being served.
pub const MUSIC_STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// One participant on hold.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) participant: ParticipantId,
    /// The call that holds. When it ends, so does the hold.
    by: CallId,
    /// The operation that started it; it names the music.
    started_by: OperationId,
    prompt: Prompt,
    phase: Phase,
    /// A stop that waits until the music has started.
    stop: Option<Operation>,
}

/// How far a hold is: see the diagram above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldPhase {
    /// The prompt is being loaded; silence.
    Loading,
    /// The music is ordered; its first packet is still to come.
    Starting,
    /// The music is heard.
    Playing,
    /// The hold is about to end.
    Stopping,
}

#[derive(Debug)]
enum Phase {
    Loading(Operation),
    Starting(Operation),
    Playing,
    Stopping(Operation),
}

impl Conversation {
    pub(crate) fn start_hold_music(
        &mut self,
        operation: Operation,
        participant: ParticipantId,
        prompt: Prompt,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        self.established_call(operation.call)?;
        self.addressable(operation.call, participant)?;
        self.hold_slot(participant)?;
        self.end_replacement_of(participant);
        self.lay_hold(participant, true);
        let (by, started_by) = (operation.call, operation.id);
        let phase = Phase::Loading(operation.clone());
        self.holds.push(Hold { participant, by, started_by, prompt: prompt.clone(), phase, stop: None });
        self.load_prompt(started_by, participant, prompt, now);
        Ok(Accepted::Operation(operation))
    }

    /// Any application that is in the conversation may end a hold.
    pub(crate) fn stop_hold_music(
        &mut self,
        operation: Operation,
        participant: ParticipantId,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        self.established_call(operation.call)?;
        self.addressable(operation.call, participant)?;
        let at = self.holds.iter().position(|h| h.participant == participant).ok_or(Refusal::NotOnHold)?;
        let hold = &mut self.holds[at];
        match hold.phase {
            Phase::Stopping(_) => return Err(Refusal::HoldEnding),
            Phase::Loading(_) | Phase::Starting(_) if hold.stop.is_some() => return Err(Refusal::HoldEnding),
            Phase::Loading(_) | Phase::Starting(_) => hold.stop = Some(operation.clone()),
            Phase::Playing => self.begin_stop(at, operation.clone(), now),
        }
        Ok(Accepted::Operation(operation))
    }

    /// Finds a person of the roster that `call` may address.
    pub(crate) fn addressable(&mut self, call: CallId, id: ParticipantId) -> Result<&mut Participant, Refusal> {
        if !self.has_roster(self.live_call(call)?) {
            return Err(Refusal::ParticipantNotFound);
        }
        self.roster.person(id)
    }

    fn hold_slot(&self, participant: ParticipantId) -> Result<(), Refusal> {
        if self.holds.iter().any(|h| h.participant == participant) {
            return Err(Refusal::AlreadyOnHold);
        }
        match (self.policy.holds, self.holds.first()) {
            (Holds::OneAtATime, Some(hold)) => Err(Refusal::AnotherOnHold { held: hold.participant }),
            (Holds::OneAtATime, None) | (Holds::Several, _) => Ok(()),
        }
    }

    fn load_prompt(&mut self, operation: OperationId, participant: ParticipantId, prompt: Prompt, now: Instant) {
        self.timers.set(Timer::PromptLoad(operation), now + PROMPT_LOAD_TIMEOUT);
        self.order(Effect::LoadPrompt { operation, participant, prompt });
    }

    pub(crate) fn prompt_loaded(&mut self, operation: OperationId, now: Instant) {
        let Some(hold) = self.holds.iter_mut().find(|h| h.started_by == operation) else { return };
        let Phase::Loading(started) = &hold.phase else { return };
        hold.phase = Phase::Starting(started.clone());
        let participant = hold.participant;
        self.timers.cancel(Timer::PromptLoad(operation));
        self.timers.set(Timer::MusicStart(operation), now + MUSIC_START_TIMEOUT);
        self.order(Effect::PlayHoldMusic { operation, participant });
    }

    pub(crate) fn prompt_failed(&mut self, operation: OperationId, failure: PromptFailure, now: Instant) {
        let Some(at) = self.holds.iter().position(|h| h.is_loading(operation)) else { return };
        let hold = &mut self.holds[at];
        if self.policy.on_prompt_failure == OnPromptFailure::DefaultMusic && hold.prompt != Prompt::BuiltIn {
            hold.prompt = Prompt::BuiltIn;
            let participant = hold.participant;
            return self.load_prompt(operation, participant, Prompt::BuiltIn, now);
        }
        let subcode = match failure.kind {
            PromptFailureKind::Download => 8536,
            PromptFailureKind::Format => 8535,
        };
        self.start_failed(at, ResultInfo::new(400, subcode, failure.message));
    }

    pub(crate) fn prompt_load_timed_out(&mut self, operation: OperationId, now: Instant) {
        let seconds = PROMPT_LOAD_TIMEOUT.as_secs();
        let message = format!("The prompt was not ready within {seconds} s.");
        self.prompt_failed(operation, PromptFailure { kind: PromptFailureKind::Download, message }, now);
    }

    pub(crate) fn music_started(&mut self, operation: OperationId, now: Instant) {
        let Some(at) = self.holds.iter().position(|h| h.is_starting(operation)) else { return };
        self.timers.cancel(Timer::MusicStart(operation));
        let hold = &mut self.holds[at];
        let stop = hold.stop.take();
        if let Phase::Starting(operation) = std::mem::replace(&mut hold.phase, Phase::Playing) {
            self.complete(operation);
        }
        self.tell_roster();
        if let Some(stop) = stop {
            self.begin_stop(at, stop, now);
        }
    }

    pub(crate) fn music_start_timed_out(&mut self, operation: OperationId) {
        if let Some(at) = self.holds.iter().position(|h| h.is_starting(operation)) {
            self.start_failed(at, ResultInfo::new(500, 8511, "The music could not be started."));
        }
    }

    /// The start has failed: the participant is back, and a stop that waited has what it wanted.
    fn start_failed(&mut self, at: usize, result: ResultInfo) {
        let hold = self.holds.remove(at);
        self.release(&hold);
        match hold.phase {
            Phase::Loading(operation) | Phase::Starting(operation) => self.fail(operation, result),
            Phase::Playing | Phase::Stopping(_) => {}
        }
        if let Some(stop) = hold.stop {
            self.complete(stop);
        }
        self.tell_roster();
    }

    fn begin_stop(&mut self, at: usize, operation: Operation, now: Instant) {
        let (id, participant) = (operation.id, self.holds[at].participant);
        self.holds[at].phase = Phase::Stopping(operation);
        self.timers.set(Timer::MusicStop(id), now + MUSIC_STOP_TIMEOUT);
        self.lay_hold(participant, false);
        self.order(Effect::StopHoldMusic { operation: id, participant });
    }

    pub(crate) fn music_stopped(&mut self, operation: OperationId) {
        let Some(at) = self.holds.iter().position(|h| h.is_stopping(operation)) else { return };
        self.timers.cancel(Timer::MusicStop(operation));
        if let Phase::Stopping(operation) = self.holds.remove(at).phase {
            self.complete(operation);
        }
        self.tell_roster();
    }

    pub(crate) fn music_stop_timed_out(&mut self, operation: OperationId) {
        if let Some(at) = self.holds.iter().position(|h| h.is_stopping(operation)) {
            self.stop_failed(at, ResultInfo::new(500, 9002, "The music could not be stopped; the hold goes on."));
        }
    }

    /// An operation on a hold is to have no effect, even if the music has started meanwhile. Returns whether it was one.
    pub(crate) fn withdraw_from_hold(&mut self, operation: OperationId, result: &ResultInfo) -> bool {
        let Some(at) = self.holds.iter().position(|h| h.began_or_runs(operation)) else { return false };
        let hold = &mut self.holds[at];
        if let Some(stop) = hold.stop.take_if(|stop| stop.id == operation) {
            self.fail(stop, result.clone());
        } else if hold.is_stopping(operation) {
            self.stop_failed(at, result.clone());
        } else {
            self.start_failed(at, result.clone());
        }
        true
    }

    /// The stop has failed, so nothing is changed: the participant is on hold as before.
    fn stop_failed(&mut self, at: usize, result: ResultInfo) {
        let hold = &mut self.holds[at];
        let (participant, music) = (hold.participant, hold.started_by);
        let phase = std::mem::replace(&mut hold.phase, Phase::Playing);
        self.lay_hold(participant, true);
        self.order(Effect::PlayHoldMusic { operation: music, participant });
        if let Phase::Stopping(operation) = phase {
            self.timers.cancel(Timer::MusicStop(operation.id));
            self.fail(operation, result);
        }
        self.tell_roster();
    }

    /// Somebody has left: its hold is over, and what was still running for it cannot be done.
    pub(crate) fn end_hold_of_leaver(&mut self, participant: ParticipantId) {
        let Some(at) = self.holds.iter().position(|h| h.participant == participant) else { return };
        let hold = self.holds.remove(at);
        self.release(&hold);
        let gone = || ResultInfo::new(400, 8558, "The participant has left.");
        for operation in hold.into_operations() {
            self.fail(operation, gone());
        }
    }

    /// A call ends: whom it holds is released, and its own operations fail.
    pub(crate) fn end_holds_of_call(&mut self, call: CallId) {
        let ended = || ResultInfo::new(400, 8528, "The call has ended.");
        for mut hold in std::mem::take(&mut self.holds) {
            if let Some(stop) = hold.stop.take_if(|stop| stop.call == call) {
                self.fail(stop, ended());
            }
            let stops_it = matches!(&hold.phase, Phase::Stopping(operation) if operation.call == call);
            if hold.by != call && !stops_it {
                self.holds.push(hold);
                continue;
            }
            self.release(&hold);
            for operation in hold.into_operations() {
                // A stop asked for by another application has what it wanted.
                if operation.call == call { self.fail(operation, ended()) } else { self.complete(operation) }
            }
        }
    }

    /// Takes the layer away, forgets the music and every deadline of a hold that is over.
    fn release(&mut self, hold: &Hold) {
        self.lay_hold(hold.participant, false);
        self.order(Effect::DropHoldMusic { participant: hold.participant });
        self.timers.cancel(Timer::PromptLoad(hold.started_by));
        self.timers.cancel(Timer::MusicStart(hold.started_by));
        if let Phase::Stopping(operation) = &hold.phase {
            self.timers.cancel(Timer::MusicStop(operation.id));
        }
    }

    fn lay_hold(&mut self, participant: ParticipantId, on: bool) {
        if let Some(person) = self.roster.find(participant) {
            person.layers.hold_music = on;
        }
        self.reroute(participant);
    }
}

impl Hold {
    fn is_loading(&self, operation: OperationId) -> bool {
        matches!(&self.phase, Phase::Loading(o) if o.id == operation)
    }

    fn is_starting(&self, operation: OperationId) -> bool {
        matches!(&self.phase, Phase::Starting(o) if o.id == operation)
    }

    fn is_stopping(&self, operation: OperationId) -> bool {
        matches!(&self.phase, Phase::Stopping(o) if o.id == operation)
    }

    /// Whether an operation has begun this hold and nothing ends it yet, or still runs on it.
    fn began_or_runs(&self, operation: OperationId) -> bool {
        let began = self.started_by == operation && !matches!(self.phase, Phase::Stopping(_));
        began || self.is_stopping(operation) || self.stop.as_ref().is_some_and(|stop| stop.id == operation)
    }

    pub(crate) fn presence(&self) -> HoldPresence {
        let phase = match self.phase {
            Phase::Loading(_) => HoldPhase::Loading,
            Phase::Starting(_) => HoldPhase::Starting,
            Phase::Playing => HoldPhase::Playing,
            Phase::Stopping(_) => HoldPhase::Stopping,
        };
        HoldPresence { started_by: self.started_by, phase }
    }

    /// The operations that still run, oldest first.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.phase.operation().into_iter().chain(&self.stop)
    }

    fn into_operations(self) -> impl Iterator<Item = Operation> {
        self.phase.operation().cloned().into_iter().chain(self.stop)
    }
}

impl Phase {
    fn operation(&self) -> Option<&Operation> {
        match self {
            Phase::Loading(operation) | Phase::Starting(operation) | Phase::Stopping(operation) => Some(operation),
            Phase::Playing => None,
        }
    }
}
