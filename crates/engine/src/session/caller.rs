//! Who calls: its leg is described before anybody is told of the call, and opened when the call is taken.
//!
//! An offer that cannot be answered makes no call. A caller without an offer gets ours when its call is taken, and
//! confirms with its answer (RFC 3261 §13.2.1). From the answer on the caller's packets are taken in, and it gets
//! silence; what it hears after that the rules say when it has confirmed the answer.

use super::{Output, Session, Settings};
use crate::leg::{Leg, LegRandom};
use call::{Conversation, ParticipantId};
use edge::sdp::{LocalSrtp, SdpError};
use media::LegId;
use std::net::SocketAddr;
use std::time::Instant;

/// The leg of somebody who calls, with the answer to its offer.
#[derive(Debug)]
pub(crate) struct Caller {
    leg: Leg,
    answer: String,
}

impl Caller {
    /// Reads the caller's offer. `address` is where its leg receives.
    pub(crate) fn new(
        address: SocketAddr,
        random: LegRandom,
        srtp: LocalSrtp,
        may_tell_keys: bool,
        offer: &[u8],
        now: Instant,
    ) -> Result<Self, SdpError> {
        let mut leg = Leg::new(UNNAMED_LEG, address, random, srtp);
        leg.let_keys_be_told(may_tell_keys);
        let answer = match offer.is_empty() {
            true => leg.offer(),
            false => leg.answer(offer, now)?.0,
        };
        Ok(Self { leg, answer })
    }
}

/// A leg gets its name from the session that takes it.
const UNNAMED_LEG: LegId = LegId(0);

impl Session {
    /// A conversation that begins with a call from outside.
    pub(crate) fn of_caller(
        conversation: Conversation,
        settings: Settings,
        participant: ParticipantId,
        caller: Caller,
    ) -> Self {
        let mut session = Self::new(conversation, settings);
        session.take_caller(participant, caller);
        session
    }

    pub(super) fn take_caller(&mut self, participant: ParticipantId, caller: Caller) {
        let Caller { mut leg, answer } = caller;
        leg.id = self.new_leg_id();
        self.legs.insert(participant, leg);
        self.unanswered.insert(participant, answer);
    }

    /// The rules take the call.
    pub(super) fn answer_call(&mut self, participant: ParticipantId) {
        let Some(answer) = self.unanswered.remove(&participant) else { return };
        let Some(leg) = self.legs.get(&participant) else { return };
        if let Some(negotiated) = leg.agreed() {
            let silent = media::Route { hears: media::Hears::Silence, heard: false };
            self.mixer.add_leg(leg.id, negotiated.format, leg.transmit, silent);
            self.by_leg.insert(leg.id, participant);
            self.memory.ledgers.leg_added(leg.id, participant);
        }
        self.outputs.push_back(Output::AnswerCall { participant, answer });
    }

    /// The caller has confirmed that its call was taken. If the offer was ours, its answer counts: see
    /// [`Session::offer_answered`].
    pub(crate) fn confirmed(&mut self, participant: ParticipantId, now: Instant) {
        let Some(leg) = self.legs.get_mut(&participant).filter(|leg| leg.agreed().is_some()) else { return };
        leg.is_confirmed = true;
        self.enter(participant, now);
    }
}
