//! Opus (RFC 6716), always mono: a pure Rust port of the reference, so a build needs no C library and no cmake.

use super::{Codec, DecodeError};
use crate::MIX_RATE_HZ;
use opus_pure::{Application, OpusDecoder, OpusEncoder};

/// The bit rate of speech in a conversation, in bit/s: wideband speech with room for FEC. More is not heard at 16 kHz.
const SPEECH_BIT_RATE_BPS: i32 = 28_000;

/// The bit rate of music, in bit/s: mono full band without audible loss. It is coded once, so only the network pays.
const MUSIC_BIT_RATE_BPS: i32 = 64_000;

/// How hard the encoder thinks about live speech, 0 to 10. Measured: 5 costs about half of 9; lower drops the pitch search
/// that keeps voices natural.
const SPEECH_COMPLEXITY: i32 = 5;

/// How hard the encoder thinks about music, 0 to 10. It runs once for all listeners, ahead of time, so: all it can.
const MUSIC_COMPLEXITY: i32 = 10;

/// The packet loss the speech encoder prepares for, in percent. 0 would switch in-band FEC off; more costs clarity.
const EXPECTED_LOSS_PERCENT: i32 = 5;

/// The longest payload the encoder may make, in bytes (RFC 6716 section 3.2.1 ends a frame at 1275).
const FRAME_BYTES_MAX: usize = 1275;

/// The longest packet, in milliseconds (RFC 6716 section 3.2.5).
const PACKET_MS_MAX: usize = 120;

/// How long the library's concealment is taken as it is, in milliseconds. It fades on its own at first.
const CONCEAL_FULL_MS: u32 = 60;

/// How long it is faded after that, in milliseconds. The library goes on with noise for as long as nothing comes; to a
/// listener that is a line that hisses. It ends before the jitter buffer stops asking, so that nothing is cut off.
const CONCEAL_FADE_MS: u32 = 100;

pub(crate) struct Encoder(OpusEncoder);

impl Encoder {
    pub(crate) fn speech() -> Encoder {
        let mut encoder = new_encoder(MIX_RATE_HZ, Application::Voip);
        encoder.bitrate_bps = SPEECH_BIT_RATE_BPS;
        encoder.complexity = SPEECH_COMPLEXITY;
        encoder.use_inband_fec = true;
        encoder.packet_loss_perc = EXPECTED_LOSS_PERCENT;
        Encoder(encoder)
    }

    pub(crate) fn music() -> Encoder {
        let mut encoder = new_encoder(Codec::Opus.sample_rate(), Application::Audio);
        encoder.bitrate_bps = MUSIC_BIT_RATE_BPS;
        encoder.complexity = MUSIC_COMPLEXITY;
        // Discontinuous transmission would tear holes into a quiet passage.
        encoder.use_dtx = false;
        Encoder(encoder)
    }

    pub(crate) fn encode(&mut self, pcm: &[i16], out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + FRAME_BYTES_MAX, 0);
        let length = self
            .0
            .encode_s16(pcm, pcm.len(), &mut out[start..])
            .expect("the frame has one of Opus' lengths and the buffer holds the longest packet");
        out.truncate(start + length);
    }
}

fn new_encoder(rate_hz: u32, application: Application) -> OpusEncoder {
    OpusEncoder::new(rate_hz as i32, 1, application).expect("mono at 16 or 48 kHz is supported")
}

pub(crate) struct Decoder {
    decoder: OpusDecoder,
    rate_hz: u32,
    /// Samples made up since the last packet.
    concealed: usize,
}

impl Decoder {
    pub(crate) fn new(rate_hz: u32) -> Decoder {
        let decoder = OpusDecoder::new(rate_hz as i32, 1).expect("mono at 16 or 48 kHz is supported");
        Decoder { decoder, rate_hz, concealed: 0 }
    }

    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<(), DecodeError> {
        self.concealed = 0;
        self.append(packet_samples_max(self.rate_hz), out, |decoder, frame_size, pcm| {
            decoder.decode_s16(payload, frame_size, pcm)
        })
        .map_err(|_| DecodeError { codec: Codec::Opus })
    }

