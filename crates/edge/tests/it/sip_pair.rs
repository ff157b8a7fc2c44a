//! Two endpoints, alice and bob, over a seeded network in virtual time.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use edge::sip::{
    Config, Destination, DialogKey, Endpoint, Event, Flow, Invite, Message, NameAddr, Transmit, Transport, Uri,
};

/// The key of the first call that bob gets.
pub(crate) const BOBS: DialogKey = DialogKey::INCOMING;
/// The key of the call that alice makes.
pub(crate) const ALICES: DialogKey = DialogKey(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Alice,
    Bob,
}

/// What the network does to datagrams. TCP only gets chunks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) loss_percent: u64,
    pub(crate) duplicate_percent: u64,
    pub(crate) delay_ms_max: u64,
}

pub(crate) const CALM: Weather = Weather { loss_percent: 0, duplicate_percent: 0, delay_ms_max: 0 };

pub(crate) struct Pair {
    pub(crate) alice: Endpoint,
    pub(crate) bob: Endpoint,
    pub(crate) now: Instant,
    pub(crate) weather: Weather,
    pub(crate) alice_events: Vec<Event>,
    pub(crate) bob_events: Vec<Event>,
    /// Bob answers calls, and both answer offers, with "answer"; who is asked for an offer makes a "late offer".
    pub(crate) is_obliging: bool,
    /// Loses the messages whose line in the trace it returns true for.
    pub(crate) loses: Box<dyn FnMut(&str) -> bool>,
    pub(crate) trace: Vec<String>,
    /// What was sent, also when it was lost.
    pub(crate) transmits: Vec<Transmit>,
    on_the_way: BTreeMap<(Instant, u64), (Flow, Vec<u8>)>,
    random: Random,
    sent: u64,
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Pair {
        Pair::with(seed, |_, _| {})
    }

    pub(crate) fn with(seed: u64, configure: impl Fn(Side, &mut Config)) -> Pair {
        let make = |side: Side, seed: u8| {
            let mut config = Config::new(address(side));
            configure(side, &mut config);
            Endpoint::new(config, [seed; 32])
        };
        let seed_byte = u8::try_from(seed % 100).unwrap();
        Pair {
            alice: make(Side::Alice, seed_byte),
            bob: make(Side::Bob, seed_byte + 100),
            now: start(),
            weather: CALM,
            alice_events: Vec::new(),
            bob_events: Vec::new(),
            is_obliging: true,
            loses: Box::new(|_| false),
            trace: Vec::new(),
            transmits: Vec::new(),
            on_the_way: BTreeMap::new(),
            random: Random(seed + 1),
            sent: 0,
        }
    }

    /// A call that is up.
    pub(crate) fn talking(seed: u64) -> Pair {
        Pair::talking_with(seed, |_, _| {})
    }

    /// A call that is up between endpoints of such settings.
    pub(crate) fn talking_with(seed: u64, configure: impl Fn(Side, &mut Config)) -> Pair {
        let mut pair = Pair::with(seed, configure);
        pair.call();
        pair.drive(Duration::from_secs(1));
        assert!(pair.alice_events.iter().any(|event| matches!(event, Event::Answered { .. })));
        pair.alice_events.clear();
        pair.bob_events.clear();
        pair.trace.clear();
        pair
    }

    pub(crate) fn call(&mut self) {
        self.alice.invite(ALICES, invite(), self.now);
    }

    /// Lets time pass, message by message and timer by timer.
    pub(crate) fn drive(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.drain();
            let arrival = self.on_the_way.keys().next().map(|(at, _)| *at);
            let next = [arrival, self.alice.deadline(), self.bob.deadline()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.now = self.now.max(next);
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        if let Some(entry) = self.on_the_way.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (flow, bytes) = entry.remove();
            return self.deliver(flow, &bytes);
        }
        self.alice.expire(self.now);
        self.bob.expire(self.now);
    }

    fn deliver(&mut self, flow: Flow, bytes: &[u8]) {
        let endpoint = if flow.local.ip() == address(Side::Alice).ip() { &mut self.alice } else { &mut self.bob };
        match flow.transport {
            Transport::Udp => endpoint.receive(flow, bytes, self.now),
            Transport::Tcp | Transport::Tls => {
                let middle = usize::try_from(self.random.below(bytes.len() as u64)).unwrap();
                endpoint.receive(flow, &bytes[..middle], self.now);
                endpoint.receive(flow, &bytes[middle..], self.now);
            }
        }
    }

