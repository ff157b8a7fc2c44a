//! One light phone.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edge::latch::Latch;
use edge::sdp::{Direction, Local, LocalSrtp, Negotiated, Negotiation, SdpError, SrtpPolicy};
use edge::security::Security;
use edge::sip::DialogKey;
use edge::srtp::KeySource;
use media::rtp::Packet;
use media::{Decoder, Loop, TICK};
use mio::net::UdpSocket;

use super::watch::Ear;
use super::{CrowdConfig, CrowdObservation, Watch};
use crate::hearing::{Arrived, Statistics};
use crate::random::{random, seed};
use crate::sequence::Sequence;
use crate::speaker::{Numbering, Speaker};

/// Who is later than this leaves the packet out, as a sound card does. Less would make losses of a busy machine's
/// hiccups, more sends bursts that the peer has to throw away.
const LATE_MAX: Duration = Duration::from_millis(200);

/// A phone that has a socket, and a call or none.
pub(super) struct Member {
    pub(super) rtp: UdpSocket,
    local: Local,
    speech: Arc<Loop>,
    watch: Watch,
    srtp: SrtpPolicy,
    call: Option<Call>,
    /// Where SRTP is put on and taken off.
    scratch: Vec<u8>,
}

/// The call of a light phone.
struct Call {
    dialog: DialogKey,
    negotiated: Negotiated,
    latch: Latch,
    security: Security,
    speaker: Speaker,
    /// What was received, once something was.
    sequence: Option<Sequence>,
    last: Option<(Instant, u16)>,
    /// There while the phone is watched.
    ear: Option<Ear>,
}

impl Member {
    /// Opens the socket of a phone that says `speech`.
    pub(super) fn new(config: &CrowdConfig, speech: Arc<Loop>) -> io::Result<Member> {
        let CrowdConfig { listen, codec, watch, srtp, .. } = *config;
        let rtp = UdpSocket::bind(SocketAddr::new(listen, 0))?;
        let local = Local {
            address: listen,
            rtp_port: rtp.local_addr()?.port(),
            // RFC 8866 §5.2 wants a number; some peers keep it in 63 bits.
            session_id: random() >> 1,
            version: 1,
            codecs: vec![codec],
            direction: Direction::SendRecv,
        };
        Ok(Member { rtp, local, speech, watch, srtp, call: None, scratch: Vec::new() })
    }

    /// Returns the call that it is in.
    pub(super) fn dialog(&self) -> Option<DialogKey> {
        self.call.as_ref().map(|call| call.dialog)
    }

    /// Takes a call, and returns the answer to its offer.
    pub(super) fn answer(&mut self, dialog: DialogKey, offer: &[u8]) -> Result<Vec<u8>, SdpError> {
        let srtp = LocalSrtp::new(self.srtp, KeySource::new(seed()));
        let mut negotiation = Negotiation::new(self.local.clone()).with_srtp(srtp);
        negotiation.let_keys_be_told(true);
        let (answer, negotiated) = negotiation.answer(offer)?;
        let mut security = Security::Clear;
        security.agree(negotiation.encryption(), Instant::now());
        let bits = random();
        let numbering = Numbering { ssrc: (bits >> 32) as u32, sequence: bits as u16, timestamp: random() as u32 };
        self.call = Some(Call {
            dialog,
            negotiated,
            latch: Latch::new(negotiated.remote_rtp),
            security,
            speaker: Speaker::new(Arc::clone(&self.speech), negotiated.format, numbering),
            sequence: None,
            last: None,
            ear: None,
        });
        Ok(answer.into_bytes())
    }

    /// Takes in that a call is over, and says whether it was this phone's and sound had arrived in it.
    pub(super) fn end(&mut self, dialog: DialogKey) -> bool {
        let ended = self.call.take_if(|call| call.dialog == dialog);
        ended.is_some_and(|call| call.sequence.is_some())
    }

    /// Sends the packet of this tick, if it is in a call, and says whether it went out.
    pub(super) fn speak(&mut self, late: Duration) -> bool {
        let Some(call) = &mut self.call else { return false };
        if late > LATE_MAX || !call.negotiated.remote_listens {
            call.speaker.pause();
            return false;
        }
        let packet = call.security.protect(call.speaker.speak(), &mut self.scratch);
        // What the system does not take is lost, as on a network.
        packet.is_ok_and(|packet| self.rtp.send_to(packet, call.latch.destination()).is_ok())
    }

    /// Reads what has arrived at the n-th phone, this one, and says whether there is news in it.
    pub(super) fn receive(&mut self, n: usize, datagram: &mut [u8], observation: &mut CrowdObservation) -> bool {
        let mut is_news = false;
        while let Ok((length, from)) = self.rtp.recv_from(datagram) {
            let arrival = Instant::now();
            let Some(call) = &mut self.call else { continue };
            let Ok(bytes) = call.security.unprotect(&datagram[..length], &mut self.scratch) else { continue };
            let Ok(packet) = Packet::parse(bytes) else { continue };
            let is_sound = packet.payload_type == call.negotiated.format.payload_type;
            if is_sound && call.latch.admit(from, true, arrival).is_admitted() {
                is_news |= call.count(&packet, arrival, observation);
                is_news |= call.listen(&packet, arrival, n, self.watch, observation);
            }
        }
        is_news
    }
}

impl Call {
    /// Counts a packet, and says whether it is the first one.
    fn count(&mut self, packet: &Packet<'_>, arrival: Instant, observation: &mut CrowdObservation) -> bool {
        let clock_rate_hz = self.negotiated.format.codec.clock_rate();
        let Packet { ssrc, sequence, timestamp, .. } = *packet;
        let arrived = Arrived { arrival, ssrc, sequence, timestamp, clock_rate_hz };
        let traffic = &mut observation.traffic;
        traffic.received += 1;
        if let Some((last_arrival, last_sequence)) = self.last.replace((arrival, sequence))
            && sequence == last_sequence.wrapping_add(1)
        {
            traffic.deviations.enter((arrival - last_arrival).abs_diff(TICK));
        }
        let Some(known) = &mut self.sequence else {
            self.sequence = Some(Sequence::new(&arrived));
            observation.reached += 1;
            return true;
        };
        let mut counts = Statistics { lost: traffic.lost, ..Statistics::default() };
        known.take(&arrived, &mut counts);
        traffic.lost = counts.lost;
        false
    }

    /// Listens for the tone if the phone is watched, and says whether it has just begun or ended.
    fn listen(
        &mut self,
        packet: &Packet<'_>,
        arrival: Instant,
        n: usize,
        watch: Watch,
        observation: &mut CrowdObservation,
    ) -> bool {
        let watched = &mut observation.watched[n];
        if !watched.is_on() {
            self.ear = None;
            return false;
        }
        let codec = self.negotiated.format.codec;
        let ear = self.ear.get_or_insert_with(|| Ear::new(Decoder::new(codec), watch));
        watched.hear(ear.hears(packet.payload), arrival)
    }
}
