//! `fermata bench` measures what it says it measures. How good the figures are is not judged here: machines differ.

use serde_json::Value;
use std::process::Command;

use crate::harness::stage;

/// So many need memory that the allocator does not have yet.
const LEGS: u64 = 30;
const SECONDS: u64 = 1;

/// What each phone sends and receives in a second.
const PACKETS_PER_SECOND: u64 = 50;

#[test]
fn a_small_benchmark_finds_every_figure() {
    let _stage = stage();
    let report = bench();
    assert_eq!(report["legs"], LEGS);
    let runs = report["runs"].as_array().expect("a run for each codec");
    let codecs: Vec<_> = runs.iter().map(|run| run["codec"].as_str().expect("a name")).collect();
    assert_eq!(codecs, ["PCMU", "opus"]);
    for run in runs {
        assert!(number(run, "/idle_rss_kib") > 1000.0, "{run}");
        assert!((1.0..10_000.0).contains(&number(run, "/memory_per_leg_kib")), "{run}");
        assert_eq!(number(run, "/hold/holds"), 5.0);
        check_spread(run, "/hold/request_to_music");
        check_spread(run, "/hold/request_to_answer");
        // Music may be faster than the answer.
        assert!(number(run, "/hold/answer_to_music/max_us") < number(run, "/hold/request_to_music/max_us"), "{run}");
        ["mixed", "one_of_three_held", "all_held"].iter().for_each(|phase| check_phase(&run[phase]));
    }
}

/// The promise itself is for `fermata bench api` on a quiet machine: here any answer is soon enough.
#[test]
fn the_api_is_measured_and_judged() {
    let _stage = stage();
    let api = |limit_ms: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fermata"));
        command.args(["bench", "api", "--rate", "50", "--seconds", "2", "--p99-max-ms", limit_ms]);
        command.output().expect("the program runs")
    };
    let (kept, broken) = (api("60000"), api("0"));
    let printed = String::from_utf8_lossy(&kept.stdout).into_owned();
    assert_eq!(kept.status.code(), Some(0), "{printed}{}", String::from_utf8_lossy(&kept.stderr));
    for row in ["due to answer", "answer to notification", "a wait for the disk", "refused: 0"] {
        assert!(printed.contains(row), "{printed}");
    }
    assert_eq!(broken.status.code(), Some(1), "no answer takes no time: {}", String::from_utf8_lossy(&broken.stdout));
}

/// Two cores are needed, and the goals are for a quiet machine with nothing else to do.
#[test]
fn the_engine_is_measured_with_more_and_more_legs() {
    let _stage = stage();
    let folder = tempfile::tempdir().expect("a folder");
    let (json, plot) = (folder.path().join("figures.json"), folder.path().join("figures.svg"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_fermata"));
    command.args([
        "bench",
        "engine",
        "--work",
        "threes,held-secure",
        "--legs",
        "30,60",
        "--seconds",
        "1",
        "--holds",
        "3",
    ]);
    let output = command.arg("--json").arg(&json).arg("--plot").arg(&plot).output().expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&std::fs::read(json).expect("figures")).expect("the figures are JSON");
    let works = report["works"].as_array().expect("kinds of work");
    assert_eq!(works.len(), 2, "{report}");
    assert_eq!(number(&works[0], "/hold/holds"), 3.0);
    for step in works.iter().map(|work| &work["steps"][0]) {
        let (cpu, core) = (number(step, "/cpu_us_per_leg_second"), number(step, "/core"));
        assert!((core - cpu * number(step, "/legs") / 1e6).abs() < 1e-6 && core > 0.0, "{step}");
        assert!(number(step, "/packets_received") > 0.0 && number(step, "/load_core") > 0.0, "{step}");
    }
    let picture = std::fs::read_to_string(plot).expect("a picture");
    assert!(picture.matches("<polyline").count() == 2 * (1 + works.len()), "axes and a line for each work: {picture}");
}

/// Runs the benchmark as a user does and reads what it wrote.
fn bench() -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("figures.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fermata"));
    command.args(["bench", "--legs", "30", "--seconds", "1", "--holds", "5", "--json"]).arg(&json);
    let output = command.output().expect("the program runs");
    let (table, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(table.contains("request to first packet of music"), "{table}");
    assert!(table.contains("ready within 1 s"), "{table}");
    let text = std::fs::read_to_string(json).expect("the figures are written");
    serde_json::from_str(&text).expect("the figures are JSON")
}

fn check_phase(phase: &Value) {
    let cpu = number(phase, "/cpu_us_per_leg_second");
    let media = number(phase, "/media_cpu_us_per_leg_second");
    assert!(0.0 < media && media <= cpu, "{phase}");
    check_spread(phase, "/arrival_deviation");
    // Half of it is enough: the machine may be busy.
    let expected = (LEGS * SECONDS * PACKETS_PER_SECOND / 2) as f64;
    assert!(number(phase, "/packets_received") > expected && number(phase, "/packets_sent") > expected, "{phase}");
    assert!(number(phase, "/ticks/ticks") > (SECONDS * PACKETS_PER_SECOND / 2) as f64, "{phase}");
}

fn check_spread(figures: &Value, name: &str) {
    let figure = |part: &str| number(figures, &format!("{name}/{part}"));
    let (p50, p99, max) = (figure("p50_us"), figure("p99_us"), figure("max_us"));
    assert!(p50 <= p99 && p99 <= max && max > 0.0, "{name}: {figures}");
}

fn number(figures: &Value, name: &str) -> f64 {
    figures.pointer(name).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {name} in {figures}"))
}
