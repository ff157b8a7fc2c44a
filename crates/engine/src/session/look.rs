//! What people see who look at a conversation. Looking changes nothing.

use super::{Music, Session};
use crate::chronicle::{Chronicle, Mark, OperationRecord, PersonRecord};
use crate::live::{
    Attendance, Encryption, Heard, HeardAudio, HeardInterval, HeardSound, Layer, LiveCall, LiveEntry, LiveHears,
    LiveLayer, LiveMedia, LiveOperation, LiveParticipant, LiveTimeline, Signalling, WallClock,
};
use call::{CallId, ConversationId, Hears, ParticipantId, Presence, Role};
use media::{HeardLedger, LedgerLimits, LegId, Sound, TICK};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Ledgers of people who have left that are kept while the conversation goes on. The oldest goes first.
const PAST_LEDGERS_MAX: usize = 16;

/// What is remembered of a conversation, also when it is over.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(super) chronicle: Chronicle,
    pub(super) ledgers: Ledgers,
    clock: WallClock,
}

/// What was written down of legs that are gone, and whose each leg is or was.
#[derive(Debug, Default)]
pub(super) struct Ledgers {
    pub(super) limits: Option<LedgerLimits>,
    owners: HashMap<LegId, ParticipantId>,
    past: VecDeque<(ParticipantId, HeardLedger)>,
}

impl Ledgers {
    pub(super) fn leg_added(&mut self, leg: LegId, participant: ParticipantId) {
        if self.limits.is_some() {
            self.owners.insert(leg, participant);
        }
    }

    pub(super) fn leg_removed(&mut self, participant: ParticipantId, ledger: Option<HeardLedger>) {
        let Some(ledger) = ledger else { return };
        if self.past.len() == PAST_LEDGERS_MAX {
            self.past.pop_front();
        }
        self.past.push_back((participant, ledger));
    }

    fn past(&self, participant: ParticipantId) -> Option<&HeardLedger> {
        self.past.iter().rfind(|(whose, _)| *whose == participant).map(|(_, ledger)| ledger)
    }

    fn bytes(&self) -> usize {
        self.past.iter().map(|(_, ledger)| ledger.bytes()).sum()
    }
}

impl Session {
    /// Rises with each change that somebody can see.
    pub(crate) fn revision(&self) -> u64 {
        self.memory.chronicle.revision()
    }

    /// The calls of the conversation as they are now.
    pub(crate) fn look(&self) -> Vec<LiveCall> {
        let presences: Vec<Presence<'_>> = self.conversation.presences().collect();
        let participants: Vec<_> = presences.iter().map(|presence| self.participant(presence, &presences)).collect();
        let live = |call: &CallId| self.conversation.call_presences().any(|presence| presence.id == *call);
        let mut calls = self.memory.calls(self.conversation.id());
        for call in &mut calls {
            if live(&call.id) {
                call.participants.clone_from(&participants);
            }
        }
        calls
    }

