//! The inbound half of a leg: packets in, frames of the mixer's rate out.

use crate::MIX_FRAME_SAMPLES;
use crate::MIX_RATE_HZ;
use crate::codec::{Decoder, PAYLOAD_BYTES_MAX, samples_per_tick};
use crate::dtmf::{DtmfEvent, DtmfReceiver, EventPayload, Key, News};
use crate::fade::fade_out;
use crate::format::Format;
use crate::jitter::{JitterBuffer, PlayoutCounts, Verdict};
use crate::key_detector::KeyDetector;
use crate::level::{SILENCE_DBFS, level_dbfs};
use crate::reception::{Fit, Reception};
use crate::resample::Resampler;
use crate::rtp::Packet;
use crate::transition::CONVERSATION_FADE_OUT_US;
use std::time::{Duration, Instant};

/// What a received packet was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Sound, or the word that it ends for now, queued to be played.
    Audio,
    /// News of a key.
    Event(DtmfEvent),
    /// Nothing of use.
    Ignored(Ignored),
}

/// Why a received packet was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Its payload type is not the format's.
    PayloadType(u8),
    /// Its turn was over before it came.
    Late,
    /// It was here before.
    Duplicate,
    /// It belongs to another stream than the leg's. A second one in sequence makes that the leg's stream.
    UnknownSource,
    /// Its payload is empty, too long, or no event.
    Malformed,
}

/// By how much a peak meter falls in a tick, in dB: by 20 in 1.7 s (IEC 60268-10, type I).
const METER_FALL_DB: f32 = 20.0 * 0.02 / 1.7;

/// One leg's way in.
pub(crate) struct Receiver {
    format: Format,
    pub(crate) reception: Reception,
    jitter: JitterBuffer,
    decoder: Decoder,
    resampler: Resampler,
    dtmf: DtmfReceiver,
    /// Listens for keys in the sound, if somebody wants to know of them.
    detector: Option<KeyDetector>,
    heard_key: Option<Key>,
    /// Whether the others heard this leg in the last tick, if there was one.
    was_heard: Option<bool>,
    level_dbfs: f32,
    meter_dbfs: f32,
    /// One tick at the codec's rate.
    decoded: Vec<i16>,
    /// One tick at the mixer's rate.
    frame: Vec<i16>,
}

impl Receiver {
    pub(crate) fn new(format: Format) -> Receiver {
        let decoder = Decoder::for_speech(format.codec);
        let rate_hz = decoder.rate_hz();
        Receiver {
            format,
            reception: Reception::default(),
            jitter: JitterBuffer::new(format.codec.clock_rate(), rate_hz),
            decoder,
            resampler: Resampler::new(rate_hz, MIX_RATE_HZ),
            dtmf: DtmfReceiver::default(),
            detector: None,
            heard_key: None,
            was_heard: None,
            level_dbfs: SILENCE_DBFS,
            meter_dbfs: SILENCE_DBFS,
            decoded: vec![0; samples_per_tick(rate_hz)],
            frame: Vec::with_capacity(MIX_FRAME_SAMPLES),
        }
    }

