//! The conversation: declares the state and dispatches. Each rule lives in a file of its own.

use crate::hold_music::Hold;
use crate::invite::Invite;
use crate::lifecycle::Call;
use crate::redirect::Redirect;
use crate::replacement::Replacement;
use crate::roster::{Participant, Roster};
use crate::timer::{Timer, Timers};
use crate::tone::Sending;
use crate::transfer::Transfer;
use crate::{
    Accepted, CallId, ClientContext, Command, ConversationId, Effect, Event, Hears, IncomingCall, NewCall, Notice,
    Operation, OperationKind, OperationStatus, ParticipantId, Policy, Refusal, ResultInfo,
};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Everybody who is together, with the calls of the applications in it.
///
/// The invariants, checked by the simulation in `tests/it/simulation.rs`: with [`crate::Holds::OneAtATime`] at most one
/// participant is held; whoever is held is ordered neither to hear the conversation nor to be heard; every operation
/// that was accepted as running ends exactly once; a refusal changes nothing.
#[derive(Debug)]
pub struct Conversation {
    id: ConversationId,
    pub(crate) policy: Policy,
    pub(crate) calls: Vec<Call>,
    pub(crate) roster: Roster,
    pub(crate) holds: Vec<Hold>,
    pub(crate) invites: Vec<Invite>,
    pub(crate) redirect: Option<Redirect>,
    pub(crate) transfer: Option<Transfer>,
    pub(crate) replacements: Vec<Replacement>,
    pub(crate) sending: Vec<Sending>,
    pub(crate) timers: Timers,
    effects: VecDeque<Effect>,
    closed: bool,
}

impl Conversation {
    /// Begins a conversation with the call of one application, and calls its targets.
    #[must_use]
    pub fn create(id: ConversationId, policy: Policy, call: NewCall, now: Instant) -> Self {
        let mut conversation = Self::new(id, policy);
        conversation.place_call(call, now);
        conversation
    }

    /// Begins a conversation with a call that somebody makes to an application.
    #[must_use]
    pub fn receive(id: ConversationId, policy: Policy, call: IncomingCall, now: Instant) -> Self {
        let mut conversation = Self::new(id, policy);
        conversation.receive_call(call, now);
        conversation
    }

    fn new(id: ConversationId, policy: Policy) -> Self {
        Self {
            id,
            policy,
            calls: Vec::new(),
            roster: Roster::default(),
            holds: Vec::new(),
            invites: Vec::new(),
            redirect: None,
            transfer: None,
            replacements: Vec::new(),
            sending: Vec::new(),
            timers: Timers::default(),
            effects: VecDeque::new(),
            closed: false,
        }
    }

    /// The conversation's id.
    #[must_use]
    pub fn id(&self) -> ConversationId {
        self.id
    }

    /// Whether the conversation is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Carries out a wish of the application whose call is `call`.
    ///
    /// # Errors
    ///
    /// The [`Refusal`]; nothing is changed then.
    pub fn execute(&mut self, call: CallId, command: Command, now: Instant) -> Result<Accepted, Refusal> {
        self.live_call(call)?;
        match command {
            Command::KeepAlive => Ok(self.keep_alive(call, now)),
            Command::HangUp => Ok(self.hang_up(call)),
            Command::Answer => self.answer(call, now),
            Command::Reject { reason } => self.reject(call, reason),
            Command::Transfer { target } => self.transfer(call, target, now),
            Command::Redirect { targets, timeout } => self.redirect(call, targets, timeout, now),
            Command::RemoveParticipant { participant } => self.remove_participant(call, participant),
            Command::Invite { operation, client_context, invitations } => {
                let operation = running(operation, call, client_context, invite_kind(&invitations));
                self.unless_repeated(operation, |this, operation| this.invite(operation, invitations, now))
            }
            Command::StartHoldMusic { operation, client_context, participant, prompt } => {
                let kind = OperationKind::StartHoldMusic { participant };
                self.unless_repeated(running(operation, call, client_context, kind), |this, operation| {
                    this.start_hold_music(operation, participant, prompt, now)
                })
            }
            Command::StopHoldMusic { operation, client_context, participant } => {
                let kind = OperationKind::StopHoldMusic { participant };
                self.unless_repeated(running(operation, call, client_context, kind), |this, operation| {
                    this.stop_hold_music(operation, participant, now)
                })
            }
            Command::MuteParticipant { operation, client_context, participant } => {
                let kind = OperationKind::MuteParticipant { participant };
                self.mute_participant(running(operation, call, client_context, kind), participant, true)
            }
            Command::UnmuteParticipant { operation, client_context, participant } => {
                let kind = OperationKind::UnmuteParticipant { participant };
                self.mute_participant(running(operation, call, client_context, kind), participant, false)
            }
            Command::SubscribeToTone { operation, client_context } => {
                self.subscribe_to_tone(running(operation, call, client_context, OperationKind::SubscribeToTone))
            }
            Command::SendDtmfTones { operation, client_context, tones, pause } => {
                let kind = OperationKind::SendDtmfTones { tones: tones.clone(), is_cancelled: false };
                self.unless_repeated(running(operation, call, client_context, kind), |this, operation| {
                    this.send_dtmf_tones(operation, tones, pause, now)
                })
            }
            Command::Mute { operation, client_context } => self.mute_self(operation, client_context, call, true),
            Command::Unmute { operation, client_context } => self.mute_self(operation, client_context, call, false),
        }
    }

