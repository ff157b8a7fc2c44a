//! The sound of one call: packets that come in are decoded and entered, packets go out every 20 ms.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edge::demux::{self, claims};
use edge::latch::Latch;
use edge::sdp::{Encryption, Negotiated};
use edge::security::Security;
use media::dtmf::EventPayload;
use media::rtp::{Packet, RtpError};
use media::{Decoder, Key, Loop, TICK};

use crate::hearing::{Arrived, Hearing};
use crate::random::random;
use crate::speaker::{Numbering, Speaker};

/// A phone that was kept from running longer than this leaves the missed packets out, as a sound card does. Less would
/// make losses of a busy machine's hiccups, more sends a burst that the peer has to throw away.
const BEHIND_MAX: Duration = Duration::from_millis(200);

/// Both directions of a call's sound.
pub(crate) struct Voice {
    negotiated: Negotiated,
    latch: Latch,
    security: Security,
    /// Where SRTP is put on and taken off.
    scratch: Vec<u8>,
    speaker: Speaker,
    decoder: Decoder,
    next_tick: Instant,
    /// The sound of the packet that came last.
    decoded: Vec<i16>,
}

impl Voice {
    /// Begins to speak and to listen.
    pub(crate) fn new(
        negotiated: Negotiated,
        encryption: Option<&Encryption>,
        speech: Arc<Loop>,
        now: Instant,
    ) -> Voice {
        let mut security = Security::Clear;
        security.agree(encryption, now);
        let bits = random();
        let numbering = Numbering { ssrc: (bits >> 32) as u32, sequence: bits as u16, timestamp: random() as u32 };
        Voice {
            negotiated,
            latch: Latch::new(negotiated.remote_rtp),
            security,
            scratch: Vec::new(),
            speaker: Speaker::new(speech, negotiated.format, numbering),
            decoder: Decoder::new(negotiated.format.codec),
            next_tick: now,
            decoded: Vec::new(),
        }
    }

    /// Goes on as newly agreed. In another codec it is still the same stream; `speech` is what it says in it.
    pub(crate) fn renegotiate(
        &mut self,
        negotiated: Negotiated,
        encryption: Option<&Encryption>,
        speech: Arc<Loop>,
        now: Instant,
    ) {
        self.security.agree(encryption, now);
        if negotiated.format.codec != self.negotiated.format.codec {
            self.decoder = Decoder::new(negotiated.format.codec);
        }
        if negotiated.format != self.negotiated.format {
            self.speaker = Speaker::new(speech, negotiated.format, self.speaker.numbering());
        }
        self.latch.resignalled(negotiated.remote_rtp);
        self.negotiated = negotiated;
    }

    pub(crate) fn press(&mut self, key: Key) {
        self.speaker.press(key);
    }

    /// Returns when the next packet is due, or the handshake wants to go on.
    pub(crate) fn deadline(&self) -> Instant {
        self.security.deadline().map_or(self.next_tick, |handshake| handshake.min(self.next_tick))
    }

    /// Says whether sound flows encrypted: there are keys.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.security.suite().is_some()
    }

    /// Lets a handshake go on, and sends what it has to say through `send`.
    pub(crate) fn shake(&mut self, now: Instant, send: impl Fn(&[u8], SocketAddr) -> io::Result<usize>) {
        let to = self.latch.destination();
        let Some(association) = self.security.association() else { return };
        if association.deadline().is_some_and(|deadline| deadline <= now) {
            association.expire(now);
        }
        while let Some(datagram) = association.poll_transmit() {
            // What the system does not take is lost, as on a network.
            let _ = send(&datagram, to);
        }
    }

    /// Sends what is due, through `send`, and returns how many packets went out.
    pub(crate) fn speak(&mut self, now: Instant, send: impl Fn(&[u8], SocketAddr) -> io::Result<usize>) -> u64 {
        let mut sent = 0;
        while self.next_tick <= now {
            let is_too_late = now - self.next_tick > BEHIND_MAX;
            self.next_tick += TICK;
            if !self.negotiated.remote_listens || is_too_late {
                self.speaker.pause();
                continue;
            }
            let Ok(packet) = self.security.protect(self.speaker.speak(), &mut self.scratch) else { continue };
            // What the system does not take is lost, as on a network.
            sent += u64::from(send(packet, self.latch.destination()).is_ok());
        }
        sent
    }

    /// Takes a datagram in that came to the RTP port.
    pub(crate) fn receive(&mut self, bytes: &[u8], from: SocketAddr, arrival: Instant, hearing: &mut Hearing) {
        if let (demux::Datagram::Dtls, Some(association)) = (claims(bytes), self.security.association()) {
            return association.receive(bytes, arrival);
        }
        let mut plain = std::mem::take(&mut self.scratch);
        match self.security.unprotect(bytes, &mut plain) {
            Ok(bytes) => self.take(bytes, from, arrival, hearing),
            Err(_) => hearing.count_unauthentic(),
        }
        self.scratch = plain;
    }

    fn take(&mut self, bytes: &[u8], from: SocketAddr, arrival: Instant, hearing: &mut Hearing) {
        match Packet::parse(bytes) {
            Ok(packet) if !self.knows(packet.payload_type) => hearing.count_invalid(),
            Ok(packet) if self.latch.admit(from, true, arrival).is_admitted() => self.listen(&packet, arrival, hearing),
            Ok(_) => hearing.count_foreign(),
            Err(RtpError::Rtcp { .. }) => hearing.count_rtcp(),
            Err(_) => hearing.count_invalid(),
        }
    }

    fn knows(&self, payload_type: u8) -> bool {
        let format = self.negotiated.format;
        payload_type == format.payload_type || Some(payload_type) == format.telephone_event
    }

    fn listen(&mut self, packet: &Packet<'_>, arrival: Instant, hearing: &mut Hearing) {
        let format = self.negotiated.format;
        let Packet { ssrc, sequence, timestamp, .. } = *packet;
        let clock_rate_hz = format.codec.clock_rate();
        let arrived = Arrived { arrival, ssrc, sequence, timestamp, clock_rate_hz };
        if packet.payload_type == format.payload_type {
            return self.listen_to_sound(packet.payload, &arrived, hearing);
        }
        match EventPayload::parse(packet.payload).and_then(|event| Key::from_event(event.event)) {
            Some(key) => hearing.take_key(&arrived, key),
            None => hearing.take_undecodable(&arrived),
        }
    }

    fn listen_to_sound(&mut self, payload: &[u8], arrived: &Arrived, hearing: &mut Hearing) {
        self.decoded.clear();
        match self.decoder.decode(payload, &mut self.decoded) {
            Ok(()) => hearing.take_sound(arrived, self.decoder.rate_hz(), &self.decoded),
            Err(_) => hearing.take_undecodable(arrived),
        }
    }
}
