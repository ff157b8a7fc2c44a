//! Handshakes between two of us in virtual time: what they give, and what stops them.

use std::time::{Duration, Instant};

use edge::dtls::{
    Association, Certificate, Fingerprint, HANDSHAKE_MAX, HandshakeError, HashFunction, Role, Status, Terms,
};
use edge::srtp::SrtpError;

/// How long a datagram is on its way.
const DELAY: Duration = Duration::from_millis(20);

const PACKET: [u8; 16] = [0x80, 8, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// A client and a server, and a network that may lose what the test says.
struct Pair {
    now: Instant,
    began: Instant,
    peers: [Association; 2],
    on_the_way: Vec<(Instant, usize, Vec<u8>)>,
    sent: usize,
}

fn terms(role: Role, ours: &Certificate, theirs: &[Fingerprint]) -> Terms {
    let (certificate, fingerprints) = (ours.clone(), theirs.to_vec());
    Terms { certificate, role, fingerprints, tls_id: "a".repeat(20), remote_tls_id: None }
}

impl Pair {
    fn new() -> Pair {
        let [client, server] = [(); 2].map(|()| Certificate::generate().unwrap());
        let told = [server.fingerprint().clone(), client.fingerprint().clone()];
        Pair::telling([&client, &server], told)
    }

    /// Each is told this of the other.
    #[expect(clippy::disallowed_methods, reason = "virtual time may begin anywhere")]
    fn telling(certificates: [&Certificate; 2], told: [Fingerprint; 2]) -> Pair {
        let now = Instant::now();
        let [of_server, of_client] = told;
        let client = Association::new(&terms(Role::Client, certificates[0], &[of_server]), now);
        let server = Association::new(&terms(Role::Server, certificates[1], &[of_client]), now);
        Pair { now, began: now, peers: [client, server], on_the_way: Vec::new(), sent: 0 }
    }

    /// Runs until nothing is to be done before `until`. `is_lost` is asked with the number of each datagram.
    fn run(&mut self, until: Duration, mut is_lost: impl FnMut(usize) -> bool) {
        let end = self.began + until;
        loop {
            for from in [0, 1] {
                while let Some(datagram) = self.peers[from].poll_transmit() {
                    self.sent += 1;
                    if !is_lost(self.sent) {
                        self.on_the_way.push((self.now + DELAY, 1 - from, datagram));
                    }
                }
            }
            let arrival = self.on_the_way.iter().map(|(at, ..)| *at).min();
            let deadlines = self.peers.iter().filter_map(Association::deadline);
            let Some(next) = deadlines.chain(arrival).min().filter(|next| *next <= end) else { return };
            self.now = self.now.max(next);
            let now = self.now;
            let (arrived, waiting) = std::mem::take(&mut self.on_the_way).into_iter().partition(|(at, ..)| *at <= now);
            self.on_the_way = waiting;
            let arrived: Vec<(Instant, usize, Vec<u8>)> = arrived;
            for (_, to, datagram) in arrived {
                self.peers[to].receive(&datagram, now);
            }
            for peer in &mut self.peers {
                if peer.deadline().is_some_and(|deadline| deadline <= now) {
                    peer.expire(now);
                }
            }
        }
    }

    fn status(&self) -> [Status; 2] {
        self.peers.each_ref().map(Association::status)
    }

    /// Whether what each says reaches the other, once.
    fn are_private(&mut self) -> bool {
        [(0, 1), (1, 0)].into_iter().all(|(from, to)| {
            let (mut sealed, mut opened) = (Vec::new(), Vec::new());
            self.peers[from].protect(&PACKET, &mut sealed).is_ok()
                && sealed[12..] != PACKET[12..]
                && self.peers[to].unprotect(&sealed, &mut opened).is_ok()
                && opened == PACKET
                && self.peers[to].unprotect(&sealed, &mut opened) == Err(SrtpError::Replayed)
        })
    }
}

#[test]
fn both_get_the_same_keys() {
    let mut pair = Pair::new();
    pair.run(Duration::from_secs(1), |_| false);
    assert_eq!(pair.status(), [Status::Keyed; 2]);
    assert!(pair.are_private());
    assert!(pair.now - pair.began < Duration::from_millis(200), "some round trips and no timer");
}

#[test]
fn before_there_are_keys_nothing_is_let_through() {
    let mut pair = Pair::new();
    let mut out = Vec::new();
    for peer in &mut pair.peers {
        assert_eq!(peer.protect(&PACKET, &mut out), Err(SrtpError::NoKey));
        assert_eq!(peer.unprotect(&PACKET, &mut out), Err(SrtpError::NoKey));
        assert!(out.is_empty());
    }
    pair.run(Duration::from_millis(30), |_| false);
    assert_eq!(pair.status(), [Status::Pending; 2]);
    assert_eq!(pair.peers[1].protect(&PACKET, &mut out), Err(SrtpError::NoKey));
}

#[test]
fn whatever_one_datagram_is_lost_the_handshake_is_repeated() {
    for lost in 1..=12 {
        let mut pair = Pair::new();
        pair.run(HANDSHAKE_MAX, |number| number == lost);
        assert_eq!(pair.status(), [Status::Keyed; 2], "{lost}");
        assert!(pair.are_private(), "{lost}");
    }
}

#[test]
fn a_network_that_loses_every_third_datagram_is_good_enough() {
    let mut pair = Pair::new();
    pair.run(HANDSHAKE_MAX, |number| number % 3 == 0);
    assert_eq!(pair.status(), [Status::Keyed; 2]);
}

#[test]
fn a_handshake_without_an_answer_ends() {
    let mut pair = Pair::new();
    pair.run(2 * HANDSHAKE_MAX, |_| true);
    assert_eq!(pair.status(), [Status::Failed(HandshakeError::TimedOut); 2]);
    assert!(pair.now - pair.began <= HANDSHAKE_MAX);
    assert!(pair.sent <= 16, "a server that nobody speaks to says nothing: {}", pair.sent);
    assert!(pair.peers.iter().all(|peer| peer.deadline().is_none()), "and there is nothing left to be done");
}

#[test]
fn who_shows_another_certificate_is_refused() {
    let [client, server, other] = [(); 3].map(|()| Certificate::generate().unwrap());
    let of = |certificate: &Certificate| certificate.fingerprint().clone();
    for (told, at) in [([of(&other), of(&client)], 0), ([of(&server), of(&other)], 1)] {
        let mut pair = Pair::telling([&client, &server], told);
        pair.run(2 * HANDSHAKE_MAX, |_| false);
        let mut out = Vec::new();
        assert_eq!(pair.status()[at], Status::Failed(HandshakeError::WrongCertificate));
        assert_eq!(pair.peers[at].protect(&PACKET, &mut out), Err(SrtpError::NoKey));
        assert_eq!(pair.peers[at].unprotect(&PACKET, &mut out), Err(SrtpError::NoKey));
    }
}

#[test]
fn a_certificate_may_be_told_by_another_hash_function() {
    let [client, server] = [(); 2].map(|()| Certificate::generate().unwrap());
    let told = [&server, &client].map(|certificate| Fingerprint::of(HashFunction::Sha512, certificate.der()));
    let mut pair = Pair::telling([&client, &server], told);
    pair.run(Duration::from_secs(1), |_| false);
    assert_eq!(pair.status(), [Status::Keyed; 2]);
}

/// A record in clear.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 9, 0, body.len() as u8], body].concat()
}

