//! Who is in the conversation, who is being called, and what the applications are told of it.

use crate::layers::{Direction, Hears, Layers, Route};
use crate::{CallId, CallKind, Identity, Notice, ParticipantId, Refusal, RosterEntry};

/// Somebody in the conversation or on the way into it.
#[derive(Debug)]
pub(crate) struct Participant {
    pub(crate) id: ParticipantId,
    pub(crate) identity: Identity,
    pub(crate) role: Role,
    pub(crate) layers: Layers,
    /// Which way the phone's audio goes, as the phone says.
    pub(crate) direction: Direction,
    /// What was last ordered for it.
    pub(crate) route: Option<Route>,
}

/// What a participant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The application of a call. It has no leg.
    Application(CallId),
    /// A person who has not answered yet, or who calls and is not answered: not in the roster.
    Ringing,
    /// A person who is in.
    Joined,
}

impl Participant {
    pub(crate) fn application(id: ParticipantId, identity: Identity, call: CallId) -> Self {
        Self::new(id, identity, Role::Application(call))
    }

    pub(crate) fn ringing(id: ParticipantId, identity: Identity) -> Self {
        Self::new(id, identity, Role::Ringing)
    }

    fn new(id: ParticipantId, identity: Identity, role: Role) -> Self {
        let (layers, direction) = (Layers::default(), Direction::default());
        Self { id, identity, role, layers, direction, route: None }
    }

    /// The direction that the applications see: a client's own hold shows as `inactive`, as observed of Graph
    /// (graph-calls 5.5), and so does ours.
    pub(crate) fn shown_direction(&self) -> Direction {
        if self.layers.hold_music || self.layers.remote_hold { Direction::Inactive } else { self.direction }
    }
}

/// Everybody, and the roster as it was last told.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    participants: Vec<Participant>,
    told: Vec<RosterEntry>,
    sequence: u64,
}

impl Roster {
    pub(crate) fn add(&mut self, participant: Participant) {
        self.participants.push(participant);
    }

    /// Takes somebody out, whether ringing or in.
    pub(crate) fn remove(&mut self, id: ParticipantId) -> Option<Participant> {
        let at = self.participants.iter().position(|p| p.id == id)?;
        Some(self.participants.remove(at))
    }

    pub(crate) fn find(&mut self, id: ParticipantId) -> Option<&mut Participant> {
        self.participants.iter_mut().find(|p| p.id == id)
    }

    pub(crate) fn find_identity(&self, identity: &Identity) -> Option<&Participant> {
        self.participants.iter().find(|p| p.identity == *identity)
    }

    /// Finds a person who has answered.
    ///
    /// # Errors
    ///
    /// [`Refusal::ParticipantNotFound`], [`Refusal::ParticipantIsApplication`].
    pub(crate) fn person(&mut self, id: ParticipantId) -> Result<&mut Participant, Refusal> {
        let participant = self.find(id).ok_or(Refusal::ParticipantNotFound)?;
        match participant.role {
            Role::Joined => Ok(participant),
            Role::Ringing => Err(Refusal::ParticipantNotFound),
            Role::Application(_) => Err(Refusal::ParticipantIsApplication),
        }
    }

    /// Everybody, applications and those who are ringing too.
    pub(crate) fn participants(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter()
    }

    /// The ids of those who are ringing or in, applications left out.
    pub(crate) fn people(&self) -> Vec<ParticipantId> {
        let is_person = |p: &&Participant| !matches!(p.role, Role::Application(_));
        self.participants.iter().filter(is_person).map(|p| p.id).collect()
    }

    /// Who hears the conversation.
    pub(crate) fn listeners(&self) -> Vec<ParticipantId> {
        let hears = |p: &&Participant| p.role == Role::Joined && p.layers.route().hears == Hears::Conversation;
        self.participants.iter().filter(hears).map(|p| p.id).collect()
    }

    /// How many people have answered.
    pub(crate) fn joined_count(&self) -> usize {
        self.participants.iter().filter(|p| p.role == Role::Joined).count()
    }

    /// How many people are being called.
    pub(crate) fn ringing_count(&self) -> usize {
        self.participants.iter().filter(|p| p.role == Role::Ringing).count()
    }

    /// Brings what is told up to date. Returns whether there is something new to tell.
    pub(crate) fn refresh(&mut self) -> bool {
        let next = self.sequence + 1;
        let in_roster = self.participants.iter().filter(|p| p.role != Role::Ringing);
        let entries: Vec<_> = in_roster.map(|p| entry(p, &self.told, next)).collect();
        if entries == self.told {
            return false;
        }
        (self.told, self.sequence) = (entries, next);
        true
    }

    /// The roster as `call` is told it.
    pub(crate) fn notice(&self, call: CallId, kind: CallKind) -> Notice {
        Notice::Roster { call, kind, sequence: self.sequence, entries: self.told.clone() }
    }
}

/// The entry of a participant: with the sequence number of its last change, which is `next` if it changes now.
fn entry(participant: &Participant, told: &[RosterEntry], next: u64) -> RosterEntry {
    let mut entry = RosterEntry {
        participant: participant.id,
        identity: participant.identity.clone(),
        muted: participant.layers.muted,
        direction: participant.shown_direction(),
        sequence: next,
    };
    if let Some(before) = told.iter().find(|e| e.participant == entry.participant) {
        let unchanged = before.muted == entry.muted && before.direction == entry.direction;
        entry.sequence = if unchanged { before.sequence } else { next };
    }
    entry
}