    pub(crate) fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) {
        let start = out.len();
        let made = self.make_up(samples, out, |decoder, frame_size, pcm| decoder.decode_s16(&[], frame_size, pcm));
        if made.is_err() {
            // After a packet of nonsense the library may have nothing to go on from: silence then.
            out.resize(start + samples, 0);
        }
        let full = (CONCEAL_FULL_MS * self.rate_hz / 1000) as usize;
        let fade = (CONCEAL_FADE_MS * self.rate_hz / 1000) as usize;
        for sample in &mut out[start..] {
            let gain = (full + fade).saturating_sub(self.concealed).min(fade);
            *sample = (i64::from(*sample) * gain as i64 / fade as i64) as i16;
            self.concealed += 1;
        }
    }

    pub(crate) fn recover(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) {
        let made = self.make_up(samples, out, |decoder, frame_size, pcm| decoder.decode_fec_s16(next, frame_size, pcm));
        if made.is_err() {
            self.conceal(samples, out);
        }
    }

    pub(crate) fn reset(&mut self) {
        self.concealed = 0;
        self.decoder.reset_state().expect("a decoder that was made can be reset");
    }

    /// Appends exactly `samples`, or nothing if the library fails.
    fn make_up(
        &mut self,
        samples: usize,
        out: &mut Vec<i16>,
        make: impl FnOnce(&mut OpusDecoder, usize, &mut [i16]) -> opus_pure::Result<usize>,
    ) -> opus_pure::Result<()> {
        let start = out.len();
        // The speech layer conceals whole frames, of which 10 ms is the shortest.
        let quantum = self.rate_hz as usize / 100;
        let frame_size = samples.next_multiple_of(quantum).min(packet_samples_max(self.rate_hz));
        self.append(frame_size, out, make)?;
        out.resize(start + samples, 0);
        Ok(())
    }

    fn append(
        &mut self,
        frame_size: usize,
        out: &mut Vec<i16>,
        make: impl FnOnce(&mut OpusDecoder, usize, &mut [i16]) -> opus_pure::Result<usize>,
    ) -> opus_pure::Result<()> {
        let start = out.len();
        out.resize(start + frame_size, 0);
        let made = make(&mut self.decoder, frame_size, &mut out[start..]);
        out.truncate(start + made.as_ref().copied().unwrap_or(0));
        made.map(|_| ())
    }
}

fn packet_samples_max(rate_hz: u32) -> usize {
    rate_hz as usize / 1000 * PACKET_MS_MAX
}

/// Returns the duration of a packet in samples at `rate_hz`, from its first two bytes (RFC 6716 section 3.1).
pub(crate) fn duration_samples(payload: &[u8], rate_hz: u32) -> usize {
    let Some(&toc) = payload.first() else { return 0 };
    let frames = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => payload.get(1).map_or(0, |count| usize::from(count & 0x3F)),
    };
    // In units of 2.5 ms. Configurations 0-11 are SILK, 12-15 hybrid, 16-31 CELT.
    let quarters = match toc >> 3 {
        config @ 0..=11 => [4, 8, 16, 24][usize::from(config & 3)],
        config @ 12..=15 => [4, 8][usize::from(config & 1)],
        config => [1, 2, 4, 8][usize::from(config & 3)],
    };
    (frames * quarters * (rate_hz as usize / 400)).min(packet_samples_max(rate_hz))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Sine, tone_dbfs};

    /// Sends a tone that changes its pitch with the frame that is lost, and returns that frame as `make_up` has it.
    fn lost_frame(make_up: impl Fn(&mut Decoder, &[u8], &mut Vec<i16>)) -> Vec<i16> {
        let (mut encoder, mut decoder) = (Encoder::speech(), Decoder::new(MIX_RATE_HZ));
        let mut out = Vec::new();
        let mut frame = |hz: f64| {
            let mut payload = Vec::new();
            encoder.encode(&Sine::new(hz, MIX_RATE_HZ, 8_000).take_samples(320), &mut payload);
            payload
        };
        for _ in 0..20 {
            assert_eq!(decoder.decode(&frame(400.0), &mut out), Ok(()));
        }
        frame(1_000.0);
        out.clear();
        make_up(&mut decoder, &frame(1_000.0), &mut out);
        assert_eq!(out.len(), 320);
        out
    }

    #[test]
    fn the_next_packet_restores_the_lost_one() {
        let guessed = lost_frame(|decoder, _, out| decoder.conceal(320, out));
        let restored = lost_frame(|decoder, next, out| decoder.recover(next, 320, out));
        let level = |pcm: &[i16]| tone_dbfs(&pcm[120..], 1_000.0, MIX_RATE_HZ);
        assert!(level(&restored) > -25.0, "{}", level(&restored));
        assert!(level(&guessed) < level(&restored) - 10.0, "{}", level(&guessed));
    }

    #[test]
    fn the_duration_is_read_off_the_first_bytes() {
        // RFC 6716 table 2: configuration 1 is 20 ms of SILK, 13 hybrid, 31 of CELT; code 3 counts frames.
        let milliseconds = |payload: &[u8]| duration_samples(payload, 16_000) / 16;
        assert_eq!([1, 13, 31].map(|config| milliseconds(&[config << 3])), [20, 20, 20]);
        assert_eq!([3, 16].map(|config| milliseconds(&[config << 3 | 1])), [120, 5]);
        assert_eq!(milliseconds(&[31 << 3 | 3, 3]), 60);
        assert_eq!((milliseconds(&[]), milliseconds(&[0xFF])), (0, 0));
    }
}
