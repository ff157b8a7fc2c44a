//! The outbound half of a leg: what it hears, as RTP packets.

use crate::codec::{Codec, Decoder, Encoder, samples_per_tick};
use crate::format::Format;
use crate::heard::{Given, Kind, Power};
use crate::key_sender::{KeySender, Pressed};
use crate::music::Loop;
use crate::resample::Resampler;
use crate::route::Hears;
use crate::rtp::{self, Packet};
use crate::transition::{Leaving, blend};
use crate::{MIX_FRAME_SAMPLES, MIX_RATE_HZ};
use std::sync::Arc;

/// How many frames of music are decoded ahead of a transition, so that the decoder has the sound the leg's own has.
const RUN_IN_TICKS: u64 = 5;

/// The longest packet made, in bytes: a header and the longest Opus frame.
const PACKET_BYTES_MAX: usize = rtp::HEADER_BYTES + 1275;

/// Where a leg's outgoing stream starts: three random values (RFC 3550 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransmitStart {
    /// The synchronisation source.
    pub ssrc: u32,
    /// The first sequence number.
    pub sequence: u16,
    /// The first timestamp.
    pub timestamp: u32,
}

/// One leg's way out.
pub(crate) struct Transmitter {
    format: Format,
    ssrc: u32,
    sequence: u16,
    /// The timestamp of the present tick; it goes on while nothing is sent, because time does.
    timestamp: u32,
    encoder: Encoder,
    resampler: Resampler,
    source: Source,
    /// The music last played and the tick its first frame belongs to, so that it goes on where it would be by now.
    music: Option<(Arc<Loop>, u64)>,
    /// The music that gives way to it in this tick.
    music_before: Option<(Arc<Loop>, u64)>,
    /// The keys that are pressed towards the leg, in place of the conversation.
    pub(crate) keys: KeySender,
    /// The next packet is the first after a pause (RFC 3551 section 4.1).
    marker: bool,
    counts: TransmitCounts,
    /// One tick at the codec's rate, and the packet made of it.
    pcm: Vec<i16>,
    packet: Vec<u8>,
}

/// What was sent, for the sender's reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TransmitCounts {
    pub(crate) packets: u64,
    pub(crate) payload_bytes: u64,
}

/// What a leg hears in a tick, as far as sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Nothing,
    Silence,
    Conversation,
    Music { from_tick: u64 },
}

/// The sound a conversation makes in one tick: everybody's sum, and what of it is the leg's own.
#[derive(Clone, Copy)]
pub(crate) struct Mix<'a> {
    pub(crate) sum: &'a [i32; MIX_FRAME_SAMPLES],
    pub(crate) own: &'a [i16],
}

/// What one tick has made.
pub(crate) struct Transmitted<'a> {
    /// `None` if the leg hears nothing.
    pub(crate) packet: Option<&'a [u8]>,
    pub(crate) first_of_music: bool,
    pub(crate) given: Given<'a>,
}

impl Transmitter {
    pub(crate) fn new(format: Format, start: TransmitStart) -> Transmitter {
        let encoder = Encoder::for_speech(format.codec);
        let rate_hz = encoder.rate_hz();
        Transmitter {
            format,
            ssrc: start.ssrc,
            sequence: start.sequence,
            timestamp: start.timestamp,
            encoder,
            resampler: Resampler::new(MIX_RATE_HZ, rate_hz),
            source: Source::Nothing,
            music: None,
            music_before: None,
            keys: KeySender::default(),
            marker: true,
            counts: TransmitCounts::default(),
            pcm: Vec::with_capacity(2 * samples_per_tick(rate_hz)),
            packet: Vec::with_capacity(PACKET_BYTES_MAX),
        }
    }

