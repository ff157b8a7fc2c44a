//! An operation from its acceptance to its end, with the phases between.

use super::{Owner, words};
use call::{CallId, Effect, Operation, OperationId, OperationStatus, ParticipantId, ResultInfo};
use std::time::Instant;

/// Phases that are remembered of an operation. It has a handful; more come only if a prompt is loaded again and again.
const PHASES_MAX: usize = 16;

/// What an operation is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It gets its prompt.
    Loading,
    /// The music is ordered, and its first packet is still to come.
    Starting,
    /// It waits for the operation before it.
    Waiting,
    /// The music is about to end.
    Stopping,
    /// It calls somebody.
    Ringing,
    /// It sends tones.
    Sending,
}

/// What is remembered of one operation.
#[derive(Clone, Debug)]
pub(crate) struct OperationRecord {
    pub(crate) id: OperationId,
    pub(crate) call: CallId,
    pub(crate) name: &'static str,
    pub(crate) participant: Option<ParticipantId>,
    pub(crate) client_context: String,
    pub(crate) by: Owner,
    pub(crate) created: Instant,
    pub(crate) ended: Option<Instant>,
    pub(crate) status: OperationStatus,
    pub(crate) phases: Vec<(Phase, Instant)>,
    pub(crate) result: Option<ResultInfo>,
}

impl OperationRecord {
    pub(super) fn new(operation: &Operation, participant: Option<ParticipantId>, by: Owner, now: Instant) -> Self {
        let is_running = operation.status == OperationStatus::Running;
        let first = words::first_phase(&operation.kind).filter(|_| is_running);
        Self {
            id: operation.id,
            call: operation.call,
            name: words::operation(&operation.kind),
            participant,
            client_context: operation.client_context.as_str().to_owned(),
            by,
            created: now,
            ended: (!is_running).then_some(now),
            status: operation.status,
            phases: first.map(|phase| (phase, now)).into_iter().collect(),
            result: operation.result.clone(),
        }
    }

    /// Whether it has muted somebody.
    pub(super) fn mutes(&self, participant: ParticipantId) -> bool {
        self.name == words::MUTE && self.participant == Some(participant)
    }

    /// Whether it has laid music over somebody before a time, or is about to.
    pub(super) fn holds(&self, participant: ParticipantId, time: Instant) -> bool {
        let is_hold = self.name == words::HOLD && self.participant == Some(participant);
        is_hold && self.created <= time && self.status != OperationStatus::Failed
    }

    pub(super) fn enter(&mut self, phase: Phase, now: Instant) {
        let is_there = self.phases.last().is_some_and(|(last, _)| *last == phase);
        if !is_there && self.phases.len() < PHASES_MAX {
            self.phases.push((phase, now));
        }
    }

    pub(super) fn end(&mut self, ended: &Operation, now: Instant) {
        self.status = ended.status;
        self.result.clone_from(&ended.result);
        self.ended = Some(now);
    }
}

/// The phase that an order begins, and of which operation.
pub(super) fn phase_by(effect: &Effect) -> Option<(OperationId, Phase)> {
    match effect {
        Effect::LoadPrompt { operation, .. } => Some((*operation, Phase::Loading)),
        Effect::PlayHoldMusic { operation, .. } => Some((*operation, Phase::Starting)),
        Effect::StopHoldMusic { operation, .. } => Some((*operation, Phase::Stopping)),
        Effect::SendTones { operation, .. } => Some((*operation, Phase::Sending)),
        Effect::Dial { .. }
        | Effect::Fetch { .. }
        | Effect::TellReferrer { .. }
        | Effect::TakeCall { .. }
        | Effect::HangUp { .. }
        | Effect::Route { .. }
        | Effect::DropHoldMusic { .. }
        | Effect::ListenForTones { .. }
        | Effect::DropTones { .. }
        | Effect::Notify(_)
        | Effect::Close => None,
    }
}