/// The alert `handshake_failure`.
fn alert() -> Vec<u8> {
    record(21, &[2, 40])
}

#[test]
fn what_anybody_can_send_stops_no_handshake_and_no_sound() {
    let end_of_hello = record(22, &[14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let rubbish = [vec![], vec![22], end_of_hello, record(22, &[0xFF; 40]), record(20, &[1])];
    for step_ms in [0, 20, 40, 60, 80, 100, 500] {
        let mut pair = Pair::new();
        pair.run(Duration::from_millis(step_ms), |_| false);
        let now = pair.now;
        for datagram in &rubbish {
            pair.peers.iter_mut().for_each(|peer| peer.receive(datagram, now));
        }
        pair.run(HANDSHAKE_MAX, |_| false);
        assert_eq!(pair.status(), [Status::Keyed; 2], "after {step_ms} ms");
        assert!(pair.are_private());
    }
}

#[test]
fn an_alert_ends_a_handshake_that_is_under_way_and_nothing_else() {
    let client_after = |step_ms| {
        let mut pair = Pair::new();
        pair.run(Duration::from_millis(step_ms), |_| false);
        let now = pair.now;
        pair.peers.iter_mut().for_each(|peer| peer.receive(&alert(), now));
        pair.run(2 * HANDSHAKE_MAX, |_| false);
        pair.status()[0]
    };
    assert_eq!(client_after(0), Status::Keyed, "before it has begun");
    assert_eq!(client_after(50), Status::Failed(HandshakeError::Protocol));
    assert_eq!(client_after(500), Status::Keyed, "after it, alerts are encrypted");
}

#[test]
fn a_peer_that_is_no_server_is_waited_for_no_longer_than_one_that_is_silent() {
    let mut pair = Pair::new();
    pair.run(Duration::from_millis(10), |_| true);
    let mut now = pair.now;
    while pair.peers[0].status() == Status::Pending {
        now += Duration::from_millis(100);
        pair.peers[0].receive(&[0x80; 40], now);
        pair.peers[0].expire(now);
    }
    assert_eq!(pair.peers[0].status(), Status::Failed(HandshakeError::TimedOut));
    assert!(now - pair.began <= HANDSHAKE_MAX + Duration::from_millis(200));
}

#[test]
fn nothing_secret_is_printed() {
    let mut pair = Pair::new();
    pair.run(Duration::from_secs(1), |_| false);
    assert_eq!(format!("{:?}", pair.peers[0]), "Association { role: Client, status: Keyed, .. }");
}
