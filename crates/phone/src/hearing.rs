//! What a phone hears: every packet with its time of arrival and its sound, and what can be said of the packets.
//!
//! Packets are decoded one by one as they arrive. There is no jitter buffer between the network and the measuring: it
//! would hide what is to be measured. A lost packet is simply not there, a late one stands where it arrived.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use media::Key;

use crate::sequence::Sequence;
use crate::window::Window;

/// One RTP packet of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// When it arrived.
    pub arrival: Instant,
    /// The source that sent it.
    pub ssrc: u32,
    /// Its sequence number.
    pub sequence: u16,
    /// Its timestamp, in units of the codec's clock.
    pub timestamp: u32,
    /// The rate of its sound, in hertz.
    pub rate_hz: u32,
    /// Where its sound begins, counted in samples since the phone was switched on.
    start: u64,
    /// How many samples it has.
    samples: usize,
}

/// A key press that was heard (RFC 4733), once however many packets told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeardKey {
    /// When its first packet arrived.
    pub arrival: Instant,
    /// Which key.
    pub key: Key,
    /// Its timestamp; packets with the same one are about the same press.
    pub timestamp: u32,
}

/// Counts of what came to the phone's RTP port since it was switched on, over all its calls.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Statistics {
    /// RTP packets of its calls, sound and keys.
    pub packets: u64,
    /// Packets that never came: gaps in the sequence numbers (RFC 3550 §A.3).
    pub lost: u64,
    /// Packets that came twice.
    pub duplicates: u64,
    /// Packets that came after a later one.
    pub reordered: u64,
    /// How often another SSRC took over.
    pub source_changes: u64,
    /// The interarrival jitter of the present source, in milliseconds (RFC 3550 §A.8).
    pub jitter_ms: f64,
    /// The longest time between two packets of one call. A hold may be in it; [`Hearing::longest_gap`] looks at a span.
    pub longest_gap: Duration,
    /// Packets whose payload was not of the negotiated codec.
    pub undecodable: u64,
    /// RTP with a payload type that was not negotiated, or bytes that are no RTP.
    pub invalid: u64,
    /// Packets that were to be SRTP and are not authentic, or came before.
    pub unauthentic: u64,
    /// RTP from others than the peer, as [`edge::latch`] tells them apart. It is not heard.
    pub foreign: u64,
    /// RTCP packets (they share the port, RFC 5761).
    pub rtcp: u64,
}

/// What to enter about one packet of sound.
pub(crate) struct Arrived {
    pub(crate) arrival: Instant,
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) clock_rate_hz: u32,
}

/// Everything a phone heard, bounded by a time.
#[derive(Debug)]
pub struct Hearing {
    remembers: Duration,
    packets: VecDeque<Packet>,
    samples: VecDeque<i16>,
    /// The number of the first sample in `samples`.
    first_sample: u64,
    keys: Vec<HeardKey>,
    sequence: Option<Sequence>,
    last_arrival: Option<Instant>,
    statistics: Statistics,
}

/// The most key presses kept; a test sends a few dozen. Further ones are dropped.
const KEYS_MAX: usize = 1000;

impl Hearing {
    pub(crate) fn new(remembers: Duration) -> Hearing {
        Hearing {
            remembers,
            packets: VecDeque::new(),
            samples: VecDeque::new(),
            first_sample: 0,
            keys: Vec::new(),
            sequence: None,
            last_arrival: None,
            statistics: Statistics::default(),
        }
    }

    /// Returns the counts so far.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Yields the packets of sound in the order of their arrival.
    pub fn packets(&self) -> impl DoubleEndedIterator<Item = &Packet> {
        self.packets.iter()
    }

    /// Returns the key presses in the order of their arrival.
    pub fn keys(&self) -> &[HeardKey] {
        &self.keys
    }

    /// Returns the sound of the packets that arrived in a span of time, its end left out.
    pub fn between(&self, from: Instant, to: Instant) -> Window {
        let begin = self.packets.partition_point(|packet| packet.arrival < from);
        let end = self.packets.partition_point(|packet| packet.arrival < to);
        let packets = self.packets.range(begin..end.max(begin));
        // A window has one rate: after a change of codec, that of the newest packet.
        let rate_hz = packets.clone().next_back().map_or(0, |packet| packet.rate_hz);
        let of_rate = packets.clone().filter(|packet| packet.rate_hz == rate_hz);
        let samples = of_rate.flat_map(|packet| self.sound_of(packet)).copied().collect();
        Window::new(from, to, packets.len(), rate_hz, samples)
    }

