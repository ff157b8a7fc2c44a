//! What arrives from one source: is it the source, in what order, and how much is missing (RFC 3550 appendix A).

use crate::rtcp::ReportBlock;
use crate::rtp::Packet;
use std::time::Instant;

/// A step forward in sequence numbers that may still be loss (RFC 3550 appendix A.1, MAX_DROPOUT).
const DROPOUT_MAX: u16 = 3_000;

/// A step back in sequence numbers that may still be reordering (RFC 3550 appendix A.1, MAX_MISORDER).
const MISORDER_MAX: u16 = 100;

/// How a packet fits the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It belongs to the stream.
    Valid,
    /// It begins another stream: a new source, or the same with new numbers.
    Restart,
    /// It fits nothing. A second one that fits it makes a restart: one stray packet must not end a call's sound.
    Probation,
}

/// The source of a leg's packets, with the counts its reports need.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    stream: Option<Stream>,
    /// The source and the sequence number that the next packet must have to become the stream.
    probation: Option<(u32, u16)>,
    received_total: u64,
}

#[derive(Debug)]
struct Stream {
    ssrc: u32,
    first: u32,
    /// The highest sequence number, with the count of wraps above it.
    highest: u32,
    received: u32,
    expected_before: u32,
    received_before: u32,
    /// The last packet's arrival and timestamp.
    last: (Instant, u32),
    /// Sixteen times the jitter, in units of the clock: the form of RFC 3550 appendix A.8 that keeps its fraction.
    jitter_scaled: u64,
}

impl Reception {
    /// Takes note of a packet; `clock_hz` is the rate of its timestamp.
    pub(crate) fn receive(&mut self, packet: &Packet<'_>, clock_hz: u32, arrival: Instant) -> Fit {
        let fit = self.fit(packet);
        match (fit, &mut self.stream) {
            (Fit::Valid, Some(stream)) => stream.receive(packet, clock_hz, arrival),
            (Fit::Probation, _) => {
                self.probation = Some((packet.ssrc, packet.sequence.wrapping_add(1)));
                return fit;
            }
            (Fit::Valid | Fit::Restart, _) => self.stream = Some(Stream::new(packet, arrival)),
        }
        self.probation = None;
        self.received_total += 1;
        fit
    }

    fn fit(&self, packet: &Packet<'_>) -> Fit {
        let Some(stream) = &self.stream else { return Fit::Restart };
        if packet.ssrc == stream.ssrc && stream.is_near(packet.sequence) {
            return Fit::Valid;
        }
        if self.probation == Some((packet.ssrc, packet.sequence)) { Fit::Restart } else { Fit::Probation }
    }

    /// Returns how many packets have arrived, over all streams.
    pub(crate) fn received(&self) -> u64 {
        self.received_total
    }

    /// Returns how many packets of the present stream are missing.
    pub(crate) fn lost(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| u64::from(stream.expected().saturating_sub(stream.received)))
    }

    /// Returns the inter-arrival jitter of RFC 3550 section 6.4.1, in units of the RTP clock.
    pub(crate) fn jitter(&self) -> u32 {
        self.stream.as_ref().map_or(0, |stream| (stream.jitter_scaled >> 4) as u32)
    }

    /// Returns the source of the present stream.
    pub(crate) fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|stream| stream.ssrc)
    }

    /// Returns the block of the next report, without the times of the sender's reports; it starts the next interval.
    pub(crate) fn report(&mut self) -> Option<ReportBlock> {
        let jitter = self.jitter();
        let stream = self.stream.as_mut()?;
        let fraction_lost = stream.close_interval();
        Some(ReportBlock {
            ssrc: stream.ssrc,
            fraction_lost,
            cumulative_lost: stream.expected().wrapping_sub(stream.received) as i32,
            highest_sequence: stream.highest,
            jitter,
            last_sender_report: 0,
            delay_since_last: 0,
        })
    }
}

impl Stream {
    fn new(packet: &Packet<'_>, arrival: Instant) -> Stream {
        let sequence = u32::from(packet.sequence);
        Stream {
            ssrc: packet.ssrc,
            first: sequence,
            highest: sequence,
            received: 1,
            expected_before: 0,
            received_before: 0,
            last: (arrival, packet.timestamp),
            jitter_scaled: 0,
        }
    }

    fn is_near(&self, sequence: u16) -> bool {
        let step = sequence.wrapping_sub(self.highest as u16);
        !(DROPOUT_MAX..=u16::MAX - MISORDER_MAX).contains(&step)
    }

    fn receive(&mut self, packet: &Packet<'_>, clock_hz: u32, arrival: Instant) {
        let step = packet.sequence.wrapping_sub(self.highest as u16);
        if step < DROPOUT_MAX {
            self.highest = self.highest.wrapping_add(u32::from(step));
        }
        self.received = self.received.wrapping_add(1);
        self.measure_jitter(packet.timestamp, clock_hz, arrival);
    }

    /// RFC 3550 appendix A.8. Packets of one key press share a timestamp and would look like jitter, so they do not count.
    fn measure_jitter(&mut self, timestamp: u32, clock_hz: u32, arrival: Instant) {
        let (last_arrival, last_timestamp) = std::mem::replace(&mut self.last, (arrival, timestamp));
        let sent = i64::from(timestamp.wrapping_sub(last_timestamp) as i32);
        if sent == 0 {
            return;
        }
        let elapsed_us = arrival.saturating_duration_since(last_arrival).as_micros() as i64;
        let difference = (elapsed_us * i64::from(clock_hz) / 1_000_000 - sent).unsigned_abs();
        // A pause or a new clock is no jitter of the network.
        if difference < u64::from(clock_hz) {
            self.jitter_scaled = self.jitter_scaled + difference - ((self.jitter_scaled + 8) >> 4);
        }
    }

    fn expected(&self) -> u32 {
        self.highest.wrapping_sub(self.first).wrapping_add(1)
    }

    /// RFC 3550 appendix A.3.
    fn close_interval(&mut self) -> u8 {
        let expected = self.expected().wrapping_sub(self.expected_before);
        let received = self.received.wrapping_sub(self.received_before);
        (self.expected_before, self.received_before) = (self.expected(), self.received);
        let lost = expected.saturating_sub(received);
        if expected == 0 { 0 } else { (u64::from(lost) * 256 / u64::from(expected)).min(255) as u8 }
    }
}
