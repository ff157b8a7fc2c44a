//! What has happened in one conversation, for people who look at it: who wished what, what became of it, who laid which
//! layer over whom and when.
//!
//! The session writes down each command, fact, order and notice as it passes. Nothing is decided here and nothing of it is
//! read back by the rules. It is in memory and bounded; what must survive a crash is in the database.

mod operation;
mod person;
mod timeline;
mod words;

pub(crate) use operation::OperationRecord;
pub use operation::Phase;
pub(crate) use person::{Mark, PersonRecord};
pub(crate) use timeline::Timeline;
pub use timeline::{EntryKind, TimelineOutcome};

use call::{
    Accepted, CallId, CallKind, CallPresence, CallState, Command, Conversation, Effect, Event, Identity, Notice,
    Operation, OperationId, ParticipantId, Refusal, ResultInfo, Role,
};
use std::collections::{HashMap, VecDeque};
use std::time::Instant;
use timeline::Entry;

/// Operations that are remembered of a conversation: what somebody can look through. The oldest that has ended goes first.
const OPERATIONS_MAX: usize = 50;

/// People who have left that are remembered of a conversation. The oldest goes first.
const LEAVERS_MAX: usize = 100;

/// Who has laid a layer over somebody, or wished something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// An application, by its own request.
    Application(Identity),
    /// A person at the console.
    Operator(Operator),
    /// The participant's own phone.
    Phone,
}

/// A person at the console who acts in the place of the application whose call it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// The user's object id.
    pub id: String,
    /// The name that is shown.
    pub display_name: String,
}

/// What is written down of one conversation.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    /// Rises with everything that is written down.
    revision: u64,
    /// The revision at which everybody was looked at.
    compared: u64,
    pub(crate) timeline: Timeline,
    pub(crate) calls: Vec<CallRecord>,
    people: HashMap<ParticipantId, PersonRecord>,
    /// How many people ever came.
    came: usize,
    leavers: VecDeque<ParticipantId>,
    operations: VecDeque<OperationRecord>,
}

/// One application's call.
#[derive(Clone, Debug)]
pub(crate) struct CallRecord {
    pub(crate) id: CallId,
    pub(crate) application: Identity,
    pub(crate) kind: CallKind,
    pub(crate) state: CallState,
    pub(crate) created: Instant,
    pub(crate) ended: Option<(Instant, Option<ResultInfo>)>,
}

/// A wish, before it is known what becomes of it.
#[derive(Debug)]
pub(crate) struct Wish {
    name: &'static str,
    call: CallId,
    participant: Option<ParticipantId>,
    by: Owner,
}

impl Chronicle {
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn operations(&self) -> impl DoubleEndedIterator<Item = &OperationRecord> {
        self.operations.iter()
    }

    pub(crate) fn person(&self, participant: ParticipantId) -> Option<&PersonRecord> {
        self.people.get(&participant)
    }

    /// Everybody who ever was there, as far as remembered, in the order in which they came.
    pub(crate) fn people(&self) -> Vec<(ParticipantId, &PersonRecord)> {
        let mut people: Vec<_> = self.people.iter().map(|(id, person)| (*id, person)).collect();
        people.sort_by_key(|(_, person)| person.number);
        people
    }

    /// Takes note of a wish that is to be judged. Without an operator it is the application's.
    pub(crate) fn wish(&self, call: CallId, command: &Command, operator: Option<Operator>) -> Wish {
        let by = operator.map_or_else(|| self.application_of(call), Owner::Operator);
        Wish { name: words::command(command), call, participant: words::wished_for(command), by }
    }

    /// Writes down what has become of a wish.
    pub(crate) fn judged(&mut self, wish: Wish, outcome: &Result<Accepted, Refusal>, now: Instant) {
        let (result, operation) = match outcome {
            Ok(Accepted::Operation(operation)) => (TimelineOutcome::Accepted, Some(operation)),
            Ok(Accepted::Repeated(operation)) => (TimelineOutcome::Repeated, Some(operation)),
            Ok(Accepted::Done) => (TimelineOutcome::Accepted, None),
            Err(_) => (TimelineOutcome::Refused, None),
        };
        let text = words::judged(wish.name, wish.participant.map(|id| self.name(id)), outcome);
        let entry = Entry {
            kind: EntryKind::Command,
            name: wish.name,
            outcome: Some(result),
            by: Some(wish.by.clone()),
            participant: wish.participant,
            operation: operation.map(|operation| operation.id),
            text,
        };
        self.write(entry, now);
        if let Ok(Accepted::Operation(operation)) = outcome {
            self.begin(operation, wish, now);
        }
    }

    fn begin(&mut self, operation: &Operation, wish: Wish, now: Instant) {
        debug_assert_eq!(operation.call, wish.call, "an operation belongs to the call that it was wished for");
        if self.operations.len() >= OPERATIONS_MAX {
            let ended = self.operations.iter().position(|operation| operation.ended.is_some()).unwrap_or_default();
            self.operations.remove(ended);
        }
        self.operations.push_back(OperationRecord::new(operation, wish.participant, wish.by, now));
    }

