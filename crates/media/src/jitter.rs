//! The jitter buffer: packets in as they come, sound out in a steady flow.
//!
//! It counts in timestamps, not in packets, so any packet duration works. Sound is taken once a tick:
//!
//! ```text
//!           enough in hand                          the next packet is there: decode
//!   idle ───────────────────► playing ───────────►  a later one is there: the gap is lost, conceal it
//!    ▲                          │                   none is there: late or lost, stretch by concealment
//!    └── nothing for 200 ms ────┘
//! ```
//!
//! A stretch makes the delay longer by itself, so a delay that is too short grows where it must. One that is too long,
//! because the network got better or the sender's clock runs fast, is shortened by blending two frames into one.

use crate::TICK;
use crate::codec::Decoder;
use crate::playout::{ArrivalSpread, DELAY_MIN};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The most packets in hand: 640 ms of 10 ms packets. A burst beyond it drops the oldest, which are stale by then.
const PACKETS_MAX: usize = 64;

/// How long nothing may come before the speaker counts as silent. Shorter restarts at every hiccup, longer adds no sound
/// (concealment is silent after 60 ms) but keeps the old delay.
const IDLE_AFTER: Duration = Duration::from_millis(200);

/// The longest gap that is concealed rather than jumped over: after it the sound made up is silence anyhow.
const GAP_MAX: Duration = Duration::from_millis(120);

/// The step of the timestamp that no network makes: more than the buffer can hold. Less would take a burst for a new
/// stream, more would play sound of the old clock for longer.
const JUMP: Duration = Duration::from_secs(2);

/// How many ticks too much must stay in hand before a frame is dropped: 0.5 s. Shorter takes a lull for an improvement.
const SHORTEN_AFTER_TICKS: u32 = 25;

/// How long the sound takes to fade in when a speaker starts, in milliseconds: long enough not to click.
const FADE_IN_MS: u32 = 5;

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It waits for its turn.
    Queued,
    /// Its turn was over before it came.
    Late,
    /// It was here before.
    Duplicate,
}

/// What the buffer has done to keep the flow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PlayoutCounts {
    /// Packets that came after their turn.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets dropped because too many came at once.
    pub overflow: u64,
    /// Packets the codec refused.
    pub invalid: u64,
    /// Ticks of sound made up, in part or in whole.
    pub concealed_ticks: u64,
    /// Ticks of sound left out to shorten the delay.
    pub dropped_ticks: u64,
}

/// One speaker's packets, in order.
pub(crate) struct JitterBuffer {
    clock_hz: u32,
    rate_hz: u32,
    queue: VecDeque<Entry>,
    /// Payload buffers to be used again, so that a steady flow allocates nothing.
    spare: Vec<Vec<u8>>,
    /// Decoded sound not yet taken.
    pending: Vec<i16>,
    /// The timestamp the next packet to be decoded should have; `None` while idle.
    next: Option<i64>,
    /// Samples made up while nothing was there, not yet set against a gap.
    stretched: usize,
    /// In how many ticks that was.
    stretched_ticks: u64,
    newest: Option<i64>,
    spread: ArrivalSpread,
    surplus: Surplus,
    counts: PlayoutCounts,
}

struct Entry {
    timestamp: i64,
    arrival: Instant,
    payload: Vec<u8>,
}

/// The least sound in hand over the last ticks, in samples.
#[derive(Default)]
struct Surplus {
    least: Option<usize>,
    ticks: u32,
}

impl JitterBuffer {
    /// Creates an empty buffer for timestamps at `clock_hz` and sound at `rate_hz`.
    pub(crate) fn new(clock_hz: u32, rate_hz: u32) -> JitterBuffer {
        JitterBuffer {
            clock_hz,
            rate_hz,
            queue: VecDeque::with_capacity(PACKETS_MAX + 1),
            spare: Vec::with_capacity(PACKETS_MAX + 1),
            pending: Vec::new(),
            next: None,
            stretched: 0,
            stretched_ticks: 0,
            newest: None,
            spread: ArrivalSpread::default(),
            surplus: Surplus::default(),
            counts: PlayoutCounts::default(),
        }
    }

    /// Returns what was done to keep the flow since the buffer was made.
    pub(crate) fn counts(&self) -> PlayoutCounts {
        self.counts
    }

    /// Returns how long sound lies here, at present, between its packet and the tick that takes it.
    pub(crate) fn delay(&self, decoder: &Decoder) -> Duration {
        Duration::from_secs(1) * self.samples_in_hand(decoder) as u32 / self.rate_hz
    }

    /// Drops all sound in hand: nothing that has come so far will be played.
    pub(crate) fn flush(&mut self) {
        while let Some(entry) = self.queue.pop_front() {
            self.recycle(entry.payload);
        }
        self.pending.clear();
        self.go_idle();
    }

