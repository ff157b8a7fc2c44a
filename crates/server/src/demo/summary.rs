//! The last words: what came of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::paint::{Color, Paint};
use super::phase::{HELD, Phase};
use super::phones::codec;
use super::screen::Screen;
use super::table::codec_name;
use super::verdict::{FIRST_MUSIC_MAX, FIRST_MUSIC_P99, FirstMusic, LEAK_MAX_DBFS, Leaks, Verdict};
use super::voice::Person;

/// Columns of one part of the demo.
const CELL: usize = 16;

/// Columns of what a figure is called.
const LABEL: usize = 19;

/// Writes what came of it.
pub(super) fn write(verdict: &Verdict, recordings: &[PathBuf], screen: &Screen) {
    let lines = [heard(verdict, screen.paint), figures(verdict, screen.paint), files(recordings, screen.paint)];
    for part in lines {
        screen.line("");
        part.iter().for_each(|line| screen.line(line));
    }
    screen.line("");
    last_word(verdict, screen.paint).iter().for_each(|line| screen.line(line));
}

/// Who heard whom in each part.
fn heard(verdict: &Verdict, paint: Paint) -> Vec<String> {
    let head = Phase::ALL.map(|phase| format!("{:CELL$}", phase.name())).concat();
    let head = paint.paint(Color::Faint, format!("{:LABEL$} {}", "who heard whom", head.trim_end()));
    let rows = Person::ALL.map(|listener| {
        let name = format!("{:8}{:11}", listener.name(), codec_name(codec(listener)));
        let cells = Phase::ALL.map(|phase| cell(verdict, listener, phase, paint));
        format!("  {name} {}", cells.concat().trim_end())
    });
    std::iter::once(format!("  {head}")).chain(rows).collect()
}

fn cell(verdict: &Verdict, listener: Person, phase: Phase, paint: Paint) -> String {
    let voices = verdict.voices_heard(listener, phase);
    let plain: Vec<&str> = voices.iter().map(|voice| voice.name()).collect();
    let painted: Vec<String> = voices.iter().map(|&voice| paint.paint(Color::Of(voice), voice.name())).collect();
    let space = CELL.saturating_sub(plain.join(", ").len());
    format!("{}{:space$}", painted.join(", "), "")
}

/// The figures, each with what was promised under it.
fn figures(verdict: &Verdict, paint: Paint) -> Vec<String> {
    let music = verdict.first_music.map_or("never".to_owned(), |first| first_music(&first));
    let [p99, max] = [FIRST_MUSIC_P99, FIRST_MUSIC_MAX].map(|limit| limit.as_millis());
    let music_promised = format!("promised: {p99} ms after the answer 99 times of 100; this once at most {max} ms");
    let Leaks { inward_dbfs, outward_dbfs, floor_dbfs } = verdict.leaks;
    let worst_dbfs = verdict.leaks.worst_dbfs();
    let leak = format!("{worst_dbfs:.0} dBFS ({inward_dbfs:.0} into the hold, {outward_dbfs:.0} out of it)");
    let leak_promised = format!("promised: {LEAK_MAX_DBFS:.0}; noise of the codecs {floor_dbfs:.0}");
    let promised = |text: String| figure("", &paint.paint(Color::Faint, text), paint);
    vec![
        figure("first music", &music, paint),
        promised(music_promised),
        figure("worst leak", &leak, paint),
        promised(leak_promised),
    ]
}

fn first_music(first: &FirstMusic) -> String {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    let after_request = format!("{:.1} ms after the request", ms(first.after_request));
    match first.after_answer.is_zero() {
        true => format!("{after_request}, before the answer"),
        false => format!("{after_request}, {:.1} ms after the answer", ms(first.after_answer)),
    }
}

fn files(recordings: &[PathBuf], paint: Paint) -> Vec<String> {
    let labels = std::iter::once("what each one heard").chain(std::iter::repeat(""));
    let show = |path: &Path| path.display().to_string();
    labels.zip(recordings).map(|(label, path)| figure(label, &show(path), paint)).collect()
}

fn figure(label: &str, value: &str, paint: Paint) -> String {
    format!("  {} {value}", paint.paint(Color::Faint, format!("{label:LABEL$}")))
}

fn last_word(verdict: &Verdict, paint: Paint) -> Vec<String> {
    if verdict.breaches.is_empty() {
        let held = HELD.name();
        let text = format!("The promise was kept: {held} heard music and nobody, and nobody heard {held}.");
        let kept = paint.paint(Color::Good, format!("  {text}"));
        let is_late = verdict.first_music.is_some_and(|first| first.is_one_of_the_late());
        let late = "  The music was later than 99 times of 100: is the machine busy? `fermata bench` counts.";
        return std::iter::once(kept).chain(is_late.then(|| late.to_owned())).collect();
    }
    let breaches = verdict.breaches.iter().map(|breach| format!("  The promise was broken: {breach}."));
    breaches.map(|line| paint.paint(Color::Bad, line)).collect()
}
