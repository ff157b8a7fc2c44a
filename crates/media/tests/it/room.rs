//! A conversation in virtual time: phones that each say a tone only they say, a mixer, and a network without faults.

use media::{
    Codec, Decoder, Encoder, Format, Hears, LegId, Mixer, NtpTime, OutgoingKind, Recording, Route, Sine, TICK,
    TransmitStart, rtp,
};
use std::time::{Duration, Instant};

/// All codecs, for tests that must hold for each.
pub(crate) const CODECS: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

/// The peak of every phone's tone: -23 dBFS, so that three of them do not clip.
pub(crate) const AMPLITUDE: i16 = 3_277;

/// The level of a phone's tone, in dBFS.
pub(crate) const TONE_DBFS: f32 = -23.0;

/// The tones of the first, second and third phone, in hertz; no overtone of one is another.
pub(crate) const TONES_HZ: [f64; 3] = [440.0, 700.0, 1_170.0];

/// The tone of the hold music, in hertz.
pub(crate) const MUSIC_HZ: f64 = 1_900.0;

pub(crate) const CONVERSATION: Route = Route { hears: Hears::Conversation, heard: true };

/// A time to start from. Tests only ever add to it.
#[expect(clippy::disallowed_methods, reason = "there is no other way to make an Instant; no test depends on its value")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// A sine as a recording.
pub(crate) fn recording(frequency_hz: f64, rate_hz: u32, samples: usize) -> Recording {
    Recording { rate_hz, samples: Sine::new(frequency_hz, rate_hz, AMPLITUDE).take_samples(samples).into() }
}

pub(crate) fn format(codec: Codec) -> Format {
    Format::new(codec, codec.static_payload_type().unwrap_or(111)).with_telephone_event(101)
}

/// One packet as a phone got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) tick: u64,
    pub(crate) marker: bool,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload_type: u8,
    pub(crate) first_of_music: bool,
    pub(crate) payload: Vec<u8>,
}

pub(crate) struct Phone {
    pub(crate) codec: Codec,
    /// What it says, or nothing at all.
    pub(crate) tone: Option<Sine>,
    encoder: Encoder,
    decoder: Decoder,
    sequence: u16,
    timestamp: u32,
    /// What it says instead of its tone, at the codec's rate.
    speech: Vec<i16>,
    pub(crate) packets: Vec<Heard>,
    /// What it heard, at the codec's rate; a tick without a packet adds nothing.
    pub(crate) sound: Vec<i16>,
}

impl Phone {
    pub(crate) fn new(codec: Codec, tone_hz: Option<f64>) -> Phone {
        Phone {
            codec,
            tone: tone_hz.map(|hz| Sine::new(hz, codec.sample_rate(), AMPLITUDE)),
            encoder: Encoder::new(codec),
            decoder: Decoder::new(codec),
            sequence: 65_530,
            timestamp: u32::MAX - 2_000,
            speech: Vec::new(),
            packets: Vec::new(),
            sound: Vec::new(),
        }
    }

    /// Says this and then nothing, instead of its tone.
    pub(crate) fn will_say(&mut self, speech: Vec<i16>) {
        (self.tone, self.speech) = (None, speech);
    }

