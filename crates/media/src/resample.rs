//! Sample rate conversion in the tick: between a codec's rate and the mixer's, frame by frame.

use std::f64::consts::PI;

/// Pairs of taps of the tick's filter. 12 give a pass band to 3.4 kHz (telephone speech) and 60 dB of stop band from
/// 4.6 kHz, for 1.5 ms of delay. More would widen the band, the delay and the work.
const TICK_TAP_PAIRS: usize = 12;

/// How many samples of one phase the tick's filter sees at once.
const TICK_SPAN: usize = 2 * TICK_TAP_PAIRS;

/// The attenuation of what the tick's filter must stop, in dB: below the noise of G.711.
const TICK_STOP_DB: f64 = 60.0;

/// Converts a stream to twice its rate, to half of it, or not at all.
///
/// It is a half-band filter: every second tap is zero but for the one in the middle, so half the samples pass through as
/// they are and only the samples between them are computed.
pub(crate) struct Resampler {
    direction: Direction,
    taps: [f32; TICK_TAP_PAIRS],
    /// The samples the filter works on: the newest of the frame before, then the present frame.
    filtered: Vec<f32>,
    /// Going down: the samples that pass through as they are, in the same order.
    passed: Vec<f32>,
    /// What the filter makes of one frame.
    between: Vec<f32>,
}

#[derive(Clone, Copy)]
enum Direction {
    Same,
    Up,
    Down,
}

impl Resampler {
    /// Creates a converter between two rates that are the same or a factor of two apart.
    ///
    /// # Panics
    ///
    /// If they are not.
    pub(crate) fn new(from_hz: u32, to_hz: u32) -> Resampler {
        let direction = match (from_hz, to_hz) {
            _ if from_hz == to_hz => Direction::Same,
            _ if from_hz * 2 == to_hz => Direction::Up,
            _ if from_hz == to_hz * 2 => Direction::Down,
            _ => panic!("codecs run at the mixer's rate or at half of it"),
        };
        let silence = vec![0.0; TICK_SPAN - 1];
        Resampler { direction, taps: half_band(), filtered: silence.clone(), passed: silence, between: Vec::new() }
    }

    /// Forgets the sound so far.
    pub(crate) fn reset(&mut self) {
        for history in [&mut self.filtered, &mut self.passed] {
            history.fill(0.0);
        }
    }

    /// Converts a frame and appends it to `out`. A frame that goes down has an even number of samples.
    pub(crate) fn process(&mut self, pcm: &[i16], out: &mut Vec<i16>) {
        match self.direction {
            Direction::Same => out.extend_from_slice(pcm),
            Direction::Up => self.double(pcm, out),
            Direction::Down => self.halve(pcm, out),
        }
    }

    fn double(&mut self, pcm: &[i16], out: &mut Vec<i16>) {
        self.filtered.extend(pcm.iter().map(|&s| f32::from(s)));
        self.interpolate(pcm.len());
        let as_they_are = &self.filtered[TICK_TAP_PAIRS - 1..];
        out.extend(as_they_are.iter().zip(&self.between).flat_map(|(&here, &next)| [round(here), round(next)]));
        keep_newest(&mut self.filtered);
    }

    fn halve(&mut self, pcm: &[i16], out: &mut Vec<i16>) {
        let (pairs, _) = pcm.as_chunks::<2>();
        self.passed.extend(pairs.iter().map(|pair| f32::from(pair[0])));
        self.filtered.extend(pairs.iter().map(|pair| f32::from(pair[1])));
        self.interpolate(pairs.len());
        let as_they_are = &self.passed[TICK_TAP_PAIRS..];
        out.extend(as_they_are.iter().zip(&self.between).map(|(&here, &around)| round((here + around) / 2.0)));
        keep_newest(&mut self.passed);
        keep_newest(&mut self.filtered);
    }

    /// Computes the sample in the middle of every window. Tap by tap, not sample by sample: that vectorises.
    fn interpolate(&mut self, samples: usize) {
        self.between.clear();
        self.between.resize(samples, 0.0);
        for (j, tap) in self.taps.iter().enumerate() {
            let before = &self.filtered[TICK_TAP_PAIRS - 1 - j..];
            let after = &self.filtered[TICK_TAP_PAIRS + j..];
            for ((sum, before), after) in self.between.iter_mut().zip(before).zip(after) {
                *sum += tap * (before + after);
            }
        }
    }
}

fn keep_newest(history: &mut Vec<f32>) {
    let used = history.len() - (TICK_SPAN - 1);
    history.copy_within(used.., 0);
    history.truncate(TICK_SPAN - 1);
}

/// Rounds to the nearest, saturating. `f32::round` is a function call on processors without SSE 4.1.
pub(crate) fn round(sample: f32) -> i16 {
    (sample + 0.5_f32.copysign(sample)) as i16
}

/// One side of the half-band filter's taps, from the middle outwards, with a gain of 1.
fn half_band() -> [f32; TICK_TAP_PAIRS] {
    let tap = |j: usize| {
        let distance = j as f64 + 0.5;
        sinc(distance) * kaiser(distance / TICK_TAP_PAIRS as f64, TICK_STOP_DB)
    };
    let sum: f64 = (0..TICK_TAP_PAIRS).map(tap).sum();
    std::array::from_fn(|j| (tap(j) / (2.0 * sum)) as f32)
}

/// Sums products in eight lanes, so that the compiler may use vector registers: it may not reorder floats by itself.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum()
}

/// The ideal low pass, with zero crossings at the whole numbers.
pub(crate) fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The Kaiser window at `x` in -1..=1, for a stop band of `stop_db` (Kaiser 1974: the window with the least taps for it).
pub(crate) fn kaiser(x: f64, stop_db: f64) -> f64 {
    let beta = 0.1102 * (stop_db - 8.7);
    bessel_i0(beta * (1.0 - x * x).max(0.0).sqrt()) / bessel_i0(beta)
}

fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Sine, tone_dbfs};

    /// The level of `seen_hz` after converting a tone of `hz`, against the tone's own, in dB.
    fn gain_db(from_hz: u32, to_hz: u32, hz: f64, seen_hz: f64) -> f32 {
        let mut resampler = Resampler::new(from_hz, to_hz);
        let mut tone = Sine::new(hz, from_hz, 10_000);
        let mut out = Vec::new();
        for _ in 0..50 {
            resampler.process(&tone.take_samples(from_hz as usize / 50), &mut out);
        }
        assert_eq!(out.len(), to_hz as usize);
        tone_dbfs(&out[to_hz as usize / 10..], seen_hz, to_hz) + 13.32
    }

    #[test]
    fn speech_passes() {
        for hz in [200.0, 1_000.0, 2_500.0, 3_300.0] {
            assert!(gain_db(8_000, 16_000, hz, hz).abs() < 0.1, "up {hz}");
            assert!(gain_db(16_000, 8_000, hz, hz).abs() < 0.1, "down {hz}");
        }
    }

    #[test]
    fn images_and_aliases_do_not() {
        for hz in [200.0, 1_000.0, 2_500.0, 3_300.0] {
            assert!(gain_db(8_000, 16_000, hz, 8_000.0 - hz) < -58.0, "image of {hz}");
            assert!(gain_db(16_000, 8_000, 8_000.0 - hz, hz) < -58.0, "alias at {hz}");
        }
    }
}
