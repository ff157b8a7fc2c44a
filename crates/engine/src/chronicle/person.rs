//! Somebody in a conversation: since when, and since when which layer lies over it by whose doing.

use super::operation::OperationRecord;
use super::{Owner, is_application};
use call::{Identity, OperationId, Presence, Role};
use std::collections::VecDeque;
use std::time::Instant;

/// Since when a layer lies over somebody, and by whose doing.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) since: Instant,
    pub(crate) by: Owner,
    pub(crate) operation: Option<OperationId>,
}

/// What is remembered of one participant.
#[derive(Clone, Debug)]
pub(crate) struct PersonRecord {
    pub(crate) identity: Identity,
    /// Where it stands in the row of all who came.
    pub(crate) number: usize,
    /// Since when it is what it is: ringing, in, gone.
    pub(crate) since: Instant,
    pub(crate) is_application: bool,
    pub(crate) is_in: bool,
    pub(crate) hold_music: Option<Mark>,
    pub(crate) remote_hold: Option<Mark>,
    pub(crate) muted: Option<Mark>,
    has_left: bool,
}

impl PersonRecord {
    pub(super) fn new(identity: Identity, number: usize, now: Instant) -> Self {
        Self {
            identity,
            number,
            since: now,
            is_application: false,
            is_in: false,
            hold_music: None,
            remote_hold: None,
            muted: None,
            has_left: false,
        }
    }

    pub(super) fn name(&self) -> String {
        let (Identity::Application { id, display_name }
        | Identity::User { id, display_name }
        | Identity::Phone { id, display_name }) = &self.identity;
        display_name.clone().unwrap_or_else(|| id.clone())
    }

    pub(super) fn has_left(&self) -> bool {
        self.has_left
    }

    pub(super) fn leave(&mut self, now: Instant) {
        (self.has_left, self.since) = (true, now);
        (self.hold_music, self.remote_hold, self.muted) = (None, None, None);
    }

    /// Brings the marks in line with the layers.
    pub(super) fn compare(&mut self, presence: &Presence<'_>, operations: &VecDeque<OperationRecord>, now: Instant) {
        self.is_application = is_application(presence.role);
        let is_in = presence.role != Role::Ringing;
        if is_in != self.is_in {
            (self.is_in, self.since) = (is_in, now);
        }
        let by_operation =
            |operation: &OperationRecord| Mark { since: now, by: operation.by.clone(), operation: Some(operation.id) };
        let by_phone = || Mark { since: now, by: Owner::Phone, operation: None };
        keep(&mut self.hold_music, presence.layers.hold_music, || {
            let started_by = presence.hold.map(|hold| hold.started_by);
            let operation = operations.iter().rfind(|operation| Some(operation.id) == started_by);
            operation.map_or_else(by_phone, by_operation)
        });
        keep(&mut self.remote_hold, presence.layers.remote_hold, by_phone);
        keep(&mut self.muted, presence.layers.muted, || {
            let is_mute = |operation: &&OperationRecord| operation.mutes(presence.participant);
            operations.iter().rfind(is_mute).map_or_else(by_phone, by_operation)
        });
    }
}

/// A layer that goes on keeps its mark.
fn keep(mark: &mut Option<Mark>, is_on: bool, made: impl FnOnce() -> Mark) {
    match (&mark, is_on) {
        (None, true) => *mark = Some(made()),
        (Some(_), false) => *mark = None,
        (Some(_), true) | (None, false) => {}
    }
}
