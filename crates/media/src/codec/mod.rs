//! The audio codecs a leg may speak, behind one enum.
//!
//! G.711 is our own tables, G.722 and Opus are libraries; each sits in its own file so that it can be exchanged. An
//! encoder and a decoder exist at two rates: the codec's own (for music and for phones) and the mixer's (for speech in a
//! conversation, which saves a resampler for Opus).

mod conceal;
mod g711;
mod g722;
mod opus;

use crate::{MIX_RATE_HZ, TICK};
use conceal::Concealer;

/// The least rate that a codec has, in hertz.
pub(crate) const LOWEST_RATE_HZ: u32 = 8_000;

/// An audio codec, as it is negotiated in SDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// ITU-T G.711 µ-law.
    Pcmu,
    /// ITU-T G.711 A-law.
    Pcma,
    /// ITU-T G.722 at 64 kbit/s.
    G722,
    /// Opus, RFC 6716 and RFC 7587.
    Opus,
}

impl Codec {
    /// Returns the rate of the sound it carries, in hertz.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma => 8_000,
            Codec::G722 => 16_000,
            Codec::Opus => 48_000,
        }
    }

    /// Returns the rate of its RTP timestamp, in hertz.
    ///
    /// G.722 counts at 8000 although it samples at 16000: an error in RFC 1890 that RFC 3551 section 4.5.2 keeps.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => 8_000,
            Codec::Opus => 48_000,
        }
    }

    /// Returns the payload type RFC 3551 section 6 fixes for it; `None` means that SDP has to map one.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Codec::Pcmu => Some(0),
            Codec::Pcma => Some(8),
            Codec::G722 => Some(9),
            Codec::Opus => None,
        }
    }

    /// Returns its name in an SDP `a=rtpmap` line; to be compared without regard to case.
    pub const fn encoding_name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
            Codec::G722 => "G722",
            Codec::Opus => "opus",
        }
    }

    /// Returns how many samples of its own rate make one tick of 20 ms.
    pub const fn samples_per_tick(self) -> usize {
        samples_per_tick(self.sample_rate())
    }

    /// Returns by how much the RTP timestamp grows in one tick of 20 ms.
    pub const fn timestamp_step(self) -> u32 {
        self.clock_rate() / TICKS_PER_SECOND
    }

    /// Returns the rate at which a conversation decodes and encodes it, in hertz.
    pub(crate) const fn speech_rate(self) -> u32 {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => self.sample_rate(),
            Codec::Opus => MIX_RATE_HZ,
        }
    }

    /// Says whether each sample is coded on its own, so that streams can be cut and joined anywhere.
    /// Returns whether a payload says that the speaker is silent: a frame of at most one byte behind the byte that describes
    /// it is Opus' discontinuous transmission (RFC 6716 section 2.1.9).
    pub(crate) const fn is_silence(self, payload: &[u8]) -> bool {
        match self {
            Codec::Pcmu | Codec::Pcma | Codec::G722 => false,
            Codec::Opus => matches!(payload.len(), 1 | 2),
        }
    }

    pub(crate) const fn is_memoryless(self) -> bool {
        match self {
            Codec::Pcmu | Codec::Pcma => true,
            Codec::G722 | Codec::Opus => false,
        }
    }
}

const TICKS_PER_SECOND: u32 = 1000 / TICK.as_millis() as u32;

/// Returns how many samples at `rate_hz` make one tick.
pub(crate) const fn samples_per_tick(rate_hz: u32) -> usize {
    (rate_hz / TICKS_PER_SECOND) as usize
}

/// A payload that its decoder cannot make sense of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("payload is not valid {}", codec.encoding_name())]
pub struct DecodeError {
    /// The codec that was asked.
    pub codec: Codec,
}

/// Turns sound into payloads of one codec, one stream long.
pub struct Encoder {
    rate_hz: u32,
    state: EncoderState,
}

enum EncoderState {
    Pcmu,
    Pcma,
    G722(Box<g722::Encoder>),
    Opus(Box<opus::Encoder>),
}

impl Encoder {
    /// Creates an encoder at the codec's own rate, tuned for music.
    pub fn new(codec: Codec) -> Encoder {
        Encoder::with(codec, opus::Encoder::music)
    }

    /// Creates an encoder for speech that takes a conversation's sound: Opus at 16 kHz with in-band FEC, the others as ever.
    pub fn for_speech(codec: Codec) -> Encoder {
        Encoder { rate_hz: codec.speech_rate(), ..Encoder::with(codec, opus::Encoder::speech) }
    }

    fn with(codec: Codec, opus: fn() -> opus::Encoder) -> Encoder {
        let state = match codec {
            Codec::Pcmu => EncoderState::Pcmu,
            Codec::Pcma => EncoderState::Pcma,
            Codec::G722 => EncoderState::G722(Box::default()),
            Codec::Opus => EncoderState::Opus(Box::new(opus())),
        };
        Encoder { rate_hz: codec.sample_rate(), state }
    }

