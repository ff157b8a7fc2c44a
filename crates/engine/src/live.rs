//! A conversation as it is at this moment, for people who look at it.

use crate::chronicle::{EntryKind, Owner, Phase, TimelineOutcome};
use call::{
    CallId, CallKind, CallState, ConversationId, Direction, HoldPhase, Identity, OperationId, OperationStatus,
    ParticipantId, ResultInfo,
};
use edge::sip::Transport;
use edge::srtp::Suite;
use media::{Codec, Statistics, Tape};
use std::time::{Duration, Instant, SystemTime};

/// Reads monotonic times as times of day. Made once for a conversation, so that a time is shown the same for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WallClock {
    instant: Instant,
    time: SystemTime,
}

impl WallClock {
    pub(crate) fn new(instant: Instant, time: SystemTime) -> Self {
        Self { instant, time }
    }

    /// When it was made.
    pub(crate) fn start(&self) -> Instant {
        self.instant
    }

    pub(crate) fn read(&self, at: Instant) -> SystemTime {
        match at.checked_duration_since(self.instant) {
            Some(after) => self.time + after,
            None => self.time - (self.instant - at),
        }
    }
}

/// One application's call.
#[derive(Clone, Debug)]
pub struct LiveCall {
    /// Which.
    pub id: CallId,
    /// The conversation that it is in.
    pub conversation: ConversationId,
    /// Rises with each change.
    pub revision: u64,
    /// How far it is.
    pub state: CallState,
    /// One target, or a group by now.
    pub kind: CallKind,
    /// Whose it is.
    pub application: Identity,
    /// When it began.
    pub created: SystemTime,
    /// When it ended, if it has.
    pub ended: Option<SystemTime>,
    /// Why.
    pub result: Option<ResultInfo>,
    /// Everybody who is in or being called, in the order in which they came; of a call that has ended, who was there.
    pub participants: Vec<LiveParticipant>,
    /// The newest operations, the oldest first.
    pub operations: Vec<LiveOperation>,
}

/// Somebody in a conversation.
#[derive(Clone, Debug)]
pub struct LiveParticipant {
    /// The roster entry.
    pub id: ParticipantId,
    /// Who it is.
    pub identity: Identity,
    /// Whether it is there.
    pub state: Attendance,
    /// Since when.
    pub since: SystemTime,
    /// Whether it is an application's own entry, which has no audio here.
    pub is_application: bool,
    /// Whether it is muted.
    pub is_muted: bool,
    /// Its audio as the roster shows it.
    pub direction: Direction,
    /// What lies over it.
    pub layers: Vec<LiveLayer>,
    /// What it hears.
    pub hears: LiveHears,
    /// Who hears it.
    pub heard_by: Vec<ParticipantId>,
    /// Its connection; `None` of who has no audio.
    pub media: Option<LiveMedia>,
}

/// Whether somebody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attendance {
    /// It is being called, or calls.
    Ringing,
    /// It is in.
    Joined,
    /// It was in, or was called.
    Left,
}

/// A layer that lies over somebody.
#[derive(Clone, Debug)]
pub struct LiveLayer {
    /// Which.
    pub layer: Layer,
    /// Since when.
    pub since: SystemTime,
    /// By whose doing.
    pub owner: Owner,
    /// By which operation.
    pub operation: Option<OperationId>,
    /// Of hold music: where it comes from; `None` of the built-in music. It may be a secret: not for a log.
    pub prompt_uri: Option<String>,
}

/// The layers, as the rules have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Hold music; how far it is.
    HoldMusic(Option<HoldPhase>),
    /// The phone's own hold.
    RemoteHold,
    /// The server drops what it says.
    Muted,
}

/// What somebody hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveHears {
    /// These, as far as they speak.
    Conversation(Vec<ParticipantId>),
    /// Music.
    Music,
    /// Silence: it is on hold, and the music is not there.
    Silence,
    /// Nothing: its phone does not listen, or it has no audio.
    Nothing,
}

/// How the leg of somebody is signalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signalling {
    /// By SIP over this transport.
    Sip(Transport),
    /// By a page's requests over HTTP: it is in a browser.
    Browser,
}

