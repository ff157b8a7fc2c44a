//! Legs whose keys are made by a handshake over the path of their sound (DTLS, RFC 5763).
//!
//! Until it is over the participant is not in: nobody hears it, it hears nobody, and no application is told that it is
//! there. One that fails ends the leg. A handshake in the middle of a call, with another certificate, is the same without
//! the entrance: sound stops until it is over.

use super::{Output, Session};
use crate::leg::direction;
use call::{Event, HangUpCause, LeaveCause, ParticipantId, Unreached};
use edge::dtls::{HandshakeError, Status};
use std::net::SocketAddr;
use std::time::Instant;

impl Session {
    /// Takes in a datagram of a handshake.
    pub(super) fn receive_handshake(
        &mut self,
        participant: ParticipantId,
        by_rtcp: bool,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) {
        let Some(leg) = self.legs.get_mut(&participant) else { return };
        let waits_for_application = leg.agreed().is_some() && !self.by_leg.contains_key(&leg.id);
        if waits_for_application {
            // Its phone has not been told our answer, so it is not the phone that sends this.
            return;
        }
        leg.receive_handshake(by_rtcp, from, datagram, now);
        self.follow_handshake(participant, now);
    }

    /// When [`Session::expire`] is to be called, between two ticks. A leg that is described and not answered waits.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        // Few legs have one, and this is asked after every packet.
        let deadlines = self.legs.values().filter_map(|leg| Some((leg.deadline()?, leg.id)));
        deadlines.filter(|(_, leg)| self.by_leg.contains_key(leg)).map(|(deadline, _)| deadline).min()
    }

    /// Lets the handshakes go on that are due.
    pub(crate) fn expire(&mut self, now: Instant) {
        let by_leg = &self.by_leg;
        let due = self
            .legs
            .iter_mut()
            .filter(|(_, leg)| by_leg.contains_key(&leg.id) && leg.deadline().is_some_and(|deadline| deadline <= now));
        let due = due.map(|(participant, leg)| {
            leg.expire(now);
            *participant
        });
        for participant in due.collect::<Vec<_>>() {
            self.follow_handshake(participant, now);
        }
    }

    /// Sends what a handshake has to say, and does what has become of it.
    fn follow_handshake(&mut self, participant: ParticipantId, now: Instant) {
        let Some(leg) = self.legs.get_mut(&participant) else { return };
        while let Some((by_rtcp, destination, bytes)) = leg.poll_transmit() {
            // A phone that begins on hold may have told the zero address, where nothing is ever sent.
            if !destination.ip().is_unspecified() {
                self.outputs.push_back(Output::Transmit { participant, destination, by_rtcp, bytes });
            }
        }
        match leg.status() {
            Status::Keyed if !leg.is_open => {
                leg.is_open = true;
                metrics::counter!("fermata_dtls_handshakes_total").increment(1);
                self.enter(participant, now);
                self.apply_route(participant);
            }
            Status::Failed(error) => self.not_secured(participant, error, now),
            Status::Keyed | Status::Pending => {}
        }
    }

    /// Tells the rules that a participant is there, as soon as its phone has answered and sound gets through.
    pub(super) fn enter(&mut self, participant: ParticipantId, now: Instant) {
        let Some(leg) = self.legs.get_mut(&participant) else { return };
        let Some(negotiated) = leg.agreed().filter(|_| leg.is_confirmed && leg.is_open && !leg.is_in) else { return };
        leg.is_in = true;
        self.observe(Event::Answered { participant }, now);
        self.observe(Event::DirectionChanged { participant, direction: direction(&negotiated) }, now);
    }

    fn not_secured(&mut self, participant: ParticipantId, error: HandshakeError, now: Instant) {
        tracing::info!(%participant, %error, "no keys could be agreed on with a phone");
        metrics::counter!("fermata_dtls_failures_total", "reason" => error.name()).increment(1);
        let is_in = self.legs.get(&participant).is_some_and(|leg| leg.is_in);
        self.close_leg(participant, HangUpCause::CallEnded);
        match is_in {
            true => self.observe(Event::Left { participant, cause: LeaveCause::NotSecured }, now),
            false => self.observe(Event::Unreached { participant, cause: Unreached::NotSecured }, now),
        }
    }
}
