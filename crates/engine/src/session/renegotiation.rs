//! Offers and answers in mid-call: a phone's own hold, another codec, another address, or nothing new at all.

use super::{Output, Session};
use crate::leg::{EarlyOffer, direction};
use call::{Event, ParticipantId};
use edge::sdp::{Negotiated, SdpError};
use edge::sip::DialogKey;
use std::time::Instant;

impl Session {
    /// The phone offers another description.
    pub(crate) fn offered(&mut self, participant: ParticipantId, offer: &[u8], now: Instant) {
        let answer = self.take_offer(participant, offer, now);
        self.outputs.push_back(Output::AnswerOffer { participant, answer });
    }

    fn take_offer(&mut self, participant: ParticipantId, offer: &[u8], now: Instant) -> Option<String> {
        match self.legs.get_mut(&participant)?.answer(offer, now) {
            Ok((answer, negotiated)) => {
                self.renegotiated(participant, &negotiated, now);
                Some(answer)
            }
            Err(error) => {
                tracing::info!(%participant, %error, "an offer of the phone's cannot be accepted");
                None
            }
        }
    }

    /// A phone that has not taken the call yet offers another description, after all that it has said before. Nothing
    /// changes by that until it takes the call: then [`Session::offered_before`] comes with each of its offers.
    pub(crate) fn offered_early(&mut self, participant: ParticipantId, dialog: DialogKey, early: &EarlyOffer) {
        let answer = self.legs.get(&participant).map(|leg| leg.answer_early(early));
        if let Some(Err(error)) = &answer {
            tracing::info!(%participant, %error, "an early offer of the phone's cannot be accepted");
        }
        let answer = answer.and_then(Result::ok);
        self.outputs.push_back(Output::AnswerEarlyOffer { dialog, answer });
    }

    /// The phone that has taken the call had offered this before, and got the answer that it would get now.
    pub(crate) fn offered_before(&mut self, participant: ParticipantId, offer: &[u8], now: Instant) {
        self.take_offer(participant, offer, now);
    }

    /// The phone asks what we would offer. That is everything, whatever holds lie over the participant: which of them are
    /// the phone's own, its answer says ([`Session::offer_answered`]).
    pub(crate) fn offer_wanted(&mut self, participant: ParticipantId) {
        let Some(leg) = self.legs.get_mut(&participant) else { return };
        let answer = Some(leg.offer());
        self.outputs.push_back(Output::AnswerOffer { participant, answer });
    }

    /// The phone has answered our offer: one in mid-call, or the one with which its call was taken.
    pub(crate) fn offer_answered(&mut self, participant: ParticipantId, answer: &[u8], now: Instant) {
        let is_up = self.legs.get(&participant).is_some_and(|leg| self.by_leg.contains_key(&leg.id));
        if !is_up {
            return self.answered(participant, answer, now);
        }
        let outcome = self.legs.get_mut(&participant).map(|leg| leg.accept(answer, now));
        self.settle_answer(participant, outcome, now);
    }

    /// The phone has answered our last description, which was repeated to keep the session.
    pub(crate) fn refreshed(&mut self, participant: ParticipantId, answer: &[u8], now: Instant) {
        let outcome = self.legs.get_mut(&participant).map(|leg| leg.accept_refresh(answer, now));
        self.settle_answer(participant, outcome, now);
    }

    fn settle_answer(
        &mut self,
        participant: ParticipantId,
        outcome: Option<Result<Negotiated, SdpError>>,
        now: Instant,
    ) {
        match outcome {
            Some(Ok(negotiated)) => self.renegotiated(participant, &negotiated, now),
            // What was agreed before goes on.
            Some(Err(error)) => tracing::info!(%participant, %error, "an answer of the phone's cannot be used"),
            None => {}
        }
    }

    fn renegotiated(&mut self, participant: ParticipantId, negotiated: &Negotiated, now: Instant) {
        let Some(leg) = self.legs.get(&participant).filter(|leg| self.by_leg.contains_key(&leg.id)) else { return };
        self.mixer.set_format(leg.id, negotiated.format);
        if !leg.is_open {
            // Sound stops until a new handshake is over.
            self.apply_route(participant);
        }
        self.observe(Event::DirectionChanged { participant, direction: direction(negotiated) }, now);
        self.fit_music_to_codec(participant);
    }
}