    /// Takes a fact in. Facts about somebody who is gone, or an operation that has ended, are ignored.
    pub fn observe(&mut self, event: Event, now: Instant) {
        match event {
            Event::Answered { participant } => self.answered(participant, now),
            Event::Arrived { participant, identity } => self.arrived(participant, identity, now),
            Event::Unreached { participant, cause } => self.unreached(participant, cause),
            Event::Left { participant, cause } => self.left(participant, cause),
            Event::DirectionChanged { participant, direction } => self.direction_changed(participant, direction),
            Event::Referred { participant, target } => self.referred(participant, target, now),
            Event::ReplacementCalled { participant, by } => self.replacement_called(participant, by, now),
            Event::PromptLoaded { operation } => self.prompt_loaded(operation, now),
            Event::PromptFailed { operation, failure } => self.prompt_failed(operation, failure, now),
            Event::MusicStarted { operation } => self.music_started(operation, now),
            Event::MusicStopped { operation } => self.music_stopped(operation),
            Event::TonePressed { participant, tone } => self.tone_pressed(participant, tone),
            Event::TonesSent { operation } => self.tones_sent(operation),
            Event::NotRecorded { operation } => self.withdraw(operation),
        }
    }

    /// Lets every deadline up to `now` pass.
    pub fn expire(&mut self, now: Instant) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Ring(participant) => self.ring_timed_out(participant),
                Timer::PromptLoad(operation) => self.prompt_load_timed_out(operation, now),
                Timer::MusicStart(operation) => self.music_start_timed_out(operation),
                Timer::MusicStop(operation) => self.music_stop_timed_out(operation),
                Timer::KeepAlive(call) => self.keep_alive_timed_out(call),
                Timer::Decision(call) => self.decision_timed_out(call),
                Timer::Redirect(call) => self.redirect_timed_out(call),
                Timer::Tones(operation) => self.tones_timed_out(operation),
            }
        }
    }

    /// When [`Conversation::expire`] is due next. To be asked again after each verb.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next order. To be drained after `create`, `execute`, `observe` and `expire`.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub(crate) fn order(&mut self, effect: Effect) {
        self.effects.push_back(effect);
    }

    pub(crate) fn notify(&mut self, notice: Notice) {
        self.order(Effect::Notify(notice));
    }

    /// Orders a participant's route anew if its layers now add up to another one.
    pub(crate) fn reroute(&mut self, participant: ParticipantId) {
        let Some(person) = self.roster.find(participant) else { return };
        let route = person.layers.route();
        if person.route.replace(route) != Some(route) {
            self.order(Effect::Route { participant, route });
        }
        if route.hears != Hears::Conversation {
            self.stop_tones_to(participant);
        }
    }

    /// Tells every live call the roster, if it has changed.
    pub(crate) fn tell_roster(&mut self) {
        if !self.roster.refresh() {
            return;
        }
        let told: Vec<_> = self.calls.iter().filter(|c| self.has_roster(c)).map(|c| (c.id, c.kind)).collect();
        for (call, kind) in told {
            let notice = self.roster.notice(call, kind);
            self.notify(notice);
        }
    }

    /// Ends an operation and tells so. Taking it by value is what makes this happen once.
    pub(crate) fn complete(&mut self, mut operation: Operation) {
        operation.status = OperationStatus::Completed;
        self.notify(Notice::OperationEnded(operation));
    }

    /// Ends an operation that has not done what it should, and tells so.
    pub(crate) fn fail(&mut self, mut operation: Operation, result: ResultInfo) {
        operation.status = OperationStatus::Failed;
        operation.result = Some(result);
        self.notify(Notice::OperationEnded(operation));
    }

    /// Calls somebody, for as long as is configured if no time is given.
    pub(crate) fn add_ringing(&mut self, participant: Participant, ring_timeout: Option<Duration>) {
        let identity = participant.identity.clone();
        let effect = Effect::Dial { participant: participant.id, identity, ring_timeout };
        self.roster.add(participant);
        self.order(effect);
    }

    pub(crate) fn close(&mut self) {
        if !self.closed {
            self.closed = true;
            self.order(Effect::Close);
        }
    }
}

/// An operation as it is while it runs.
pub(crate) fn running(
    id: crate::OperationId,
    call: CallId,
    client_context: ClientContext,
    kind: OperationKind,
) -> Operation {
    Operation { id, call, kind, client_context, status: OperationStatus::Running, result: None }
}

/// An operation that is done as soon as it is accepted.
pub(crate) fn completed(mut operation: Operation) -> Accepted {
    operation.status = OperationStatus::Completed;
    Accepted::Operation(operation)
}

fn invite_kind(invitations: &[crate::Invitation]) -> OperationKind {
    OperationKind::InviteParticipants { identities: invitations.iter().map(|i| i.identity.clone()).collect() }
}