    /// Returns the sound of a packet, or nothing if it is forgotten.
    pub fn sound_of(&self, packet: &Packet) -> impl Iterator<Item = &i16> {
        let begin = packet.start.saturating_sub(self.first_sample) as usize;
        let forgotten = packet.start < self.first_sample;
        let length = if forgotten { 0 } else { packet.samples };
        self.samples.range(begin.min(self.samples.len())..(begin + length).min(self.samples.len()))
    }

    /// Cuts a span of time into windows of one length; what is left over at its end is not looked at.
    ///
    /// # Panics
    ///
    /// If the length is zero.
    pub fn windows(&self, from: Instant, to: Instant, length: Duration) -> Vec<Window> {
        assert!(!length.is_zero(), "windows of no length would never reach the end");
        let mut windows = Vec::new();
        let mut start = from;
        while start + length <= to {
            windows.push(self.between(start, start + length));
            start += length;
        }
        windows
    }

    /// Returns the longest time without a packet of sound in a span, its beginning and end included.
    pub fn longest_gap(&self, from: Instant, to: Instant) -> Duration {
        let inside = self.packets.iter().map(|packet| packet.arrival).filter(|arrival| (from..to).contains(arrival));
        let ends: Vec<Instant> = std::iter::once(from).chain(inside).chain([to]).collect();
        let gaps = ends.windows(2).map(|pair| pair[1].saturating_duration_since(pair[0]));
        gaps.max().unwrap_or_default()
    }

    pub(crate) fn take_sound(&mut self, arrived: &Arrived, rate_hz: u32, samples: &[i16]) {
        self.take_packet(arrived);
        let Arrived { arrival, ssrc, sequence, timestamp, .. } = *arrived;
        let start = self.first_sample + self.samples.len() as u64;
        let samples_count = samples.len();
        self.packets.push_back(Packet { arrival, ssrc, sequence, timestamp, rate_hz, start, samples: samples_count });
        self.samples.extend(samples);
        self.forget(arrival);
    }

    pub(crate) fn take_key(&mut self, arrived: &Arrived, key: Key) {
        self.take_packet(arrived);
        let Arrived { arrival, timestamp, .. } = *arrived;
        let is_known = self.keys.last().is_some_and(|known| (known.timestamp, known.key) == (timestamp, key));
        if !is_known && self.keys.len() < KEYS_MAX {
            self.keys.push(HeardKey { arrival, key, timestamp });
        }
    }

    /// Takes a packet in whose sound could not be decoded.
    pub(crate) fn take_undecodable(&mut self, arrived: &Arrived) {
        self.take_packet(arrived);
        self.statistics.undecodable += 1;
    }

    pub(crate) fn count_invalid(&mut self) {
        self.statistics.invalid += 1;
    }

    pub(crate) fn count_unauthentic(&mut self) {
        self.statistics.unauthentic += 1;
    }

    pub(crate) fn count_foreign(&mut self) {
        self.statistics.foreign += 1;
    }

    pub(crate) fn count_rtcp(&mut self) {
        self.statistics.rtcp += 1;
    }

    /// Between two calls there is no gap to be counted.
    pub(crate) fn begin_call(&mut self) {
        self.last_arrival = None;
        self.sequence = None;
    }

    fn take_packet(&mut self, arrived: &Arrived) {
        let statistics = &mut self.statistics;
        statistics.packets += 1;
        if let Some(last) = self.last_arrival.replace(arrived.arrival) {
            let gap = arrived.arrival.saturating_duration_since(last);
            statistics.longest_gap = statistics.longest_gap.max(gap);
        }
        match &mut self.sequence {
            Some(sequence) if sequence.ssrc() == arrived.ssrc => sequence.take(arrived, statistics),
            Some(_) => {
                statistics.source_changes += 1;
                self.sequence = Some(Sequence::new(arrived));
            }
            None => self.sequence = Some(Sequence::new(arrived)),
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.packets.front() {
            if now.saturating_duration_since(oldest.arrival) <= self.remembers {
                break;
            }
            self.samples.drain(..oldest.samples);
            self.first_sample += oldest.samples as u64;
            self.packets.pop_front();
        }
    }
}
