//! People in browsers: legs whose path is WebRTC and whose sound is mixed as everybody's.
//!
//! ```text
//!  ringing ── it answers ──► connecting ── ICE and DTLS are done ──► up ◄──► interrupted
//!                               │ too slow                            │           │ too long
//!                               ▼                                     ▼           ▼
//!                           unreached                          left (it closed)  left (lost)
//! ```
//!
//! A participant is in the roster when sound can flow and not before: that somebody has clicked "answer" is no promise
//! that its browser finds a way here. Once it is in, a change of network, an ICE restart and a hold of its own leave it in.

use super::{Datagram, Exit, Output, Session};
use crate::browsers::RingEnd;
use crate::keypad;
use call::{CallId, Event, Identity, LeaveCause, ParticipantId, Presence, Role, Unreached};
use edge::webrtc::{self, Agreed, Browser, OfferError, Transport};
use media::{DtmfEvent, LegId, Outgoing, OutgoingKind, Received, TransmitStart, rtp};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a browser that has answered may take to connect. Chromium takes 50 ms here and gives up on its own after 30 s;
/// whoever waits longer than this has said "hello?" three times.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a browser may be gone, as in a lift or while it changes networks, before it has left. ICE notices after some
/// 5 to 10 s; less than this would drop people who come back, more would keep those who do not in the roster.
pub(crate) const RETURN_TIMEOUT: Duration = Duration::from_secs(30);

/// One browser that has answered.
pub(super) struct BrowserLeg {
    pub(super) id: LegId,
    transmit: TransmitStart,
    browser: Box<Browser>,
    path: Path,
    /// Whether the first packet of music was made when it could not be sent.
    owes_music: bool,
}

/// Whether there is a way to the browser.
#[derive(Clone, Copy, Debug)]
enum Path {
    Connecting { since: Instant },
    Up,
    Interrupted { since: Instant },
}