    /// Returns the rate of the sound it takes, in hertz.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Encodes one frame and appends the payload to `out`.
    ///
    /// # Panics
    ///
    /// If an Opus frame is not 2.5, 5, 10, 20, 40 or 60 ms long, or a G.722 frame has an odd number of samples.
    pub fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) {
        match &mut self.state {
            EncoderState::Pcmu => out.extend(pcm.iter().map(|&s| g711::ulaw_encode(s))),
            EncoderState::Pcma => out.extend(pcm.iter().map(|&s| g711::alaw_encode(s))),
            EncoderState::G722(encoder) => encoder.encode(pcm, out),
            EncoderState::Opus(encoder) => encoder.encode(pcm, out),
        }
    }
}

/// Turns payloads of one codec into sound and hides the ones that never came.
pub struct Decoder {
    codec: Codec,
    rate_hz: u32,
    state: DecoderState,
}

enum DecoderState {
    Pcmu(Concealer),
    Pcma(Concealer),
    G722(Box<g722::Decoder>, Concealer),
    Opus(Box<opus::Decoder>),
}

impl Decoder {
    /// Creates a decoder to the codec's own rate.
    pub fn new(codec: Codec) -> Decoder {
        Decoder::at_rate(codec, codec.sample_rate())
    }

    /// Creates a decoder to the rate a conversation takes: 16 kHz for Opus, the codec's own for the others.
    pub fn for_speech(codec: Codec) -> Decoder {
        Decoder::at_rate(codec, codec.speech_rate())
    }

    fn at_rate(codec: Codec, rate_hz: u32) -> Decoder {
        let state = match codec {
            Codec::Pcmu => DecoderState::Pcmu(Concealer::new(rate_hz)),
            Codec::Pcma => DecoderState::Pcma(Concealer::new(rate_hz)),
            Codec::G722 => DecoderState::G722(Box::default(), Concealer::new(rate_hz)),
            Codec::Opus => DecoderState::Opus(Box::new(opus::Decoder::new(rate_hz))),
        };
        Decoder { codec, rate_hz, state }
    }

    /// Returns the rate of the sound it makes, in hertz.
    pub fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Decodes one payload and appends the sound to `out`.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the payload is empty, too long or not of this codec; `out` is then as it was.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), DecodeError> {
        if payload.is_empty() || payload.len() > PAYLOAD_BYTES_MAX {
            return Err(DecodeError { codec: self.codec });
        }
        let start = out.len();
        match &mut self.state {
            DecoderState::Pcmu(concealer) => {
                out.extend(payload.iter().map(|&b| g711::ulaw_decode(b)));
                concealer.played(&mut out[start..]);
            }
            DecoderState::Pcma(concealer) => {
                out.extend(payload.iter().map(|&b| g711::alaw_decode(b)));
                concealer.played(&mut out[start..]);
            }
            DecoderState::G722(decoder, concealer) => {
                decoder.decode(payload, out);
                concealer.played(&mut out[start..]);
            }
            DecoderState::Opus(decoder) => decoder.decode(payload, out)?,
        }
        Ok(())
    }

    /// Makes up one tick of sound for a payload that is missing and appends it to `out`.
    ///
    /// The longer it goes on the quieter it gets, down to silence.
    pub fn conceal(&mut self, out: &mut Vec<i16>) {
        self.conceal_samples(samples_per_tick(self.rate_hz), out);
    }

    pub(crate) fn conceal_samples(&mut self, samples: usize, out: &mut Vec<i16>) {
        match &mut self.state {
            DecoderState::Pcmu(concealer) | DecoderState::Pcma(concealer) | DecoderState::G722(_, concealer) => {
                concealer.conceal(samples, out)
            }
            DecoderState::Opus(decoder) => decoder.conceal(samples, out),
        }
    }

    /// Makes up the `samples` before `next`, the payload that follows the missing one, and appends them to `out`.
    ///
    /// Opus may carry a copy of the missing frame in the next one (RFC 6716 section 2.1.7); the others guess.
    pub(crate) fn recover(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) {
        match &mut self.state {
            DecoderState::Opus(decoder) => decoder.recover(next, samples, out),
            DecoderState::Pcmu(_) | DecoderState::Pcma(_) | DecoderState::G722(..) => {
                self.conceal_samples(samples, out);
            }
        }
    }

    /// Returns how many samples a payload decodes to, without decoding it; 0 if it is not valid.
    pub(crate) fn duration_samples(&self, payload: &[u8]) -> usize {
        match self.codec {
            Codec::Pcmu | Codec::Pcma => payload.len(),
            Codec::G722 => payload.len() * 2,
            Codec::Opus => opus::duration_samples(payload, self.rate_hz),
        }
    }

    /// Forgets the stream decoded so far, without allocation: what comes next is another one.
    pub(crate) fn reset(&mut self) {
        match &mut self.state {
            DecoderState::Pcmu(concealer) | DecoderState::Pcma(concealer) => concealer.reset(),
            DecoderState::G722(decoder, concealer) => {
                **decoder = g722::Decoder::default();
                concealer.reset();
            }
            DecoderState::Opus(decoder) => decoder.reset(),
        }
    }
}

/// The longest payload that is decoded, in bytes: what fits an Ethernet frame. A longer one is no voice packet, and a
/// bound keeps every buffer bounded.
pub const PAYLOAD_BYTES_MAX: usize = 1500;