    /// Says the next 20 ms.
    pub(crate) fn say(&mut self, ssrc: u32) -> Vec<u8> {
        let mut pcm = vec![0; self.codec.samples_per_tick()];
        let spoken = self.speech.len().min(pcm.len());
        for (sample, spoken) in pcm.iter_mut().zip(self.speech.drain(..spoken)) {
            *sample = spoken;
        }
        if let Some(tone) = &mut self.tone {
            tone.fill(&mut pcm);
        }
        let mut payload = Vec::new();
        self.encoder.encode(&pcm, &mut payload);
        let packet = rtp::Packet {
            marker: false,
            payload_type: format(self.codec).payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc,
            payload: &payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(self.codec.timestamp_step());
        let mut bytes = Vec::new();
        packet.write(&mut bytes);
        bytes
    }

    pub(crate) fn hear(&mut self, tick: u64, first_of_music: bool, bytes: &[u8]) {
        let packet = rtp::Packet::parse(bytes).unwrap();
        if Some(packet.payload_type) != format(self.codec).telephone_event {
            self.decoder.decode(packet.payload, &mut self.sound).unwrap();
        }
        self.packets.push(Heard {
            tick,
            marker: packet.marker,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            ssrc: packet.ssrc,
            payload_type: packet.payload_type,
            first_of_music,
            payload: packet.payload.to_vec(),
        });
    }

    /// The level of a tone in the last `ticks` it heard, in dBFS.
    pub(crate) fn hears_dbfs(&self, frequency_hz: f64, ticks: usize) -> f32 {
        let samples = ticks * self.codec.samples_per_tick();
        media::tone_dbfs(&self.sound[self.sound.len() - samples..], frequency_hz, self.codec.sample_rate())
    }
}

/// The conversation. Phone `n` is leg `n` and its source is `n + 1`.
pub(crate) struct Room {
    pub(crate) mixer: Mixer,
    pub(crate) phones: Vec<Phone>,
    pub(crate) reports: Vec<(u64, LegId, Vec<u8>)>,
    pub(crate) now: Instant,
    pub(crate) tick: u64,
}

impl Room {
    /// Three phones in a conversation, with the tones of [`TONES_HZ`].
    pub(crate) fn new(codecs: [Codec; 3]) -> Room {
        Room::with(Mixer::new(), codecs)
    }

    /// The same with a mixer of the test's own.
    pub(crate) fn with(mixer: Mixer, codecs: [Codec; 3]) -> Room {
        let mut room = Room { mixer, phones: Vec::new(), reports: Vec::new(), now: start(), tick: 0 };
        for (codec, tone) in codecs.into_iter().zip(TONES_HZ) {
            room.join(Phone::new(codec, Some(tone)));
        }
        room
    }

    pub(crate) fn join(&mut self, phone: Phone) {
        let leg = self.phones.len() as u64;
        let start = TransmitStart { ssrc: 1_000 + leg as u32, sequence: 65_500, timestamp: u32::MAX - 5_000 };
        self.mixer.add_leg(LegId(leg), format(phone.codec), start, CONVERSATION);
        self.phones.push(phone);
    }

    pub(crate) fn route(&mut self, phone: usize, hears: Hears, heard: bool) {
        self.mixer.set_route(LegId(phone as u64), Route { hears, heard });
    }

    pub(crate) fn run(&mut self, ticks: u64) {
        for _ in 0..ticks {
            self.everybody_says();
            self.tick();
        }
    }

    fn everybody_says(&mut self) {
        for leg in 0..self.phones.len() {
            let packet = self.phones[leg].say(leg as u32 + 1);
            self.mixer.receive(LegId(leg as u64), &packet, self.now).unwrap();
        }
    }

    pub(crate) fn tick(&mut self) {
        let Room { mixer, phones, reports, now, tick } = self;
        mixer.tick(*now, NtpTime::from_unix(Duration::from_secs(1_000)), &mut |outgoing| match outgoing.kind {
            OutgoingKind::Rtp => {
                phones[outgoing.leg.0 as usize].hear(*tick, outgoing.first_of_music, outgoing.bytes);
            }
            OutgoingKind::Rtcp => reports.push((*tick, outgoing.leg, outgoing.bytes.to_vec())),
        });
        self.tick += 1;
        self.now += TICK;
    }

    /// Which of the three tones and the music a phone hears, over the last 200 ms, as letters: a, b, c, m.
    pub(crate) fn heard_by(&self, phone: usize) -> String {
        let tones = TONES_HZ.into_iter().chain([MUSIC_HZ]);
        let levels = tones.zip("abcm".chars()).map(|(hz, name)| (name, self.phones[phone].hears_dbfs(hz, 10)));
        levels
            .filter(|(name, level)| {
                let is_there = (level - TONE_DBFS).abs() < 3.0;
                // Opus spreads its noise below what masks it; the others do not.
                let floor = if self.phones[phone].codec == Codec::Opus { -48.0 } else { -60.0 };
                assert!(
                    is_there || *level < floor,
                    "{:?}: phone {phone} hears {name} at {level} dBFS",
                    self.phones[phone].codec
                );
                is_there
            })
            .map(|(name, _)| name)
            .collect()
    }
}
