//! What a leg was given to hear, tick by tick, written down where the packets are made.
//!
//! The ledger is a row of intervals: as long as the same sound goes on, the last one grows. What was sent may be kept
//! besides, as payloads, and is decoded when somebody asks: so it is what the phone got and not what was meant.
//!
//! Both are rings whose memory is taken when the leg is added, so that a tick that only goes on allocates nothing.

use crate::codec::{Codec, Decoder};
use crate::level::power_to_dbfs;
use crate::mixer::LegId;
use crate::music::Recording;
use crate::ring::resample_ring;
use crate::{TICK, codec};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a second of sound is given in a tape, in bytes for each tick: a payload of G.711 and G.722. One of Opus is half as
/// long, and music at its best rate about as long.
const TAPE_BYTES_PER_TICK: usize = 160;

/// How much is kept of what a leg was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerLimits {
    /// The most intervals; the oldest are dropped, and counted.
    pub intervals_max: usize,
    /// How much of the sound itself is kept, the newest; none if zero.
    pub audio: Duration,
}

/// What one leg was given to hear.
#[derive(Debug, Clone)]
pub struct HeardLedger {
    leg: LegId,
    intervals: VecDeque<Interval>,
    intervals_max: usize,
    dropped_intervals: u64,
    tape: Option<Tape>,
}

/// A while in which the same sound went on.
#[derive(Debug, Clone)]
pub struct Interval {
    /// The time of its first tick.
    pub from: Instant,
    /// The number of its first tick, counted from the conversation's beginning.
    pub tick: u64,
    /// How many ticks it is long; at least 1.
    pub ticks: u64,
    /// What was to be heard.
    pub sound: Sound,
    /// What faded out in it: then it is one tick long.
    pub fading_out: Option<Sound>,
    power_sum: f64,
    power_min: f64,
    power_max: f64,
}

/// What is to be heard in a tick.
#[derive(Debug, Clone)]
pub enum Sound {
    /// Nothing: no packet of sound was sent.
    Nothing,
    /// Packets of silence.
    Silence,
    /// The sum of what these said in the tick; the leg itself may be among them and was left out of the sum.
    Mix(Arc<[LegId]>),
    /// Music, and nobody.
    Music,
    /// A key that is pressed towards the leg, and nobody.
    Key,
}

/// What one tick has made, as its maker knows it.
pub(crate) struct Given<'a> {
    pub(crate) kind: Kind,
    /// What ended in the same tick and could still be heard.
    pub(crate) fading_out: Option<Kind>,
    pub(crate) power: Power<'a>,
    pub(crate) codec: Codec,
    /// Empty for a tick without sound.
    pub(crate) payload: &'a [u8],
}

/// A [`Sound`] without its speakers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    Silence,
    Conversation,
    Music,
    Key,
}

/// How loud a tick is: measured only if somebody wants to know.
pub(crate) enum Power<'a> {
    None,
    Of(&'a [i16]),
    /// The mean square.
    OfMusic(f32),
}

impl HeardLedger {
    pub(crate) fn new(leg: LegId, limits: LedgerLimits) -> HeardLedger {
        HeardLedger {
            leg,
            intervals: VecDeque::with_capacity(limits.intervals_max),
            intervals_max: limits.intervals_max.max(1),
            dropped_intervals: 0,
            tape: Tape::new(limits.audio),
        }
    }

    /// Returns the intervals, the oldest first.
    pub fn intervals(&self) -> impl Iterator<Item = &Interval> {
        self.intervals.iter()
    }

    /// Returns whom the leg heard in a sound: those of the mix but itself.
    pub fn heard_legs<'a>(&self, sound: &'a Sound) -> impl Iterator<Item = LegId> + use<'a> {
        others(sound, self.leg)
    }

    /// Returns how many intervals were dropped because there were too many.
    pub fn dropped_intervals(&self) -> u64 {
        self.dropped_intervals
    }

    /// Returns the sound that is kept, if any is.
    pub fn tape(&self) -> Option<&Tape> {
        self.tape.as_ref()
    }

    /// Returns the memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.intervals.capacity() * size_of::<Interval>() + self.tape.as_ref().map_or(0, Tape::bytes)
    }

    /// Writes down one tick. `speakers` are all whose sound was in the sum.
    pub(crate) fn record(&mut self, given: &Given<'_>, speakers: &Arc<[LegId]>, tick: u64, now: Instant) {
        let power = given.power.mean_square();
        if let Some(tape) = &mut self.tape {
            tape.push(given.codec, given.payload);
        }
        let goes_on = self.intervals.back().is_some_and(|last| goes_on(last, given, speakers, self.leg));
        match self.intervals.back_mut().filter(|_| goes_on) {
            Some(last) => last.extend(power),
            None => self.begin(Interval::new(given, speakers, power, tick, now)),
        }
    }

    fn begin(&mut self, interval: Interval) {
        if self.intervals.len() == self.intervals_max {
            self.intervals.pop_front();
            self.dropped_intervals += 1;
        }
        self.intervals.push_back(interval);
    }
}

impl Interval {
    fn new(given: &Given<'_>, speakers: &Arc<[LegId]>, power: f64, tick: u64, now: Instant) -> Interval {
        Interval {
            from: now,
            tick,
            ticks: 1,
            sound: sound(given.kind, speakers),
            fading_out: given.fading_out.map(|kind| sound(kind, speakers)),
            power_sum: power,
            power_min: power,
            power_max: power,
        }
    }

    fn extend(&mut self, power: f64) {
        self.ticks += 1;
        self.power_sum += power;
        self.power_min = self.power_min.min(power);
        self.power_max = self.power_max.max(power);
    }

