//! The hold music of the benchmark: a tone that no phone speaks, so that the first packet of it is told for certain.

use std::f64::consts::TAU;

use phone::Recording;

/// The tone, in hertz. It is 500 Hz away from what the phones say.
pub(super) const TONE_HZ: u32 = 1000;

/// How loud it is: -9 dBFS, well above the phones.
const AMPLITUDE: f64 = 16_000.0;

/// What Graph documents for prompts: WAV, mono, 16 bit, 16 kHz.
const RATE_HZ: u32 = 16_000;

/// Returns one second of the tone. It has a whole number of periods, so it loops without a seam.
pub(super) fn recording() -> Recording {
    let sample = |n: u32| (AMPLITUDE * (TAU * f64::from(n * TONE_HZ) / f64::from(RATE_HZ)).sin()) as i16;
    Recording { rate_hz: RATE_HZ, samples: (0..RATE_HZ).map(sample).collect() }
}
