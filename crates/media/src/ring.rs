//! Sample rate conversion of recordings, ahead of time: to a ring of exactly the wanted length, so that its end leads into
//! its start without a step.

use crate::resample::{dot, kaiser, round, sinc};

/// Zero crossings on each side for recordings: nobody waits for it, and cymbals live near the band's edge.
const RING_ZERO_CROSSINGS: usize = 32;

/// The attenuation of what the filter for recordings must stop, in dB: below the noise of 16 bit.
const RING_STOP_DB: f64 = 90.0;

/// Filters per input sample for recordings. Places between are interpolated, with an error below -90 dB.
const RING_PLACES: usize = 256;

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
    exact.iter().map(|s| round(s * gain)).collect()
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
