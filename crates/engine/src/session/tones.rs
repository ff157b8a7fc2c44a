//! Keys in both directions: what people press is told to the rules, and what the rules want pressed goes to the mixer.

use super::Session;
use crate::keypad::Way;
use call::{Event, Hears, OperationId, ParticipantId, Tone};
use media::{DtmfEvent, Key, LegId};
use std::time::{Duration, Instant};

/// Tones that are being sent.
pub(super) struct Sending {
    operation: OperationId,
    legs: Vec<LegId>,
}

impl Session {
    /// A participant has pressed a key.
    pub(crate) fn key_pressed(&mut self, participant: ParticipantId, key: Key, way: Way, now: Instant) {
        if !self.listens_for_tones {
            return;
        }
        if self.keypads.entry(participant).or_default().press(key, way, now) {
            let tone = Tone::ALL[usize::from(key.event())];
            self.observe(Event::TonePressed { participant, tone }, now);
        }
    }

    /// Tells what was heard in the last tick.
    pub(super) fn tell_heard_keys(&mut self, now: Instant) {
        while let Some((leg, event)) = self.mixer.poll_event() {
            let participant = self.by_leg.get(&leg).copied();
            match (event, participant) {
                (DtmfEvent::Heard { key }, Some(participant)) => self.key_pressed(participant, key, Way::Sound, now),
                (DtmfEvent::Pressed { .. } | DtmfEvent::Released { .. } | DtmfEvent::Heard { .. }, _) => {}
            }
        }
    }

    pub(super) fn listen_for_tones(&mut self, on: bool) {
        self.listens_for_tones = on;
        for participant in self.by_leg.values().copied().collect::<Vec<_>>() {
            self.listen_to(participant);
        }
    }

    /// While a phone holds us, what it sends is its own music, and there are no keys in it.
    pub(super) fn listen_to(&mut self, participant: ParticipantId) {
        let Some(leg) = self.leg_up(participant) else { return };
        let listens = self.routes.get(&participant).is_some_and(|route| route.hears != Hears::Nothing);
        self.mixer.listen_for_keys(leg, self.listens_for_tones && listens);
    }

    pub(super) fn send_tones(
        &mut self,
        operation: OperationId,
        participants: &[ParticipantId],
        tones: &[Tone],
        pause: Duration,
    ) {
        let keys: Vec<Key> = tones.iter().filter_map(|tone| Key::from_event(*tone as u8)).collect();
        let legs: Vec<LegId> = participants.iter().filter_map(|p| self.leg_up(*p)).collect();
        for leg in &legs {
            self.mixer.press_keys(*leg, &keys, pause);
        }
        self.sending.push(Sending { operation, legs });
    }

    pub(super) fn drop_tones(&mut self, operation: OperationId) {
        for sending in self.sending.extract_if(.., |sending| sending.operation == operation) {
            sending.legs.into_iter().for_each(|leg| self.mixer.drop_keys(leg));
        }
    }

    /// What has been sent to the last of its legs becomes true when it is out.
    pub(super) fn note_sent_tones(&mut self) {
        let mixer = &self.mixer;
        let sent = self.sending.extract_if(.., |sending| !sending.legs.iter().any(|leg| mixer.presses_keys(*leg)));
        self.awaiting_flush.extend(sent.map(|sending| Event::TonesSent { operation: sending.operation }));
    }
}