    /// Goes on with another format: the same source, numbers and time (RFC 3550 section 8.2 would need a new source only
    /// if the clock rate changed at the receiver, which starts anew with a new offer anyway).
    pub(crate) fn set_format(&mut self, format: Format) {
        let start = TransmitStart { ssrc: self.ssrc, sequence: self.sequence, timestamp: self.timestamp };
        let before = std::mem::replace(self, Transmitter::new(format, start));
        self.counts = before.counts;
        self.keys = before.keys;
        self.keys.change_format();
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub(crate) fn timestamp(&self) -> u32 {
        self.timestamp
    }

    pub(crate) fn counts(&self) -> TransmitCounts {
        self.counts
    }

    /// Makes the packet of this tick, or none if the leg hears nothing.
    pub(crate) fn tick(&mut self, hears: &Hears, mix: Mix<'_>, tick: u64) -> Transmitted<'_> {
        let source = self.source_for(hears, tick);
        let before = std::mem::replace(&mut self.source, source);
        let pressed = self.press_key(source);
        let payload_from = self.begin_packet(pressed.as_ref());
        match pressed {
            Some(Pressed::Event { payload, .. }) => self.packet.extend(payload.to_bytes()),
            Some(Pressed::Sound) => self.encoder.encode(&self.pcm, &mut self.packet),
            None => self.append_payload(before, source, mix, tick),
        }
        let is_sent = self.count(self.packet.len() - payload_from);
        let first_of_music = is_sent && before != source && matches!(source, Source::Music { .. });
        let given = match pressed {
            Some(pressed) => self.given_key(&pressed, payload_from),
            None => self.given(before, source, tick, payload_from),
        };
        Transmitted { packet: is_sent.then_some(&self.packet), first_of_music, given }
    }

    /// Counts a packet, unless there is none. Time goes on in any case.
    fn count(&mut self, payload_bytes: usize) -> bool {
        let is_sent = payload_bytes != 0;
        self.timestamp = self.timestamp.wrapping_add(self.format.codec.timestamp_step());
        self.marker = !is_sent;
        if is_sent {
            self.sequence = self.sequence.wrapping_add(1);
            self.counts.packets += 1;
            self.counts.payload_bytes += payload_bytes as u64;
        }
        is_sent
    }

    fn given(&self, before: Source, source: Source, tick: u64, payload_from: usize) -> Given<'_> {
        let is_transition = before != source && source != Source::Nothing;
        let power = match is_transition {
            true => Power::Of(&self.pcm[..samples_per_tick(self.encoder.rate_hz())]),
            false => self.power(source, tick),
        };
        let fading_out = (is_transition && leaving(before) != Leaving::Silence).then(|| kind(before));
        let payload = &self.packet[payload_from..];
        Given { kind: kind(source), fading_out, power, codec: self.format.codec, payload }
    }

    fn power(&self, source: Source, tick: u64) -> Power<'_> {
        match (source, &self.music) {
            (Source::Conversation, _) => Power::Of(&self.pcm),
            (Source::Music { from_tick }, Some((music, _))) => Power::OfMusic(music.mean_square(tick - from_tick)),
            (Source::Nothing | Source::Silence | Source::Music { .. }, _) => Power::None,
        }
    }

