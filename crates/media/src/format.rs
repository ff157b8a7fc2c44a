//! What a leg speaks.

use crate::codec::Codec;

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

    /// Adds telephone events at the codec's clock rate.
    #[must_use]
    pub const fn with_telephone_event(self, payload_type: u8) -> Format {
        Format { telephone_event: Some(payload_type), ..self }
    }
}
