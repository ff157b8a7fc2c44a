//! A whole conversation with its sound, in virtual time, without a socket: who hears what, by tones.

use super::*;
use crate::prompts::{DownloadError, PromptFailure};
use call::{CallKind, ClientContext, ConversationId, Invitation, NewCall, Policy};
use edge::dtls::{Association, Certificate};
use edge::sdp::{self, Encryption, Keying, Local, LocalSrtp, Negotiation, SrtpPolicy};
use edge::srtp::{KeySource, Protection};
use media::{Decoder, Encoder, Loop, Recording, Sine, TransmitStart, tone_dbfs};
use std::time::Duration;

mod dtls;
mod early;
mod interleavings;
mod liveness;
mod looking;
mod ringing;
mod srtp;

const CALL: CallId = CallId::new(1);
const BOT: ParticipantId = ParticipantId::new(2);

/// What each phone says, in hertz: far enough apart to be told from each other in 100 ms.
const TONES: [f64; 3] = [440.0, 1010.0, 1730.0];

/// The music of the tests, in hertz.
const MUSIC: f64 = 2500.0;

/// Louder than this it is heard.
const HEARD_DBFS: f32 = -30.0;

/// Quieter than this it is not there. The noise of G.711 is some 37 dB below two tones at -15 dBFS each and spreads over
/// the whole band; -59 dBFS was measured where it gathers most.
const SILENT_DBFS: f32 = -56.0;

#[test]
fn everybody_hears_the_others_and_not_itself() {
    for codec in CODECS {
        let mut stage = Stage::with(codec, codec, codec);
        stage.run_ms(200);
        stage.forget_what_was_heard();
        stage.run_ms(400);
        stage.expect("after joining", [&[1, 2], &[0, 2], &[0, 1]]);
    }
}

#[test]
fn a_held_phone_hears_the_music_only_and_is_not_heard_from_the_next_tick_on() {
    for codec in CODECS {
        let mut stage = Stage::with(Codec::Pcmu, codec, Codec::Pcma);
        stage.run_ms(400);
        stage.hold(1);
        stage.load_music(1);
        // One tick for the change, one for the tail of the codec's own delay.
        stage.run_ms(40);
        stage.forget_what_was_heard();
        stage.run_ms(400);
        stage.expect("on hold", [&[2], &[MUSIC_OF_1], &[0]]);
        stage.unhold(1);
        stage.run_ms(200);
        stage.forget_what_was_heard();
        stage.run_ms(400);
        stage.expect("after the hold", [&[1, 2], &[0, 2], &[0, 1]]);
    }
}

#[test]
fn until_the_music_is_there_a_held_phone_gets_packets_of_silence() {
    let mut stage = Stage::with(Codec::Pcmu, Codec::Pcmu, Codec::Pcmu);
    stage.run_ms(200);
    stage.hold(1);
    stage.run_ms(40);
    stage.forget_what_was_heard();
    stage.run_ms(1000);
    stage.expect("waiting for the music", [&[2], &[], &[0]]);
    assert_eq!(stage.phones[1].packets, 50);
}