/// What encrypts a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// SRTP with this suite.
    Srtp(Suite),
    /// SRTP with the suite that a browser has chosen, and keys from DTLS. It is always one of RFC 5764 and RFC 7714.
    DtlsSrtp,
}

/// How somebody is connected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveMedia {
    /// How it is signalled, if known.
    pub signalling: Option<Signalling>,
    /// What is spoken.
    pub codec: Codec,
    /// What encrypts it.
    pub encryption: Option<Encryption>,
    /// What was counted and measured.
    pub statistics: Statistics,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct LiveOperation {
    /// Which.
    pub id: OperationId,
    /// Its name in Graph's words: `startHoldMusic`.
    pub name: &'static str,
    /// How it stands.
    pub status: OperationStatus,
    /// The application's own mark.
    pub client_context: String,
    /// Whom it is about.
    pub participant: Option<ParticipantId>,
    /// Who asked for it.
    pub by: Owner,
    /// When it was accepted.
    pub created: SystemTime,
    /// When it ended.
    pub ended: Option<SystemTime>,
    /// What it did, and since when.
    pub phases: Vec<(Phase, SystemTime)>,
    /// Why it failed.
    pub result: Option<ResultInfo>,
}

/// The timeline of a conversation.
#[derive(Clone, Debug)]
pub struct LiveTimeline {
    /// The steps, the oldest first.
    pub entries: Vec<LiveEntry>,
    /// How many older ones are forgotten.
    pub dropped: u64,
}

/// One step of a conversation.
#[derive(Clone, Debug)]
pub struct LiveEntry {
    /// When.
    pub time: SystemTime,
    /// What it tells of.
    pub kind: EntryKind,
    /// Its name: `startHoldMusic`, `promptFailed`, `route`.
    pub name: &'static str,
    /// Of a wish: what has become of it.
    pub outcome: Option<TimelineOutcome>,
    /// Of a wish: whose it was.
    pub by: Option<Owner>,
    /// Whom it is about.
    pub participant: Option<ParticipantId>,
    /// Which operation it is about.
    pub operation: Option<OperationId>,
    /// A sentence for people.
    pub text: String,
}

/// What one participant was given to hear.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The intervals, the oldest first.
    pub intervals: Vec<HeardInterval>,
    /// How many older ones are forgotten.
    pub dropped_intervals: u64,
    /// How much of the sound itself is kept.
    pub audio: Duration,
}

/// A while in which the same sound went on.
#[derive(Clone, Debug)]
pub struct HeardInterval {
    /// When it began.
    pub from: SystemTime,
    /// The tick in which it began, counted from the conversation's beginning.
    pub tick: u64,
    /// How many ticks it took.
    pub ticks: u64,
    /// What was to be heard.
    pub sound: HeardSound,
    /// What ended in it: then it is one tick long.
    pub fading_out: Option<HeardSound>,
    /// Of music: the operation that plays it, if it is remembered.
    pub operation: Option<OperationId>,
    /// The levels of the quietest tick, of all of it, and of the loudest tick, in dBFS.
    pub levels_dbfs: [f32; 3],
}

/// What was to be heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeardSound {
    /// Nothing was sent.
    Nothing,
    /// Packets of silence.
    Silence,
    /// The sum of what these said.
    Mix(Vec<ParticipantId>),
    /// Music, and nobody.
    Music,
    /// A key that was pressed towards it.
    Key,
}

/// The sound that was sent to one participant, as payloads. Whoever wants to hear it decodes it, beside the worker.
pub type HeardAudio = Tape;

/// What is new in all conversations since somebody last looked, and how loud it is.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// The conversations that there are, with how far each has come.
    pub revisions: Vec<(ConversationId, u64)>,
    /// The calls of those that have come further than was known.
    pub changed: Vec<LiveCall>,
    /// Every leg that is up.
    pub legs: Vec<(ParticipantId, LiveMedia)>,
    /// Whether every worker has answered: then what is not here is not there.
    pub is_whole: bool,
}