    /// Forgets the stream: timestamps start anew.
    pub(crate) fn restart(&mut self) {
        self.flush();
        self.newest = None;
        self.spread = ArrivalSpread::default();
    }

    /// Takes a packet. An empty one says that the speaker is silent from its timestamp on (comfort noise, DTX): nothing is
    /// missing then, so nothing is made up.
    pub(crate) fn insert(&mut self, timestamp: u32, payload: &[u8], arrival: Instant) -> Verdict {
        if self.is_jump(timestamp) {
            self.restart();
        }
        let timestamp = self.unwrap_timestamp(timestamp);
        self.spread.arrived(timestamp, self.clock_hz, arrival);
        if self.next.is_some_and(|next| timestamp < next) {
            self.counts.late += 1;
            return Verdict::Late;
        }
        // Packets come nearly in order, so the place is found from the back.
        let place = self.queue.iter().rposition(|entry| entry.timestamp <= timestamp);
        if place.is_some_and(|place| self.queue[place].timestamp == timestamp) {
            self.counts.duplicate += 1;
            return Verdict::Duplicate;
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(payload);
        self.queue.insert(place.map_or(0, |place| place + 1), Entry { timestamp, arrival, payload: buffer });
        self.bound();
        Verdict::Queued
    }

    /// Fills `out` with the next sound; `false` says that it is silence because nobody speaks.
    pub(crate) fn pull(&mut self, now: Instant, decoder: &mut Decoder, out: &mut [i16]) -> bool {
        let starts = self.next.is_none();
        if starts && !self.start(now, decoder) {
            out.fill(0);
            return false;
        }
        self.take(decoder, out);
        if starts {
            crate::fade::fade_in(out, (self.rate_hz * FADE_IN_MS / 1000) as usize);
        }
        if self.surplus.observe(self.samples_in_hand(decoder), self.surplus_limit()) {
            self.shorten(decoder, out.len());
        }
        true
    }

    /// Starts playing if there is enough in hand or the first packet has waited long enough.
    fn start(&mut self, now: Instant, decoder: &Decoder) -> bool {
        let Some(first) = self.queue.front() else { return false };
        let wait = self.spread.spread().max(DELAY_MIN);
        let enough = self.samples_of(wait);
        let waited = now.saturating_duration_since(first.arrival) >= wait;
        if self.samples_in_hand(decoder) < enough && !waited {
            return false;
        }
        // After a stall everything comes at once; only the newest is worth hearing.
        while self.queue.len() > 1 && self.samples_in_hand(decoder) > enough + self.samples_of(DELAY_MIN) {
            self.drop_oldest();
        }
        self.next = self.queue.front().map(|entry| entry.timestamp);
        true
    }

    fn take(&mut self, decoder: &mut Decoder, out: &mut [i16]) {
        while self.pending.len() < out.len() {
            self.supply(decoder, out.len() - self.pending.len());
        }
        out.copy_from_slice(&self.pending[..out.len()]);
        self.pending.drain(..out.len());
    }

    /// Adds sound to `pending`: from the next packet, or made up; at most `wanted` samples if nothing is there.
    fn supply(&mut self, decoder: &mut Decoder, wanted: usize) {
        let Some(front) = self.queue.front() else { return self.stretch(decoder, wanted) };
        let next = self.next.unwrap_or(front.timestamp);
        let front_is_silence = front.payload.is_empty();
        let gap = self.samples_of_units(front.timestamp - next);
        if gap > self.stretched {
            self.conceal_gap(decoder, gap - self.stretched);
        }
        self.stretched = 0;
        self.stretched_ticks = 0;
        match front_is_silence {
            true => self.fall_silent(wanted),
            false => self.decode_next(decoder),
        }
    }

    /// The noise itself is not made: many who are silent would add up to a hiss.
    fn fall_silent(&mut self, wanted: usize) {
        if let Some(entry) = self.queue.pop_front() {
            self.recycle(entry.payload);
        }
        self.pending.resize(self.pending.len() + wanted, 0);
        self.go_idle();
    }

    fn stretch(&mut self, decoder: &mut Decoder, wanted: usize) {
        decoder.conceal_samples(wanted, &mut self.pending);
        self.stretched += wanted;
        self.stretched_ticks += 1;
        self.counts.concealed_ticks += 1;
        if self.stretched >= self.samples_of(IDLE_AFTER) {
            // It was no loss then: the speaker had stopped.
            self.counts.concealed_ticks -= std::mem::take(&mut self.stretched_ticks);
            self.go_idle();
        }
    }

    fn conceal_gap(&mut self, decoder: &mut Decoder, missing: usize) {
        if missing > self.samples_of(GAP_MAX) {
            return;
        }
        let Some(front) = self.queue.front() else { return };
        let recoverable = decoder.duration_samples(&front.payload).min(missing);
        if missing > recoverable {
            decoder.conceal_samples(missing - recoverable, &mut self.pending);
        }
        // Neither silence nor a payload that is none holds a copy of what is missing.
        if recoverable > 0 {
            decoder.recover(&front.payload, recoverable, &mut self.pending);
        }
        self.counts.concealed_ticks += missing.div_ceil(self.samples_of(TICK)) as u64;
    }

    fn decode_next(&mut self, decoder: &mut Decoder) {
        let Some(entry) = self.queue.pop_front() else { return };
        let before = self.pending.len();
        if decoder.decode(&entry.payload, &mut self.pending).is_err() {
            self.counts.invalid += 1;
        }
        let decoded = self.pending.len() - before;
        self.next = Some(entry.timestamp + decoded as i64 * i64::from(self.clock_hz) / i64::from(self.rate_hz));
        self.recycle(entry.payload);
    }

    /// Blends the next two frames into one, which shortens the delay by a frame.
    fn shorten(&mut self, decoder: &mut Decoder, frame: usize) {
        while self.pending.len() < 2 * frame && !self.queue.is_empty() {
            self.supply(decoder, frame);
        }
        if self.pending.len() < 2 * frame {
            return;
        }
        for i in 0..frame {
            let old = i32::from(self.pending[i]) * (frame - i) as i32;
            let new = i32::from(self.pending[frame + i]) * i as i32;
            self.pending[frame + i] = ((old + new) / frame as i32) as i16;
        }
        self.pending.drain(..frame);
        self.counts.dropped_ticks += 1;
    }

    fn go_idle(&mut self) {
        self.next = None;
        self.stretched = 0;
        self.stretched_ticks = 0;
        self.surplus = Surplus::default();
    }

    fn bound(&mut self) {
        if self.queue.len() > PACKETS_MAX {
            self.drop_oldest();
            self.counts.overflow += 1;
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(entry) = self.queue.pop_front() {
            self.recycle(entry.payload);
        }
        if let (Some(_), Some(front)) = (self.next, self.queue.front()) {
            self.next = Some(front.timestamp);
        }
    }

    fn recycle(&mut self, mut payload: Vec<u8>) {
        payload.clear();
        self.spare.push(payload);
    }

    /// Says whether a timestamp cannot belong to the sound in hand: the sender has set its clock anew.
    fn is_jump(&self, timestamp: u32) -> bool {
        let step = self.newest.map_or(0, |newest| i64::from(timestamp.wrapping_sub(newest as u32) as i32));
        // Forwards, with nothing in hand, it is a speaker who was silent.
        let is_silence = step > 0 && self.queue.is_empty();
        !is_silence && step.abs() > JUMP.as_secs() as i64 * i64::from(self.clock_hz)
    }

    /// Extends a timestamp of 32 bits by the one seen last: steps of up to 2^31 in either direction are told apart.
    fn unwrap_timestamp(&mut self, timestamp: u32) -> i64 {
        let newest = self.newest.unwrap_or(i64::from(timestamp));
        let step = timestamp.wrapping_sub(newest as u32) as i32;
        let unwrapped = newest + i64::from(step);
        self.newest = Some(newest.max(unwrapped));
        unwrapped
    }

    /// Counts the sound from the next sample to be taken to the end of the newest packet.
    fn samples_in_hand(&self, decoder: &Decoder) -> usize {
        let (Some(front), Some(back)) = (self.queue.front(), self.queue.back()) else { return self.pending.len() };
        let queued = self.samples_of_units(back.timestamp - front.timestamp) + decoder.duration_samples(&back.payload);
        self.pending.len() + queued
    }

    /// How much may stay in hand, at the least moment, before the delay is shortened.
    fn surplus_limit(&self) -> usize {
        self.samples_of(DELAY_MIN + self.spread.spread())
    }

    fn samples_of(&self, duration: Duration) -> usize {
        (duration.as_micros() as u64 * u64::from(self.rate_hz) / 1_000_000) as usize
    }

    fn samples_of_units(&self, units: i64) -> usize {
        (units.max(0) * i64::from(self.rate_hz) / i64::from(self.clock_hz)) as usize
    }
}

impl Surplus {
    /// Takes note of what is in hand after a tick; `true` if it has not been below the limit for long.
    fn observe(&mut self, in_hand: usize, limit: usize) -> bool {
        self.least = Some(self.least.map_or(in_hand, |least| least.min(in_hand)));
        self.ticks += 1;
        if self.ticks < SHORTEN_AFTER_TICKS {
            return false;
        }
        std::mem::take(self).least.is_some_and(|least| least >= limit)
    }
}
