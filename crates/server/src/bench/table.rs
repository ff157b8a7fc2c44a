//! The figures for people.

use super::phase::Phase;
use super::report::Report;
use super::run::Figures;

/// How wide the column of names is.
const NAME_WIDTH: usize = 44;

/// How wide a column of figures is.
const WIDTH: usize = 26;

type Row = (&'static str, fn(&Figures) -> String);

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("start until ready",                          |run| format!("{} ms", run.start_ms)),
    ("memory when idle",                           |run| format!("{:.1} MiB", run.idle_rss_kib as f64 / 1024.0)),
    ("memory per leg",                             |run| format!("{:.0} KiB", run.memory_per_leg_kib)),
    ("CPU per leg and second",                     |_| String::new()),
    ("  everybody mixed (of it media threads)",    |run| cpu(&run.mixed)),
    ("  one of three held",                        |run| cpu(&run.one_of_three_held)),
    ("  everybody held",                           |run| cpu(&run.all_held)),
    ("ticks late by more than 1 / 5 / 20 ms",      |_| String::new()),
    ("  everybody mixed",                          |run| ticks(&run.mixed)),
    ("  everybody held",                           |run| ticks(&run.all_held)),
    ("packets off their 20 ms (p50 / p99 / max)",  |_| String::new()),
    ("  everybody mixed",                          |run| run.mixed.arrival_deviation.to_string()),
    ("  everybody held",                           |run| run.all_held.arrival_deviation.to_string()),
    ("packets lost, of all phases",                |run| lost(run)),
    ("hold, music in the cache (p50 / p99 / max)", |_| String::new()),
    ("  request to first packet of music",         |run| run.hold.request_to_music.to_string()),
    ("  answer to first packet of music",          |run| run.hold.answer_to_music.to_string()),
    ("  request to answer",                        |run| run.hold.request_to_answer.to_string()),
];

/// Prints the table.
#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
pub(super) fn print(report: &Report) {
    println!("{}", text(report));
}

fn text(report: &Report) -> String {
    let Report { fermata_version, cores, pinned, legs, legs_per_conversation, phase_seconds, .. } = report;
    let cores = if *pinned { "a core for the server".to_owned() } else { format!("{cores} cores") };
    let mut text = format!(
        "\nFermata {fermata_version}: {legs} legs in conversations of {legs_per_conversation}, \
         {phase_seconds} s each phase, {cores}\n\n"
    );
    let codecs = report.runs.iter().map(|run| run.codec.to_owned());
    text += &line("", codecs);
    for (name, figure) in ROWS {
        text += &line(name, report.runs.iter().map(figure));
    }
    text
}

fn line(name: &str, figures: impl Iterator<Item = String>) -> String {
    let figures: String = figures.map(|figure| format!("{figure:>WIDTH$}")).collect();
    format!("{}\n", format!("{name:<NAME_WIDTH$}{figures}").trim_end())
}

fn cpu(phase: &Phase) -> String {
    format!("{:.0} µs ({:.0})", phase.cpu_us_per_leg_second, phase.media_cpu_us_per_leg_second)
}

fn ticks(phase: &Phase) -> String {
    let ticks = phase.ticks;
    format!("{} / {} / {} of {}", ticks.late_1_ms, ticks.late_5_ms, ticks.late_20_ms, ticks.ticks)
}

fn lost(run: &Figures) -> String {
    let phases = [&run.mixed, &run.one_of_three_held, &run.all_held];
    let lost: u64 = phases.iter().map(|phase| phase.packets_lost).sum();
    let all: u64 = phases.iter().map(|phase| phase.packets_received + phase.packets_lost).sum();
    format!("{lost} of {all}")
}
