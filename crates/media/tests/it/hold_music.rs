//! The built-in hold music as the held one hears it: over and over, at a level that suits a phone.

use std::sync::LazyLock;
use std::time::Duration;

use media::{Recording, hold_music};

const TICK: Duration = Duration::from_millis(20);

/// Composed once for all tests.
static MUSIC: LazyLock<Recording> = LazyLock::new(hold_music);

#[test]
fn is_a_whole_number_of_ticks_and_neither_short_nor_long() {
    let music = &*MUSIC;
    let samples_per_tick = music.rate_hz as usize * TICK.as_millis() as usize / 1000;

    assert_eq!(music.samples.len() % samples_per_tick, 0);
    let seconds = music.samples.len() / music.rate_hz as usize;
    assert!((30..=60).contains(&seconds), "{seconds} s");
}

#[test]
fn is_the_same_at_every_start() {
    assert_eq!(hold_music().samples, MUSIC.samples);
}

#[test]
fn leaves_headroom() {
    let peak = hold_music().samples.iter().map(|sample| sample.unsigned_abs()).max();

    assert!(dbfs(f64::from(peak.unwrap())) < -6.0);
}

#[test]
fn has_no_silent_and_no_loud_second_also_across_the_seam() {
    let music = &*MUSIC;
    let second = music.rate_hz as usize;
    let twice = [&music.samples[..], &music.samples[..second]].concat();

    for (index, window) in twice.windows(second).step_by(second / 10).enumerate() {
        let level = rms_dbfs(window);
        assert!((-32.0..-18.0).contains(&level), "{level} dBFS at {index} tenths of a second");
    }
    let level = rms_dbfs(&music.samples);
    assert!((-25.0..-23.0).contains(&level), "{level} dBFS in all");
}

#[test]
fn the_seam_is_as_smooth_as_the_piece() {
    let music = &*MUSIC;
    let end = music.samples.len();
    let around_the_seam = [&music.samples[end - 4..], &music.samples[..4]].concat();

    assert!(steepest(&around_the_seam) <= steepest(&music.samples));
    assert!(sharpest(&around_the_seam) <= sharpest(&music.samples));
}

#[test]
fn a_telephone_band_keeps_most_of_it() {
    let music = &*MUSIC;
    let above_300_hz = high_pass(&music.samples, 300.0, music.rate_hz);

    let loss_db = rms_dbfs(&music.samples) - rms_dbfs(&above_300_hz);
    assert!(loss_db < 3.0, "{loss_db} dB lie below 300 Hz");
}

/// The largest step from one sample to the next: what a click makes large.
fn steepest(samples: &[i16]) -> i32 {
    let step = |pair: &[i16]| (i32::from(pair[1]) - i32::from(pair[0])).abs();
    samples.windows(2).map(step).max().unwrap()
}

/// The largest change of step: what a corner in the waveform makes large.
fn sharpest(samples: &[i16]) -> i32 {
    let bend = |triple: &[i16]| (i32::from(triple[2]) - 2 * i32::from(triple[1]) + i32::from(triple[0])).abs();
    samples.windows(3).map(bend).max().unwrap()
}

/// One pole, 6 dB per octave: the mildest of telephones.
fn high_pass(samples: &[i16], corner_hz: f64, rate_hz: u32) -> Vec<i16> {
    let keep = (-std::f64::consts::TAU * corner_hz / f64::from(rate_hz)).exp();
    let mut low = 0.0;
    let mut pass = |&sample: &i16| {
        low = keep * low + (1.0 - keep) * f64::from(sample);
        (f64::from(sample) - low) as i16
    };
    samples.iter().map(&mut pass).collect()
}

fn rms_dbfs(samples: &[i16]) -> f64 {
    let power: f64 = samples.iter().map(|&sample| f64::from(sample).powi(2)).sum();
    dbfs((power / samples.len() as f64).sqrt())
}

fn dbfs(amplitude: f64) -> f64 {
    20.0 * (amplitude / f64::from(i16::MAX)).log10()
}