    /// A key as an event is no sound; its phone may make one of it.
    fn given_key(&self, pressed: &Pressed, payload_from: usize) -> Given<'_> {
        let (power, payload) = match pressed {
            Pressed::Event { .. } => (Power::None, &[][..]),
            Pressed::Sound => (Power::Of(&self.pcm[..]), &self.packet[payload_from..]),
        };
        Given { kind: Kind::Key, fading_out: None, power, codec: self.format.codec, payload }
    }

    /// Turns the wish into sound. Music of another codec cannot be played as it is, so it is silence until the right one
    /// comes: a hold stays a hold over a change of codec.
    fn source_for(&mut self, hears: &Hears, tick: u64) -> Source {
        match hears {
            Hears::Nothing => Source::Nothing,
            Hears::Silence => Source::Silence,
            Hears::Conversation => Source::Conversation,
            Hears::Music(music) if music.codec() != self.format.codec => Source::Silence,
            Hears::Music(music) => Source::Music { from_tick: self.start_of(music, tick) },
        }
    }

    /// Music that was only interrupted by silence goes on where it would be by now; after the conversation it starts anew.
    fn start_of(&mut self, music: &Arc<Loop>, tick: u64) -> u64 {
        match &self.music {
            Some((last, from_tick)) if Arc::ptr_eq(last, music) && self.source != Source::Conversation => *from_tick,
            Some(_) | None => {
                self.music_before = self.music.replace((Arc::clone(music), tick));
                tick
            }
        }
    }

    /// Makes a packet without sound, of an unknown payload type and with the next number (RFC 6263 §4.6).
    pub(crate) fn keep_alive(&mut self) -> &[u8] {
        self.write_header(false, unknown_payload_type(&self.format), self.timestamp);
        self.sequence = self.sequence.wrapping_add(1);
        &self.packet
    }

    /// Presses the next key, if there is one and the leg hears the conversation. Its sound is in `pcm`.
    fn press_key(&mut self, source: Source) -> Option<Pressed> {
        if source != Source::Conversation {
            self.keys.clear();
            return None;
        }
        self.pcm.clear();
        self.keys.tick(&self.format, self.timestamp, self.encoder.rate_hz(), &mut self.pcm)
    }

    fn begin_packet(&mut self, pressed: Option<&Pressed>) -> usize {
        match (pressed, self.format.telephone_event) {
            (Some(Pressed::Event { timestamp, is_first, .. }), Some(event)) => {
                self.write_header(*is_first, event, *timestamp);
            }
            (Some(_) | None, _) => self.write_header(self.marker, self.format.payload_type, self.timestamp),
        }
        self.packet.len()
    }

    fn write_header(&mut self, marker: bool, payload_type: u8, timestamp: u32) {
        self.packet.clear();
        Packet { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc, payload: &[] }
            .write(&mut self.packet);
    }

    fn append_payload(&mut self, before: Source, source: Source, mix: Mix<'_>, tick: u64) {
        if before != source {
            return self.append_transition(before, source, mix, tick);
        }
        match source {
            Source::Nothing => {}
            Source::Silence => {
                self.pcm.clear();
                self.pcm.resize(samples_per_tick(self.encoder.rate_hz()), 0);
                self.encoder.encode(&self.pcm, &mut self.packet);
            }
            Source::Conversation => {
                self.pcm.clear();
                self.append_mix(mix);
                self.encoder.encode(&self.pcm, &mut self.packet);
            }
            Source::Music { from_tick } => {
                if let Some((music, _)) = &self.music {
                    self.packet.extend_from_slice(music.payload(tick - from_tick));
                }
            }
        }
    }

    /// Makes the one frame in which the old sound ends and the new one begins, coded with the leg's own encoder.
    fn append_transition(&mut self, before: Source, source: Source, mix: Mix<'_>, tick: u64) {
        if source == Source::Nothing {
            return;
        }
        self.pcm.clear();
        self.append_pcm(before, mix, tick, true);
        self.music_before = None;
        self.resampler.reset();
        self.append_pcm(source, mix, tick, false);
        let frame = samples_per_tick(self.encoder.rate_hz());
        let (old, new) = self.pcm.split_at_mut(frame);
        blend(old, new, leaving(before), self.encoder.rate_hz());
        self.encoder.encode(&self.pcm[..frame], &mut self.packet);
    }

    /// Appends one tick of a source's sound. `leaves` says that the leg has heard it so far.
    fn append_pcm(&mut self, source: Source, mix: Mix<'_>, tick: u64, leaves: bool) {
        match source {
            Source::Nothing => {
                if leaves {
                    self.flush_encoder(&[]);
                }
                self.append_silence();
            }
            Source::Silence => self.append_silence(),
            Source::Conversation => self.append_mix(mix),
            Source::Music { from_tick } => self.append_music(from_tick, tick, leaves),
        }
    }

    fn append_silence(&mut self) {
        let end = self.pcm.len() + samples_per_tick(self.encoder.rate_hz());
        self.pcm.resize(end, 0);
    }

    /// Appends the sum without the leg itself.
    fn append_mix(&mut self, mix: Mix<'_>) {
        let mut frame = [0; MIX_FRAME_SAMPLES];
        for (out, sum) in frame.iter_mut().zip(mix.sum) {
            *out = saturate(*sum);
        }
        if !mix.own.is_empty() {
            for ((out, sum), own) in frame.iter_mut().zip(mix.sum).zip(mix.own) {
                *out = saturate(sum - i32::from(*own));
            }
        }
        self.resampler.process(&frame, &mut self.pcm);
    }

    /// Appends one tick of music as the phone would hear it. It is decoded from the payloads, with a run-in.
    fn append_music(&mut self, from_tick: u64, tick: u64, leaves: bool) {
        let Some(music) = self.music_since(from_tick) else { return self.append_silence() };
        let mut decoder = Decoder::for_speech(self.format.codec);
        let frame = samples_per_tick(decoder.rate_hz());
        // Some rounds ahead, so that there is a run-in before the first tick too: a ring has no beginning.
        let position = tick - from_tick + RUN_IN_TICKS * music.ticks() as u64;
        let mut decoded = Vec::with_capacity((RUN_IN_TICKS as usize + 2) * frame);
        for tick in position - RUN_IN_TICKS..=position + 1 {
            // Our own encoder's payload decodes; if ever not, silence of the same length keeps the place.
            if decoder.decode(music.payload(tick), &mut decoded).is_err() {
                decoder.conceal(&mut decoded);
            }
        }
        // What is coded again comes out later by the codec's delay, so it goes in earlier by that.
        let start = RUN_IN_TICKS as usize * frame + speech_delay_samples(self.format.codec);
        if leaves {
            self.flush_encoder(&decoded[start % frame..start]);
        }
        self.pcm.extend_from_slice(&decoded[start..start + frame]);
    }

    fn music_since(&self, from_tick: u64) -> Option<Arc<Loop>> {
        let mut both = [&self.music_before, &self.music].into_iter().flatten();
        both.find(|(_, start)| *start == from_tick).map(|(music, _)| Arc::clone(music))
    }

    /// Runs the encoder over sound the leg has heard otherwise, so that nothing older comes out of it.
    fn flush_encoder(&mut self, heard: &[i16]) {
        if self.format.codec.is_memoryless() {
            return;
        }
        let frame = samples_per_tick(self.encoder.rate_hz());
        let silence = vec![0; frame];
        let mut nobody = Vec::with_capacity(PACKET_BYTES_MAX);
        for pcm in std::iter::once(&silence[..]).chain(heard.chunks_exact(frame)) {
            nobody.clear();
            self.encoder.encode(pcm, &mut nobody);
        }
    }
}

