//! `subscribeToTone` and `sendDtmfTones`: keys that people press, and keys that are pressed for an application.
//!
//! Tones go to those who hear the conversation, and to nobody else: to a held participant nothing of it is sent, and who
//! is held meanwhile misses the rest. The other way round a hold changes nothing: what a held participant presses is told
//! to the applications that have subscribed, and the others never hear it.

use crate::conversation::{Conversation, completed};
use crate::timer::Timer;
use crate::{
    Accepted, CallId, CallState, Effect, Notice, Operation, OperationId, OperationKind, ParticipantId, Refusal,
    ResultInfo,
};
use std::time::{Duration, Instant};

/// Graph's `tone`, without `flash`, which is a signal of analogue lines and no key. The numbers are the event codes of
/// RFC 4733 §3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Tone {
    Tone0,
    Tone1,
    Tone2,
    Tone3,
    Tone4,
    Tone5,
    Tone6,
    Tone7,
    Tone8,
    Tone9,
    Star,
    Pound,
    A,
    B,
    C,
    D,
}

impl Tone {
    /// All of them, each at the place that its event code says.
    pub const ALL: [Self; 16] = [
        Self::Tone0,
        Self::Tone1,
        Self::Tone2,
        Self::Tone3,
        Self::Tone4,
        Self::Tone5,
        Self::Tone6,
        Self::Tone7,
        Self::Tone8,
        Self::Tone9,
        Self::Star,
        Self::Pound,
        Self::A,
        Self::B,
        Self::C,
        Self::D,
    ];
}

/// The most tones of one request. Graph names no limit; card and account numbers have up to 34 digits.
pub const TONES_MAX: usize = 64;

/// How long each tone is. Q.24 asks for 40 ms; below 100 ms some gateways miss keys, more only takes longer.
pub const TONE_DURATION: Duration = Duration::from_millis(100);

/// How much longer than it needs the sending of tones may take before it is given up: packets that end a tone, ticks, and
/// a machine that is busy.
const SENDING_MARGIN: Duration = Duration::from_millis(100);
const SENDING_TIMEOUT: Duration = Duration::from_secs(5);

/// Tones that are being sent.
#[derive(Debug)]
pub(crate) struct Sending {
    operation: Operation,
    /// Who still gets them.
    to: Vec<ParticipantId>,
}

impl Sending {
    pub(crate) fn operation(&self) -> &Operation {
        &self.operation
    }
}

impl Conversation {
    /// The application is told of every tone from now on. Graph knows no way back.
    pub(crate) fn subscribe_to_tone(&mut self, operation: Operation) -> Result<Accepted, Refusal> {
        let id = self.established_call(operation.call)?.id;
        let is_first = self.calls.iter().all(|c| c.tones.is_none());
        let call = self.calls.iter_mut().find(|c| c.id == id).expect("it was just found");
        call.tones.get_or_insert(0);
        if is_first {
            self.order(Effect::ListenForTones { on: true });
        }
        Ok(completed(operation))
    }

    /// A call has ended: if no other wants tones, nobody needs to listen for them.
    pub(crate) fn unsubscribe(&mut self, was_subscribed: bool) {
        if was_subscribed && self.calls.iter().all(|c| c.tones.is_none()) {
            self.order(Effect::ListenForTones { on: false });
        }
    }

    /// A person who is in has pressed a key.
    pub(crate) fn tone_pressed(&mut self, participant: ParticipantId, tone: Tone) {
        if self.roster.person(participant).is_err() {
            return;
        }
        let established = self.calls.iter_mut().filter(|c| c.state == CallState::Established);
        let subscribed = established.filter_map(|call| {
            let sequence = call.tones.as_mut()?;
            *sequence += 1;
            Some(Notice::Tone { call: call.id, sequence: *sequence, tone })
        });
        for notice in subscribed.collect::<Vec<_>>() {
            self.notify(notice);
        }
    }

    pub(crate) fn send_dtmf_tones(
        &mut self,
        operation: Operation,
        tones: Vec<Tone>,
        pause: Duration,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        self.established_call(operation.call)?;
        if tones.len() > TONES_MAX {
            return Err(Refusal::TooManyTones);
        }
        if !self.sending.is_empty() {
            return Err(Refusal::TonesUnderWay);
        }
        let to = self.roster.listeners();
        if to.is_empty() {
            return Err(Refusal::NobodyListens);
        }
        let count = u32::try_from(tones.len()).expect("at most TONES_MAX");
        let needed = (TONE_DURATION + SENDING_MARGIN + pause) * count + SENDING_TIMEOUT;
        self.timers.set(Timer::Tones(operation.id), now + needed);
        self.order(Effect::SendTones { operation: operation.id, participants: to.clone(), tones, pause });
        self.sending.push(Sending { operation: operation.clone(), to });
        Ok(Accepted::Operation(operation))
    }

    pub(crate) fn tones_sent(&mut self, operation: OperationId) {
        if let Some(sending) = self.take_sending(operation) {
            self.complete(sending.operation);
        }
    }

    /// Somebody no longer hears the conversation. If nobody is left who gets the tones, the sending is cancelled.
    pub(crate) fn stop_tones_to(&mut self, participant: ParticipantId) {
        self.sending.iter_mut().for_each(|sending| sending.to.retain(|to| *to != participant));
        let Some(at) = self.sending.iter().position(|sending| sending.to.is_empty()) else { return };
        let mut sending = self.sending.remove(at);
        self.timers.cancel(Timer::Tones(sending.operation.id));
        if let OperationKind::SendDtmfTones { is_cancelled, .. } = &mut sending.operation.kind {
            *is_cancelled = true;
        }
        self.complete(sending.operation);
    }

    pub(crate) fn tones_timed_out(&mut self, operation: OperationId) {
        self.give_tones_up(operation, ResultInfo::new(500, 9002, "The tones could not be sent in time."));
    }

    /// A call ends: its tones are sent no further.
    pub(crate) fn end_tones_of_call(&mut self, call: CallId) {
        while let Some(sending) = self.sending.iter().find(|s| s.operation.call == call) {
            self.give_tones_up(sending.operation.id, ResultInfo::new(400, 8528, "The call has ended."));
        }
    }

    /// Ends the sending of tones without success. Returns whether it was under way.
    pub(crate) fn give_tones_up(&mut self, operation: OperationId, result: ResultInfo) -> bool {
        let Some(sending) = self.take_sending(operation) else { return false };
        self.order(Effect::DropTones { operation });
        self.fail(sending.operation, result);
        true
    }

    fn take_sending(&mut self, operation: OperationId) -> Option<Sending> {
        let at = self.sending.iter().position(|sending| sending.operation.id == operation)?;
        self.timers.cancel(Timer::Tones(operation));
        Some(self.sending.remove(at))
    }
}
