//! The thread of a phone: it owns the sockets, the SIP endpoint and the call, and sleeps until there is something to do.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use edge::dtls::Certificate;
use edge::sdp::{Direction, Local, LocalSrtp};
use edge::sip::{DialogKey, Endpoint, RegistrationKey};
use edge::srtp::KeySource;
use media::{Codec, Loop};
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::call::Call;
use crate::config::Config;
use crate::manner::Manner;
use crate::phone::{Command, Shared};
use crate::random::{random, seed};
use crate::sockets::SipSockets;
use crate::speaker::encode;
use crate::voice::Voice;

const RTP: Token = Token(1);
const WAKER: Token = Token(2);

/// How many sockets can tell at once that they are ready; the others tell in the next turn.
const EVENTS_PER_TURN: usize = 64;

/// The longest datagram there is.
const DATAGRAM_MAX_BYTES: usize = 65_535;

/// How long a phone that is switched off waits for the registrar to let it go.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// How long it goes on at least. Its BYE may have to wait for the peer's ACK (RFC 3261 §15), which on the loopback takes
/// a few milliseconds. Less may leave the peer in the call.
const FAREWELL_MIN: Duration = Duration::from_millis(50);

/// The phone's only registration.
pub(crate) const REGISTRATION: RegistrationKey = RegistrationKey(1);

/// A phone's thread, with everything it owns.
pub(crate) struct Agent {
    pub(crate) config: Config,
    pub(crate) shared: Arc<Shared>,
    pub(crate) endpoint: Endpoint,
    pub(crate) sockets: SipSockets,
    pub(crate) call: Option<Call>,
    pub(crate) voice: Option<Voice>,
    pub(crate) manner: Manner,
    orders: Receiver<Command>,
    rtp: UdpSocket,
    rtp_port: u16,
    poll: Poll,
    next_dialog: u64,
    /// What the phone says, in the codecs it was needed in.
    speech: HashMap<Codec, Arc<Loop>>,
    /// Who the phone is in handshakes.
    certificate: Certificate,
    /// Who it is in fact, if it is an impostor.
    pub(crate) impostor: Option<Certificate>,
    /// When the phone was switched off.
    farewell: Option<Instant>,
    /// Whether it is gone without a word.
    has_vanished: bool,
    datagram: Vec<u8>,
}

