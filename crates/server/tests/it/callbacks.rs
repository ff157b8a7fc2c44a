//! `fermata bench callbacks`, small: the bots that work are told everything while others are dead. How soon is not judged
//! here, machines differ; a dead callback that blocks others blocks them for seconds, and then something is missing.

use serde_json::Value;
use std::process::Command;

#[test]
fn dead_callbacks_keep_nothing_from_those_that_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let json = folder.path().join("figures.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_fermata"));
    // Four ways of being dead, each twice.
    command.args(["bench", "callbacks", "--live", "2", "--dead", "8", "--rate", "10", "--seconds", "4", "--json"]);
    let output = command.arg(&json).output().expect("the program runs");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(printed.contains("answer to notification"), "{printed}{said}");
    let figures = std::fs::read_to_string(json).expect("the figures are written");
    let figures: Value = serde_json::from_str(&figures).expect("the figures are JSON");
    let number = |name: &str| figures.pointer(name).and_then(Value::as_u64).expect("a number");
    // A fifth of all calls is at bots that work, and each hold is a start and a stop. On a busy machine some are asked for
    // too early and refused.
    let refused = figures["refused"].as_array().expect("a list").len() as u64;
    let (operations, asked) = (number("/operations"), 4 * 10 * 2 / 5);
    assert!(0 < operations && operations <= asked && asked <= operations + refused, "{printed}");
    assert_eq!(number("/missing"), 0, "{printed}");
    let waited_ms = number("/answer_to_notification/max_us") / 1000;
    assert!(waited_ms < 5000, "as long as a dead callback is waited for: {waited_ms} ms");
}
