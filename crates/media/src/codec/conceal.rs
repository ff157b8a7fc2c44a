//! Packet loss concealment for codecs that have none of their own: repeat the last pitch period and fade out.
//!
//! The idea is that of ITU-T G.711 Appendix I, simplified: speech is nearly periodic, so the last period, repeated, is
//! the best guess for the next few tens of milliseconds. After that any guess sounds like a robot, and silence is better.

use crate::resample::dot;

/// The shortest pitch period looked for, in hertz: a high child's voice. Higher finds overtones instead of the pitch.
const PITCH_HZ_MAX: u32 = 400;

/// The longest pitch period looked for, in hertz: a low man's voice. Lower needs more history for little gain.
const PITCH_HZ_MIN: u32 = 66;

/// The rate at which the pitch is looked for, in hertz.
const SEARCH_RATE_HZ: u32 = 8_000;

/// The sound compared, and the longest lag, in samples at that rate: one longest period, in whole lanes of the sum.
const SEARCH_SPAN: usize = ((SEARCH_RATE_HZ / PITCH_HZ_MIN) as usize).next_multiple_of(8);

/// How long concealment takes to fade to silence, in milliseconds. Longer buzzes audibly, shorter drops whole syllables.
const FADE_MS: u32 = 60;

/// How long the first real samples are cross-faded with the concealment, in milliseconds. Without it the seam clicks.
const MERGE_MS: u32 = 5;

/// Remembers what was played last and continues it when nothing comes.
pub(crate) struct Concealer {
    rate_hz: u32,
    /// The sound played last, newest at the end: twice the longest period, so that one can be matched with another.
    history: Vec<i16>,
    /// Where in the repeated period the next made-up sample is; meaningless while nothing is missing.
    position: usize,
    period: usize,
    /// Samples made up since the last real one.
    concealed: usize,
}

impl Concealer {
    pub(crate) fn new(rate_hz: u32) -> Concealer {
        let longest = SEARCH_SPAN * (rate_hz / SEARCH_RATE_HZ) as usize;
        Concealer { rate_hz, history: vec![0; 2 * longest], position: 0, period: longest, concealed: 0 }
    }

    /// Forgets the sound so far.
    pub(crate) fn reset(&mut self) {
        self.history.fill(0);
        self.concealed = 0;
    }

    /// Takes note of real sound, and blends its start with the concealment it ends.
    pub(crate) fn played(&mut self, pcm: &mut [i16]) {
        if self.concealed > 0 {
            self.merge(pcm);
            self.concealed = 0;
        }
        let keep = self.history.len();
        let fresh = &pcm[pcm.len().saturating_sub(keep)..];
        self.history.copy_within(fresh.len().., 0);
        self.history[keep - fresh.len()..].copy_from_slice(fresh);
    }

    /// Appends `samples` of made-up sound.
    pub(crate) fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) {
        if self.concealed == 0 {
            self.period = pitch_period(&self.history, self.rate_hz);
            self.position = 0;
        }
        for _ in 0..samples {
            out.push(self.next_sample());
        }
    }

    fn merge(&mut self, pcm: &mut [i16]) {
        let span = ((self.rate_hz * MERGE_MS / 1000) as usize).min(pcm.len());
        for (i, sample) in pcm[..span].iter_mut().enumerate() {
            let old = i32::from(self.next_sample()) * (span - i) as i32;
            *sample = ((old + i32::from(*sample) * i as i32) / span as i32) as i16;
        }
    }

    fn next_sample(&mut self) -> i16 {
        let fade = (self.rate_hz * FADE_MS / 1000) as usize;
        if self.concealed >= fade {
            return 0;
        }
        let start = self.history.len() - self.period;
        let sample = i32::from(self.history[start + self.position]);
        let gain = (fade - self.concealed) as i32;
        self.position = (self.position + 1) % self.period;
        self.concealed += 1;
        (sample * gain / fade as i32) as i16
    }
}

/// Finds the lag at which the newest sound looks most like what came before it (normalised cross-correlation).
///
/// It looks at 8 kHz, whatever the rate is: the pitch is far below, and the search runs inside a tick.
fn pitch_period(history: &[i16], rate_hz: u32) -> usize {
    let stride = (rate_hz / SEARCH_RATE_HZ).max(1) as usize;
    let mut coarse = [0.0; 2 * SEARCH_SPAN];
    for (sample, from) in coarse.iter_mut().rev().zip(history.iter().rev().step_by(stride)) {
        *sample = f32::from(*from);
    }
    let shortest = (SEARCH_RATE_HZ / PITCH_HZ_MAX) as usize;
    let newest = &coarse[SEARCH_SPAN..];
    let likeness = |lag: usize| {
        let earlier = &coarse[SEARCH_SPAN - lag..2 * SEARCH_SPAN - lag];
        let product = dot(newest, earlier);
        product * product.abs() / (dot(earlier, earlier) + 1.0)
    };
    let lags = (shortest..=SEARCH_SPAN).map(|lag| (likeness(lag), lag));
    let best = lags.max_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or(SEARCH_SPAN, |(_, lag)| lag) * stride
}
