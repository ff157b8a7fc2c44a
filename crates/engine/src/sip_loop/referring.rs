//! Legs that are handed on, as SIP sees them: REFER from a phone, and a leg that goes on under another address.

use super::dialling::Step;
use super::outcome::status;
use super::{LegAddress, SipLoop};
use crate::engine::new_guid;
use crate::worker::{Fact, LegEvent, Moved};
use call::{Invitation, ParticipantId, ReferProgress, Unreached};
use edge::sip::{DialogKey, Replaces, SipUri, Status};
use std::time::Instant;

impl SipLoop {
    /// A phone asks that somebody be called in its place. Whether that is done the rules decide.
    pub(super) fn receive_referral(&mut self, dialog: DialogKey, target: SipUri, replaces: Option<Replaces>) {
        let Some(leg) = self.dialling.leg(dialog) else {
            return self.endpoint.answer_referral(dialog, Err(Status::CALL_DOES_NOT_EXIST), Instant::now());
        };
        let identity = self.dialling.referred_to(target);
        let target = Invitation::new(ParticipantId::new(new_guid()), identity);
        self.tell(Step { leg, event: LegEvent::Referred { target, replaces } });
    }

    /// A phone is told how what it asked for goes on.
    pub(super) fn tell_referrer(&mut self, leg: LegAddress, progress: ReferProgress, now: Instant) {
        let Some(dialog) = self.dialling.answered_dialog(leg) else { return };
        match progress {
            ReferProgress::Accepted => self.endpoint.answer_referral(dialog, Ok(()), now),
            ReferProgress::Refused => self.endpoint.answer_referral(dialog, Err(Status::DECLINE), now),
            ReferProgress::Succeeded => self.endpoint.notify_referral(dialog, Status::OK, now),
            ReferProgress::Failed(cause) => self.endpoint.notify_referral(dialog, status(cause), now),
        }
    }

    /// A leg has left its conversation for another one.
    pub(super) fn move_leg(&mut self, to: LegAddress, released: Option<(LegAddress, Box<Moved>)>) {
        let Some((from, moved)) = released else {
            return self.tell(Step { leg: to, event: LegEvent::Unreached(Unreached::NotReleased) });
        };
        self.dialling.rename(from, to);
        let LegAddress { worker, conversation, participant } = to;
        self.workers[worker].tell(Fact::Arrived { conversation, participant, moved });
        self.tell(Step { leg: from, event: LegEvent::Moved });
    }
}