    /// Moves what the endpoints want to send to the network, and reads their news.
    pub(crate) fn drain(&mut self) {
        loop {
            while let Some(transmit) = self.alice.poll_transmit() {
                self.send(Side::Alice, transmit);
            }
            while let Some(transmit) = self.bob.poll_transmit() {
                self.send(Side::Bob, transmit);
            }
            let (alice, bob) = (self.alice.poll_event(), self.bob.poll_event());
            if alice.is_none() && bob.is_none() {
                return;
            }
            for (side, event) in [(Side::Alice, alice), (Side::Bob, bob)] {
                if let Some(event) = event {
                    self.observe(side, event);
                }
            }
        }
    }

    fn observe(&mut self, side: Side, event: Event) {
        let (endpoint, events) = match side {
            Side::Alice => (&mut self.alice, &mut self.alice_events),
            Side::Bob => (&mut self.bob, &mut self.bob_events),
        };
        match event {
            Event::Incoming { dialog, .. } if self.is_obliging => {
                endpoint.ring(dialog, self.now);
                endpoint.accept(dialog, b"answer".to_vec(), self.now);
            }
            Event::Offered { dialog, .. } if self.is_obliging => {
                endpoint.answer_offer(dialog, Ok(b"answer".to_vec()), self.now);
            }
            Event::OfferWanted { dialog } if self.is_obliging => {
                endpoint.answer_offer(dialog, Ok(b"late offer".to_vec()), self.now);
            }
            _ => {}
        }
        events.push(event);
    }

    fn send(&mut self, from: Side, transmit: Transmit) {
        let label = self.label(from, &transmit.bytes);
        let is_udp = transmit.destination.transport() == Transport::Udp;
        let is_lost = (self.loses)(&label) || is_udp && self.random.below(100) < self.weather.loss_percent;
        self.transmits.push(transmit.clone());
        self.trace.push(if is_lost { format!("{label} (lost)") } else { label });
        if is_lost {
            return;
        }
        let copies = 1 + u32::from(is_udp && self.random.below(100) < self.weather.duplicate_percent);
        for _ in 0..copies {
            let delay = if is_udp { self.random.below(self.weather.delay_ms_max + 1) } else { 0 };
            self.sent += 1;
            let at = self.now + Duration::from_millis(delay);
            self.on_the_way.insert((at, self.sent), (arrival_flow(from, transmit.destination), transmit.bytes.clone()));
        }
    }

    fn label(&self, from: Side, bytes: &[u8]) -> String {
        let name = if from == Side::Alice { "alice" } else { "bob" };
        let what = match Message::parse(bytes) {
            Ok(Message::Request(request)) => request.method.to_string(),
            Ok(Message::Response(response)) => {
                let cseq = response.headers.first(&edge::sip::Name::CSeq).unwrap_or("? ?");
                format!("{} {}", response.status.code(), cseq.split(' ').nth(1).unwrap_or(""))
            }
            Err(error) => error.to_string(),
        };
        format!("{name}: {what}")
    }

    /// Takes the trace as text, one message a line.
    pub(crate) fn take_trace(&mut self) -> String {
        self.drain();
        self.trace.drain(..).map(|line| line + "\n").collect()
    }

    pub(crate) fn assert_idle(&self) {
        assert!(self.alice.is_idle(), "alice keeps state");
        assert!(self.bob.is_idle(), "bob keeps state");
    }
}

pub(crate) fn invite() -> Invite {
    Invite {
        target: "sip:bob@192.0.2.2:5060".parse().unwrap(),
        destination: None,
        from: NameAddr::new("sip:alice@192.0.2.1:5060".parse::<Uri>().unwrap()).named("Alice"),
        to: None,
        asserted: None,
        offer: b"offer".to_vec(),
        credentials: None,
        ring_timeout: Duration::from_secs(60),
        silence_max: None,
        replaces: None,
    }
}

pub(crate) fn address(side: Side) -> SocketAddr {
    let ip: IpAddr = match side {
        Side::Alice => [192, 0, 2, 1].into(),
        Side::Bob => [192, 0, 2, 2].into(),
    };
    SocketAddr::new(ip, 5060)
}

#[expect(clippy::disallowed_methods, reason = "virtual time has to begin somewhere")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// A connection is opened from port 40000 of the sender.
fn arrival_flow(from: Side, destination: Destination) -> Flow {
    match destination {
        Destination::Flow(flow) => Flow { local: flow.remote, remote: flow.local, ..flow },
        Destination::Address { transport: Transport::Udp, remote } => {
            Flow { transport: Transport::Udp, local: remote, remote: address(from) }
        }
        Destination::Address { transport: transport @ (Transport::Tcp | Transport::Tls), remote } => {
            let opened = SocketAddr::new(address(from).ip(), 40_000);
            Flow { transport, local: remote, remote: opened }
        }
    }
}

/// SplitMix64: small, seeded, the same everywhere.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}
