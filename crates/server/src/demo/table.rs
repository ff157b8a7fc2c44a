//! The table of who hears whom, as lines of text.

use phone::Codec;

use super::meter::{AUDIBLE_DBFS, Levels};
use super::paint::{Color, Paint};
use super::phones::codec;
use super::voice::{Person, Voice};

/// Columns of a voice: a bar of levels, a number, and the space to the next.
const CELL: usize = 15;

/// Columns of the level's bar.
const BAR: usize = 8;

/// The level at which the bar is full, in dBFS; it is empty where a voice is no longer heard.
const FULL_DBFS: f32 = -15.0;

/// Columns of a phone's name and of its codec.
const NAME: usize = 8;

/// Returns the table's head and a line for each phone.
pub(super) fn lines(heard: &[(Person, Levels)], paint: Paint) -> Vec<String> {
    let rows = heard.iter().map(|(person, levels)| row(*person, levels, paint));
    std::iter::once(head(paint)).chain(rows).collect()
}

/// Names a codec as people do.
pub(super) fn codec_name(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "G.711µ",
        Codec::Pcma => "G.711A",
        Codec::G722 => "G.722",
        Codec::Opus => "Opus",
    }
}

fn head(paint: Paint) -> String {
    let label = paint.paint(Color::Faint, format!("{:1$}", "dBFS at", NAME * 2 + 1));
    let voices = Voice::ALL.map(|voice| paint.paint(Color::Of(voice), format!("{:CELL$}", voice.name())));
    format!("  {label} {}", voices.concat().trim_end())
}

fn row(person: Person, levels: &Levels, paint: Paint) -> String {
    let name = paint.paint(Color::Strong, format!("{:NAME$}", person.name()));
    let codec = paint.paint(Color::Faint, format!("{:NAME$}", codec_name(codec(person))));
    let cells = Voice::ALL.map(|voice| cell(voice, levels, paint));
    format!("  {name} {codec} {}", cells.concat().trim_end())
}

fn cell(voice: Voice, levels: &Levels, paint: Paint) -> String {
    let dbfs = levels.dbfs(voice);
    if !levels.hears(voice) {
        return paint.paint(Color::Faint, format!("{:CELL$}", "·"));
    }
    let text = format!("{:BAR$} {:<2$.0}", bar(dbfs), dbfs, CELL - BAR - 1);
    paint.paint(Color::Of(voice), text)
}

/// A bar in eighths of a column.
fn bar(dbfs: f32) -> String {
    let part = ((dbfs - AUDIBLE_DBFS) / (FULL_DBFS - AUDIBLE_DBFS)).clamp(0.0, 1.0);
    let eighths = (part * (BAR * 8) as f32).round() as usize;
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    format!("{}{rest}", "█".repeat(eighths / 8))
}
