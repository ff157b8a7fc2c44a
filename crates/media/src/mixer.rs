//! The mixer of one conversation: packets in, and every 20 ms one packet out to each leg that hears something.
//!
//! Everybody hears the sum of all who are heard, minus themselves (N-1). Who hears and who is heard is the route of each
//! leg; the mixer obeys it and knows no reason for it.

use crate::MIX_FRAME_SAMPLES;
use crate::dtmf::{DtmfEvent, Key};
use crate::format::Format;
use crate::heard::{HeardLedger, LedgerLimits};
use crate::level::SILENCE_DBFS;
use crate::receiver::{Received, Receiver};
use crate::report::Reports;
use crate::route::Route;
use crate::rtcp::{self, NtpTime, RtcpError, SenderInfo};
use crate::rtp::{Packet, RtpError};
use crate::statistics::Statistics;
use crate::transmitter::{Mix, TransmitStart, Transmitted, Transmitter};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most news of keys that wait to be polled. They come at most at a key a leg and tick; when nobody polls, the oldest
/// is dropped.
const EVENTS_MAX: usize = 64;

/// The longest RTCP compound made, in bytes: a sender report with one block and a CNAME.
const REPORT_BYTES_MAX: usize = 128;

/// Names one participant's media path. The caller makes the numbers up and keeps them unique within a mixer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LegId(pub u64);

/// One packet to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// To whom.
    pub leg: LegId,
    /// Over which of its two ports, if they are two.
    pub kind: OutgoingKind,
    /// The first packet in which the leg hears its music: when it is sent, the music has begun.
    pub first_of_music: bool,
    /// The packet.
    pub bytes: &'a [u8],
}

/// What an outgoing packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutgoingKind {
    /// Sound.
    Rtp,
    /// A report.
    Rtcp,
}

/// The sound of one conversation.
pub struct Mixer {
    /// In the order of their ids, so that a leg is found by bisection.
    legs: Vec<Leg>,
    /// Counts ticks; the position of music follows from it.
    tick: u64,
    /// The time of the last tick on both clocks.
    last_tick: Option<(Instant, NtpTime)>,
    events: VecDeque<(LegId, DtmfEvent)>,
    report: Vec<u8>,
    /// Whether it is written down what legs are given, and how much of it.
    ledgers: Option<LedgerLimits>,
    /// Whose sound is in the sum of this tick, in the order of their ids; kept up if there are ledgers.
    speakers: Arc<[LegId]>,
}

/// A leg on its way from one mixer to another.
pub struct DetachedLeg(Leg);

impl std::fmt::Debug for DetachedLeg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DetachedLeg").field(&self.0.id).finish()
    }
}

struct Leg {
    id: LegId,
    route: Route,
    receiver: Receiver,
    transmitter: Transmitter,
    reports: Reports,
    cname: String,
    heard: Option<HeardLedger>,
}

impl Default for Mixer {
    fn default() -> Mixer {
        Mixer::new()
    }
}

impl Mixer {
    /// Creates a mixer without legs.
    pub fn new() -> Mixer {
        Mixer {
            legs: Vec::new(),
            tick: 0,
            last_tick: None,
            events: VecDeque::with_capacity(EVENTS_MAX),
            report: Vec::with_capacity(REPORT_BYTES_MAX),
            ledgers: None,
            speakers: Arc::default(),
        }
    }

    /// Has written down what each leg is given that is added from now on.
    #[must_use]
    pub fn with_ledgers(self, limits: LedgerLimits) -> Mixer {
        Mixer { ledgers: Some(limits), ..self }
    }

    /// Adds a leg; one with the same id is replaced.
    pub fn add_leg(&mut self, leg: LegId, format: Format, start: TransmitStart, route: Route) {
        self.put(Leg {
            id: leg,
            receiver: Receiver::new(format),
            route,
            transmitter: Transmitter::new(format, start),
            reports: Reports::new(start.ssrc),
            cname: format!("fermata-{:08x}", start.ssrc),
            heard: self.ledgers.map(|limits| HeardLedger::new(leg, limits)),
        });
    }

    /// Changes what a leg speaks, as after a re-INVITE. Its stream and its route go on; what it said before is dropped,
    /// unless it speaks the same as before.
    pub fn set_format(&mut self, leg: LegId, format: Format) {
        if let Some(leg) = self.leg_mut(leg).filter(|leg| leg.receiver.format() != format) {
            leg.receiver.set_format(format);
            leg.transmitter.set_format(format);
        }
    }

    /// Removes a leg; returns what was written down of it.
    pub fn remove_leg(&mut self, leg: LegId) -> Option<HeardLedger> {
        let at = self.position(leg).ok()?;
        self.legs.remove(at).heard
    }

    /// Takes a leg out so that it goes on in another mixer ([`Mixer::attach_leg`]): its stream, what it has received and not
    /// played, and its statistics. What was written down of it stays here and is returned with it.
    pub fn detach_leg(&mut self, leg: LegId) -> Option<(DetachedLeg, Option<HeardLedger>)> {
        let at = self.position(leg).ok()?;
        let mut leg = self.legs.remove(at);
        let heard = leg.heard.take();
        leg.transmitter.keys.clear();
        Some((DetachedLeg(leg), heard))
    }

