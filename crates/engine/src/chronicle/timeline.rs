//! The timeline of one conversation: a row of sentences with times and ids, in which a failure can be read without logs.

use super::Owner;
use call::{OperationId, ParticipantId};
use std::collections::VecDeque;
use std::time::Instant;

/// Entries that are remembered of a conversation: some hundred holds. The oldest goes first, and is counted.
const ENTRIES_MAX: usize = 1000;

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A wish of an application or an operator.
    Command,
    /// Something that happened.
    Fact,
    /// Something that the server did.
    Effect,
    /// News for the application.
    Notice,
}

/// What has become of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimelineOutcome {
    /// It is carried out.
    Accepted,
    /// It is carried out already, by an earlier wish.
    Repeated,
    /// Nothing has changed.
    Refused,
}

/// One step of a conversation.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    /// In Graph's word where it has one: `startHoldMusic`.
    pub(crate) name: &'static str,
    /// Of a command.
    pub(crate) outcome: Option<TimelineOutcome>,
    /// Who wished it.
    pub(crate) by: Option<Owner>,
    pub(crate) participant: Option<ParticipantId>,
    pub(crate) operation: Option<OperationId>,
    /// A sentence for people.
    pub(crate) text: String,
}

/// The newest entries of a conversation.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    entries: VecDeque<(Instant, Entry)>,
    dropped: u64,
}

impl Timeline {
    pub(super) fn write(&mut self, entry: Entry, now: Instant) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back((now, entry));
    }

    /// How many entries there are no more.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The entries with their times, the oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &(Instant, Entry)> {
        self.entries.iter()
    }

    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.entries.iter().map(|(_, entry)| entry.text.len()).sum();
        self.entries.capacity() * size_of::<(Instant, Entry)>() + texts
    }
}
