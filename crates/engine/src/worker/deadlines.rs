//! When conversations want to be woken between two ticks.

use super::Running;
use call::ConversationId;
use std::collections::BTreeSet;
use std::time::Instant;

/// The deadlines of all conversations that have one, the next one first.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<(Instant, ConversationId)>);

impl Deadlines {
    /// Returns the next one.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(deadline, _)| *deadline)
    }

    /// Replaces the deadline of a conversation.
    pub(super) fn change(&mut self, conversation: ConversationId, before: Option<Instant>, after: Option<Instant>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.0.remove(&(before, conversation));
        }
        self.0.extend(after.map(|after| (after, conversation)));
    }

    fn due(&self, now: Instant) -> Vec<ConversationId> {
        self.0.iter().take_while(|(deadline, _)| *deadline <= now).map(|(_, conversation)| *conversation).collect()
    }
}

impl Running {
    /// Wakes the conversations whose time has come, each once.
    pub(super) fn serve_deadlines(&mut self) {
        let now = Instant::now();
        for conversation in self.deadlines.due(now) {
            self.with_session(conversation, |session| session.expire(now));
            self.settle(conversation, None);
        }
    }

    /// Takes note of when a conversation wants to be woken.
    pub(super) fn note_deadline(&mut self, conversation: ConversationId) {
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        let deadline = owned.session.deadline();
        self.deadlines.change(conversation, owned.deadline, deadline);
        owned.deadline = deadline;
    }
}