impl Agent {
    /// Opens the sockets. The thread is not running yet; the waker tells it of orders.
    pub(crate) fn new(
        config: Config,
        shared: Arc<Shared>,
        orders: Receiver<Command>,
    ) -> io::Result<(Agent, Arc<Waker>)> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let sockets =
            SipSockets::open(config.transport, config.listen, config.tls.clone(), poll.registry().try_clone()?)?;
        let mut rtp = UdpSocket::bind(SocketAddr::new(config.listen, 0))?;
        poll.registry().register(&mut rtp, RTP, Interest::READABLE)?;
        let rtp_port = rtp.local_addr()?.port();
        let settings = edge::sip::Config {
            user_agent: "Fermata scripted phone".to_owned(),
            session_expires: config.session_expires,
            session_expires_min: Duration::from_secs(1),
            ..edge::sip::Config::new(sockets.local())
        };
        let certificate = || Certificate::generate().map_err(io::Error::other);
        let impostor = config.is_impostor.then(certificate);
        let agent = Agent {
            endpoint: Endpoint::new(settings, seed()),
            config,
            shared,
            sockets,
            call: None,
            voice: None,
            manner: Manner::default(),
            orders,
            rtp,
            rtp_port,
            poll,
            next_dialog: 1,
            speech: HashMap::new(),
            certificate: certificate()?,
            impostor: impostor.transpose()?,
            farewell: None,
            has_vanished: false,
            datagram: vec![0; DATAGRAM_MAX_BYTES],
        };
        Ok((agent, waker))
    }

    /// Returns the SIP address.
    pub(crate) fn local(&self) -> SocketAddr {
        self.sockets.local()
    }

    /// Returns the RTP address.
    pub(crate) fn rtp_address(&self) -> SocketAddr {
        SocketAddr::new(self.config.listen, self.rtp_port)
    }

    /// Runs the phone until it is switched off.
    pub(crate) fn run(mut self) {
        let mut ready = Events::with_capacity(EVENTS_PER_TURN);
        self.register();
        self.settle();
        while !self.is_done() {
            let timeout = self.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
            // An interrupted wait is a turn without events; any other failure would be a programming error.
            let _ = self.poll.poll(&mut ready, timeout);
            // RTP first: its times of arrival are what the phone is for.
            self.receive_rtp();
            for event in &ready {
                self.sockets.ready(event.token(), &mut self.endpoint);
            }
            self.obey();
            if self.has_vanished {
                return;
            }
            self.meet_deadlines();
            self.settle();
        }
    }

    /// Says whether the phone has been switched off and only says goodbye.
    pub(crate) fn is_leaving(&self) -> bool {
        self.farewell.is_some()
    }

    fn is_done(&self) -> bool {
        let Some(farewell) = &self.farewell else { return false };
        let waited = farewell.elapsed();
        let has_left = self.call.is_none() && !self.shared.lock().is_registered();
        waited >= if has_left { FAREWELL_MIN } else { FAREWELL_MAX }
    }

    fn deadline(&self) -> Option<Instant> {
        let voice = self.voice.as_ref().map(Voice::deadline);
        let answer = self.call.as_ref().and_then(Call::answer_at);
        // Switched off, the phone looks often whether it may go.
        let farewell = self.farewell.map(|_| Instant::now() + FAREWELL_MIN);
        [self.endpoint.deadline(), voice, answer, farewell].into_iter().flatten().min()
    }

    fn meet_deadlines(&mut self) {
        let now = Instant::now();
        if self.endpoint.deadline().is_some_and(|deadline| deadline <= now) {
            self.endpoint.expire(now);
        }
        if self.call.as_ref().and_then(Call::answer_at).is_some_and(|answer_at| answer_at <= now) {
            self.pick_up(now);
        }
        // Also a wish that had to wait: in a call there is a turn at least every 20 ms.
        self.offer_wish(now);
        self.speak(now);
    }

    /// Drains the endpoint: its news may make more messages, and a message that cannot be sent may make news.
    pub(crate) fn settle(&mut self) {
        loop {
            if let Some(transmit) = self.endpoint.poll_transmit() {
                self.sockets.send(&transmit, &mut self.endpoint);
            } else if let Some(event) = self.endpoint.poll_event() {
                self.take_news(event, Instant::now());
            } else {
                return;
            }
        }
    }

    fn receive_rtp(&mut self) {
        while let Ok((length, from)) = self.rtp.recv_from(&mut self.datagram) {
            let arrival = Instant::now();
            let Some(voice) = &mut self.voice else { continue };
            let bytes = &self.datagram[..length];
            self.shared.change(|observation| voice.receive(bytes, from, arrival, &mut observation.hearing));
        }
    }

    fn speak(&mut self, now: Instant) {
        let Some(voice) = &mut self.voice else { return };
        voice.shake(now, |datagram, to| self.rtp.send_to(datagram, to));
        let is_encrypted = voice.is_encrypted();
        if self.shared.lock().is_encrypted != is_encrypted {
            self.shared.change(|observation| observation.is_encrypted = is_encrypted);
        }
        let sent = voice.speak(now, |packet, to| self.rtp.send_to(packet, to));
        if sent > 0 {
            self.shared.change(|observation| observation.sent += sent);
        }
    }

    fn obey(&mut self) {
        loop {
            match self.orders.try_recv() {
                Ok(command) => self.execute(command, Instant::now()),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn execute(&mut self, command: Command, now: Instant) {
        match command {
            Command::Call(target, replaces) => self.dial(target, replaces, now),
            Command::Refer(target, replaces) => self.refer(&target, replaces.as_ref(), now),
            Command::HangUp => self.hang_up(now),
            Command::Hold(hold) => self.call.iter_mut().for_each(|call| call.wish(hold)),
            Command::Renegotiate(manner) => self.manner = manner,
            Command::Speak(codecs) => {
                self.config.codecs.clone_from(&codecs);
                self.call.iter_mut().for_each(|call| call.set_codecs(codecs.clone()));
            }
            Command::Move => self.move_rtp(),
            Command::Vanish => self.has_vanished = true,
            Command::Press(key) => self.voice.iter_mut().for_each(|voice| voice.press(key)),
            Command::PressByInfo(key) => self.press_by_info(key, now),
            Command::Unregister => self.unregister(now),
            Command::SwitchOff => {
                self.hang_up(now);
                self.unregister(now);
                self.farewell.get_or_insert(now);
            }
        }
    }

    /// Takes another port for RTP. What still comes to the old one is lost, as on a phone that changes its network.
    fn move_rtp(&mut self) {
        let bound = UdpSocket::bind(SocketAddr::new(self.config.listen, 0));
        let Ok(mut rtp) = bound else { return };
        let Ok(address) = rtp.local_addr() else { return };
        if self.poll.registry().register(&mut rtp, RTP, Interest::READABLE).is_ok() {
            (self.rtp, self.rtp_port) = (rtp, address.port());
            self.call.iter_mut().for_each(|call| call.set_rtp_port(address.port()));
        }
    }

    /// Returns a key for a call of the phone's own.
    pub(crate) fn new_dialog(&mut self) -> DialogKey {
        self.next_dialog += 1;
        DialogKey(self.next_dialog)
    }

    /// Returns how the phone describes itself at the beginning of a call.
    pub(crate) fn describe(&self) -> Local {
        Local {
            address: self.config.listen,
            rtp_port: self.rtp_port,
            // RFC 8866 §5.2 wants a number; some peers keep it in 63 bits.
            session_id: random() >> 1,
            version: 1,
            codecs: self.config.codecs.clone(),
            direction: Direction::SendRecv,
        }
    }

    /// Returns whether the phone encrypts, with keys of its own for each call.
    pub(crate) fn describe_srtp(&self) -> LocalSrtp {
        let Config { srtp, suites, keys, .. } = &self.config;
        LocalSrtp::new(*srtp, KeySource::new(seed())).with_suites(suites.clone()).with_handshakes(
            self.certificate.clone(),
            keys.clone(),
            keys.clone(),
        )
    }

    /// Returns what the phone says, in a codec.
    pub(crate) fn speech_in(&mut self, codec: Codec) -> Arc<Loop> {
        let speaks = &self.config.speaks;
        Arc::clone(self.speech.entry(codec).or_insert_with(|| Arc::new(encode(speaks, codec))))
    }
}