    /// Every leg that is up.
    pub(crate) fn legs(&self) -> impl Iterator<Item = (ParticipantId, LiveMedia)> + '_ {
        self.by_leg.values().filter_map(|participant| Some((*participant, self.media(*participant)?)))
    }

    /// What one participant was given to hear, if it is written down.
    pub(crate) fn heard(&self, participant: ParticipantId) -> Option<Heard> {
        Some(self.memory.read(participant, self.ledger(participant)?))
    }

    /// The sound that one participant was given, if it is kept.
    pub(crate) fn heard_audio(&self, participant: ParticipantId) -> Option<HeardAudio> {
        self.ledger(participant)?.tape().cloned()
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Ends the session; what is remembered stays.
    pub(crate) fn into_memory(mut self) -> Memory {
        for (leg, participant) in std::mem::take(&mut self.by_leg) {
            self.memory.ledgers.leg_removed(participant, self.mixer.remove_leg(leg));
        }
        self.memory
    }

    fn ledger(&self, participant: ParticipantId) -> Option<&HeardLedger> {
        let live = self.leg_up(participant).and_then(|leg| self.mixer.heard(leg));
        live.or_else(|| self.memory.ledgers.past(participant))
    }

    fn participant(&self, presence: &Presence<'_>, all: &[Presence<'_>]) -> LiveParticipant {
        let id = presence.participant;
        let person = self.memory.chronicle.person(id);
        let others = all.iter().map(|other| other.participant).filter(|other| *other != id);
        let is_heard = self.is_heard(id);
        LiveParticipant {
            id,
            identity: presence.identity.clone(),
            state: match presence.role {
                Role::Ringing => Attendance::Ringing,
                Role::Application(_) | Role::Joined => Attendance::Joined,
            },
            since: self.memory.clock.read(person.map_or(self.memory.clock.start(), |person| person.since)),
            is_application: person.is_some_and(|person| person.is_application),
            is_muted: presence.layers.muted,
            direction: presence.direction,
            layers: person.map_or_else(Vec::new, |person| self.layers(presence, person)),
            hears: self.hears(id, others.clone()),
            heard_by: others.filter(|other| is_heard && self.hears_conversation(*other)).collect(),
            media: self.media(id),
        }
    }

    fn layers(&self, presence: &Presence<'_>, person: &PersonRecord) -> Vec<LiveLayer> {
        let phase = presence.hold.map(|hold| hold.phase);
        let PersonRecord { hold_music, remote_hold, muted, .. } = person;
        let layers = [(Layer::HoldMusic(phase), hold_music), (Layer::RemoteHold, remote_hold), (Layer::Muted, muted)];
        let shown = |(layer, mark): (Layer, &Option<Mark>)| {
            let Mark { since, by, operation } = mark.clone()?;
            let music = self.music.get(&presence.participant).filter(|_| matches!(layer, Layer::HoldMusic(_)));
            let prompt_uri = music.and_then(Music::uri).map(str::to_owned);
            Some(LiveLayer { layer, since: self.memory.clock.read(since), owner: by, operation, prompt_uri })
        };
        layers.into_iter().filter_map(shown).collect()
    }

    fn hears(&self, id: ParticipantId, others: impl Iterator<Item = ParticipantId>) -> LiveHears {
        match self.route_of_leg(id).map(|route| route.hears) {
            None | Some(Hears::Nothing) => LiveHears::Nothing,
            Some(Hears::Conversation) => {
                LiveHears::Conversation(others.filter(|other| self.is_heard(*other)).collect())
            }
            Some(Hears::HoldMusic) if self.music.get(&id).is_some_and(Music::is_heard) => LiveHears::Music,
            Some(Hears::HoldMusic) => LiveHears::Silence,
        }
    }

    fn is_heard(&self, id: ParticipantId) -> bool {
        self.route_of_leg(id).is_some_and(|route| route.heard)
    }

    fn hears_conversation(&self, id: ParticipantId) -> bool {
        self.route_of_leg(id).is_some_and(|route| route.hears == Hears::Conversation)
    }

    /// What is ordered for somebody whose sound flows.
    fn route_of_leg(&self, id: ParticipantId) -> Option<&call::Route> {
        self.leg_up(id)?;
        self.routes.get(&id)
    }

    fn media(&self, id: ParticipantId) -> Option<LiveMedia> {
        let statistics = self.mixer.statistics(self.leg_up(id)?)?;
        let (signalling, encryption) = match self.legs.get(&id) {
            Some(leg) => (leg.transport.map(Signalling::Sip), leg.encryption().map(Encryption::Srtp)),
            None => (Some(Signalling::Browser), Some(Encryption::DtlsSrtp)),
        };
        Some(LiveMedia { signalling, codec: self.codec(id)?, encryption, statistics })
    }
}

impl Memory {
    pub(super) fn new(limits: Option<LedgerLimits>, clock: WallClock) -> Self {
        Self { chronicle: Chronicle::default(), ledgers: Ledgers { limits, ..Ledgers::default() }, clock }
    }

    /// The calls of the conversation, with those who were there in place of those who are.
    pub(crate) fn calls(&self, conversation: ConversationId) -> Vec<LiveCall> {
        let Self { chronicle, clock, .. } = self;
        let calls = chronicle.calls.iter().map(|call| LiveCall {
            id: call.id,
            conversation,
            revision: chronicle.revision(),
            state: call.state,
            kind: call.kind,
            application: call.application.clone(),
            created: clock.read(call.created),
            ended: call.ended.as_ref().map(|(at, _)| clock.read(*at)),
            result: call.ended.as_ref().and_then(|(_, result)| result.clone()),
            participants: self.leavers(),
            operations: self.operations(call.id),
        });
        calls.collect()
    }

