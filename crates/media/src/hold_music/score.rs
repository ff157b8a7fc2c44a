//! The composition: sixteen bars of four quarters in F major, in the form A A B A.
//!
//! A rising motif over I-vi-IV-V, its answer, a bridge that hangs on a suspension, and the motif
//! again, which ends open on the third so that it can begin anew.

use std::time::Duration;

use self::Pitch::{A2, A3, A4, A5, Bb2, Bb3, Bb4, C2, C3, C4, C5, D2, D4, D5, E3, E5, F2, F3, F4, F5, G2, G4, G5};

/// An eighth note at 75 quarters a minute: 400 ms is exactly twenty ticks of 20 ms, and so every
/// bar, and the whole piece, is a whole number of ticks.
pub(super) const EIGHTH: Duration = Duration::from_millis(400);

/// Four quarters.
pub(super) const EIGHTHS_PER_BAR: usize = 8;

/// The notes that occur, by their number in MIDI (A4 = 69 = 440 Hz).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pitch {
    C2 = 36,
    D2 = 38,
    F2 = 41,
    G2 = 43,
    A2 = 45,
    Bb2 = 46,
    C3 = 48,
    E3 = 52,
    F3 = 53,
    A3 = 57,
    Bb3 = 58,
    C4 = 60,
    D4 = 62,
    F4 = 65,
    G4 = 67,
    A4 = 69,
    Bb4 = 70,
    C5 = 72,
    D5 = 74,
    E5 = 76,
    F5 = 77,
    G5 = 79,
    A5 = 81,
}

impl Pitch {
    /// The frequency in equal temperament.
    pub(super) fn frequency_hz(self) -> f32 {
        440.0 * ((self as u8 as f32 - 69.0) / 12.0).exp2()
    }
}

/// One note of the melody, or a rest.
pub(super) struct Note {
    pub(super) pitch: Option<Pitch>,
    pub(super) eighths: usize,
}

/// One chord: its root for the bass, and four voices from low to high for pad and harp.
pub(super) struct Chord {
    pub(super) bass: Pitch,
    pub(super) voices: [Pitch; 4],
    pub(super) eighths: usize,
}

/// One bar: harmony and melody each fill its eight eighths.
pub(super) struct Bar {
    pub(super) harmony: &'static [Chord],
    pub(super) melody: &'static [Note],
}

const fn note(pitch: Pitch, eighths: usize) -> Note {
    Note { pitch: Some(pitch), eighths }
}

const fn rest(eighths: usize) -> Note {
    Note { pitch: None, eighths }
}

const fn bar(harmony: &'static [Chord], melody: &'static [Note]) -> Bar {
    Bar { harmony, melody }
}

const fn chord(bass: Pitch, voices: [Pitch; 4], eighths: usize) -> Chord {
    Chord { bass, voices, eighths }
}

const fn f_add9(eighths: usize) -> Chord {
    chord(F2, [F3, C4, G4, A4], eighths)
}

const fn d_minor7(eighths: usize) -> Chord {
    chord(D2, [F3, C4, D4, A4], eighths)
}

const fn b_flat(eighths: usize) -> Chord {
    chord(Bb2, [F3, Bb3, D4, F4], eighths)
}

const fn a_minor7(eighths: usize) -> Chord {
    chord(A2, [E3, A3, C4, G4], eighths)
}

const fn g_minor7(eighths: usize) -> Chord {
    chord(G2, [F3, Bb3, D4, G4], eighths)
}

const fn c7(eighths: usize) -> Chord {
    chord(C3, [E3, Bb3, C4, G4], eighths)
}

const fn c7_sus4(eighths: usize) -> Chord {
    chord(C2, [F3, Bb3, C4, G4], eighths)
}

/// The piece.
pub(super) const BARS: [Bar; 16] = [
    // A: the motif rises and falls back.
    bar(&[f_add9(8)], &[note(A4, 3), note(C5, 1), note(F5, 4)]),
    bar(&[d_minor7(8)], &[note(E5, 3), note(D5, 1), note(A4, 4)]),
    bar(&[b_flat(8)], &[note(D5, 3), note(C5, 1), note(Bb4, 2), note(D5, 2)]),
    bar(&[c7_sus4(4), c7(4)], &[note(C5, 6), note(G4, 2)]),
    // A: the motif reaches higher and comes home.
    bar(&[f_add9(8)], &[note(A4, 3), note(C5, 1), note(F5, 4)]),
    bar(&[a_minor7(8)], &[note(G5, 3), note(E5, 1), note(C5, 4)]),
    bar(&[b_flat(4), c7(4)], &[note(D5, 2), note(F5, 2), note(G5, 2), note(E5, 2)]),
    bar(&[f_add9(8)], &[note(F5, 6), rest(2)]),
    // B: the bridge, down from the top of the tune to a suspension.
    bar(&[b_flat(8)], &[note(F5, 3), note(D5, 1), note(F5, 2), note(A5, 2)]),
    bar(&[a_minor7(8)], &[note(G5, 4), note(E5, 4)]),
    bar(&[g_minor7(8)], &[note(Bb4, 2), note(D5, 2), note(G5, 4)]),
    bar(&[c7_sus4(4), c7(4)], &[note(F5, 4), note(E5, 4)]),
    // A: the motif once more; it ends open, and the last two eighths lead back to the first bar.
    bar(&[f_add9(8)], &[note(A4, 3), note(C5, 1), note(F5, 4)]),
    bar(&[d_minor7(8)], &[note(E5, 3), note(D5, 1), note(A4, 4)]),
    bar(&[g_minor7(4), c7(4)], &[note(Bb4, 3), note(A4, 1), note(G4, 2), note(C5, 2)]),
    bar(&[f_add9(6), c7_sus4(2)], &[note(A4, 6), rest(2)]),
];

/// Which voices of a chord the harp plays, an eighth each: up, and in waves back down.
pub(super) fn harp_figure(eighths: usize) -> &'static [usize] {
    const FIGURE: [usize; EIGHTHS_PER_BAR] = [0, 1, 2, 3, 2, 1, 2, 3];
    &FIGURE[..eighths]
}

/// A bar that is too short or too long would shift all that follows; it does not compile.
const _: () = {
    let mut index = 0;
    while index < BARS.len() {
        assert!(chord_eighths(BARS[index].harmony) == EIGHTHS_PER_BAR, "harmony fills each bar");
        assert!(note_eighths(BARS[index].melody) == EIGHTHS_PER_BAR, "melody fills each bar");
        index += 1;
    }
};

const fn chord_eighths(chords: &[Chord]) -> usize {
    match chords {
        [] => 0,
        [first, rest @ ..] => first.eighths + chord_eighths(rest),
    }
}

const fn note_eighths(notes: &[Note]) -> usize {
    match notes {
        [] => 0,
        [first, rest @ ..] => first.eighths + note_eighths(rest),
    }
}
