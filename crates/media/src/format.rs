//! What a leg speaks.

use crate::codec::Codec;

/// The payload type of comfort noise (RFC 3551 §6).
const COMFORT_NOISE: u8 = 13;

/// Its clock in hertz: it goes with codecs of this clock only (RFC 3389 §4).
const COMFORT_NOISE_CLOCK_HZ: u32 = 8_000;

/// What a leg speaks, as SDP negotiated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format {
    /// The codec, in both directions.
    pub codec: Codec,
    /// Its payload type, 0 to 127.
    pub payload_type: u8,
    /// The payload type of telephone events (RFC 4733), if negotiated.
    pub telephone_event: Option<u8>,
    /// The rate in which telephone events count their duration, in hertz: that of the codec's timestamp, unless the SDP
    /// says otherwise.
    pub telephone_event_clock: u32,
}

impl Format {
    /// Creates a format without telephone events.
    pub const fn new(codec: Codec, payload_type: u8) -> Format {
        Format { codec, payload_type, telephone_event: None, telephone_event_clock: codec.clock_rate() }
    }

    /// Returns whether packets of this payload type are of use: sound, keys and comfort noise.
    pub fn takes(&self, payload_type: u8) -> bool {
        payload_type == self.payload_type
            || Some(payload_type) == self.telephone_event
            || self.is_comfort_noise(payload_type)
    }

    /// Returns whether packets of this payload type say that the speaker is silent (RFC 3389). The number is a static one,
    /// so phones use it without having negotiated it; we never ask for it.
    pub(crate) fn is_comfort_noise(&self, payload_type: u8) -> bool {
        payload_type == COMFORT_NOISE && self.codec.clock_rate() == COMFORT_NOISE_CLOCK_HZ
    }

    /// Adds telephone events at the codec's clock rate.
    #[must_use]
    pub const fn with_telephone_event(self, payload_type: u8) -> Format {
        Format { telephone_event: Some(payload_type), ..self }
    }
}
