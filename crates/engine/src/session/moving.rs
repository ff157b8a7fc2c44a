//! A person moves from one conversation to another, with its phone's call and all that belongs to it: what was negotiated,
//! keys, the stream of packets and what has been received of the other side's. The phone notices nothing but other voices.
//!
//! Here only the leg is handed over; its sockets, and who hears of its dialog from then on, are the workers' business
//! (`worker/moving.rs`).

use super::Session;
use crate::leg::{Leg, direction};
use call::{CallId, Event, Identity, ParticipantId};
use media::{DetachedLeg, Hears, Route};
use std::time::Instant;

/// The leg of a person on its way.
#[derive(Debug)]
pub(crate) struct MovedLeg {
    identity: Identity,
    leg: Leg,
    sound: DetachedLeg,
}

impl Session {
    /// Gives the person of a call away: the call ends, the leg goes on elsewhere. `None`: it is no call with one person at a phone.
    pub(crate) fn release(&mut self, call: CallId, now: Instant) -> Option<(ParticipantId, MovedLeg)> {
        // A browser's connection is tied to its conversation's place in the port that all browsers share.
        if !self.browsers.is_empty() {
            return None;
        }
        let (participant, identity) = self.conversation.release_person(call).ok()?;
        let leg = self.legs.remove(&participant).expect("whoever has joined has a leg");
        let (sound, ledger) = self.mixer.detach_leg(leg.id).expect("the leg of who has joined is mixed");
        self.by_leg.remove(&leg.id);
        self.memory.ledgers.leg_removed(participant, ledger);
        self.forget_sound_of(participant);
        self.carry_out(now);
        Some((participant, MovedLeg { identity, leg, sound }))
    }

    /// Takes a person in that another conversation has given away; gives it back if nobody waits for it any more.
    pub(crate) fn arrive(&mut self, participant: ParticipantId, moved: MovedLeg, now: Instant) -> bool {
        if !self.dialing.remove(&participant) {
            return false;
        }
        let MovedLeg { identity, mut leg, sound } = moved;
        leg.id = self.new_leg_id();
        self.mixer.attach_leg(leg.id, sound, Route { hears: Hears::Silence, heard: false });
        self.by_leg.insert(leg.id, participant);
        self.memory.ledgers.leg_added(leg.id, participant);
        let direction = leg.agreed().map(|agreed| direction(&agreed));
        self.legs.insert(participant, leg);
        self.observe(Event::Arrived { participant, identity }, now);
        if let Some(direction) = direction {
            self.observe(Event::DirectionChanged { participant, direction }, now);
        }
        true
    }
}
