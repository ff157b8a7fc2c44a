//! Music for those who wait: a recording, and the loop it becomes for one codec.
//!
//! A loop is encoded once and played to any number of legs: a listener costs a header, not an encoder. It is a ring of
//! 20 ms payloads without a gap and without a click where its end meets its start:
//!
//! - A recording is seldom a whole number of frames long. It is unrolled until it is, or stretched by less than 0.02 %.
//! - A codec with memory (G.722, Opus) would start cold at the seam. So the encoder runs on over the seam, and the first
//!   second is replaced by what it makes then.
//!
//! Levels are left as they are: how loud music should be is the business of who made it.

use crate::TICK;
use crate::codec::{Codec, Encoder};
use crate::level::mean_square;
use crate::ring::resample_ring;
use std::sync::Arc;
use std::time::Duration;

/// How long an unrolled loop may get. Longer finds an exact length for more recordings, and takes memory for each; at
/// 60 s the stretch of the others stays below 10 ms in 60 s: 0.017 %, a third of a cent.
const UNROLLED_MAX: Duration = Duration::from_secs(60);

/// How far the encoder runs on over the seam, in ticks: 1 s, in which every codec's memory of the cold start has faded.
const SEAM_TICKS: usize = 50;

/// Sound as it was recorded: mono, at any rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Samples per second.
    pub rate_hz: u32,
    /// The samples, mono.
    pub samples: Arc<[i16]>,
}

impl Recording {
    /// Returns how long it plays.
    ///
    /// # Panics
    ///
    /// If the rate is 0.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.samples.len() as u64 * 1_000_000_000 / u64::from(self.rate_hz))
    }
}

/// A recording encoded for one codec, as a ring of 20 ms payloads.
pub struct Loop {
    codec: Codec,
    payloads: Vec<u8>,
    /// Where each payload ends in `payloads`.
    ends: Vec<u32>,
    /// How loud each is.
    mean_squares: Vec<f32>,
}

impl Loop {
    /// Encodes a recording at the codec's own rate. An empty one becomes a frame of silence.
    ///
    /// This takes about 0.3 % of the recording's duration for Opus and less for the others: not for the tick.
    ///
    /// # Panics
    ///
    /// If the rate of the recording is 0.
    pub fn encode(recording: &Recording, codec: Codec) -> Loop {
        let frame = codec.samples_per_tick();
        let ring = ring_of_frames(recording, codec.sample_rate(), frame);
        let frames: Vec<&[i16]> = ring.chunks_exact(frame).collect();
        let mut encoder = Encoder::new(codec);
        let mut encoded: Vec<Vec<u8>> = vec![Vec::new(); frames.len()];
        let beyond = if codec.is_memoryless() { 0 } else { SEAM_TICKS };
        for i in 0..frames.len() + beyond {
            let payload = &mut encoded[i % frames.len()];
            payload.clear();
            encoder.encode(frames[i % frames.len()], payload);
        }
        let mean_squares = frames.iter().map(|frame| mean_square(frame) as f32).collect();
        Loop::join(codec, &encoded, mean_squares)
    }

    fn join(codec: Codec, encoded: &[Vec<u8>], mean_squares: Vec<f32>) -> Loop {
        let ends = encoded.iter().scan(0, |end, payload| {
            *end += payload.len() as u32;
            Some(*end)
        });
        Loop { codec, ends: ends.collect(), payloads: encoded.concat(), mean_squares }
    }

    /// Returns the codec it is encoded for.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Returns how many ticks one round takes; at least 1.
    pub fn ticks(&self) -> usize {
        self.ends.len()
    }

    /// Returns how long one round takes: a multiple of the recording's duration, to within 0.02 %.
    pub fn duration(&self) -> Duration {
        TICK * self.ends.len() as u32
    }

    /// Returns the memory its payloads take, in bytes.
    pub fn bytes(&self) -> usize {
        self.payloads.len() + self.ends.len() * (size_of::<u32>() + size_of::<f32>())
    }

    /// Returns the mean square of the samples of a tick.
    pub(crate) fn mean_square(&self, tick: u64) -> f32 {
        self.mean_squares[(tick % self.mean_squares.len() as u64) as usize]
    }

    /// Returns the payload of a tick; ticks count on over the seam.
    pub fn payload(&self, tick: u64) -> &[u8] {
        let index = (tick % self.ends.len() as u64) as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.payloads[start as usize..self.ends[index] as usize]
    }
}

/// Brings a recording to `rate_hz` and to a whole number of frames.
fn ring_of_frames(recording: &Recording, rate_hz: u32, frame: usize) -> Vec<i16> {
    if recording.samples.is_empty() {
        return vec![0; frame];
    }
    let (rounds, frames) = unroll(recording, rate_hz, frame);
    let unrolled = recording.samples.repeat(rounds);
    resample_ring(&unrolled, frames * frame)
}

/// Returns how often to repeat a recording, and how many frames that is then.
fn unroll(recording: &Recording, rate_hz: u32, frame: usize) -> (usize, usize) {
    // One round is `round / unit` frames: an exact fraction.
    let round = recording.samples.len() as u64 * u64::from(rate_hz);
    let unit = u64::from(recording.rate_hz) * frame as u64;
    let rounds_max = (UNROLLED_MAX.as_nanos() / recording.duration().as_nanos().max(1)).max(1) as u64;
    let frames = |rounds: u64| (rounds * round + unit / 2) / unit;
    // How much longer or shorter it gets, in parts of 10^9.
    let stretch = |rounds: u64| (frames(rounds) * unit).abs_diff(rounds * round) * 1_000_000_000 / (rounds * round);
    let rounds = (1..=rounds_max)
        .filter(|&rounds| frames(rounds) > 0)
        .min_by_key(|&rounds| stretch(rounds))
        .unwrap_or(rounds_max);
    (rounds as usize, frames(rounds).max(1) as usize)
}