impl BrowserLeg {
    /// Sends a packet of the mixer's. Its reports stay here: the browser's session makes its own, under the SSRC that the
    /// browser was told. Returns whether music has begun with it.
    pub(super) fn send(
        &mut self,
        participant: ParticipantId,
        outgoing: &Outgoing<'_>,
        now: Instant,
        sink: &mut impl FnMut(Datagram<'_>),
    ) -> bool {
        let is_sent = match (outgoing.kind, rtp::Packet::parse(outgoing.bytes)) {
            (OutgoingKind::Rtp, Ok(packet)) => self.browser.send(&packet, now),
            (OutgoingKind::Rtp, Err(_)) | (OutgoingKind::Rtcp, _) => false,
        };
        self.flush(participant, sink);
        self.owes_music |= outgoing.first_of_music;
        is_sent && std::mem::take(&mut self.owes_music)
    }

    fn flush(&mut self, participant: ParticipantId, sink: &mut impl FnMut(Datagram<'_>)) {
        while let Some(transmit) = self.browser.poll_transmit() {
            let (destination, exit) = (transmit.destination, Exit::Browser(transmit.transport));
            sink(Datagram { participant, destination, exit, bytes: &transmit.bytes });
        }
    }

    fn is_overdue(&self, now: Instant) -> bool {
        let (since, patience) = match self.path {
            Path::Connecting { since } => (since, CONNECT_TIMEOUT),
            Path::Interrupted { since } => (since, RETURN_TIMEOUT),
            Path::Up => return false,
        };
        now.saturating_duration_since(since) >= patience
    }
}

impl Session {
    /// Whether a participant is in a browser, so that what phones have to say of it is of no interest any more.
    pub(crate) fn is_in_browser(&self, participant: ParticipantId) -> bool {
        self.browsers.contains_key(&participant)
    }

    /// Somebody who is called has answered in a browser. Returns `false` if it is not called there any more.
    pub(crate) fn answered_in_browser(
        &mut self,
        participant: ParticipantId,
        browser: Box<Browser>,
        transmit: TransmitStart,
        now: Instant,
    ) -> bool {
        if !self.stop_ringing(participant, RingEnd::AnsweredElsewhere) {
            return false;
        }
        self.dialing.remove(&participant);
        self.legs.remove(&participant);
        let leg = BrowserLeg {
            id: self.new_leg_id(),
            transmit,
            browser,
            path: Path::Connecting { since: now },
            owes_music: false,
        };
        self.browsers.insert(participant, leg);
        self.outputs.push_back(Output::StopPhones { participant });
        self.send_to_browser(participant);
        true
    }

    /// Somebody leaves by its browser.
    pub(crate) fn left_in_browser(&mut self, participant: ParticipantId, now: Instant) {
        self.browser_is_gone(participant, LeaveCause::HungUp, now);
    }

    /// Everybody who rings or is in a browser.
    pub(crate) fn in_browsers(&self) -> Vec<ParticipantId> {
        self.browsers.keys().chain(self.ringing.keys()).copied().collect()
    }

    /// The call that somebody is called from, and who is in it.
    pub(crate) fn called_from(&self) -> Option<(CallId, Vec<Identity>)> {
        let call = self.conversation.call_presences().next()?.id;
        let is_in = |presence: &Presence<'_>| presence.role != Role::Ringing;
        let present = self.conversation.presences().filter(is_in).map(|presence| presence.identity.clone());
        Some((call, present.collect()))
    }

    /// A page goes on with a leg in another session, which has yet to connect. Returns `false` if there is no such leg.
    pub(crate) fn reconnect_browser(
        &mut self,
        participant: ParticipantId,
        browser: Box<Browser>,
        now: Instant,
    ) -> bool {
        let Some(leg) = self.browsers.get_mut(&participant) else { return false };
        let mut before = std::mem::replace(&mut leg.browser, browser);
        if let Path::Up = leg.path {
            leg.path = Path::Interrupted { since: now };
        }
        before.close();
        self.outputs.extend(pending(participant, &mut before));
        true
    }

    /// Takes a datagram of a browser's in.
    pub(crate) fn receive_from_browser(
        &mut self,
        participant: ParticipantId,
        transport: Transport,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) {
        let Some(leg) = self.browsers.get_mut(&participant) else { return };
        leg.browser.receive(transport, from, datagram, now);
        self.take_news(participant, now);
        self.send_to_browser(participant);
    }

    /// Answers another offer of a browser's: a hold of its own, or an ICE restart. `None` if there is no such browser. With
    /// the answer comes the user fragment that it names.
    pub(crate) fn renegotiate_browser(
        &mut self,
        participant: ParticipantId,
        offer: &str,
        now: Instant,
    ) -> Option<Result<(String, String), OfferError>> {
        let leg = self.browsers.get_mut(&participant)?;
        let answer = leg.browser.renegotiate(offer, now).map(|answer| (answer, leg.browser.user_fragment()));
        let (id, agreed) = (leg.id, leg.browser.agreed());
        if answer.is_ok() && self.by_leg.contains_key(&id) {
            self.mixer.set_format(id, agreed.format);
            self.observe(Event::DirectionChanged { participant, direction: direction(agreed) }, now);
        }
        self.take_news(participant, now);
        self.send_to_browser(participant);
        Some(answer)
    }

    /// Looks after every browser: its own deadlines, and ours for it. `sink` gets what is to be sent.
    pub(super) fn tend_browsers(&mut self, now: Instant, sink: &mut impl FnMut(Datagram<'_>)) {
        if self.browsers.is_empty() {
            return;
        }
        for participant in self.browsers.keys().copied().collect::<Vec<_>>() {
            let Some(leg) = self.browsers.get_mut(&participant) else { continue };
            if leg.browser.deadline() <= now {
                leg.browser.expire(now);
            }
            leg.flush(participant, sink);
            if leg.is_overdue(now) {
                self.browser_is_gone(participant, LeaveCause::ConnectionLost, now);
            }
            self.take_news(participant, now);
        }
    }

    fn take_news(&mut self, participant: ParticipantId, now: Instant) {
        while let Some(leg) = self.browsers.get_mut(&participant) {
            let Some(event) = leg.browser.poll_event() else { return };
            match (event, leg.path) {
                (webrtc::Event::Connected, _) => self.browser_is_up(participant, now),
                (webrtc::Event::Packet(packet), _) => self.take_browser_packet(participant, &packet, now),
                (webrtc::Event::Interrupted, Path::Up) => leg.path = Path::Interrupted { since: now },
                (webrtc::Event::Resumed, Path::Interrupted { .. }) => leg.path = Path::Up,
                (webrtc::Event::Interrupted | webrtc::Event::Resumed, _) => {}
                (webrtc::Event::Report { loss, round_trip }, _) => self.mixer.reported(leg.id, loss, round_trip),
                (webrtc::Event::Closed, _) => self.browser_is_gone(participant, LeaveCause::HungUp, now),
            }
        }
    }

    fn browser_is_up(&mut self, participant: ParticipantId, now: Instant) {
        let Some(leg) = self.browsers.get_mut(&participant) else { return };
        leg.path = Path::Up;
        let (id, agreed, transmit) = (leg.id, leg.browser.agreed(), leg.transmit);
        if self.by_leg.contains_key(&id) {
            self.mixer.set_format(id, agreed.format);
        } else {
            let silent = media::Route { hears: media::Hears::Silence, heard: false };
            self.mixer.add_leg(id, agreed.format, transmit, silent);
            self.by_leg.insert(id, participant);
            self.memory.ledgers.leg_added(id, participant);
            self.observe(Event::Answered { participant }, now);
        }
        self.observe(Event::DirectionChanged { participant, direction: direction(agreed) }, now);
    }

    fn browser_is_gone(&mut self, participant: ParticipantId, cause: LeaveCause, now: Instant) {
        let Some(leg) = self.browsers.get(&participant) else { return };
        match leg.path {
            Path::Connecting { .. } => self.give_up(participant, Unreached::NotConnected, now),
            Path::Up | Path::Interrupted { .. } => self.left(participant, cause, now),
        }
    }

    fn take_browser_packet(&mut self, participant: ParticipantId, packet: &webrtc::Packet, now: Instant) {
        let Some(leg) = self.browsers.get(&participant) else { return };
        let agreed = leg.browser.agreed();
        if !agreed.remote_sends || !agreed.format.takes(packet.payload_type) {
            return;
        }
        // What is wrong with a packet is counted by the mixer; there is nobody to tell.
        let received = self.mixer.receive_packet(leg.id, &packet.as_rtp(), now);
        if let Ok(Received::Event(DtmfEvent::Pressed { key })) = received {
            self.key_pressed(participant, key, keypad::Way::Event, now);
        }
    }

    /// Tells a browser that its session is over.
    pub(super) fn close_browser(&mut self, participant: ParticipantId) {
        let Some(mut leg) = self.browsers.remove(&participant) else { return };
        self.by_leg.remove(&leg.id);
        self.memory.ledgers.leg_removed(participant, self.mixer.remove_leg(leg.id));
        leg.browser.close();
        self.outputs.extend(pending(participant, &mut leg.browser));
    }

    fn send_to_browser(&mut self, participant: ParticipantId) {
        let Some(leg) = self.browsers.get_mut(&participant) else { return };
        self.outputs.extend(pending(participant, &mut leg.browser));
    }
}

/// What a browser is to be sent.
fn pending(participant: ParticipantId, browser: &mut Browser) -> impl Iterator<Item = Output> {
    std::iter::from_fn(move || browser.poll_transmit())
        .map(move |transmit| Output::SendToBrowser { participant, transmit })
}

/// The browser's direction in the rules' terms, as of a phone (`crate::leg::direction`).
fn direction(agreed: Agreed) -> call::Direction {
    crate::leg::direction_of(agreed.remote_sends, agreed.remote_hold)
}
