//! Calls that come in: sockets and an answer first, then the application is told.

use super::legs::{LegSockets, random};
use super::settle::Asked;
use super::{CallerOffer, Running};
use crate::change::Withdrawn;
use crate::session::{Caller, Session};
use crate::sip_loop::SipCommand;
use call::{Conversation, ConversationId, IncomingCall, Invitation, ParticipantId};
use edge::sip::Status;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

impl Running {
    /// Somebody calls an application. A call that cannot come about is refused, and nobody is told.
    pub(super) fn receive_call(&mut self, id: ConversationId, call: IncomingCall, offer: &CallerOffer, now: Instant) {
        let participant = call.caller.participant;
        let (caller, sockets) = match self.open_caller(id, &call.caller, offer) {
            Ok(opened) => opened,
            Err(status) => return self.refuse(id, participant, status),
        };
        let call_id = call.id;
        let conversation = Conversation::receive(id, self.worker.config.policy, call, now);
        let mut session = Session::of_caller(conversation, self.session_settings(now), participant, caller);
        session.signalled_over(participant, offer.transport);
        self.own(id, call_id, session, HashMap::from([(participant, sockets)]));
        self.table().insert(call_id, self.worker.index);
        self.worker.sip.send(SipCommand::Ring { leg: self.address(id, participant) });
        self.settle(id, Some(Asked { accepted: None, note: None, withdrawn: Some(Withdrawn::Conversation) }));
    }

    /// Somebody calls to take the place of a participant.
    pub(super) fn receive_replacement(
        &mut self,
        id: ConversationId,
        participant: ParticipantId,
        by: Invitation,
        offer: &CallerOffer,
        now: Instant,
    ) {
        let newcomer = by.participant;
        let (caller, sockets) = match self.open_caller(id, &by, offer) {
            Ok(opened) => opened,
            Err(status) => return self.refuse(id, newcomer, status),
        };
        let Some(owned) = self.owned.get_mut(&id) else {
            self.close_sockets(&sockets);
            return self.refuse(id, newcomer, Status::CALL_DOES_NOT_EXIST);
        };
        owned.legs.insert(newcomer, sockets);
        self.with_session(id, |session| {
            session.replacement_called(participant, by, caller, now);
            session.signalled_over(newcomer, offer.transport);
        });
        self.settle(id, None);
    }

    /// Makes sockets and an answer for somebody who calls.
    fn open_caller(
        &mut self,
        id: ConversationId,
        who: &Invitation,
        offer: &CallerOffer,
    ) -> Result<(Caller, LegSockets), Status> {
        let participant = who.participant;
        let sockets = self.open_sockets(id, participant).map_err(|error| {
            tracing::error!(%error, "no RTP port for a caller");
            Status::SERVICE_UNAVAILABLE
        })?;
        let address = SocketAddr::new(self.worker.config.rtp.address, sockets.sockets.port);
        let srtp = self.worker.srtp_with(&who.identity);
        match Caller::new(address, random(), srtp, offer.may_tell_keys, &offer.description, Instant::now()) {
            Ok(caller) => Ok((caller, sockets)),
            Err(error) => {
                tracing::info!(%participant, %error, "the offer of a caller cannot be used");
                self.close_sockets(&sockets);
                Err(Status::NOT_ACCEPTABLE_HERE)
            }
        }
    }

    /// Refuses the call of somebody of whom nobody has been told.
    pub(super) fn refuse(&self, id: ConversationId, participant: ParticipantId, status: Status) {
        self.worker.sip.send(SipCommand::Refuse { leg: self.address(id, participant), status });
    }
}
