//! What the fuzzer does with foreign bytes, over its seeds: what it found once stays found (see fuzz/).

#![expect(
    clippy::disallowed_methods,
    reason = "the seeds are files, and the fuzzer's own code starts its clock anywhere"
)]
#![expect(clippy::print_stdout, reason = "the last seed that is named is the one that failed")]

use std::fs;
use std::path::Path;

#[path = "../../../../fuzz/src/browser.rs"]
mod browser;
#[path = "../../../../fuzz/src/dtls.rs"]
mod dtls;
#[path = "../../../../fuzz/src/sdp.rs"]
mod sdp;
#[path = "../../../../fuzz/src/sip_endpoint.rs"]
mod sip_endpoint;
#[path = "../../../../fuzz/src/sip_message.rs"]
mod sip_message;

#[path = "../../../../fuzz/src/srtp.rs"]
mod srtp;

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
fn sip_messages() {
    over_seeds("sip_message", sip_message::run);
}

#[test]
fn endpoints() {
    over_seeds("sip_endpoint", sip_endpoint::run);
}

#[test]
fn encrypted_packets() {
    over_seeds("srtp", srtp::run);
}

#[test]
fn handshakes() {
    over_seeds("dtls", dtls::run);
}

#[test]
fn browsers() {
    over_seeds("browser", browser::run);
}

#[test]
fn descriptions() {
    over_seeds("sdp", sdp::run);
}
