//! The figures for people.

use super::step::Step;
use super::{Findings, Report};

const HEADING: &str = "  legs   µs per leg and s (media)   core   phones'   KiB per leg   off 20 ms p50 / p99 / max     lost   late > 1 / 5 / 20 ms";

/// Prints a table for each kind of work.
#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
pub(super) fn print(report: &Report) {
    let Report { fermata_version, step_seconds, works } = report;
    println!("\nFermata {fermata_version}: a core for the server and one for the phones, {step_seconds} s each step");
    works.iter().for_each(|findings| println!("{}", text(findings)));
}

fn text(findings: &Findings) -> String {
    let mut lines = vec![String::new(), findings.work.title().to_owned(), HEADING.to_owned()];
    lines.extend(findings.steps.iter().map(line));
    lines.extend(findings.hold.iter().map(|hold| {
        format!(
            "  request to first packet of music: {}  (p50 / p99 / max, {} holds)",
            hold.request_to_music, hold.holds
        )
    }));
    lines.join("\n")
}

fn line(step: &Step) -> String {
    let Step { legs, core, load_core, memory_per_leg_kib, phase } = step;
    let (core, load) = (core * 100.0, load_core * 100.0);
    let cpu = format!("{:.0} ({:.0})", phase.cpu_us_per_leg_second, phase.media_cpu_us_per_leg_second);
    let (deviation, lost, ticks) = (phase.arrival_deviation.to_string(), phase.packets_lost, phase.ticks);
    let late = format!("{} / {} / {}", ticks.late_1_ms, ticks.late_5_ms, ticks.late_20_ms);
    format!(
        "{legs:>6}{cpu:>27}{core:>6.0}%{load:>9.0}%{memory_per_leg_kib:>14.0}{deviation:>28}{lost:>9}{late:>23} of {}",
        ticks.ticks
    )
}
