//! Sample rate conversion with windowed sinc filters.
//!
//! Two kinds. [`Resampler`] runs in the tick between a codec's rate and the mixer's, frame by frame. [`resample_ring`]
//! runs ahead of time: it turns a recording of any rate into a ring of exactly the wanted length, so that its end leads
//! into its start without a step.

use std::f64::consts::PI;

/// Zero crossings of the sinc on each side, per filter of the tick. 12 give a pass band to 3.4 kHz (telephone speech) and
/// 60 dB of stop band from 4.6 kHz at 8 kHz, for 1.5 ms of delay. More would widen the band and the delay.
const TICK_ZERO_CROSSINGS: usize = 12;

/// The attenuation of what the tick's filter must stop, in dB: below the noise of G.711.
const TICK_STOP_DB: f64 = 60.0;

/// Zero crossings on each side for recordings: nobody waits for it, and cymbals live near the band's edge.
const RING_ZERO_CROSSINGS: usize = 32;

/// The attenuation of what the filter for recordings must stop, in dB: below the noise of 16 bit.
const RING_STOP_DB: f64 = 90.0;

/// Filters per input sample for recordings. Places between are interpolated, with an error below -90 dB.
const RING_PLACES: usize = 256;

/// Converts a stream by a whole factor, up or down, or not at all.
pub(crate) struct Resampler {
    direction: Direction,
    /// The filter in the order it is applied: one run of taps per phase.
    taps: Vec<f32>,
    /// The newest input samples of the frame before, then room for the present frame.
    history: Vec<f32>,
    span: usize,
}

#[derive(Clone, Copy)]
enum Direction {
    Same,
    Up(usize),
    Down(usize),
}

impl Resampler {
    /// Creates a converter between two rates of which one is a multiple of the other.
    pub(crate) fn new(from_hz: u32, to_hz: u32) -> Resampler {
        assert!(from_hz.is_multiple_of(to_hz) || to_hz.is_multiple_of(from_hz), "only whole factors are needed");
        let factor = (from_hz.max(to_hz) / from_hz.min(to_hz)) as usize;
        let (direction, taps, span) = match (factor, from_hz < to_hz) {
            (1, _) => (Direction::Same, Vec::new(), 0),
            (_, true) => (Direction::Up(factor), phases(factor), 2 * TICK_ZERO_CROSSINGS),
            (_, false) => (Direction::Down(factor), low_pass(factor), 2 * TICK_ZERO_CROSSINGS * factor),
        };
        Resampler { direction, taps, history: vec![0.0; span], span }
    }

    /// Forgets the sound so far.
    pub(crate) fn reset(&mut self) {
        self.history.clear();
        self.history.resize(self.span, 0.0);
    }

    /// Converts a frame and appends it to `out`.
    pub(crate) fn process(&mut self, pcm: &[i16], out: &mut Vec<i16>) {
        let (factor, step) = match self.direction {
            Direction::Same => return out.extend_from_slice(pcm),
            Direction::Up(factor) => (factor, 1),
            Direction::Down(step) => (1, step),
        };
        self.history.extend(pcm.iter().map(|&s| f32::from(s)));
        for i in (step..=pcm.len()).step_by(step) {
            let window = &self.history[i..i + self.span];
            for phase in 0..factor {
                let taps = &self.taps[phase * self.span..(phase + 1) * self.span];
                out.push(dot(window, taps).round() as i16);
            }
        }
        self.history.copy_within(pcm.len().., 0);
        self.history.truncate(self.span);
    }
}

/// Sums in eight lanes, so that the compiler may use vector registers: floats may not be reordered by it.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    lanes.iter().sum()
}

