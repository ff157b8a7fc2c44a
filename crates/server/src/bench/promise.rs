//! What is promised of the figures, and whether it was kept.

use super::run::Figures;
use std::time::Duration;

/// A server is there before anybody wonders whether it is.
const START_MAX_MS: u64 = 1000;

/// What a server may take that has nothing to do: 50 MB.
const IDLE_MAX_KIB: u64 = 50_000_000 / 1024;

/// How soon the held one hears music after the answer, in half of the holds and in 99 of 100.
const MUSIC_P50_MAX: Duration = Duration::from_millis(12);
const MUSIC_P99_MAX: Duration = Duration::from_millis(25);

/// One tick of so many may be missed: come a whole tick late.
const TICKS_PER_MISS: u64 = 100_000;

/// A promise in words, and how a run is held against it.
type Promise = (&'static str, fn(&Figures) -> bool);

#[rustfmt::skip]
const PROMISES: &[Promise] = &[
    ("ready within 1 s",                                            |run| run.start_ms <= START_MAX_MS),
    ("less than 50 MB when idle",                                   |run| run.idle_rss_kib <= IDLE_MAX_KIB),
    ("answer to music: half within 12 ms",                          |run| is_within(run.hold.answer_to_music.p50_us, MUSIC_P50_MAX)),
    ("answer to music: 99 of 100 within 25 ms",                     |run| is_within(run.hold.answer_to_music.p99_us, MUSIC_P99_MAX)),
    ("fewer than 1 of 100 000 ticks missed (late by over 20 ms)",   |run| has_ticks(run)),
];

/// Prints which promises were kept, and returns whether all were.
#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
pub(super) fn print(runs: &[Figures]) -> bool {
    let mut are_kept = true;
    println!("\npromised");
    for (promise, is_kept) in PROMISES {
        let broken: Vec<&str> = runs.iter().filter(|run| !is_kept(run)).map(|run| run.codec).collect();
        let verdict = if broken.is_empty() { "kept".to_owned() } else { format!("BROKEN with {}", broken.join(", ")) };
        are_kept &= broken.is_empty();
        println!("  {promise:<60}{verdict}");
    }
    are_kept
}

fn is_within(us: u64, limit: Duration) -> bool {
    u128::from(us) <= limit.as_micros()
}

fn has_ticks(run: &Figures) -> bool {
    let phases = [&run.mixed, &run.one_of_three_held, &run.all_held];
    let (missed, all) =
        phases.iter().fold((0, 0), |(missed, all), phase| (missed + phase.ticks.late_20_ms, all + phase.ticks.ticks));
    missed * TICKS_PER_MISS <= all
}