    /// Goes on with another format: what was heard before is over, what was counted stays.
    pub(crate) fn set_format(&mut self, format: Format) {
        let before = std::mem::replace(self, Receiver::new(format));
        self.reception = before.reception;
        self.was_heard = before.was_heard;
        self.dtmf = before.dtmf;
        self.detector = before.detector;
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Takes one RTP packet. The first value is the overdue end of an earlier key press.
    pub(crate) fn receive(&mut self, packet: &Packet<'_>, arrival: Instant) -> (Option<DtmfEvent>, Received) {
        match self.reception.receive(packet, self.format.codec.clock_rate(), arrival) {
            Fit::Valid => {}
            Fit::Restart => {
                self.jitter.restart();
                self.decoder.reset();
            }
            Fit::Probation => return (None, Received::Ignored(Ignored::UnknownSource)),
        }
        if Some(packet.payload_type) == self.format.telephone_event {
            return self.receive_event(packet, arrival);
        }
        (None, self.receive_audio(packet, arrival))
    }

    fn receive_event(&mut self, packet: &Packet<'_>, arrival: Instant) -> (Option<DtmfEvent>, Received) {
        let Some(payload) = EventPayload::parse(packet.payload) else {
            return (None, Received::Ignored(Ignored::Malformed));
        };
        let clock_hz = self.format.telephone_event_clock;
        let News { overdue, event } = self.dtmf.receive(payload, packet.timestamp, clock_hz, arrival);
        (overdue, event.map_or(Received::Ignored(Ignored::Duplicate), Received::Event))
    }

    fn receive_audio(&mut self, packet: &Packet<'_>, arrival: Instant) -> Received {
        let says_silence = self.format.is_comfort_noise(packet.payload_type)
            || (packet.payload_type == self.format.payload_type && self.format.codec.is_silence(packet.payload));
        if says_silence {
            return self.queue(packet.timestamp, &[], arrival);
        }
        if packet.payload_type != self.format.payload_type {
            return Received::Ignored(Ignored::PayloadType(packet.payload_type));
        }
        if packet.payload.is_empty() || packet.payload.len() > PAYLOAD_BYTES_MAX {
            return Received::Ignored(Ignored::Malformed);
        }
        self.queue(packet.timestamp, packet.payload, arrival)
    }

    fn queue(&mut self, timestamp: u32, payload: &[u8], arrival: Instant) -> Received {
        match self.jitter.insert(timestamp, payload, arrival) {
            Verdict::Queued => Received::Audio,
            Verdict::Late => Received::Ignored(Ignored::Late),
            Verdict::Duplicate => Received::Ignored(Ignored::Duplicate),
        }
    }

    /// Listens for keys in the sound, or no longer. Who listens decodes also what nobody else hears.
    pub(crate) fn listen_for_keys(&mut self, on: bool) {
        if on != self.detector.is_some() {
            self.detector = on.then(KeyDetector::new);
        }
    }

    /// Returns the key that was found in the sound of this tick.
    pub(crate) fn take_heard_key(&mut self) -> Option<Key> {
        self.heard_key.take()
    }

    /// Returns the end of a key press that nothing is heard of any more.
    pub(crate) fn expire_key(&mut self, now: Instant) -> Option<DtmfEvent> {
        self.dtmf.expire(now)
    }

    /// Prepares the frame of this tick; [`Receiver::frame`] is what it adds to the mix.
    pub(crate) fn tick(&mut self, heard: bool, now: Instant) {
        match (self.was_heard.replace(heard), heard) {
            (Some(true) | None, true) => self.pull(now),
            (Some(true), false) => self.fall_silent(now),
            (Some(false), true) => self.be_heard_again(now),
            (Some(false) | None, false) => self.stay_silent(now),
        }
        self.level_dbfs = if self.frame.is_empty() { SILENCE_DBFS } else { level_dbfs(&self.frame) };
        self.meter_dbfs = self.level_dbfs.max(self.meter_dbfs - METER_FALL_DB);
    }

    /// Returns what the others hear of this leg in this tick; empty when that is nothing.
    pub(crate) fn frame(&self) -> &[i16] {
        &self.frame
    }

    pub(crate) fn level_dbfs(&self) -> f32 {
        self.level_dbfs
    }

    pub(crate) fn meter_dbfs(&self) -> f32 {
        self.meter_dbfs
    }

    pub(crate) fn playout(&self) -> PlayoutCounts {
        self.jitter.counts()
    }

    pub(crate) fn playout_delay(&self) -> Duration {
        self.jitter.delay(&self.decoder)
    }

    pub(crate) fn jitter(&self) -> Duration {
        Duration::from_secs(1) * self.reception.jitter() / self.format.codec.clock_rate()
    }

    fn pull(&mut self, now: Instant) {
        self.frame.clear();
        let speaks = self.jitter.pull(now, &mut self.decoder, &mut self.decoded);
        // One more frame after the last sound, so that the filter rings out.
        if speaks || self.level_dbfs > SILENCE_DBFS {
            self.resampler.process(&self.decoded, &mut self.frame);
        }
        if let Some(detector) = &mut self.detector {
            self.heard_key = match self.frame.is_empty() {
                true => detector.listen(&[0; MIX_FRAME_SAMPLES]),
                false => detector.listen(&self.frame),
            };
        }
    }

    fn fall_silent(&mut self, now: Instant) {
        self.pull(now);
        fade_out(&mut self.frame, samples_of_us(CONVERSATION_FADE_OUT_US));
        self.drop_sound();
    }

    /// What was said while nobody was to hear it must not come out now; the jitter buffer fades in what comes next.
    fn be_heard_again(&mut self, now: Instant) {
        self.drop_sound();
        self.level_dbfs = SILENCE_DBFS;
        self.pull(now);
    }

    fn stay_silent(&mut self, now: Instant) {
        match self.detector.is_some() {
            true => self.pull(now),
            false => self.jitter.flush(),
        }
        self.frame.clear();
    }

    fn drop_sound(&mut self) {
        self.jitter.flush();
        self.decoder.reset();
        self.resampler.reset();
    }
}

fn samples_of_us(us: u32) -> usize {
    (MIX_RATE_HZ / 1000 * us / 1000) as usize
}