#[test]
fn a_prompt_that_fails_lets_nothing_through_and_puts_the_phone_back() {
    let mut stage = Stage::with(Codec::Pcmu, Codec::Pcmu, Codec::Pcmu);
    stage.run_ms(200);
    stage.hold(1);
    stage.run_ms(40);
    let operation = stage.operation;
    let failure = PromptFailure::Download(DownloadError::Abandoned);
    stage.session.prompt_loaded(id(1), operation, Err(failure), stage.now);
    stage.run_ms(200);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("after the failure", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn the_operation_completes_when_the_first_packet_of_music_is_out_and_not_before() {
    let mut stage = Stage::with(Codec::Pcmu, Codec::Pcmu, Codec::Pcmu);
    stage.run_ms(200);
    stage.hold(1);
    stage.run_ms(100);
    assert_eq!(stage.ended, []);
    stage.load_music(1);
    assert_eq!(stage.ended, []);
    stage.run_ms(20);
    assert_eq!(stage.ended, [(stage.operation, call::OperationStatus::Completed)]);
}

#[test]
fn a_phone_that_holds_and_resumes_during_our_hold_hears_the_music_only() {
    let mut stage = Stage::with(Codec::G722, Codec::Opus, Codec::Pcmu);
    stage.run_ms(200);
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(100);
    stage.reinvite(1, sdp::Direction::SendOnly, Codec::Opus);
    stage.run_ms(100);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("both holds", [&[2], &[], &[0]]);
    assert_eq!(stage.phones[1].packets, 0, "a phone that does not listen is sent nothing");
    stage.reinvite(1, sdp::Direction::SendRecv, Codec::Opus);
    stage.run_ms(100);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("after the phone's resume", [&[2], &[MUSIC_OF_1], &[0]]);
    stage.unhold(1);
    stage.run_ms(200);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("after our unhold", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn a_hold_of_a_phone_that_does_not_listen_completes_and_shows_when_it_resumes() {
    let mut stage = Stage::with(Codec::Pcmu, Codec::Pcmu, Codec::Pcmu);
    stage.run_ms(200);
    stage.reinvite(1, sdp::Direction::Inactive, Codec::Pcmu);
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(20);
    assert_eq!(stage.ended, [(stage.operation, call::OperationStatus::Completed)]);
    stage.reinvite(1, sdp::Direction::SendRecv, Codec::Pcmu);
    stage.run_ms(100);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("after the phone's resume", [&[2], &[MUSIC_OF_1], &[0]]);
}

#[test]
fn a_change_of_codec_during_a_hold_opens_nothing() {
    let mut stage = Stage::with(Codec::Pcmu, Codec::Pcmu, Codec::Pcmu);
    stage.run_ms(200);
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(100);
    stage.reinvite(1, sdp::Direction::SendRecv, Codec::G722);
    stage.forget_what_was_heard();
    stage.run_ms(200);
    stage.expect("until the music is there in the new codec", [&[2], &[], &[0]]);
    stage.load_music(1);
    stage.run_ms(100);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("in the new codec", [&[2], &[MUSIC_OF_1], &[0]]);
}

#[test]
fn a_hundred_holds_leave_everything_as_it_was() {
    let mut stage = Stage::with(Codec::Pcmu, Codec::G722, Codec::Pcma);
    stage.run_ms(200);
    for _ in 0..100 {
        stage.hold(1);
        stage.load_music(1);
        stage.run_ms(60);
        stage.unhold(1);
        stage.run_ms(60);
    }
    assert_eq!(stage.ended.len(), 200);
    stage.run_ms(100);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("after a hundred holds", [&[1, 2], &[0, 2], &[0, 1]]);
}

/// In a list of who is heard: the music of phone 1.
const MUSIC_OF_1: usize = 3;

const CODECS: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

/// A session with three phones around it.
struct Stage {
    session: Session,
    /// Who the server is in handshakes.
    certificate: Certificate,
    phones: Vec<Phone>,
    now: Instant,
    operation: OperationId,
    operations: u128,
    ended: Vec<(OperationId, call::OperationStatus)>,
    /// Whose legs were closed.
    closed: Vec<ParticipantId>,
}

/// A phone as the session sees it: packets.
struct Phone {
    participant: ParticipantId,
    address: SocketAddr,
    negotiation: Negotiation,
    protection: Option<Protection>,
    /// Keeps its keys, if a handshake makes them.
    association: Option<Association>,
    encoder: Encoder,
    encoder_codec: Codec,
    decoder: Decoder,
    sine: Sine,
    sequence: u16,
    heard: Vec<i16>,
    packets: usize,
}

impl Stage {
    fn with(first: Codec, second: Codec, third: Codec) -> Self {
        Stage::of([first, second, third].map(|codec| (codec, SrtpPolicy::Off)))
    }

    fn of(joining: [(Codec, SrtpPolicy); 3]) -> Self {
        let mut stage = Stage::empty();
        for (n, (codec, srtp)) in joining.into_iter().enumerate() {
            stage.join(n, codec, srtp, Keying::Sdes);
        }
        stage
    }

    /// A session that calls three phones, of which none has answered.
    fn empty() -> Self {
        let now = Instant::now();
        let target = |n: usize| Invitation::new(id(n), Identity::user(n.to_string(), None));
        let call = NewCall {
            id: CALL,
            participant: BOT,
            application: Identity::application("app", None),
            kind: CallKind::Group,
            targets: (0..3).map(target).collect(),
        };
        let conversation = Conversation::create(ConversationId::new(9), Policy::default(), call, now);
        let clock = WallClock::new(now, std::time::SystemTime::UNIX_EPOCH);
        let ledgers = Some(LedgerLimits { intervals_max: 200, audio: Duration::from_secs(1) });
        let session = Session::new(conversation, Settings { probe_after: None, ledgers, clock });
        let operation = OperationId::new(0);
        let (certificate, phones) = (Certificate::generate().expect("there is randomness"), Vec::new());
        let (operations, ended, closed) = (0, Vec::new(), Vec::new());
        let mut stage = Self { session, certificate, phones, now, operation, operations, ended, closed };
        stage.drain();
        stage
    }

    fn join(&mut self, n: usize, codec: Codec, srtp: SrtpPolicy, keying: Keying) {
        let answer = self.call(n, codec, srtp, keying);
        self.session.answered(id(n), answer.as_bytes(), self.now);
        self.drain();
    }

    /// Calls a phone; it returns its answer, which the session has not got yet.
    fn call(&mut self, n: usize, codec: Codec, srtp: SrtpPolicy, keying: Keying) -> String {
        let ours = SocketAddr::from(([127, 0, 0, 1], 20_000 + 2 * n as u16));
        let transmit = TransmitStart { ssrc: n as u32, sequence: 65_500, timestamp: u32::MAX - 5_000 };
        let random = LegRandom { transmit, session_id: 7 };
        let certificate = self.certificate.clone();
        let ours_srtp = LocalSrtp::new(srtp, KeySource::new([n as u8; 32])).with_handshakes(
            certificate,
            vec![Keying::Sdes, Keying::Dtls],
            vec![Keying::Sdes, Keying::Dtls],
        );
        let offers = self.session.leg_opened(id(n), ours, random, ours_srtp).expect("it was to be called");
        let address = SocketAddr::from(([127, 0, 0, 1], 30_000 + 2 * n as u16));
        let local = local(address, codec, sdp::Direction::SendRecv);
        let keys = KeySource::new([100 + n as u8; 32]);
        let certificate = Certificate::generate().expect("there is randomness");
        let srtp_of_phone = LocalSrtp::new(srtp, keys).with_handshakes(certificate, vec![keying], vec![keying]);
        let mut negotiation = Negotiation::new(local).with_srtp(srtp_of_phone);
        let is_encrypted = srtp != SrtpPolicy::Off;
        negotiation.let_keys_be_told(is_encrypted);
        self.session.let_keys_be_told(id(n), is_encrypted);
        let keying = is_encrypted.then_some(keying);
        self.session.sent_first(id(n), keying);
        let offer = offers.keyed(keying).expect("it is offered");
        let (answer, _) = negotiation.answer(offer.as_bytes()).expect("our own offer is good");
        self.phones.push(Phone::new(n, address, negotiation, self.now));
        answer
    }

    /// The phone offers itself anew, and must be answered.
    fn reinvite(&mut self, n: usize, direction: sdp::Direction, codec: Codec) {
        let phone = &mut self.phones[n];
        phone.negotiation.wish(direction);
        phone.negotiation.set_codecs(vec![codec]);
        let offer = phone.negotiation.offer();
        self.session.offered(phone.participant, offer.as_bytes(), self.now);
        let answer = self.drain().expect("an offer is answered");
        let phone = &mut self.phones[n];
        phone.negotiation.accept_answer(answer.as_bytes()).expect("our own answer is good");
        if phone.encoder_codec != codec {
            phone.encoder_codec = codec;
            (phone.encoder, phone.decoder) = (Encoder::new(codec), Decoder::new(codec));
            phone.sine = Sine::new(TONES[n], codec.sample_rate(), 8_000);
        }
    }

    fn hold(&mut self, n: usize) {
        self.operations += 1;
        self.operation = OperationId::new(self.operations);
        let (operation, client_context, participant, prompt) = (self.operation, context(), id(n), Prompt::BuiltIn);
        self.wish(Command::StartHoldMusic { operation, client_context, participant, prompt });
    }

    fn unhold(&mut self, n: usize) {
        self.operations += 1;
        let (operation, client_context) = (OperationId::new(self.operations), context());
        self.wish(Command::StopHoldMusic { operation, client_context, participant: id(n) });
    }

    fn wish(&mut self, command: Command) {
        self.session.execute(CALL, command, None, self.now).expect("accepted");
        self.drain();
    }

    /// The music arrives, in the codec of the phone.
    fn load_music(&mut self, n: usize) {
        let codec = self.phones[n].codec();
        let samples = Sine::new(MUSIC, 48_000, 8_000).take_samples(48_000).into();
        let track = Arc::new(Loop::encode(&Recording { rate_hz: 48_000, samples }, codec));
        self.session.prompt_loaded(id(n), self.operation, Ok((codec, track)), self.now);
        self.drain();
    }

    /// Lets time pass: each tick every phone sends one packet and gets what is sent to it.
    fn run_ms(&mut self, duration_ms: u32) {
        for _ in 0..duration_ms / 20 {
            self.now += Duration::from_millis(20);
            self.shake();
            for phone in &mut self.phones {
                let packet = phone.speak();
                self.session.receive_rtp(phone.participant, phone.address, &packet, self.now);
            }
            let phones = &mut self.phones;
            self.session.tick(self.now, NtpTime::from_unix(Duration::from_secs(1)), &mut |datagram| {
                if let Some(phone) = phones.iter_mut().find(|phone| phone.address == datagram.destination) {
                    phone.receive(datagram.bytes);
                }
            });
            self.session.flushed(self.now);
            self.drain();
        }
    }

    /// Lets the handshakes go on that can, without a delay on the way.
    fn shake(&mut self) {
        loop {
            if self.session.deadline().is_some_and(|deadline| deadline <= self.now) {
                self.session.expire(self.now);
            }
            self.drain();
            let (now, mut said) = (self.now, Vec::new());
            for phone in &mut self.phones {
                let Some(association) = &mut phone.association else { continue };
                if association.deadline().is_some_and(|deadline| deadline <= now) {
                    association.expire(now);
                }
                let datagrams = std::iter::from_fn(|| association.poll_transmit());
                said.extend(datagrams.map(|datagram| (phone.participant, phone.address, datagram)));
            }
            if said.is_empty() {
                return;
            }
            for (participant, address, datagram) in said {
                self.session.receive_rtp(participant, address, &datagram, now);
            }
        }
    }

    /// Empties the outputs; returns the answer to an offer, if one is among them.
    fn drain(&mut self) -> Option<String> {
        let mut answered = None;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Notify(Notice::OperationEnded(operation)) => self.ended.push((operation.id, operation.status)),
                Output::AnswerOffer { answer, .. } | Output::AnswerEarlyOffer { answer, .. } => answered = answer,
                Output::Transmit { destination, bytes, .. } => {
                    let mut phones = self.phones.iter_mut().filter(|phone| phone.address == destination);
                    if let Some(association) = phones.next().and_then(|phone| phone.association.as_mut()) {
                        association.receive(&bytes, self.now);
                    }
                }
                Output::CloseLeg { participant, .. } => self.closed.push(participant),
                Output::OpenLeg { .. } | Output::AnswerCall { .. } => {}
                Output::Fetch { .. } | Output::TellReferrer { .. } => {}
                Output::LoadPrompt { .. } | Output::Probe { .. } | Output::Close => {}
                Output::StopRinging { .. } | Output::StopPhones { .. } | Output::SendToBrowser { .. } => {}
                Output::Notify(_) => {}
            }
        }
        answered
    }

    fn forget_what_was_heard(&mut self) {
        for phone in &mut self.phones {
            phone.heard.clear();
            phone.packets = 0;
        }
    }

    /// Everybody hears just these, in every 100 ms.
    fn expect(&self, when: &str, expected: [&[usize]; 3]) {
        for (n, phone) in self.phones.iter().enumerate() {
            let rate_hz = phone.decoder.rate_hz();
            for (part, window) in phone.heard.chunks_exact(rate_hz as usize / 10).enumerate() {
                for (source, tone) in TONES.into_iter().chain([MUSIC]).enumerate() {
                    let level = tone_dbfs(window, tone, rate_hz);
                    let heard = expected[n].contains(&source);
                    let right = if heard { level > HEARD_DBFS } else { level < SILENT_DBFS };
                    assert!(right, "{when}: phone {n}, part {part}: {tone} Hz has {level} dBFS, heard: {heard}");
                }
            }
        }
    }
}

impl Phone {
    fn new(n: usize, address: SocketAddr, negotiation: Negotiation, now: Instant) -> Self {
        let codec = negotiation.agreed().expect("it has answered").format.codec;
        Self {
            participant: id(n),
            address,
            protection: negotiation.keys().map(Protection::new),
            association: association(&negotiation, now),
            negotiation,
            encoder: Encoder::new(codec),
            encoder_codec: codec,
            decoder: Decoder::new(codec),
            sine: Sine::new(TONES[n], codec.sample_rate(), 8_000),
            sequence: 0,
            heard: Vec::new(),
            packets: 0,
        }
    }

    fn codec(&self) -> Codec {
        self.encoder_codec
    }

    fn speak(&mut self) -> Vec<u8> {
        let codec = self.codec();
        let pcm = self.sine.take_samples(codec.sample_rate() as usize / 50);
        let mut payload = Vec::new();
        self.encoder.encode(&pcm, &mut payload);
        let mut packet = Vec::new();
        self.sequence = self.sequence.wrapping_add(1);
        media::rtp::Packet {
            marker: false,
            payload_type: self.payload_type(),
            sequence: self.sequence,
            timestamp: u32::from(self.sequence) * codec.timestamp_step(),
            ssrc: 0x1234,
            payload: &payload,
        }
        .write(&mut packet);
        let mut sealed = Vec::new();
        let is_encrypted = match (&mut self.association, &mut self.protection) {
            // As long as it has no keys it speaks in clear, and is not to be heard.
            (Some(association), _) => association.protect(&packet, &mut sealed).is_ok(),
            (None, Some(protection)) => protection.protect(&packet, &mut sealed).is_ok(),
            (None, None) => false,
        };
        if is_encrypted { sealed } else { packet }
    }

    fn payload_type(&self) -> u8 {
        self.negotiation.agreed().expect("it has answered").format.payload_type
    }

    /// What comes in is of no use to a phone that cannot decrypt it.
    fn receive(&mut self, packet: &[u8]) {
        let mut plain = Vec::new();
        let is_for_us = match (&mut self.association, &mut self.protection) {
            (Some(association), _) => {
                association
                    .unprotect(packet, &mut plain)
                    .expect("nothing comes before there are keys, and nothing in clear");
                true
            }
            (None, Some(protection)) => protection.unprotect(packet, &mut plain).is_ok(),
            (None, None) => return self.hear(packet),
        };
        if is_for_us {
            self.hear(&plain);
        }
    }

    fn hear(&mut self, packet: &[u8]) {
        let packet = match media::rtp::Packet::parse(packet) {
            Err(RtpError::Rtcp { .. }) => return,
            packet => packet.expect("what we send is RTP"),
        };
        assert_eq!(packet.payload_type, self.payload_type());
        let mut frame = Vec::new();
        self.decoder.decode(packet.payload, &mut frame).expect("what we send can be decoded");
        self.heard.extend(frame);
        self.packets += 1;
    }
}

fn association(negotiation: &Negotiation, now: Instant) -> Option<Association> {
    match negotiation.encryption()? {
        Encryption::Handshake(terms) => Some(Association::new(terms, now)),
        Encryption::Keys(_) => None,
    }
}

fn local(address: SocketAddr, codec: Codec, direction: sdp::Direction) -> Local {
    Local { address: address.ip(), rtp_port: address.port(), session_id: 1, version: 1, codecs: vec![codec], direction }
}

fn id(n: usize) -> ParticipantId {
    ParticipantId::new(100 + n as u128)
}

fn context() -> ClientContext {
    ClientContext::new("context").expect("short")
}
