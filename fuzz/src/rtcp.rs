//! A compound RTCP packet, on its own and in a leg.

use std::time::Instant;

use media::{Codec, Format, Hears, LegId, Mixer, Route, TransmitStart, rtcp};

pub(crate) fn run(bytes: &[u8]) {
    let _ = rtcp::parse(bytes, |_| {});
    let mut mixer = Mixer::new();
    let start = TransmitStart { ssrc: 1, sequence: 1, timestamp: 1 };
    mixer.add_leg(LegId(1), Format::new(Codec::Pcmu, 0), start, Route { hears: Hears::Conversation, heard: true });
    let _ = mixer.receive_rtcp(LegId(1), bytes, Instant::now());
}