/// Returns a dynamic payload type that means nothing in this format, from the end where nobody begins.
fn unknown_payload_type(format: &Format) -> u8 {
    let unknown = (96..128).rev().find(|number| !format.takes(*number));
    unknown.expect("a format takes three numbers at most")
}

fn saturate(sample: i32) -> i16 {
    sample.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

fn leaving(source: Source) -> Leaving {
    match source {
        Source::Nothing | Source::Silence => Leaving::Silence,
        Source::Conversation => Leaving::Conversation,
        Source::Music { .. } => Leaving::Music,
    }
}

fn kind(source: Source) -> Kind {
    match source {
        Source::Nothing => Kind::Nothing,
        Source::Silence => Kind::Silence,
        Source::Conversation => Kind::Conversation,
        Source::Music { .. } => Kind::Music,
    }
}

/// How much later sound comes out of encoder and decoder together, in samples at the rate of speech.
fn speech_delay_samples(codec: Codec) -> usize {
    match codec {
        Codec::Pcmu | Codec::Pcma => 0,
        // Two quadrature mirror filters of 24 taps (G.722 section 3.1): 11 samples each.
        Codec::G722 => 22,
        // 2.5 ms of overlap and 4 ms that keep its two layers together (RFC 6716 section 2.1.8): 6.5 ms at 16 kHz.
        Codec::Opus => 104,
    }
}
