//! When a leg reports on its stream, and what it remembers of the other side's reports (RFC 3550 section 6).

use crate::rtcp::{NtpTime, Packet, ReportBlock, ReportBlocks};
use std::time::{Duration, Instant};

/// The mean time between two reports: the least one of RFC 3550 section 6.2. A call's two sources need no more bandwidth
/// arithmetic than that; shorter tells of trouble sooner.
const INTERVAL: Duration = Duration::from_secs(5);

/// The units of an NTP fraction as reports carry it.
const COMPACT_PER_SECOND: u32 = 65_536;

/// The reports of one leg, in both directions.
#[derive(Debug)]
pub(crate) struct Reports {
    next: Option<Instant>,
    random: u32,
    packets_at_last: u64,
    /// The other side's last sender report: its time and when it came.
    sender_report: Option<(u32, Instant)>,
    fraction_lost: Option<u8>,
    round_trip: Option<Duration>,
}

impl Reports {
    /// Creates the schedule of a leg; its intervals follow from its random SSRC, so that a replay is exact.
    pub(crate) fn new(ssrc: u32) -> Reports {
        Reports {
            next: None,
            random: ssrc | 1,
            packets_at_last: 0,
            sender_report: None,
            fraction_lost: None,
            round_trip: None,
        }
    }

    /// Says whether a report is due, and if so sets the time of the next.
    ///
    /// The first comes after half an interval, the others after one, each varied by half of it in both directions so that
    /// reports do not fall into step (RFC 3550 section 6.2 and appendix A.7).
    pub(crate) fn due(&mut self, now: Instant) -> bool {
        let is_first = self.next.is_none();
        let mean = if is_first { INTERVAL / 2 } else { INTERVAL };
        if self.next.is_some_and(|next| now < next) {
            return false;
        }
        self.next = Some(now + vary(&mut self.random, mean));
        !is_first
    }

    /// Says whether something was sent since the last report: a sender report then, else a receiver report.
    pub(crate) fn has_sent(&mut self, packets: u64) -> bool {
        std::mem::replace(&mut self.packets_at_last, packets) != packets
    }

    /// Adds the times of the last sender report to a block.
    pub(crate) fn complete(&self, block: ReportBlock, now: Instant) -> ReportBlock {
        let Some((last_sender_report, arrival)) = self.sender_report else { return block };
        let delay_since_last = compact(now.saturating_duration_since(arrival));
        ReportBlock { last_sender_report, delay_since_last, ..block }
    }

    /// Takes a packet from the other side. `wall_clock` is the time of its arrival, `ssrc` our own source.
    pub(crate) fn receive(&mut self, packet: Packet<'_>, ssrc: u32, arrival: Instant, wall_clock: NtpTime) {
        match packet {
            Packet::SenderReport { info, blocks, .. } => {
                self.sender_report = Some((info.ntp.compact(), arrival));
                self.read(blocks, ssrc, wall_clock);
            }
            Packet::ReceiverReport { blocks, .. } => self.read(blocks, ssrc, wall_clock),
            Packet::SourceDescription | Packet::Goodbye { .. } | Packet::Other { .. } => {}
        }
    }

    /// Returns what the other side lost of our packets in its last interval, in percent.
    pub(crate) fn remote_loss_percent(&self) -> Option<f32> {
        self.fraction_lost.map(|fraction| f32::from(fraction) / 2.56)
    }

    /// Returns the time to the other side and back.
    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Takes in what somebody else has read in the other side's reports: the loss, as a part of 1, and the round trip.
    pub(crate) fn read_elsewhere(&mut self, loss: Option<f32>, round_trip: Option<Duration>) {
        self.fraction_lost = loss.map(|loss| (loss * 256.0) as u8);
        self.round_trip = round_trip;
    }

    fn read(&mut self, mut blocks: ReportBlocks<'_>, ssrc: u32, wall_clock: NtpTime) {
        let Some(block) = blocks.find(|block| block.ssrc == ssrc) else { return };
        self.fraction_lost = Some(block.fraction_lost);
        if block.last_sender_report != 0 {
            // RFC 3550 section 6.4.1, figure 2. A clock that runs apart could make it negative.
            let units =
                wall_clock.compact().wrapping_sub(block.last_sender_report).wrapping_sub(block.delay_since_last);
            let plausible = (units as i32) >= 0;
            self.round_trip = plausible.then(|| Duration::from_secs(1) * units / COMPACT_PER_SECOND);
        }
    }
}

fn compact(duration: Duration) -> u32 {
    (duration.as_nanos() * u128::from(COMPACT_PER_SECOND) / 1_000_000_000) as u32
}

/// Varies a time by half of it in both directions, with a small generator (xorshift32, Marsaglia 2003): it only has to
/// spread reports, not to be secret.
fn vary(random: &mut u32, mean: Duration) -> Duration {
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    mean / 2 + mean.mul_f64(f64::from(*random) / f64::from(u32::MAX))
}