    /// Writes down a fact, before the rules hear of it.
    pub(crate) fn happened(&mut self, event: &Event, now: Instant) {
        let participant = words::fact_about(event);
        let text = words::happened(event, |id| self.name(id));
        let operation = words::operation_of_fact(event);
        let name = words::event(event);
        self.write(Entry { kind: EntryKind::Fact, name, outcome: None, by: None, participant, operation, text }, now);
    }

    /// Writes down an order of the rules, news for an application among them.
    pub(crate) fn ordered(&mut self, effect: &Effect, now: Instant) {
        if let Some((operation, phase)) = operation::phase_by(effect) {
            self.enter(operation, phase, now);
        }
        let mut kind = EntryKind::Effect;
        if let Effect::Notify(notice) = effect {
            self.told(notice, now);
            kind = EntryKind::Notice;
        }
        let name = words::effect(effect);
        let (participant, operation) = (words::ordered_for(effect), words::operation_of_order(effect));
        let text = words::ordered(effect, |id| self.name(id));
        self.write(Entry { kind, name, outcome: None, by: None, participant, operation, text }, now);
    }

    fn enter(&mut self, operation: OperationId, phase: Phase, now: Instant) {
        if let Some(record) = self.operations.iter_mut().rfind(|record| record.id == operation) {
            record.enter(phase, now);
        }
    }

    fn told(&mut self, notice: &Notice, now: Instant) {
        match notice {
            Notice::OperationEnded(ended) => {
                if let Some(record) = self.operations.iter_mut().rfind(|record| record.id == ended.id) {
                    record.end(ended, now);
                }
            }
            Notice::Call { call, state, result, .. } => {
                let Some(record) = self.calls.iter_mut().find(|record| record.id == *call) else { return };
                record.state = *state;
                if *state == CallState::Terminated {
                    record.ended = Some((now, result.clone()));
                }
            }
            Notice::Incoming { .. } | Notice::Roster { .. } | Notice::Tone { .. } => {}
        }
    }

    fn write(&mut self, entry: Entry, now: Instant) {
        self.revision += 1;
        self.timeline.write(entry, now);
    }

    /// Looks at everybody once a step is done: who has come and gone, and which layers lie over whom since when.
    pub(crate) fn compare(&mut self, conversation: &Conversation, now: Instant) {
        if std::mem::replace(&mut self.compared, self.revision) == self.revision {
            return;
        }
        for call in conversation.call_presences() {
            self.compare_call(call, conversation, now);
        }
        for presence in conversation.presences() {
            let came = &mut self.came;
            let person = self.people.entry(presence.participant).or_insert_with(|| {
                *came += 1;
                PersonRecord::new(presence.identity.clone(), *came, now)
            });
            person.compare(&presence, &self.operations, now);
        }
        self.note_leavers(conversation, now);
    }

    fn compare_call(&mut self, call: CallPresence, conversation: &Conversation, now: Instant) {
        let CallPresence { id, kind, state, participant } = call;
        if let Some(record) = self.calls.iter_mut().find(|record| record.id == id) {
            (record.kind, record.state) = (kind, state);
            return;
        }
        let application = conversation.presences().find(|presence| presence.participant == participant);
        let Some(application) = application.map(|presence| presence.identity.clone()) else { return };
        self.calls.push(CallRecord { id, application, kind, state, created: now, ended: None });
    }

    fn note_leavers(&mut self, conversation: &Conversation, now: Instant) {
        let present = conversation.presences().count();
        if present + self.leavers.len() == self.people.len() {
            return;
        }
        let there: std::collections::HashSet<_> =
            conversation.presences().map(|presence| presence.participant).collect();
        for (id, person) in self.people.iter_mut().filter(|(id, person)| !person.has_left() && !there.contains(id)) {
            person.leave(now);
            self.leavers.push_back(*id);
        }
        while self.leavers.len() > LEAVERS_MAX {
            if let Some(oldest) = self.leavers.pop_front() {
                self.people.remove(&oldest);
            }
        }
    }

    /// The operation that laid the music over somebody that was heard until a time, if it is remembered.
    pub(crate) fn hold_at(&self, participant: ParticipantId, time: Instant) -> Option<OperationId> {
        let mut newest_first = self.operations.iter().rev();
        newest_first.find(|record| record.holds(participant, time)).map(|record| record.id)
    }

    fn application_of(&self, call: CallId) -> Owner {
        let record = self.calls.iter().find(|record| record.id == call);
        let unknown = || Identity::application(call.to_string(), None);
        Owner::Application(record.map_or_else(unknown, |record| record.application.clone()))
    }

    /// What somebody is called in a sentence.
    fn name(&self, participant: ParticipantId) -> String {
        match self.people.get(&participant) {
            Some(person) => person.name(),
            None => participant.to_string(),
        }
    }

    /// The memory that it takes, in bytes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        const OF_A_RECORD: usize = 400;
        self.timeline.bytes() + (self.people.len() + self.operations.len() + self.calls.len()) * OF_A_RECORD
    }
}

/// Whether somebody is an application's own entry.
pub(crate) fn is_application(role: Role) -> bool {
    match role {
        Role::Application(_) => true,
        Role::Ringing | Role::Joined => false,
    }
}