    fn leavers(&self) -> Vec<LiveParticipant> {
        let leaver = |(id, person): (ParticipantId, &PersonRecord)| LiveParticipant {
            id,
            identity: person.identity.clone(),
            state: Attendance::Left,
            since: self.clock.read(person.since),
            is_application: person.is_application,
            is_muted: false,
            direction: call::Direction::Inactive,
            layers: Vec::new(),
            hears: LiveHears::Nothing,
            heard_by: Vec::new(),
            media: None,
        };
        self.chronicle.people().into_iter().map(leaver).collect()
    }

    fn operations(&self, call: CallId) -> Vec<LiveOperation> {
        let clock = &self.clock;
        let shown = |record: &OperationRecord| LiveOperation {
            id: record.id,
            name: record.name,
            status: record.status,
            client_context: record.client_context.clone(),
            participant: record.participant,
            by: record.by.clone(),
            created: clock.read(record.created),
            ended: record.ended.map(|at| clock.read(at)),
            phases: record.phases.iter().map(|(phase, since)| (*phase, clock.read(*since))).collect(),
            result: record.result.clone(),
        };
        self.chronicle.operations().filter(|record| record.call == call).map(shown).collect()
    }

    /// Whether a call is or was in the conversation.
    pub(crate) fn has_call(&self, call: CallId) -> bool {
        self.chronicle.calls.iter().any(|record| record.id == call)
    }

    pub(crate) fn timeline(&self) -> LiveTimeline {
        let timeline = &self.chronicle.timeline;
        let entries = timeline.entries().map(|(at, entry)| LiveEntry {
            time: self.clock.read(*at),
            kind: entry.kind,
            name: entry.name,
            outcome: entry.outcome,
            by: entry.by.clone(),
            participant: entry.participant,
            operation: entry.operation,
            text: entry.text.clone(),
        });
        LiveTimeline { entries: entries.collect(), dropped: timeline.dropped() }
    }

    /// What was given to somebody who has left.
    pub(crate) fn heard(&self, participant: ParticipantId) -> Option<Heard> {
        Some(self.read(participant, self.ledgers.past(participant)?))
    }

    pub(crate) fn heard_audio(&self, participant: ParticipantId) -> Option<HeardAudio> {
        self.ledgers.past(participant)?.tape().cloned()
    }

    fn read(&self, participant: ParticipantId, ledger: &HeardLedger) -> Heard {
        let intervals = ledger.intervals().map(|interval| HeardInterval {
            from: self.clock.read(interval.from),
            tick: interval.tick,
            ticks: interval.ticks,
            sound: self.sound(ledger, &interval.sound),
            fading_out: interval.fading_out.as_ref().map(|sound| self.sound(ledger, sound)),
            operation: match interval.sound {
                Sound::Music => self.chronicle.hold_at(participant, interval.from + TICK * interval.ticks as u32),
                Sound::Nothing | Sound::Silence | Sound::Mix(_) | Sound::Key => None,
            },
            levels_dbfs: interval.levels_dbfs(),
        });
        Heard {
            intervals: intervals.collect(),
            dropped_intervals: ledger.dropped_intervals(),
            audio: ledger.tape().map_or(Duration::ZERO, HeardAudio::duration),
        }
    }

    fn sound(&self, ledger: &HeardLedger, sound: &Sound) -> HeardSound {
        match sound {
            Sound::Nothing => HeardSound::Nothing,
            Sound::Silence => HeardSound::Silence,
            Sound::Music => HeardSound::Music,
            Sound::Key => HeardSound::Key,
            Sound::Mix(_) => {
                let people = ledger.heard_legs(sound).filter_map(|leg| self.ledgers.owners.get(&leg).copied());
                HeardSound::Mix(people.collect())
            }
        }
    }

    /// The memory that it takes, in bytes, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.chronicle.bytes() + self.ledgers.bytes()
    }
}
