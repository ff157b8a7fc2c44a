//! The hold music of the benchmark: a tone that no phone speaks, so that the first packet of it is told for certain.

use std::f64::consts::TAU;

/// The tone, in hertz. It is 500 Hz away from what the phones say.
pub(super) const TONE_HZ: u32 = 1000;

/// How loud it is: -9 dBFS, well above the phones.
const AMPLITUDE: f64 = 16_000.0;

/// What Graph documents for prompts: WAV, mono, 16 bit, 16 kHz.
const RATE_HZ: u32 = 16_000;

/// Returns one second of the tone as a WAV file. It has a whole number of periods, so it loops without a seam.
pub(super) fn wav() -> Vec<u8> {
    let sample = |n: u32| (AMPLITUDE * (TAU * f64::from(n * TONE_HZ) / f64::from(RATE_HZ)).sin()) as i16;
    let data: Vec<u8> = (0..RATE_HZ).flat_map(|n| sample(n).to_le_bytes()).collect();
    let length = data.len() as u32;
    let mut file = Vec::with_capacity(data.len() + 44);
    file.extend(b"RIFF");
    file.extend((36 + length).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    file.extend([RATE_HZ, RATE_HZ * 2].map(u32::to_le_bytes).concat());
    // Bytes and bits of a sample.
    file.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(data);
    file
}