    /// Takes in a leg of another mixer, under a new name; one with the same id is replaced.
    pub fn attach_leg(&mut self, leg: LegId, detached: DetachedLeg, route: Route) {
        let heard = self.ledgers.map(|limits| HeardLedger::new(leg, limits));
        self.put(Leg { id: leg, route, heard, ..detached.0 });
    }

    fn put(&mut self, leg: Leg) {
        match self.position(leg.id) {
            Ok(at) => self.legs[at] = leg,
            Err(at) => self.legs.insert(at, leg),
        }
    }

    /// Returns what was written down of a leg.
    pub fn heard(&self, leg: LegId) -> Option<&HeardLedger> {
        let at = self.position(leg).ok()?;
        self.legs[at].heard.as_ref()
    }

    /// Changes what a leg hears and whether it is heard. It is in force, whole, with the next tick.
    pub fn set_route(&mut self, leg: LegId, route: Route) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.route = route;
        }
    }

    /// Finds keys in the sound of a leg, or no longer. They are told by [`Mixer::poll_event`], also while nobody hears the
    /// leg.
    pub fn listen_for_keys(&mut self, leg: LegId, on: bool) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.receiver.listen_for_keys(on);
        }
    }

    /// Presses keys towards a leg, one after the other, with a pause after each. What is left of them is dropped as soon
    /// as the leg hears something else than the conversation.
    pub fn press_keys(&mut self, leg: LegId, keys: &[Key], pause: Duration) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.transmitter.keys.press(keys, pause);
        }
    }

    /// Drops the keys that are still to be pressed towards a leg.
    pub fn drop_keys(&mut self, leg: LegId) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.transmitter.keys.clear();
        }
    }

    /// Tells whether keys are still being pressed towards a leg.
    pub fn presses_keys(&self, leg: LegId) -> bool {
        self.position(leg).is_ok_and(|at| !self.legs[at].transmitter.keys.is_done())
    }

    /// Takes one RTP packet of a leg.
    ///
    /// # Errors
    ///
    /// [`RtpError`] if it is none; [`RtpError::Rtcp`] if it belongs to [`Mixer::receive_rtcp`].
    pub fn receive(&mut self, leg: LegId, packet: &[u8], arrival: Instant) -> Result<Received, RtpError> {
        self.receive_packet(leg, &Packet::parse(packet)?, arrival)
    }

    /// Takes one RTP packet of a leg that somebody has parsed.
    ///
    /// # Errors
    ///
    /// [`RtpError::UnknownLeg`].
    pub fn receive_packet(&mut self, leg: LegId, packet: &Packet<'_>, arrival: Instant) -> Result<Received, RtpError> {
        let leg = self.leg_mut(leg).ok_or(RtpError::UnknownLeg)?;
        let id = leg.id;
        let (overdue, received) = leg.receiver.receive(packet, arrival);
        if let Some(event) = overdue {
            self.queue_event(id, event);
        }
        Ok(received)
    }

    /// Takes one RTCP compound of a leg.
    ///
    /// # Errors
    ///
    /// [`RtcpError`] if it is none; what came before the error counts.
    pub fn receive_rtcp(&mut self, leg: LegId, packet: &[u8], arrival: Instant) -> Result<(), RtcpError> {
        let wall_clock = self.wall_clock_at(arrival);
        let leg = self.leg_mut(leg).ok_or(RtcpError::UnknownLeg)?;
        let ssrc = leg.transmitter.ssrc();
        rtcp::parse(packet, |packet| leg.reports.receive(packet, ssrc, arrival, wall_clock))
    }

    /// Takes in what a leg is known to have lost of our packets, as a part of 1, and the time to it and back, from whoever
    /// reads its reports in our place.
    pub fn reported(&mut self, leg: LegId, loss: Option<f32>, round_trip: Option<Duration>) {
        if let Some(leg) = self.leg_mut(leg) {
            leg.reports.read_elsewhere(loss, round_trip);
        }
    }

    /// Makes the packets of the next 20 ms and gives them to `sink`, leg by leg.
    ///
    /// After it, drain [`Mixer::poll_event`].
    pub fn tick(&mut self, now: Instant, wall_clock: NtpTime, sink: &mut impl FnMut(Outgoing<'_>)) {
        self.last_tick = Some((now, wall_clock));
        let sum = self.listen(now);
        if self.ledgers.is_some() {
            self.note_speakers();
        }
        for leg in &mut self.legs {
            leg.speak(&sum, Beat { tick: self.tick, now, speakers: &self.speakers }, sink);
            leg.report(now, wall_clock, &mut self.report, sink);
        }
        self.tick += 1;
    }

    /// Gives `sink` a packet of a leg that hears nothing, which keeps the way to it open: no sound, of a payload type that
    /// nobody has agreed on and every receiver passes over (RFC 6263 §4.6).
    pub fn keep_alive(&mut self, leg: LegId, sink: &mut impl FnMut(&[u8])) {
        if let Some(leg) = self.leg_mut(leg) {
            sink(leg.transmitter.keep_alive());
        }
    }

    /// Returns what no packet told of: a key that was heard as sound; and the release of one whose end was lost, when a
    /// while has passed or the next key came.
    pub fn poll_event(&mut self) -> Option<(LegId, DtmfEvent)> {
        self.events.pop_front()
    }

    /// Returns what is known of a leg's connection.
    pub fn statistics(&self, leg: LegId) -> Option<Statistics> {
        let at = self.position(leg).ok()?;
        Some(self.legs[at].statistics())
    }

    /// Takes one tick of everybody's sound and returns the sum.
    fn listen(&mut self, now: Instant) -> [i32; MIX_FRAME_SAMPLES] {
        let mut sum = [0; MIX_FRAME_SAMPLES];
        for at in 0..self.legs.len() {
            let leg = &mut self.legs[at];
            leg.receiver.tick(leg.route.heard, now);
            for (sum, sample) in sum.iter_mut().zip(leg.receiver.frame()) {
                *sum += i32::from(*sample);
            }
            let id = leg.id;
            let heard = leg.receiver.take_heard_key().map(|key| DtmfEvent::Heard { key });
            for event in leg.receiver.expire_key(now).into_iter().chain(heard) {
                self.queue_event(id, event);
            }
        }
        sum
    }

    /// Who speaks changes rarely, so the list is made anew only then.
    fn note_speakers(&mut self) {
        let speakers = || self.legs.iter().filter(|leg| !leg.receiver.frame().is_empty()).map(|leg| leg.id);
        if !speakers().eq(self.speakers.iter().copied()) {
            self.speakers = speakers().collect();
        }
    }

    fn queue_event(&mut self, leg: LegId, event: DtmfEvent) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back((leg, event));
    }

    /// Returns the wall clock at a time near the last tick; between ticks the caller gives only the monotonic clock.
    fn wall_clock_at(&self, time: Instant) -> NtpTime {
        let Some((tick, wall_clock)) = self.last_tick else { return NtpTime::default() };
        let since = time.saturating_duration_since(tick);
        NtpTime(wall_clock.0 + (since.as_secs_f64() * (1u64 << 32) as f64) as u64)
    }

    fn position(&self, leg: LegId) -> Result<usize, usize> {
        self.legs.binary_search_by_key(&leg, |leg| leg.id)
    }

    fn leg_mut(&mut self, leg: LegId) -> Option<&mut Leg> {
        let at = self.position(leg).ok()?;
        Some(&mut self.legs[at])
    }
}

