//! What the figures are to be, and whether they are.

use super::Findings;
use super::step::Step;
use super::work::Work;
use std::time::Duration;

/// A fifth of what the best of three known servers takes for a leg in a conversation of three.
const THREES_MAX_US: f64 = 600.0;

/// What the kernel alone takes to receive and send 50 datagrams a second, and little more.
const HELD_MAX_US: f64 = 450.0;

/// The same with encryption; there is no room for an encoder in it.
const HELD_SECURE_MAX_US: f64 = 500.0;

/// Four encoders (140 µs a frame) and three decoders (35 µs) for thirty, and what a held leg costs. With an encoder for
/// each leg it would be 7000.
const PANEL_MAX_US: f64 = 50.0 * (4.0 * 140.0 + 3.0 * 35.0) / 30.0 + HELD_MAX_US;

/// A leg's sockets, jitter buffer, filters and what the rules know of it.
const MEMORY_MAX_KIB: f64 = 40.0;

/// Half a tick on the average and a whole one at most, and a millisecond for the request.
const MUSIC_P50_MAX: Duration = Duration::from_millis(11);
const MUSIC_P99_MAX: Duration = Duration::from_millis(21);

/// How far from 20 ms after its predecessor 99 of 100 packets may come while the core is not full.
const DEVIATION_P99_MAX: Duration = Duration::from_millis(1);

/// How many held legs a core is to carry, and how punctual their packets are then.
const HELD_LEGS: usize = 1500;
const HELD_LEGS_DEVIATION_P99_MAX: Duration = Duration::from_millis(10);

/// A goal in words, and how what was found is held against it. `None` where it was not measured.
type Goal = (&'static str, fn(&Findings) -> Option<bool>);

#[rustfmt::skip]
const GOALS: &[Goal] = &[
    ("CPU per leg: 600, 450, 500 and 1560 µs a second",       |found| Some(last_healthy(found)?.phase.cpu_us_per_leg_second <= cpu_max_us(found.work))),
    ("at most 40 KiB per leg",                                |found| Some(last_healthy(found)?.memory_per_leg_kib <= MEMORY_MAX_KIB)),
    ("99 of 100 packets within 1 ms, up to 70 % of the core", |found| Some(is_within(last_healthy(found)?, DEVIATION_P99_MAX))),
    ("request to music: half within 11 ms",                   |found| Some(found.hold?.request_to_music.p50_us <= micros(MUSIC_P50_MAX))),
    ("request to music: 99 of 100 within 21 ms",              |found| Some(found.hold?.request_to_music.p99_us <= micros(MUSIC_P99_MAX))),
    ("1500 held legs in G.711, none lost, p99 within 10 ms",  carries_held_legs),
];

/// Prints which goals were reached, and returns whether all were that could be told.
#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
pub(super) fn print(works: &[Findings]) -> bool {
    let mut are_reached = true;
    println!("\ngoals");
    for (goal, is_reached) in GOALS {
        let judged: Vec<_> = works.iter().filter_map(|found| Some((found.work.title(), is_reached(found)?))).collect();
        let missed: Vec<_> = judged.iter().filter(|(_, is_reached)| !is_reached).map(|(title, _)| *title).collect();
        are_reached &= missed.is_empty();
        println!("  {goal:<58}{}", verdict(judged.is_empty(), &missed));
    }
    are_reached
}

fn verdict(is_unknown: bool, missed: &[&str]) -> String {
    match missed {
        [] if is_unknown => "not measured".to_owned(),
        [] => "reached".to_owned(),
        missed => format!("MISSED: {}", missed.join("; ")),
    }
}

/// The most legs with which the server had time enough.
fn last_healthy(found: &Findings) -> Option<&Step> {
    found.steps.iter().rev().find(|step| step.is_healthy())
}

fn carries_held_legs(found: &Findings) -> Option<bool> {
    let all = found.steps.last().filter(|_| found.work == Work::Held)?;
    if all.legs < HELD_LEGS && !all.is_saturated() {
        return None;
    }
    Some(all.legs >= HELD_LEGS && !all.loses() && is_within(all, HELD_LEGS_DEVIATION_P99_MAX))
}

fn cpu_max_us(work: Work) -> f64 {
    match work {
        Work::Threes => THREES_MAX_US,
        Work::Held => HELD_MAX_US,
        Work::HeldSecure => HELD_SECURE_MAX_US,
        Work::Panel => PANEL_MAX_US,
    }
}

fn is_within(step: &Step, limit: Duration) -> bool {
    step.phase.arrival_deviation.p99_us <= micros(limit)
}

fn micros(limit: Duration) -> u64 {
    u64::try_from(limit.as_micros()).unwrap_or(u64::MAX)
}
