//! ITU-T G.722 at 64 kbit/s: 16 kHz sound, two samples a byte.

use audio_codec::g722::{G722Decoder, G722Encoder};
use audio_codec::{Decoder as _, Encoder as _};

pub(crate) struct Encoder(G722Encoder);

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder(G722Encoder::new())
    }
}

impl Encoder {
    pub(crate) fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) {
        assert!(pcm.len().is_multiple_of(2), "a G.722 code holds two samples");
        let start = out.len();
        out.resize(start + pcm.len() / 2, 0);
        let written = self.0.encode_into(pcm, &mut out[start..]);
        debug_assert_eq!(written.ok(), Some(pcm.len() / 2), "one byte for two samples");
    }
}

pub(crate) struct Decoder(G722Decoder);

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder(G722Decoder::new())
    }
}

impl Decoder {
    /// Every byte is a valid code, so this cannot fail.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        let start = out.len();
        out.resize(start + payload.len() * 2, 0);
        let written = self.0.decode_into(payload, &mut out[start..]);
        debug_assert_eq!(written.ok(), Some(payload.len() * 2), "two samples for one byte");
    }
}
