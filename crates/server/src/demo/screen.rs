//! What the terminal shows. What happens becomes a line that stays; below the lines the table of who hears whom and a
//! bar of progress are drawn again and again. Where standard output is no terminal there are only lines.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

use super::meter::Levels;
use super::paint::{Color, Paint};
use super::table;
use super::voice::Person;
use crate::bot::{Exchange, News};

/// How often the live part is drawn, per second. More flickers, less does not look alive.
const DRAWN_HZ: u8 = 12;

/// A place to write to. Its copies write to the same place.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    started: Instant,
    /// Hidden where standard output is no terminal.
    live: ProgressBar,
    pub(super) paint: Paint,
}

impl Screen {
    /// Begins to draw. `expected` is how long all will take, for the bar of progress.
    pub(super) fn new(expected: Duration) -> Screen {
        let live = ProgressBar::with_draw_target(
            Some(expected.as_millis() as u64),
            ProgressDrawTarget::stdout_with_hz(DRAWN_HZ),
        );
        live.set_style(style("\n{prefix}\n\n  {bar:32.green/dim} {msg}"));
        Screen { started: Instant::now(), live, paint: Paint::for_stdout() }
    }

    /// Shows a request and its answer.
    pub(super) fn request(&self, exchange: &Exchange<'_>) {
        let Exchange { method, path, status, answered } = exchange;
        let took = answered.accepted.saturating_duration_since(answered.requested);
        let color = if *status < 400 { Color::Good } else { Color::Bad };
        let status = self.paint.paint(color, status.to_string());
        let took = self.paint.paint(Color::Faint, format!("in {:.1} ms", took.as_secs_f64() * 1000.0));
        self.happened(answered.requested, "→", &format!("{method} {} {status} {took}", shorten(path)));
    }

    /// Shows a notification.
    pub(super) fn notification(&self, news: &News<'_>, arrived: Instant) {
        let text = match news {
            News::Call { state } => format!("the call is {state}"),
            News::Roster(roster) => roster_line(roster),
            News::Operation { data, .. } => operation_line(data),
        };
        self.happened(arrived, "←", &text);
    }

    /// Shows what was measured at a phone.
    pub(super) fn measured(&self, at: Instant, text: &str) {
        self.happened(at, "♪", text);
    }

    /// Says what all is about.
    pub(super) fn title(&self, text: &str) {
        self.line("");
        self.line(&self.paint.paint(Color::Strong, format!("  {text}")));
    }

    /// Says what comes next, on a line and beside the bar.
    pub(super) fn next(&self, text: &str) {
        self.caption(text);
        self.line("");
        self.line(&self.paint.paint(Color::Strong, format!("  {text}")));
    }

    /// Says beside the bar how things stand.
    pub(super) fn caption(&self, text: &str) {
        self.live.set_message(text.to_owned());
    }

    /// Draws the live part anew.
    pub(super) fn draw(&self, heard: &[(Person, Levels)]) {
        self.live.set_prefix(table::lines(heard, self.paint).join("\n"));
        self.live.set_position(self.started.elapsed().as_millis() as u64);
    }

    /// Writes the table as lines that stay.
    pub(super) fn keep_table(&self, heard: &[(Person, Levels)]) {
        table::lines(heard, self.paint).iter().for_each(|line| self.line(line));
    }

    /// Returns whether there is no live part.
    pub(super) fn is_plain(&self) -> bool {
        self.live.is_hidden()
    }

    /// Writes a line that stays.
    pub(super) fn line(&self, text: &str) {
        match self.live.is_hidden() {
            // Nobody to tell if standard output is closed; the exit status still says how it went.
            true => writeln!(std::io::stdout(), "{text}").unwrap_or_default(),
            // An empty string would be no line at all.
            false => self.live.println(if text.is_empty() { " " } else { text }),
        }
    }

    /// Draws the live part again, with no bar: there is no end to come nearer to.
    pub(super) fn go_on(&self, text: &str) {
        self.live.set_style(style("\n{prefix}\n\n  {msg}"));
        self.caption(text);
        self.live.set_draw_target(ProgressDrawTarget::stdout_with_hz(DRAWN_HZ));
        self.live.reset();
    }

    /// Takes the live part away. What was written stays, and more can be written.
    pub(super) fn finish(&self) {
        self.live.finish_and_clear();
        self.live.set_draw_target(ProgressDrawTarget::hidden());
    }

    fn happened(&self, at: Instant, sign: &str, text: &str) {
        let since = at.saturating_duration_since(self.started).as_secs_f64();
        let time = self.paint.paint(Color::Faint, format!("{since:7.3} s"));
        self.line(&format!("{time}  {sign} {text}"));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is right, every run shows it").progress_chars("━━─")
}

/// Shortens a path, so that it fits a terminal: ids are long and all the same to who watches, and how the path of a call
/// begins has been seen when it was made.
fn shorten(path: &str) -> String {
    if let Some(rest) = path.strip_prefix("/v1.0/communications/calls/") {
        return format!("…/calls/{}", shorten(rest));
    }
    let parts = path.split('/').map(|part| match (part.len(), part.char_indices().nth(4)) {
        (36, Some((end, _))) => format!("{}…", &part[..end]),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Says who is in the roster.
fn roster_line(roster: &[Value]) -> String {
    let names = roster.iter().map(|participant| {
        let uri = participant["info"]["identity"]["phone"]["id"].as_str();
        let user = uri.and_then(|uri| uri.strip_prefix("sip:")).and_then(|uri| uri.split('@').next());
        user.unwrap_or("the bot")
    });
    format!("in the call: {}", names.collect::<Vec<_>>().join(", "))
}

/// Says how an operation ended.
fn operation_line(data: &Value) -> String {
    let text = |member: &str| data[member].as_str().unwrap_or("?").trim_start_matches("#microsoft.graph.").to_owned();
    format!("{} {}", text("@odata.type"), text("status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_keeps_what_tells_it_from_others() {
        let path = "/v1.0/communications/calls/c0ffee00-0000-4000-8000-000000000001/keepAlive";
        assert_eq!(shorten(path), "…/calls/c0ff…/keepAlive");
        assert_eq!(shorten("/v1.0/communications/calls"), "/v1.0/communications/calls");
    }
}
