#![no_main]

#[path = "../src/rtp_leg.rs"]
mod target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| target::run(data));
