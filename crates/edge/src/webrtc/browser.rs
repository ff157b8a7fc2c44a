//! One browser, from its offer on.
//!
//! ```text
//!          offer            ICE and DTLS are done           ICE hears nothing
//!  (none) ──────► connecting ───────────────────► connected ─────────────────► interrupted
//!                      │                            │   ▲ heard again, or restarted │
//!                      ▼ DTLS fails                 ▼   └───────────────────────────┤
//!                   closed ◄── the browser closes ──┴────────── the owner gives up ─┘
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use media::rtp;
use str0m::media::Mid;
use str0m::net::{DatagramRecv, Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Event as RtcEvent, IceConnectionState, Input, Output, Rtc};

use super::description::{Agreed, OfferError, Settings, agreed, audio_of, read};
use super::packet::{Packet, Transmit, Transport, is_srtp};

/// How often a machine that is late may be driven on in one go. Each time a deadline of its own passes; a few come at the
/// same moment, and what is left is done with the next call.
const ROUNDS_MAX: usize = 16;

/// Something that a browser's owner is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// There is a path, and its ends have proved who they are: sound can be sent. Comes once.
    Connected,
    /// An RTP packet.
    Packet(Packet),
    /// Nothing has been heard over the path for some seconds. The browser may come back by itself or by another offer.
    Interrupted,
    /// The path, or another one, carries again.
    Resumed,
    /// What the browser says to have lost of our sound, as a part of 1, and the time to it and back.
    Report {
        /// The loss.
        loss: Option<f32>,
        /// The time.
        round_trip: Option<Duration>,
    },
    /// The browser has closed the session, or it cannot go on. Nothing more comes.
    Closed,
}

/// A browser's session.
pub struct Browser {
    rtc: Rtc,
    /// The address that the browser was told.
    local: SocketAddr,
    audio: Mid,
    agreed: Agreed,
    /// The number of the packet sent last, with the rounds before it (RFC 3711 §3.3.1).
    sequence: Option<u64>,
    deadline: Instant,
    is_connected: bool,
    is_closed: bool,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").field("agreed", &self.agreed).finish_non_exhaustive()
    }
}

impl Browser {
    /// Answers a browser's first offer. That takes milliseconds: it is not for a thread that ticks.
    ///
    /// # Errors
    ///
    /// [`OfferError`].
    pub fn accept(settings: &Settings, offer: &str, now: Instant) -> Result<(Browser, String), OfferError> {
        let mut rtc = settings.rtc(now);
        let answer = rtc.sdp_api().accept_offer(read(offer)?).map_err(OfferError::Unusable)?;
        let audio = audio_of(offer, &rtc)?;
        let agreed = agreed(&rtc, audio)?;
        let mut browser = Browser {
            rtc,
            local: settings.address(),
            audio,
            agreed,
            sequence: None,
            deadline: now,
            is_connected: false,
            is_closed: false,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        };
        browser.expire(now);
        Ok((browser, answer.to_sdp_string()))
    }

    /// Answers another offer of the browser's: a hold of its own, or an ICE restart (RFC 9725 §4.3.3), after which
    /// [`Browser::user_fragment`] is another one. The session goes on.
    ///
    /// # Errors
    ///
    /// [`OfferError`].
    pub fn renegotiate(&mut self, offer: &str, now: Instant) -> Result<String, OfferError> {
        let answer = self.rtc.sdp_api().accept_offer(read(offer)?).map_err(OfferError::Unusable);
        self.expire(now);
        let answer = answer?;
        self.agreed = agreed(&self.rtc, self.audio)?;
        Ok(answer.to_sdp_string())
    }

    /// Returns what is agreed on.
    pub fn agreed(&self) -> Agreed {
        self.agreed
    }

