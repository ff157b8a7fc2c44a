//! The legs of those who are in browsers: what pages ask of a worker, and their datagrams.

use super::Running;
use super::legs::random;
use crate::browsers::{Arrival, BrowserError, Call, PortHandle};
use crate::session::Datagram;
use crate::sip_loop::{LegAddress, SipCommand};
use call::{ConversationId, Identity, ParticipantId};
use edge::webrtc::{Browser, Transmit, Transport};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Datagrams of browsers that are taken in between two looks at the clock, so that a flood of them does not hold up a tick.
const ARRIVALS_AT_ONCE_MAX: usize = 256;

impl Running {
    /// Rings in the browsers of somebody who is called, if it is a user that has any open.
    pub(super) fn ring_in_browsers(
        &mut self,
        conversation: ConversationId,
        participant: ParticipantId,
        identity: &Identity,
        ring_timeout: Option<Duration>,
        now: Instant,
    ) {
        let (Identity::User { id, .. }, Some(_)) = (identity, &self.worker.browser_port) else { return };
        let leg = self.address(conversation, participant);
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        let Some((call, present)) = owned.session.called_from() else { return };
        if self.worker.bells.ring(Call { user: id.clone(), leg, call, present }) {
            let ring_timeout = ring_timeout.unwrap_or(self.worker.config.sip.ring_timeout);
            owned.session.rings_in_browsers(participant, now + ring_timeout);
        }
    }

    pub(super) fn answer_in_browser(
        &mut self,
        call: Call,
        mut browser: Box<Browser>,
        reply: oneshot::Sender<bool>,
        now: Instant,
    ) {
        let LegAddress { conversation, participant, .. } = call.leg;
        let fragment = browser.user_fragment();
        let transmit = random().transmit;
        let is_taken = self
            .with_session(conversation, |session| session.answered_in_browser(participant, browser, transmit, now))
            .unwrap_or(false);
        if is_taken {
            self.expect_checks(fragment, call.leg);
            self.worker.bells.answered(call);
        }
        self.settle(conversation, None);
        // The page may have gone; then its session will not connect, and is ended for that.
        let _ = reply.send(is_taken);
    }

    pub(super) fn reconnect_browser(
        &mut self,
        leg: LegAddress,
        mut browser: Box<Browser>,
        reply: oneshot::Sender<bool>,
        now: Instant,
    ) {
        let LegAddress { conversation, participant, .. } = leg;
        let fragment = browser.user_fragment();
        let is_taken = self
            .with_session(conversation, |session| session.reconnect_browser(participant, browser, now))
            .unwrap_or(false);
        if is_taken {
            self.expect_checks(fragment, leg);
        }
        self.settle(conversation, None);
        // The page may have gone; then the leg will not come back, and is ended for that.
        let _ = reply.send(is_taken);
    }

    pub(super) fn renegotiate_browser(
        &mut self,
        leg: LegAddress,
        offer: &str,
        reply: oneshot::Sender<Result<String, BrowserError>>,
        now: Instant,
    ) {
        let LegAddress { conversation, participant, .. } = leg;
        let answer = self.with_session(conversation, |session| session.renegotiate_browser(participant, offer, now));
        let answer = match answer.flatten() {
            Some(Ok((answer, fragment))) => {
                self.expect_checks(fragment, leg);
                Ok(answer)
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(BrowserError::NotFound),
        };
        self.settle(conversation, None);
        // The page may have gone; what it has changed holds.
        let _ = reply.send(answer);
    }

    pub(super) fn is_in_browser(&self, conversation: ConversationId, participant: ParticipantId) -> bool {
        self.owned.get(&conversation).is_some_and(|owned| owned.session.is_in_browser(participant))
    }

    /// Takes in what has come for browsers.
    pub(super) fn serve_arrivals(&mut self) {
        for _ in 0..ARRIVALS_AT_ONCE_MAX {
            let Ok(arrival) = self.arrivals.try_recv() else { return };
            self.receive_from_browser(arrival);
        }
        // There may be more: look again after the ticks of this round.
        self.handle.wake();
    }

    fn receive_from_browser(&mut self, arrival: Arrival) {
        let Arrival { leg: LegAddress { conversation, participant, .. }, transport, from, datagram, time } = arrival;
        self.with_session(conversation, |session| {
            session.receive_from_browser(participant, transport, from, &datagram, time);
        });
        self.settle(conversation, None);
    }

    pub(super) fn send_to_browser(&self, leg: LegAddress, transmit: &Transmit) {
        let Some(port) = &self.worker.browser_port else { return };
        port.send(leg, transmit.transport, transmit.destination, &transmit.bytes);
    }

    /// A browser has the call: its phones stop ringing, and their sockets are closed.
    pub(super) fn stop_phones(&mut self, conversation: ConversationId, participant: ParticipantId) {
        let leg = self.address(conversation, participant);
        let sockets = self.owned.get_mut(&conversation).and_then(|owned| owned.legs.remove(&participant));
        if let Some(sockets) = sockets {
            self.close_sockets(&sockets);
            self.worker.sip.send(SipCommand::AnsweredElsewhere { leg });
        }
    }

    pub(super) fn forget_browser(&self, leg: LegAddress) {
        if let Some(port) = &self.worker.browser_port {
            port.forget(leg);
            self.worker.bells.forget(leg.participant);
        }
    }

    fn expect_checks(&self, fragment: String, leg: LegAddress) {
        if let Some(port) = &self.worker.browser_port {
            port.expect(fragment, leg);
        }
    }
}

/// Hands one datagram of a tick to the network.
pub(super) fn send(port: &Option<PortHandle>, leg: LegAddress, transport: Transport, datagram: &Datagram<'_>) {
    if let Some(port) = port {
        port.send(leg, transport, datagram.destination, datagram.bytes);
    }
}
