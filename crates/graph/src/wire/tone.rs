//! Graph's `tone` and `toneInfo`.

use serde::Serialize;

use super::Invalid;

/// The names of the tones, in the order of [`call::Tone::ALL`].
const NAMES: [&str; 16] = [
    "tone0", "tone1", "tone2", "tone3", "tone4", "tone5", "tone6", "tone7", "tone8", "tone9", "star", "pound", "a",
    "b", "c", "d",
];

/// Is Graph's `toneInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "@odata.type", rename = "#microsoft.graph.toneInfo", rename_all = "camelCase")]
pub(crate) struct ToneInfo {
    sequence_id: u64,
    tone: &'static str,
}

impl ToneInfo {
    /// Shows a tone. `sequence` counts those that the call was told of.
    pub(crate) fn new(tone: call::Tone, sequence: u64) -> ToneInfo {
        ToneInfo { sequence_id: sequence, tone: NAMES[tone as usize] }
    }
}

/// Reads a tone. `flash` is a signal of analogue lines; there is nothing here that could send it.
pub(crate) fn parse(name: &str, path: &str) -> Result<call::Tone, Invalid> {
    let at = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
    let wrong = || Invalid::new(path, "must be one of tone0 to tone9, star, pound, a, b, c, d");
    at.map(|at| call::Tone::ALL[at]).ok_or_else(wrong)
}