    /// Returns the name by which the browser's connectivity checks are ours (`a=ice-ufrag` of our answer).
    pub fn user_fragment(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// Takes a datagram in. What does not belong to this session is passed over.
    pub fn receive(&mut self, transport: Transport, source: SocketAddr, datagram: &[u8], now: Instant) {
        let Ok(contents) = DatagramRecv::try_from(datagram) else { return };
        let receive = Receive { proto: transport.protocol(), source, destination: self.local, contents };
        let input = Input::Receive(now, receive);
        if self.rtc.accepts(&input) {
            // What is wrong with it is the sender's trouble; whether the session is over, the machine says itself.
            let _ = self.rtc.handle_input(input);
            self.drive(now);
        }
    }

    /// Sends one RTP packet of the mixer's, whose SSRC is replaced by the one that the browser was told. Returns whether it
    /// is now among the datagrams to be sent; before there is a path, packets are dropped.
    pub fn send(&mut self, packet: &rtp::Packet<'_>, now: Instant) -> bool {
        if !self.is_connected || self.is_closed {
            return false;
        }
        let sequence = self.extend(packet.sequence);
        let write = RtpWrite::new(packet.payload_type.into(), sequence.into(), packet.timestamp, now, packet.payload)
            .marker(packet.marker);
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(self.audio, None) else { return false };
        stream.write_rtp(write);
        let before = self.transmits.len();
        self.drain();
        self.pass(now);
        self.drive(now);
        self.transmits.range(before..).any(|transmit| is_srtp(&transmit.bytes))
    }

    /// Lets time pass, up to `now`.
    pub fn expire(&mut self, now: Instant) {
        self.drain();
        self.drive(now);
    }

    /// Returns when [`Browser::expire`] is due next. To be asked again after each call.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Ends the session and tells the browser.
    pub fn close(&mut self) {
        // It cannot fail but for a session that has ended already.
        let _ = self.rtc.close();
        self.drain();
        self.is_closed = true;
    }

    /// Returns the next datagram to be sent. To be drained after each call.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// Returns the next piece of news. To be drained after each call.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn drive(&mut self, now: Instant) {
        self.drain();
        for _ in 0..ROUNDS_MAX {
            if self.is_closed || self.deadline > now {
                return;
            }
            self.pass(now);
            self.drain();
        }
    }

    fn pass(&mut self, now: Instant) {
        let _ = self.rtc.handle_input(Input::Timeout(now));
    }

    /// Takes everything out of the machine; to be done after each thing that is put in.
    fn drain(&mut self) {
        while !self.is_closed {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(deadline)) => {
                    self.deadline = deadline;
                    break;
                }
                Ok(Output::Transmit(transmit)) => self.transmits.push_back(Transmit {
                    transport: if transmit.proto == Protocol::Udp { Transport::Udp } else { Transport::Tcp },
                    destination: transmit.destination,
                    bytes: transmit.contents.into(),
                }),
                Ok(Output::Event(event)) => self.take_event(event),
                Err(_) => break,
            }
        }
        if !self.is_closed && !self.rtc.is_alive() {
            self.end();
        }
    }

    fn take_event(&mut self, event: RtcEvent) {
        match event {
            RtcEvent::Connected => {
                self.is_connected = true;
                self.events.push_back(Event::Connected);
            }
            RtcEvent::RtpPacket(packet) => self.events.push_back(Event::Packet(Packet {
                marker: packet.header.marker,
                payload_type: *packet.header.payload_type,
                sequence: packet.header.sequence_number,
                timestamp: packet.header.timestamp,
                ssrc: *packet.header.ssrc,
                payload: packet.payload,
            })),
            RtcEvent::IceConnectionStateChange(state) => self.events.push_back(match state {
                IceConnectionState::Disconnected => Event::Interrupted,
                IceConnectionState::New
                | IceConnectionState::Checking
                | IceConnectionState::Connected
                | IceConnectionState::Completed => Event::Resumed,
            }),
            RtcEvent::MediaEgressStats(stats) => {
                self.events.push_back(Event::Report { loss: stats.loss, round_trip: stats.rtt });
            }
            RtcEvent::Closed => self.end(),
            // Not ours to look at: pictures, data channels, and what str0m's own statistics count beside.
            _ => {}
        }
    }

    fn end(&mut self) {
        if !self.is_closed {
            self.is_closed = true;
            self.events.push_back(Event::Closed);
        }
    }

    /// Returns a number with its rounds: as near as possible to the one before.
    fn extend(&mut self, sequence: u16) -> u64 {
        let extended = match self.sequence {
            None => u64::from(sequence),
            Some(last) => last.saturating_add_signed(i64::from(sequence.wrapping_sub(last as u16) as i16)),
        };
        self.sequence = Some(extended);
        extended
    }
}
