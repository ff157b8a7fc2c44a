//! The players: notes as sums of a few decaying sines, with soft starts and ends.

use std::f32::consts::TAU;
use std::time::Duration;

use super::score::Pitch;

/// One sine of a note.
struct Partial {
    /// Its frequency as a multiple of the note's.
    ratio: f32,
    /// Its amplitude at the start, relative to the other partials.
    gain: f32,
    /// The time in which it falls to 1/e. High partials die first, as on strings and bars.
    decay_s: f32,
}

/// Enough to tell the instruments apart; more would be lost on a telephone. With their twins they
/// are eight lanes of [`Sines`], which fit the vector units of all machines we know.
const PARTIALS: usize = 4;

/// How loud the twins are. Equal twins would cancel each other in every beat and the note would
/// throb; this is a swell of 4 dB.
const TWIN_GAIN: f32 = 0.25;

/// The sound of an instrument.
pub(super) struct Instrument {
    partials: [Partial; PARTIALS],
    /// Loudness within the piece.
    gain: f32,
    /// From silence to full. 10 ms and more is heard as a soft touch, less as a click on a
    /// telephone.
    attack: Duration,
    /// How long a note sounds on after its written length.
    release: Duration,
    /// Each partial has a quieter twin this far above it: the pair beats slowly, which is warmth.
    twin_cents: f32,
}

/// Carries the melody.
pub(super) const VIBRAPHONE: Instrument = Instrument {
    partials: [
        Partial { ratio: 1.0, gain: 1.0, decay_s: 1.9 },
        Partial { ratio: 2.0, gain: 0.30, decay_s: 1.1 },
        Partial { ratio: 3.0, gain: 0.14, decay_s: 0.6 },
        Partial { ratio: 4.0, gain: 0.10, decay_s: 0.35 },
    ],
    gain: 1.0,
    attack: Duration::from_millis(18),
    release: Duration::from_millis(700),
    twin_cents: 5.0,
};

/// Breaks the chords into eighths.
pub(super) const HARP: Instrument = Instrument {
    partials: [
        Partial { ratio: 1.0, gain: 1.0, decay_s: 0.55 },
        Partial { ratio: 2.0, gain: 0.55, decay_s: 0.40 },
        Partial { ratio: 3.0, gain: 0.22, decay_s: 0.25 },
        Partial { ratio: 4.0, gain: 0.10, decay_s: 0.15 },
    ],
    gain: 0.36,
    attack: Duration::from_millis(12),
    release: Duration::from_millis(900),
    twin_cents: 3.0,
};

/// Holds the chords.
pub(super) const PAD: Instrument = Instrument {
    partials: [
        Partial { ratio: 1.0, gain: 1.0, decay_s: 20.0 },
        Partial { ratio: 2.0, gain: 0.45, decay_s: 12.0 },
        Partial { ratio: 3.0, gain: 0.20, decay_s: 8.0 },
        Partial { ratio: 4.0, gain: 0.06, decay_s: 4.0 },
    ],
    gain: 0.10,
    attack: Duration::from_millis(500),
    release: Duration::from_millis(900),
    twin_cents: 9.0,
};

/// Roots of the chords. A telephone drops their fundamentals; the ear hears the pitch from the
/// partials.
pub(super) const BASS: Instrument = Instrument {
    partials: [
        Partial { ratio: 1.0, gain: 0.7, decay_s: 1.6 },
        Partial { ratio: 2.0, gain: 0.7, decay_s: 1.3 },
        Partial { ratio: 3.0, gain: 0.40, decay_s: 1.0 },
        Partial { ratio: 4.0, gain: 0.30, decay_s: 0.8 },
    ],
    gain: 0.34,
    attack: Duration::from_millis(30),
    release: Duration::from_millis(400),
    twin_cents: 0.0,
};

impl Instrument {
    /// The samples of one note of the written length, with its release.
    pub(super) fn note(&self, pitch: Pitch, held: Duration, rate_hz: u32) -> Vec<f32> {
        let rate = rate_hz as f32;
        let length = ((held + self.release).as_secs_f32() * rate) as usize;
        let mut sines = self.sines(pitch, rate);
        let mut samples: Vec<f32> = (0..length).map(|_| sines.next_sample()).collect();
        self.shape(&mut samples, rate);
        samples
    }

    fn sines(&self, pitch: Pitch, rate: f32) -> Sines {
        let mut sines = Sines::default();
        for (lane, partial) in self.partials.iter().enumerate() {
            let cycles_per_sample = pitch.frequency_hz() * partial.ratio / rate;
            let amplitude = self.gain * partial.gain;
            let decay_samples = partial.decay_s * rate;
            let twin = (self.twin_cents / 1200.0).exp2();
            sines.set(lane, cycles_per_sample, amplitude, decay_samples);
            sines.set(PARTIALS + lane, twin * cycles_per_sample, TWIN_GAIN * amplitude, decay_samples);
        }
        sines
    }

    fn shape(&self, samples: &mut [f32], rate: f32) {
        let attack = (self.attack.as_secs_f32() * rate) as usize;
        let release = (self.release.as_secs_f32() * rate) as usize;
        for (index, sample) in samples.iter_mut().take(attack).enumerate() {
            *sample *= smooth(index as f32 / attack as f32);
        }
        for (index, sample) in samples.iter_mut().rev().take(release).enumerate() {
            *sample *= smooth(index as f32 / release as f32);
        }
    }
}

/// Decaying sines side by side: each is one complex number, turned and shrunk a little for every
/// sample.
#[derive(Default)]
struct Sines {
    re: [f32; 2 * PARTIALS],
    im: [f32; 2 * PARTIALS],
    turn_re: [f32; 2 * PARTIALS],
    turn_im: [f32; 2 * PARTIALS],
}

impl Sines {
    fn set(&mut self, lane: usize, cycles_per_sample: f32, amplitude: f32, decay_samples: f32) {
        let shrink = (-1.0 / decay_samples).exp();
        let (sin, cos) = (TAU * cycles_per_sample).sin_cos();
        self.turn_re[lane] = cos * shrink;
        self.turn_im[lane] = sin * shrink;
        self.re[lane] = amplitude;
    }

    fn next_sample(&mut self) -> f32 {
        let sum = self.im.iter().sum();
        for lane in 0..self.re.len() {
            let (re, im) = (self.re[lane], self.im[lane]);
            self.re[lane] = re * self.turn_re[lane] - im * self.turn_im[lane];
            self.im[lane] = re * self.turn_im[lane] + im * self.turn_re[lane];
        }
        sum
    }
}

/// From 0 to 1 without a corner at either end.
fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}
