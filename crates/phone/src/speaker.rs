//! What a phone says in one call, as RTP packets of 20 ms.

use std::sync::Arc;
use std::time::Duration;

use media::Key;
use media::dtmf::DtmfPress;
use media::rtp::Packet;

use media::{Codec, Format, Loop, Recording, Sine};

use crate::config::Speech;

/// How long a key is held down. RFC 4733 §2.6 and the receivers of in-band tones want 40 ms at least.
const KEY_PRESS: Duration = Duration::from_millis(100);

/// Says something, packet by packet. What it says is encoded once, so a packet costs a header.
pub(crate) struct Speaker {
    format: Format,
    speech: Arc<Loop>,
    /// How many ticks of the speech are over.
    tick: u64,
    /// The key that is down, and the timestamp of its beginning.
    press: Option<(DtmfPress, u32)>,
    numbering: Numbering,
    /// Whether the next packet is the first after a pause.
    after_pause: bool,
    packet: Vec<u8>,
}

/// The random beginnings of a stream (RFC 3550 §5.1), and how far it has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbering {
    pub(crate) ssrc: u32,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
}

impl Speaker {
    pub(crate) fn new(speech: Arc<Loop>, format: Format, numbering: Numbering) -> Speaker {
        Speaker { format, speech, tick: 0, press: None, numbering, after_pause: true, packet: Vec::new() }
    }

    /// Returns where the numbers of its packets are, for a successor in the same stream.
    pub(crate) fn numbering(&self) -> Numbering {
        self.numbering
    }

    /// Presses a key. Does nothing if the peer takes no events; a key that is still down is let go.
    pub(crate) fn press(&mut self, key: Key) {
        if self.format.telephone_event.is_some() {
            let press = DtmfPress::new(key, KEY_PRESS, self.format.telephone_event_clock);
            self.press = Some((press, self.numbering.timestamp));
            self.after_pause = true;
        }
    }

    /// Lets 20 ms pass without a packet: time goes on, sequence numbers do not (RFC 3550 §5.1).
    pub(crate) fn pause(&mut self) {
        self.after_pause = true;
        self.press = None;
        self.advance();
    }

    /// Returns the packet of the next 20 ms: a key if one is down, else speech.
    pub(crate) fn speak(&mut self) -> &[u8] {
        self.packet.clear();
        match self.next_of_press() {
            Some((payload_type, timestamp, payload)) => self.write(payload_type, timestamp, &payload),
            None => {
                let speech = Arc::clone(&self.speech);
                self.write(self.format.payload_type, self.numbering.timestamp, speech.payload(self.tick));
            }
        }
        self.numbering.sequence = self.numbering.sequence.wrapping_add(1);
        self.advance();
        &self.packet
    }

    fn next_of_press(&mut self) -> Option<(u8, u32, [u8; 4])> {
        let payload_type = self.format.telephone_event?;
        let (press, began) = self.press.as_mut()?;
        let (event, began) = (press.next(), *began);
        if event.is_none() {
            self.press = None;
            self.after_pause = true;
        }
        event.map(|event| (payload_type, began, event.to_bytes()))
    }

    fn write(&mut self, payload_type: u8, timestamp: u32, payload: &[u8]) {
        let Numbering { ssrc, sequence, .. } = self.numbering;
        let marker = std::mem::take(&mut self.after_pause);
        Packet { marker, payload_type, sequence, timestamp, ssrc, payload }.write(&mut self.packet);
    }

    fn advance(&mut self) {
        self.tick += 1;
        self.numbering.timestamp = self.numbering.timestamp.wrapping_add(self.format.codec.timestamp_step());
    }
}

/// Encodes what a phone says.
pub(crate) fn encode(speech: &Speech, codec: Codec) -> Loop {
    match speech {
        Speech::Silence => encode_second(vec![0; codec.sample_rate() as usize], codec),
        Speech::Tone { hz, level_dbfs } => {
            let mut sine = Sine::new(f64::from(*hz), codec.sample_rate(), amplitude(*level_dbfs));
            encode_second(sine.take_samples(codec.sample_rate() as usize), codec)
        }
        Speech::Recording(recording) => Loop::encode(recording, codec),
    }
}

/// A tone of whole hertz has a whole number of periods in a second, so it repeats without a seam.
fn encode_second(samples: Vec<i16>, codec: Codec) -> Loop {
    Loop::encode(&Recording { rate_hz: codec.sample_rate(), samples: samples.into() }, codec)
}

/// Returns the peak of a sine with this level. A full scale sine has -3.01 dBFS.
fn amplitude(level_dbfs: f32) -> i16 {
    let peak = f32::from(i16::MAX) * 10f32.powf((level_dbfs + 3.01) / 20.0);
    peak.clamp(0.0, f32::from(i16::MAX)) as i16
}