/// When a tick is, and who speaks in it.
struct Beat<'a> {
    tick: u64,
    now: Instant,
    speakers: &'a Arc<[LegId]>,
}

impl Leg {
    fn speak(&mut self, sum: &[i32; MIX_FRAME_SAMPLES], beat: Beat<'_>, sink: &mut impl FnMut(Outgoing<'_>)) {
        let mix = Mix { sum, own: self.receiver.frame() };
        let Transmitted { packet, first_of_music, given } = self.transmitter.tick(&self.route.hears, mix, beat.tick);
        if let Some(heard) = &mut self.heard {
            heard.record(&given, beat.speakers, beat.tick, beat.now);
        }
        if let Some(bytes) = packet {
            sink(Outgoing { leg: self.id, kind: OutgoingKind::Rtp, first_of_music, bytes });
        }
    }

    fn report(&mut self, now: Instant, wall_clock: NtpTime, bytes: &mut Vec<u8>, sink: &mut impl FnMut(Outgoing<'_>)) {
        if !self.reports.due(now) {
            return;
        }
        let counts = self.transmitter.counts();
        let info = self.reports.has_sent(counts.packets).then(|| SenderInfo {
            ntp: wall_clock,
            rtp_timestamp: self.transmitter.timestamp(),
            packets: counts.packets as u32,
            payload_bytes: counts.payload_bytes as u32,
        });
        let block = self.receiver.reception.report().map(|block| self.reports.complete(block, now));
        bytes.clear();
        rtcp::write_report(self.transmitter.ssrc(), info.as_ref(), block.as_ref(), &self.cname, bytes);
        sink(Outgoing { leg: self.id, kind: OutgoingKind::Rtcp, first_of_music: false, bytes });
    }

    fn statistics(&self) -> Statistics {
        let reception = &self.receiver.reception;
        let playout = self.receiver.playout();
        Statistics {
            packets_received: reception.received(),
            packets_lost: reception.lost(),
            jitter: self.receiver.jitter(),
            playout_delay: self.receiver.playout_delay(),
            playout,
            level_dbfs: self.receiver.level_dbfs().max(SILENCE_DBFS),
            meter_dbfs: self.receiver.meter_dbfs().max(SILENCE_DBFS),
            packets_sent: self.transmitter.counts().packets,
            remote_loss_percent: self.reports.remote_loss_percent(),
            round_trip: self.reports.round_trip(),
            remote_ssrc: reception.ssrc(),
        }
    }
}