    /// Returns the levels of its quietest tick, of all of it, and of its loudest tick, in dBFS.
    pub fn levels_dbfs(&self) -> [f32; 3] {
        [self.power_min, self.power_sum / self.ticks as f64, self.power_max].map(power_to_dbfs)
    }
}

/// Tells whether a tick goes on with an interval. Who is heard may change by the leg itself: that is not heard.
fn goes_on(last: &Interval, given: &Given<'_>, speakers: &Arc<[LegId]>, leg: LegId) -> bool {
    if last.fading_out.is_some() || given.fading_out.is_some() {
        return false;
    }
    match (&last.sound, given.kind) {
        (Sound::Mix(before), Kind::Conversation) => {
            let is_other = |speaker: &&LegId| **speaker != leg;
            Arc::ptr_eq(before, speakers) || before.iter().filter(is_other).eq(speakers.iter().filter(is_other))
        }
        (Sound::Nothing, kind) => kind == Kind::Nothing,
        (Sound::Silence, kind) => kind == Kind::Silence,
        (Sound::Music, kind) => kind == Kind::Music,
        (Sound::Key, kind) => kind == Kind::Key,
        (Sound::Mix(_), Kind::Nothing | Kind::Silence | Kind::Music | Kind::Key) => false,
    }
}

fn sound(kind: Kind, speakers: &Arc<[LegId]>) -> Sound {
    match kind {
        Kind::Nothing => Sound::Nothing,
        Kind::Silence => Sound::Silence,
        Kind::Conversation => Sound::Mix(Arc::clone(speakers)),
        Kind::Music => Sound::Music,
        Kind::Key => Sound::Key,
    }
}

fn others(sound: &Sound, leg: LegId) -> impl Iterator<Item = LegId> + use<'_> {
    let of_mix: &[LegId] = match sound {
        Sound::Mix(speakers) => speakers,
        Sound::Nothing | Sound::Silence | Sound::Music | Sound::Key => &[],
    };
    of_mix.iter().copied().filter(move |speaker| *speaker != leg)
}

impl Power<'_> {
    fn mean_square(&self) -> f64 {
        match self {
            Power::None => 0.0,
            Power::OfMusic(mean_square) => f64::from(*mean_square),
            Power::Of(pcm) => crate::level::mean_square(pcm),
        }
    }
}

/// The newest of what was sent to a leg, as payloads.
#[derive(Debug, Clone)]
pub struct Tape {
    frames: VecDeque<Frame>,
    frames_max: usize,
    bytes: VecDeque<u8>,
    bytes_max: usize,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    codec: Codec,
    /// 0 for a tick without a packet of sound.
    payload_bytes: u16,
}

impl Tape {
    /// Takes all its memory, and has the system really give it: what is only promised would look like a leak when it fills.
    fn new(audio: Duration) -> Option<Tape> {
        let frames_max = (audio.as_nanos() / TICK.as_nanos()) as usize;
        if frames_max == 0 {
            return None;
        }
        let bytes_max = frames_max * TAPE_BYTES_PER_TICK;
        let mut bytes = VecDeque::from(vec![u8::MAX; bytes_max]);
        bytes.clear();
        Some(Tape { frames: VecDeque::with_capacity(frames_max), frames_max, bytes, bytes_max })
    }

    fn push(&mut self, codec: Codec, payload: &[u8]) {
        let payload_bytes = payload.len() as u16;
        while self.frames.len() == self.frames_max || self.bytes.len() + payload.len() > self.bytes_max {
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes.drain(..usize::from(oldest.payload_bytes));
        }
        self.frames.push_back(Frame { codec, payload_bytes });
        self.bytes.extend(payload);
    }

    /// Returns how much sound it holds.
    pub fn duration(&self) -> Duration {
        TICK * self.frames.len() as u32
    }

    fn bytes(&self) -> usize {
        self.bytes.capacity() + self.frames.capacity() * size_of::<Frame>()
    }

    /// Decodes what was sent, as a phone does that gets every packet. What was sent in another codec before is brought to
    /// the rate of the best one.
    ///
    /// This takes about 0.1 % of its duration: not for the tick.
    pub fn decode(&self) -> Recording {
        let frames: Vec<Frame> = self.frames.iter().copied().collect();
        let rate_hz = frames.iter().map(|frame| frame.codec.sample_rate()).max().unwrap_or(codec::LOWEST_RATE_HZ);
        let mut bytes = self.bytes.iter().copied();
        let mut samples = Vec::new();
        for run in frames.chunk_by(|a, b| a.codec == b.codec) {
            let decoded = decode_run(run, &mut bytes);
            let length = decoded.len() * rate_hz as usize / run[0].codec.sample_rate() as usize;
            samples.extend(resample_ring(&decoded, length));
        }
        Recording { rate_hz, samples: samples.into() }
    }
}

/// Decodes a row of frames of one codec; at least one.
fn decode_run(run: &[Frame], bytes: &mut impl Iterator<Item = u8>) -> Vec<i16> {
    let codec = run[0].codec;
    let mut decoder = Decoder::new(codec);
    let mut decoded = Vec::with_capacity(run.len() * codec.samples_per_tick());
    for (at, frame) in run.iter().enumerate() {
        let payload: Vec<u8> = bytes.take(usize::from(frame.payload_bytes)).collect();
        let end = (at + 1) * codec.samples_per_tick();
        if !payload.is_empty() && decoder.decode(&payload, &mut decoded).is_err() {
            decoded.truncate(end - codec.samples_per_tick());
        }
        // A tick without sound, and one that cannot be decoded, keep their place.
        decoded.resize(end, 0);
    }
    decoded
}
