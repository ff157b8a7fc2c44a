//! What is known of a leg's connection.

pub use crate::jitter::PlayoutCounts;
use std::time::Duration;

/// One leg's counts and measurements since it was added. Counts of its inbound stream begin anew when the stream does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// RTP packets received, of any payload type.
    pub packets_received: u64,
    /// RTP packets missing in the present stream.
    pub packets_lost: u64,
    /// The inter-arrival jitter (RFC 3550 section 6.4.1).
    pub jitter: Duration,
    /// How long sound waits in the jitter buffer at present.
    pub playout_delay: Duration,
    /// What the jitter buffer has done to keep the sound flowing.
    pub playout: PlayoutCounts,
    /// The level of what the others heard of it in the last tick, in dBFS; [`SILENCE_DBFS`](crate::SILENCE_DBFS) while
    /// it is not heard.
    pub level_dbfs: f32,
    /// The same as a peak meter shows it: up at once, down by 20 dB in 1.7 s (IEC 60268-10, type I).
    pub meter_dbfs: f32,
    /// RTP packets sent to it.
    pub packets_sent: u64,
    /// What it says it has lost of them, in its last report, in percent.
    pub remote_loss_percent: Option<f32>,
    /// The time to it and back, from its last report.
    pub round_trip: Option<Duration>,
    /// The source of its present stream.
    pub remote_ssrc: Option<u32>,
}
