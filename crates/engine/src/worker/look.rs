//! What people see who look: at conversations that go on, and at those that are over and still remembered.

use super::Running;
use crate::live::{Heard, HeardAudio, LiveCall, LiveTimeline, WallClock, Watched};
use crate::session::{Memory, Settings};
use call::{CallId, ConversationId, ParticipantId};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime};
use tokio::sync::oneshot;

/// Conversations that are remembered when they are over. The oldest goes first.
const REMEMBERED_MAX: usize = 200;

/// The memory that they may take together, in bytes: 64 MiB. What was heard takes most of it, where it is written down.
const REMEMBERED_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A question that changes nothing. It is answered between two ticks; what is no longer known, by `None`.
#[derive(Debug)]
pub(crate) enum Question {
    /// What has changed since each conversation had this revision.
    Watch { known: Arc<HashMap<ConversationId, u64>>, reply: oneshot::Sender<Watched> },
    /// The calls that are over.
    Ended { reply: oneshot::Sender<Vec<LiveCall>> },
    /// One call.
    Call { call: CallId, reply: oneshot::Sender<Option<LiveCall>> },
    /// The timeline of a call's conversation.
    Timeline { call: CallId, reply: oneshot::Sender<Option<LiveTimeline>> },
    /// What a participant was given to hear.
    Heard { call: CallId, participant: ParticipantId, reply: oneshot::Sender<Option<Heard>> },
    /// The sound of it.
    HeardAudio { call: CallId, participant: ParticipantId, reply: oneshot::Sender<Option<HeardAudio>> },
}

/// The conversations that are over, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    row: VecDeque<(ConversationId, Memory)>,
    bytes: usize,
}

impl Remembered {
    pub(super) fn push(&mut self, conversation: ConversationId, memory: Memory) {
        self.bytes += memory.bytes();
        self.row.push_back((conversation, memory));
        while self.row.len() > REMEMBERED_MAX || self.bytes > REMEMBERED_BYTES_MAX {
            let Some((_, oldest)) = self.row.pop_front() else { return };
            self.bytes -= oldest.bytes();
        }
    }

    fn of_call(&self, call: CallId) -> Option<&(ConversationId, Memory)> {
        self.row.iter().rfind(|(_, memory)| memory.has_call(call))
    }

    fn calls(&self) -> Vec<LiveCall> {
        self.row.iter().flat_map(|(conversation, memory)| memory.calls(*conversation)).collect()
    }
}

impl Running {
    pub(super) fn session_settings(&self, now: Instant) -> Settings {
        Settings {
            probe_after: self.worker.config.rtp.probe_after,
            ledgers: self.worker.config.ledgers,
            clock: WallClock::new(now, SystemTime::now()),
        }
    }

    /// Whoever asked may have gone away.
    pub(super) fn answer(&self, question: Question) {
        match question {
            Question::Watch { known, reply } => drop(reply.send(self.watch(&known))),
            Question::Ended { reply } => drop(reply.send(self.remembered.calls())),
            Question::Call { call, reply } => drop(reply.send(self.call(call))),
            Question::Timeline { call, reply } => drop(reply.send(self.memory(call).map(Memory::timeline))),
            Question::Heard { call, participant, reply } => drop(reply.send(self.heard(call, participant))),
            Question::HeardAudio { call, participant, reply } => drop(reply.send(self.heard_audio(call, participant))),
        }
    }

    fn watch(&self, known: &HashMap<ConversationId, u64>) -> Watched {
        let mut watched = Watched::default();
        for (id, owned) in &self.owned {
            let revision = owned.session.revision();
            watched.revisions.push((*id, revision));
            if known.get(id) != Some(&revision) {
                watched.changed.extend(owned.session.look());
            }
            watched.legs.extend(owned.session.legs());
        }
        watched
    }

    fn call(&self, call: CallId) -> Option<LiveCall> {
        let calls = match self.owned_by(call) {
            Some(owned) => owned.session.look(),
            None => self.remembered.of_call(call).map(|(id, memory)| memory.calls(*id))?,
        };
        calls.into_iter().find(|live| live.id == call)
    }

    fn memory(&self, call: CallId) -> Option<&Memory> {
        let live = self.owned_by(call).map(|owned| owned.session.memory());
        live.or_else(|| self.remembered.of_call(call).map(|(_, memory)| memory))
    }

    fn heard(&self, call: CallId, participant: ParticipantId) -> Option<Heard> {
        match self.owned_by(call) {
            Some(owned) => owned.session.heard(participant),
            None => self.remembered.of_call(call)?.1.heard(participant),
        }
    }

    fn heard_audio(&self, call: CallId, participant: ParticipantId) -> Option<HeardAudio> {
        match self.owned_by(call) {
            Some(owned) => owned.session.heard_audio(participant),
            None => self.remembered.of_call(call)?.1.heard_audio(participant),
        }
    }

    /// The conversation that a call is in, or was in if others go on without it.
    fn owned_by(&self, call: CallId) -> Option<&super::Owned> {
        let live = self.by_call.get(&call).and_then(|conversation| self.owned.get(conversation));
        live.or_else(|| self.owned.values().find(|owned| owned.session.memory().has_call(call)))
    }
}
