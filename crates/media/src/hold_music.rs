//! The built-in hold music: what a held participant hears when the bot names no prompt.
//!
//! An original piece of sixteen bars in F major, written and performed by this code: [`score`] is
//! the composition, [`instrument`] the players, [`room`] the hall. It is a ring: what still sounds
//! at the end (a note, the echo of the room) sounds on at the start, so the loop has no gap, no
//! click and no dry first bar. Its melody lies between 330 and 880 Hz, so that a telephone band
//! (300 to 3400 Hz) loses nothing that matters.
//!
//! Licence: the piece, as a composition and as a recording, is dedicated to the public under
//! CC0-1.0, besides the repository's own licences. Operators may play it to anybody without asking
//! anybody.

mod instrument;
mod room;
mod score;

use std::sync::Arc;
use std::time::Duration;

use self::instrument::{BASS, HARP, Instrument, PAD, VIBRAPHONE};
use self::score::{BARS, Bar, EIGHTH, EIGHTHS_PER_BAR, Pitch};
use crate::music::Recording;

/// Every partial in [`instrument`] lies below 4 kHz, so 16 kHz holds the whole sound. 48 kHz would
/// hold the same three times over, in memory and in work at start.
const RATE_HZ: u32 = 16_000;

/// The level of the whole piece. Speech on a telephone line is at about -26 to -20 dBFS. Music that
/// is louder makes people move the phone away from the ear; quieter music drowns in a street.
const RMS_DBFS: f32 = -24.0;

/// The built-in hold music: 51.2 seconds, mono, at 16 kHz; its end leads into its start.
///
/// The same samples at every call. Costs some tens of milliseconds, so callers keep the result.
pub fn hold_music() -> Recording {
    let mut ring = Ring::new(piece_duration());
    for (index, bar) in BARS.iter().enumerate() {
        play_bar(&mut ring, index, bar);
    }
    let mut samples = room::reverberate(&ring.samples, RATE_HZ);
    scale_to_level(&mut samples);
    Recording { rate_hz: RATE_HZ, samples: samples.iter().map(|&sample| to_i16(sample)).collect::<Arc<[i16]>>() }
}

fn piece_duration() -> Duration {
    EIGHTH * (BARS.len() * EIGHTHS_PER_BAR) as u32
}

fn play_bar(ring: &mut Ring, index: usize, bar: &Bar) {
    let mut start = index * EIGHTHS_PER_BAR;
    for chord in bar.harmony {
        ring.play(&BASS, chord.bass, start, chord.eighths);
        for pitch in chord.voices {
            ring.play(&PAD, pitch, start, chord.eighths);
        }
        for (step, voice) in score::harp_figure(chord.eighths).iter().enumerate() {
            ring.play(&HARP, chord.voices[*voice], start + step, 1);
        }
        start += chord.eighths;
    }
    play_melody(ring, index, bar);
}

fn play_melody(ring: &mut Ring, index: usize, bar: &Bar) {
    let mut start = index * EIGHTHS_PER_BAR;
    for note in bar.melody {
        if let Some(pitch) = note.pitch {
            ring.play(&VIBRAPHONE, pitch, start, note.eighths);
        }
        start += note.eighths;
    }
}

/// The piece while it is being played: time is a circle, so a note near the end rings on into the
/// start.
struct Ring {
    samples: Vec<f32>,
}

impl Ring {
    fn new(duration: Duration) -> Self {
        Self { samples: vec![0.0; samples_in(duration)] }
    }

    fn play(&mut self, instrument: &Instrument, pitch: Pitch, start: usize, eighths: usize) {
        let length = self.samples.len();
        let first = samples_in(EIGHTH) * start;
        let held = EIGHTH * eighths as u32;
        for (offset, sample) in instrument.note(pitch, held, RATE_HZ).into_iter().enumerate() {
            self.samples[(first + offset) % length] += sample;
        }
    }
}

fn samples_in(duration: Duration) -> usize {
    (duration.as_millis() as usize) * RATE_HZ as usize / 1000
}

fn scale_to_level(samples: &mut [f32]) {
    let power = samples.iter().map(|sample| f64::from(sample * sample)).sum::<f64>() / samples.len() as f64;
    let gain = 10f32.powf(RMS_DBFS / 20.0) / (power.sqrt() as f32);
    samples.iter_mut().for_each(|sample| *sample *= gain);
}

fn to_i16(sample: f32) -> i16 {
    (sample * f32::from(i16::MAX)).round() as i16
}
