//! The sockets of legs.

use super::Running;
use crate::leg::LegRandom;
use crate::rtp_ports::RtpSockets;
use crate::session::Datagram;
use crate::sip_loop::SipCommand;
use call::{ConversationId, HangUpCause, Identity, ParticipantId, Unreached};
use edge::sip::Replaces;
use media::TransmitStart;
use mio::Token;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The sockets of one leg, and their names in the poll.
#[derive(Debug)]
pub(super) struct LegSockets {
    pub(super) sockets: RtpSockets,
    pub(super) rtp: Token,
    pub(super) rtcp: Token,
}

/// Whose a socket is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Socket {
    pub(super) conversation: ConversationId,
    pub(super) participant: ParticipantId,
    pub(super) is_rtcp: bool,
}

impl Running {
    pub(super) fn open_leg(
        &mut self,
        conversation: ConversationId,
        participant: ParticipantId,
        identity: Identity,
        ring_timeout: Option<Duration>,
        replaces: Option<Replaces>,
    ) {
        let now = Instant::now();
        self.ring_in_browsers(conversation, participant, &identity, ring_timeout, now);
        let opened = self.open_sockets(conversation, participant);
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        match opened {
            Ok(sockets) => {
                let address = SocketAddr::new(self.worker.config.rtp.address, sockets.sockets.port);
                let srtp = self.worker.srtp_with(&identity);
                let Some(offers) = owned.session.leg_opened(participant, address, random(), srtp) else { return };
                owned.legs.insert(participant, sockets);
                let leg = self.address(conversation, participant);
                self.worker.sip.send(SipCommand::Dial { leg, identity, offers, ring_timeout, replaces });
            }
            Err(error) => {
                tracing::error!(%error, "no RTP port for a leg");
                owned.session.unreached(participant, Unreached::Status(503), now);
            }
        }
    }

    pub(super) fn open_sockets(
        &mut self,
        conversation: ConversationId,
        participant: ParticipantId,
    ) -> io::Result<LegSockets> {
        let sockets = self.ports.bind()?;
        self.register(conversation, participant, sockets)
    }

    pub(super) fn close_leg(&mut self, conversation: ConversationId, participant: ParticipantId, cause: HangUpCause) {
        let address = self.address(conversation, participant);
        self.forget_browser(address);
        let leg = self.owned.get_mut(&conversation).and_then(|owned| owned.legs.remove(&participant));
        let Some(leg) = leg else { return };
        self.close_sockets(&leg);
        self.worker.sip.send(SipCommand::HangUp { leg: address, cause });
    }

    pub(super) fn close_sockets(&mut self, leg: &LegSockets) {
        self.sockets.remove(&leg.rtp);
        self.sockets.remove(&leg.rtcp);
    }
}

/// Hands one datagram to the network.
pub(super) fn send(legs: &HashMap<ParticipantId, LegSockets>, datagram: &Datagram<'_>, by_rtcp: bool) {
    let Some(leg) = legs.get(&datagram.participant) else { return };
    let socket = if by_rtcp { &leg.sockets.rtcp } else { &leg.sockets.rtp };
    if let Err(error) = socket.send_to(datagram.bytes, datagram.destination) {
        // A full buffer or an unreachable port loses one packet, as a network may.
        metrics::counter!("fermata_rtp_unsent_total").increment(1);
        tracing::trace!(kind = ?error.kind(), "an RTP packet could not be sent");
    }
}

pub(super) fn random() -> LegRandom {
    let bits = crate::engine::new_guid();
    let transmit = TransmitStart { ssrc: bits as u32, sequence: (bits >> 32) as u16, timestamp: (bits >> 80) as u32 };
    // Positive in 64 bits: some phones read it as a signed number.
    let session_id = ((bits >> 64) as u64) >> 2;
    LegRandom { transmit, session_id }
}
