//! A handshake between two of us over a network that does with each datagram what the script says: whatever it does, both
//! sides agree on the same keys or have none, it ends in time, and little is said.
//!
//! A step of the script is two bytes: what is done (pass, lose, send twice, change a byte, cut, put something else before
//! it), and with what. When the script is over everything passes.

use std::time::{Duration, Instant};

use edge::dtls::{Association, Certificate, HANDSHAKE_MAX, Role, Status, Terms};

const PACKET: [u8; 16] = [0x80, 8, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

/// More datagrams than these are never sent: two sides, six times four flights of a few datagrams, and their answers.
const SENT_MAX: usize = 400;

pub(crate) fn run(script: &[u8]) {
    let begin = Instant::now();
    let [client, server] = [(); 2].map(|()| Certificate::generate().expect("there is randomness"));
    let terms = |role, ours: &Certificate, theirs: &Certificate| Terms {
        certificate: ours.clone(),
        role,
        fingerprints: vec![theirs.fingerprint().clone()],
        tls_id: String::new(),
        remote_tls_id: None,
    };
    let terms = [terms(Role::Client, &client, &server), terms(Role::Server, &server, &client)];
    let mut peers = terms.map(|terms| Association::new(&terms, begin));
    let (mut now, mut steps, mut sent) = (begin, script.chunks_exact(2), 0);
    while now <= begin + 2 * HANDSHAKE_MAX {
        while let Some((to, datagram)) = next(&mut peers) {
            sent += 1;
            assert!(sent <= SENT_MAX, "a flood");
            let (what, with) = steps.next().map_or((0, 0), |step| (step[0], step[1]));
            for datagram in treated(datagram, what, with) {
                peers[to].receive(&datagram, now);
            }
        }
        now += Duration::from_millis(50);
        for peer in &mut peers {
            if peer.deadline().is_some_and(|deadline| deadline <= now) {
                peer.expire(now);
            }
        }
    }
    let status = peers.each_ref().map(Association::status);
    assert!(!status.contains(&Status::Pending), "every handshake ends: {status:?}");
    if status == [Status::Keyed; 2] {
        let (mut sealed, mut opened) = (Vec::new(), Vec::new());
        peers[0].protect(&PACKET, &mut sealed).expect("it has keys");
        peers[1].unprotect(&sealed, &mut opened).expect("they are the same");
    }
}

/// The next datagram that one of them sends, and to whom.
fn next(peers: &mut [Association; 2]) -> Option<(usize, Vec<u8>)> {
    let [client, server] = peers;
    let of_client = client.poll_transmit().map(|datagram| (1, datagram));
    of_client.or_else(|| server.poll_transmit().map(|datagram| (0, datagram)))
}

fn treated(mut datagram: Vec<u8>, what: u8, with: u8) -> Vec<Vec<u8>> {
    let at = usize::from(with) * datagram.len() / 256;
    match what % 6 {
        0 => vec![datagram],
        1 => Vec::new(),
        2 => vec![datagram.clone(), datagram],
        3 => {
            datagram[at] ^= 1 << (what / 6 % 8);
            vec![datagram]
        }
        4 => vec![datagram[..at].to_vec()],
        _ => vec![vec![what, with], datagram],
    }
}
