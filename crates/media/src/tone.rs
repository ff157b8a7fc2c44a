//! Pure tones: making them and finding them again. Tests and phones tell by them who hears whom.

use crate::level::power_to_dbfs;
use std::f64::consts::TAU;

/// An endless sine, cut into frames without a seam.
#[derive(Debug, Clone)]
pub struct Sine {
    phase: f64,
    step: f64,
    amplitude: f64,
}

impl Sine {
    /// Creates a sine of `frequency_hz` for sound at `rate_hz`, with a peak of `amplitude` (32767 is full scale).
    pub fn new(frequency_hz: f64, rate_hz: u32, amplitude: i16) -> Sine {
        Sine { phase: 0.0, step: frequency_hz / f64::from(rate_hz), amplitude: f64::from(amplitude) }
    }

    /// Fills `out` with the next samples.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.sample();
        }
    }

    /// Returns the next `samples` samples.
    pub fn take_samples(&mut self, samples: usize) -> Vec<i16> {
        (0..samples).map(|_| self.sample()).collect()
    }

    fn sample(&mut self) -> i16 {
        let value = (self.phase * TAU).sin() * self.amplitude;
        self.phase = (self.phase + self.step).fract();
        value.round() as i16
    }
}

/// Returns how loud the frequency is in `pcm`, in dBFS: a full scale sine of it has -3.
///
/// It is one bin of a Fourier transform with a Hann window (Goertzel's algorithm, in its resonator form). Two tones are
/// told apart when they are at least 4 / (the sound's duration) apart: 40 Hz for 100 ms.
pub fn tone_dbfs(pcm: &[i16], frequency_hz: f64, rate_hz: u32) -> f32 {
    let length = pcm.len() as f64;
    let coefficient = 2.0 * (TAU * frequency_hz / f64::from(rate_hz)).cos();
    let (mut s1, mut s2) = (0.0, 0.0);
    for (i, &sample) in pcm.iter().enumerate() {
        let window = 1.0 - (TAU * (i as f64 + 0.5) / length).cos();
        let s0 = window * f64::from(sample) + coefficient * s1 - s2;
        (s2, s1) = (s1, s0);
    }
    let magnitude_square = s1 * s1 + s2 * s2 - coefficient * s1 * s2;
    // A sine of amplitude A gives A * length / 2, and its mean square is A * A / 2.
    power_to_dbfs(2.0 * magnitude_square / (length * length).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_found_at_its_level_and_nowhere_else() {
        let pcm = Sine::new(440.0, 16_000, 3_277).take_samples(1_600);
        assert!((tone_dbfs(&pcm, 440.0, 16_000) + 23.0).abs() < 0.1);
        assert!(tone_dbfs(&pcm, 500.0, 16_000) < -70.0);
        assert!((crate::level::level_dbfs(&pcm) + 23.0).abs() < 0.1);
    }
}