/// A low pass at the lower rate's Nyquist frequency, sampled at the higher rate, with a gain of 1.
fn low_pass(factor: usize) -> Vec<f32> {
    let half = (TICK_ZERO_CROSSINGS * factor) as f64;
    let taps: Vec<f64> = (0..2 * TICK_ZERO_CROSSINGS * factor)
        .map(|i| {
            let x = i as f64 + 0.5 - half;
            sinc(x / factor as f64) * kaiser(x / half, TICK_STOP_DB)
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| (tap / sum) as f32).collect()
}

/// The same low pass taken apart into one filter per output phase.
fn phases(factor: usize) -> Vec<f32> {
    let prototype = low_pass(factor);
    // The newest input comes last in the window, so every phase is reversed.
    let phase = |p: usize| prototype.iter().skip(p).step_by(factor).rev().map(|tap| tap * factor as f32);
    (0..factor).flat_map(phase).collect()
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The Kaiser window at `x` in -1..=1, for a stop band of `stop_db` (Kaiser 1974: the window with the least taps for it).
fn kaiser(x: f64, stop_db: f64) -> f64 {
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

/// Resamples `ring`, whose end leads into its start, to a ring of `length` samples.
///
/// It never clips: if the filter's overshoot goes beyond 16 bits, the whole ring gets quieter by as much.
///
/// # Panics
///
/// If `ring` is empty.
pub(crate) fn resample_ring(ring: &[i16], length: usize) -> Vec<i16> {
    assert!(!ring.is_empty(), "a ring has samples");
    if ring.len() == length {
        return ring.to_vec();
    }
    let filter = RingFilter::new(ring.len() as f64 / length as f64);
    let mut window = Vec::new();
    let mut exact = Vec::with_capacity(length);
    for index in 0..length as u64 {
        // Its place among the input samples is an exact fraction, so no error builds up over a long ring.
        let place = index * ring.len() as u64;
        let fraction = (place % length as u64) as f64 / length as f64;
        filter.cut_window(ring, (place / length as u64) as usize, &mut window);
        exact.push(filter.sample(&window, fraction));
    }
    to_16_bits(&exact)
}

/// Rounds, after making everything quieter if anything is beyond 16 bits.
fn to_16_bits(exact: &[f32]) -> Vec<i16> {
    let peak = exact.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
    let gain = (f32::from(i16::MAX) / peak).min(1.0);
    exact.iter().map(|s| (s * gain).round() as i16).collect()
}

/// A low pass at any place between two samples: filters for evenly spaced places, and those between interpolated.
struct RingFilter {
    /// One filter for each place, and one more for the place 1.
    rows: Vec<f32>,
    places: usize,
    /// How many input samples the filter reaches to each side.
    reach: usize,
}

impl RingFilter {
    /// Creates the filter for going `stretch` input samples ahead with each output sample.
    fn new(stretch: f64) -> RingFilter {
        let stretch = stretch.max(1.0);
        // A multiple of four on each side, so that the sum has whole lanes.
        let reach = ((RING_ZERO_CROSSINGS as f64 * stretch).ceil() as usize).next_multiple_of(4);
        let places = (RING_PLACES as f64 / stretch).ceil() as usize;
        let row = |place: usize| {
            let fraction = place as f64 / places as f64;
            (0..2 * reach).map(move |i| {
                let distance = i as f64 + 1.0 - reach as f64 - fraction;
                (sinc(distance / stretch) * kaiser(distance / reach as f64, RING_STOP_DB) / stretch) as f32
            })
        };
        RingFilter { rows: (0..=places).flat_map(row).collect(), places, reach }
    }

    /// Copies the input samples around `whole`, over the seam if need be.
    fn cut_window(&self, ring: &[i16], whole: usize, window: &mut Vec<f32>) {
        window.clear();
        let span = 2 * self.reach;
        match (whole + 1).checked_sub(self.reach).and_then(|start| ring.get(start..start + span)) {
            Some(inside) => window.extend(inside.iter().map(|&s| f32::from(s))),
            None => {
                let start = (whole as i64 + 1 - self.reach as i64).rem_euclid(ring.len() as i64) as usize;
                window.extend(ring.iter().cycle().skip(start).take(span).map(|&s| f32::from(s)));
            }
        }
    }

    fn sample(&self, window: &[f32], fraction: f64) -> f32 {
        let place = fraction * self.places as f64;
        let row = (place as usize).min(self.places - 1) * window.len();
        let low = dot(window, &self.rows[row..row + window.len()]);
        let high = dot(window, &self.rows[row + window.len()..row + 2 * window.len()]);
        low + (high - low) * (place - place.floor()) as f32
    }
}
