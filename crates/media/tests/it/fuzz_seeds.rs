//! What the fuzzer does with foreign bytes, over its seeds: what it found once stays found (see fuzz/).

#![expect(
    clippy::disallowed_methods,
    reason = "the seeds are files, and the fuzzer's own code starts its clock anywhere"
)]
#![expect(clippy::print_stdout, reason = "the last seed that is named is the one that failed")]

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/src/prompt.rs"]
mod prompt;
#[path = "../../../../fuzz/src/rtcp.rs"]
mod rtcp;
#[path = "../../../../fuzz/src/rtp_leg.rs"]
mod rtp_leg;

/// Runs a target over its seeds, of which there must be some.
fn over_seeds(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!seeds.is_empty());
    for seed in seeds {
        println!("{}", seed.display());
        run(&fs::read(seed).unwrap());
    }
}

#[test]
fn rtp_legs() {
    over_seeds("rtp_leg", rtp_leg::run);
}

#[test]
fn reports() {
    over_seeds("rtcp", rtcp::run);
}

#[test]
fn prompts() {
    over_seeds("prompt", prompt::run);
}
