//! The bot's hold music as the file that Graph documents for prompts: WAV, PCM, mono, 16 bit, 16 kHz.

use super::voice::{RATE_HZ, Voice};

/// Bytes of one sample.
const SAMPLE_BYTES: u32 = 2;

/// Bytes between the length of the file and its sound.
const HEADERS_BYTES: u32 = 36;

/// Returns the music as a WAV file.
pub(super) fn wav() -> Vec<u8> {
    let samples = Voice::Music.recording().samples;
    let data_bytes = samples.len() as u32 * SAMPLE_BYTES;
    let mut file = Vec::new();
    file.extend(b"RIFF");
    file.extend((HEADERS_BYTES + data_bytes).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    file.extend([RATE_HZ, RATE_HZ * SAMPLE_BYTES].map(u32::to_le_bytes).concat());
    // Bytes per sample, bits per sample.
    file.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(data_bytes.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}
