//! Who says what. Everybody has a motif of notes that nobody else has, so that each can be told from any mix of all.
//!
//! The notes are of one pentatonic scale, so that the recordings are pleasant to listen to. A motif is never silent: a
//! note sounds until the next one has come, so that every window of 100 ms shows who is in it. Notes come and go softly:
//! a sudden beginning would have energy at all frequencies and look like everybody else.

use std::f64::consts::{PI, TAU};
use std::time::Duration;

use phone::Recording;

/// The rate of all motifs, in hertz. Graph wants it of prompts ("WAV, mono, 16 bit, 16 kHz").
pub(super) const RATE_HZ: u32 = 16_000;

/// How long a note takes to come, while the one before goes. Shorter widens the spectrum, longer blurs the melody.
const CROSSFADE: Duration = Duration::from_millis(60);

/// How much of a note is left at its end, as of a string that was plucked. Less is livelier, but a window that sees only
/// the end of a note must still hear it.
const LEFT_AT_END: f64 = 0.6;

/// Notes that nobody plays, in hertz, each at least 80 Hz from all that are played: what is measured here is the codec's
/// noise.
pub(super) const UNPLAYED_HZ: [f64; 3] = [425.0, 1_430.0, 1_950.0];

/// Somebody with a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    Alice,
    Bob,
    Carol,
}

/// Somebody or something that can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Of(Person),
    Music,
}

/// Notes that are played in turn, again and again.
struct Motif {
    notes_hz: &'static [f64],
    note: Duration,
    /// The peak of a note, of 32767.
    peak: f64,
}

impl Person {
    pub(super) const ALL: [Person; 3] = [Person::Alice, Person::Bob, Person::Carol];

    pub(super) fn name(self) -> &'static str {
        match self {
            Person::Alice => "alice",
            Person::Bob => "bob",
            Person::Carol => "carol",
        }
    }
}

impl Voice {
    pub(super) const ALL: [Voice; 4] =
        [Voice::Of(Person::Alice), Voice::Of(Person::Bob), Voice::Of(Person::Carol), Voice::Music];

    pub(super) fn name(self) -> &'static str {
        match self {
            Voice::Of(person) => person.name(),
            Voice::Music => "music",
        }
    }

    /// Returns the frequencies that only this voice has.
    pub(super) fn notes_hz(self) -> &'static [f64] {
        self.motif().notes_hz
    }

    /// Returns one round of the motif.
    pub(super) fn recording(self) -> Recording {
        Recording { rate_hz: RATE_HZ, samples: self.motif().play().into() }
    }

    /// The voices lie above each other, the music below all: no note is a multiple of one that may sound where it must
    /// not be heard, for a codec's distortion makes multiples.
    fn motif(self) -> Motif {
        const fn motif(notes_hz: &'static [f64], note_ms: u64, peak: f64) -> Motif {
            Motif { notes_hz, note: Duration::from_millis(note_ms), peak }
        }
        match self {
            // C5 E5 G5
            Voice::Of(Person::Alice) => motif(&[523.25, 659.26, 783.99], 400, 4_000.0),
            // A5 D6 B5
            Voice::Of(Person::Bob) => motif(&[880.0, 1_174.66, 987.77], 300, 3_500.0),
            // E6 G6 A6
            Voice::Of(Person::Carol) => motif(&[1_318.51, 1_567.98, 1_760.0], 200, 3_000.0),
            // A3 C4 E4 D4 C4 G3
            Voice::Music => motif(&[220.0, 261.63, 329.63, 293.66, 261.63, 196.0], 500, 6_000.0),
        }
    }
}

impl Motif {
    /// Plays one round that leads into itself without a seam: the last note ends in the first one.
    fn play(&self) -> Vec<i16> {
        let note = samples_in(self.note);
        let round = note * self.notes_hz.len();
        // It begins in the middle of a crossfade's end, at full level: the first packet of it can be heard.
        let begin = samples_in(CROSSFADE);
        (begin..begin + round).map(|at| self.sample(at % round, note, round)).collect()
    }

    fn sample(&self, at: usize, note: usize, round: usize) -> i16 {
        let sounding = (0..).zip(self.notes_hz).map(|(i, hz)| {
            let since_begin = (at + round - i * note) % round;
            self.amplitude(since_begin, note) * (TAU * hz * since_begin as f64 / f64::from(RATE_HZ)).sin()
        });
        sounding.sum::<f64>().round() as i16
    }

    /// How loud a note is, `since_begin` samples after it began.
    fn amplitude(&self, since_begin: usize, note: usize) -> f64 {
        let fade = samples_in(CROSSFADE);
        let came = rise(since_begin as f64 / fade as f64);
        let went = rise(since_begin.saturating_sub(note) as f64 / fade as f64);
        self.peak * LEFT_AT_END.powf(since_begin as f64 / note as f64) * (came - went)
    }
}

/// From 0 at 0 to 1 at 1, without a corner.
fn rise(part: f64) -> f64 {
    (1.0 - (PI * part.min(1.0)).cos()) / 2.0
}

fn samples_in(duration: Duration) -> usize {
    (duration.as_secs_f64() * f64::from(RATE_HZ)).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told apart in 100 ms, see `phone::Window::level_at`.
    const APART_HZ: f64 = 60.0;

    #[test]
    fn nobody_has_a_note_of_another() {
        for (i, one) in Voice::ALL.iter().enumerate() {
            for other in &Voice::ALL[i + 1..] {
                for (a, b) in one.notes_hz().iter().flat_map(|a| other.notes_hz().iter().map(move |b| (a, b))) {
                    assert!((a - b).abs() > APART_HZ, "{} and {}: {a} and {b} Hz", one.name(), other.name());
                }
            }
        }
    }

    #[test]
    fn nobody_plays_the_unplayed_notes() {
        for note in Voice::ALL.iter().flat_map(|voice| voice.notes_hz()) {
            assert!(UNPLAYED_HZ.iter().all(|unplayed| (note - unplayed).abs() > APART_HZ), "{note} Hz");
        }
    }

    #[test]
    fn a_round_leads_into_itself() {
        for voice in Voice::ALL {
            let samples = voice.recording().samples;
            let steps = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs());
            let seam = (samples[0] - samples[samples.len() - 1]).abs();
            assert!(seam <= steps.max().unwrap(), "{}: a step of {seam}", voice.name());
        }
    }
}
