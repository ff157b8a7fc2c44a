//! Legs that move from one conversation to another, which may be another worker's.
//!
//! ```text
//!  worker of the new conversation     SIP loop              worker of the old one
//!      │ Fetch ───────────────────────► │ ── Wanted ─────────► │ the call ends, the leg is taken out
//!      │                                │ ◄── Move, the leg ── │ what SIP says of it is sent back (Forward)
//!      │ ◄── Arrived, the leg ────────  │ ── Moved ──────────► │ and now nothing more comes
//! ```
//!
//! All goes by the SIP loop, so that what it says of the dialog before and after comes in the right order.

use super::legs::{LegSockets, Socket};
use super::{LegEvent, Running};
use crate::rtp_ports::RtpSockets;
use crate::session::MovedLeg;
use crate::sip_loop::{LegAddress, SipCommand};
use call::{CallId, ConversationId, HangUpCause, ParticipantId, Unreached};
use mio::{Interest, Token};
use std::io;
use std::time::Instant;

/// A leg on its way, with its sockets.
#[derive(Debug)]
pub(crate) struct Moved {
    leg: MovedLeg,
    sockets: RtpSockets,
}

impl Running {
    /// Somebody who is in another call is to come here.
    pub(super) fn fetch(&mut self, conversation: ConversationId, participant: ParticipantId, from: CallId) {
        let owner = self.table().get(&from).copied();
        let Some(owner) = owner else {
            self.with_session(conversation, |s| s.unreached(participant, Unreached::NotReleased, Instant::now()));
            return;
        };
        self.worker.sip.send(SipCommand::Fetch { from, owner, to: self.address(conversation, participant) });
    }

    /// The person of a call is to go to another conversation.
    pub(super) fn give_away(&mut self, call: CallId, to: LegAddress) {
        let released = self.by_call.get(&call).copied().and_then(|conversation| {
            let (participant, leg) = self.with_session(conversation, |s| s.release(call, Instant::now()))??;
            let sockets = self.owned.get_mut(&conversation)?.legs.remove(&participant)?;
            let from = self.address(conversation, participant);
            self.moved.insert(from, to);
            Some((from, Box::new(Moved { leg, sockets: self.unregister(sockets) })))
        });
        let conversation = self.by_call.get(&call).copied();
        self.worker.sip.send(SipCommand::Move { to, released });
        if let Some(conversation) = conversation {
            self.settle(conversation, None);
        }
    }

    /// Somebody has come. If nobody waits for it any more it is hung up.
    pub(super) fn arrive(&mut self, conversation: ConversationId, participant: ParticipantId, moved: Moved) {
        let Moved { leg, sockets } = moved;
        let arrived = self.register(conversation, participant, sockets).ok().is_some_and(|sockets| {
            let arrived = self.with_session(conversation, |s| s.arrive(participant, leg, Instant::now()));
            match (arrived, self.owned.get_mut(&conversation)) {
                (Some(true), Some(owned)) => drop(owned.legs.insert(participant, sockets)),
                (Some(_) | None, _) => self.close_sockets(&sockets),
            }
            arrived == Some(true)
        });
        if !arrived {
            let leg = self.address(conversation, participant);
            self.worker.sip.send(SipCommand::HangUp { leg, cause: HangUpCause::CallEnded });
        }
    }

    /// Returns what SIP says of a leg, unless it has moved: then that is sent after it.
    pub(super) fn unless_moved(&mut self, leg: LegAddress, event: LegEvent) -> Option<LegEvent> {
        let Some(to) = self.moved.get(&leg).copied() else { return Some(event) };
        match event {
            LegEvent::Moved => drop(self.moved.remove(&leg)),
            event => self.worker.sip.send(SipCommand::Forward { leg: to, event }),
        }
        None
    }

    /// Has the poll tell of a leg's packets.
    pub(super) fn register(
        &mut self,
        conversation: ConversationId,
        participant: ParticipantId,
        mut sockets: RtpSockets,
    ) -> io::Result<LegSockets> {
        let (rtp, rtcp) = (Token(self.next_token), Token(self.next_token + 1));
        self.next_token += 2;
        self.poll.registry().register(&mut sockets.rtp, rtp, Interest::READABLE)?;
        self.poll.registry().register(&mut sockets.rtcp, rtcp, Interest::READABLE)?;
        for (token, is_rtcp) in [(rtp, false), (rtcp, true)] {
            self.sockets.insert(token, Socket { conversation, participant, is_rtcp });
        }
        Ok(LegSockets { sockets, rtp, rtcp })
    }

    fn unregister(&mut self, leg: LegSockets) -> RtpSockets {
        self.close_sockets(&leg);
        let LegSockets { mut sockets, .. } = leg;
        for socket in [&mut sockets.rtp, &mut sockets.rtcp] {
            if let Err(error) = self.poll.registry().deregister(socket) {
                tracing::warn!(%error, "a socket that moves was not known to the poll");
            }
        }
        sockets
    }
}
