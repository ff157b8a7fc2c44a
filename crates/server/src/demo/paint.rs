//! Colour on a terminal, and none elsewhere.

use std::io::IsTerminal;

use super::voice::{Person, Voice};

/// What colours are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    /// What is there but not to be looked at first.
    Faint,
    /// What is to be looked at first.
    Strong,
    Good,
    Bad,
    Of(Voice),
}

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// Paints if standard output is a terminal and nobody asked for none (no-color.org).
    pub(super) fn for_stdout() -> Paint {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Paint { is_on: std::io::stdout().is_terminal() && !unwanted }
    }

    /// Returns the text in a colour.
    pub(super) fn paint(self, color: Color, text: impl AsRef<str>) -> String {
        let text = text.as_ref();
        match self.is_on {
            true => format!("\x1b[{}m{text}\x1b[0m", sgr(color)),
            false => text.to_owned(),
        }
    }
}

/// The parameter of "select graphic rendition" (ECMA-48 §8.3.117). The sixteen old colours follow the terminal's theme.
fn sgr(color: Color) -> &'static str {
    match color {
        Color::Faint => "2",
        Color::Strong => "1",
        Color::Good => "32",
        Color::Bad => "1;31",
        Color::Of(Voice::Of(Person::Alice)) => "36",
        Color::Of(Voice::Of(Person::Bob)) => "33",
        Color::Of(Voice::Of(Person::Carol)) => "35",
        Color::Of(Voice::Music) => "32",
    }
}
