//! Calls that come in: sockets and an answer first, then the application is told.

use super::Running;
use super::legs::random;
use super::settle::Asked;
use crate::change::Withdrawn;
use crate::session::{Caller, Session};
use crate::sip_loop::SipCommand;
use call::{Conversation, ConversationId, IncomingCall};
use edge::sip::{Status, Transport};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

impl Running {
    /// Somebody calls an application. A call that cannot come about is refused, and nobody is told.
    pub(super) fn receive_call(
        &mut self,
        id: ConversationId,
        call: IncomingCall,
        offer: &[u8],
        (may_tell_keys, transport): (bool, Option<Transport>),
        now: Instant,
    ) {
        let participant = call.caller.participant;
        let sockets = match self.open_sockets(id, participant) {
            Ok(sockets) => sockets,
            Err(error) => {
                tracing::error!(%error, "no RTP port for a caller");
                return self.refuse_call(id, &call);
            }
        };
        let address = SocketAddr::new(self.worker.config.rtp.address, sockets.sockets.port);
        let srtp = self.worker.srtp_with(&call.caller.identity);
        let caller = match Caller::new(address, random(), srtp, may_tell_keys, offer, now) {
            Ok(caller) => caller,
            Err(error) => {
                tracing::info!(%participant, %error, "the offer of a caller cannot be used");
                self.close_sockets(&sockets);
                let (leg, status) = (self.address(id, participant), Status::NOT_ACCEPTABLE_HERE);
                return self.worker.sip.send(SipCommand::Refuse { leg, status });
            }
        };
        let call_id = call.id;
        let conversation = Conversation::receive(id, self.worker.config.policy, call, now);
        let mut session = Session::of_caller(conversation, self.session_settings(now), participant, caller);
        session.signalled_over(participant, transport);
        self.own(id, call_id, session, HashMap::from([(participant, sockets)]));
        self.table().insert(call_id, self.worker.index);
        self.worker.sip.send(SipCommand::Ring { leg: self.address(id, participant) });
        self.settle(id, Some(Asked { accepted: None, note: None, withdrawn: Some(Withdrawn::Conversation) }));
    }

    /// There is no room for a call now.
    pub(super) fn refuse_call(&self, id: ConversationId, call: &IncomingCall) {
        let leg = self.address(id, call.caller.participant);
        self.worker.sip.send(SipCommand::Refuse { leg, status: Status::SERVICE_UNAVAILABLE });
    }
}
