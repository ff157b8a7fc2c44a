//! The server is killed at random moments of a busy life, again and again. After each restart every bot has been told
//! how everything ended that it was promised, in order, once, and nothing that is not so.
//!
//! ```text
//!  start ─► load: calls, holds, invitations … ─► a moment, and up to 30 ms ─► kill -9 ─► restart ─► all is told ─► judge
//!              ▲                                                                                            │
//!              └────────────────────────────── the same data, the next round ◄──────────────────────────────┘
//! ```
//!
//! `FERMATA_KILL_ROUNDS` says how many rounds there are, `FERMATA_KILL_SEED` which ones.

mod actor;
mod book;
mod desk;
mod fate;
mod judge;

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use phone::{Codec, Crowd, CrowdConfig, SrtpPolicy, Watch};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Belief, Bot, PATIENCE, Server, stage};
use actor::{Actor, PHONES_PER_ACTOR};
use book::Book;
use desk::Desk;
use fate::{Fate, Moment};
use judge::{Figures, is_settled, judge};

/// How many rounds there are unless somebody wants more: half a minute.
const ROUNDS_DEFAULT: u64 = 12;

/// How many bots call and hold at a time. They keep two cores busy, with room for the server.
const ACTORS: usize = 5;

/// The longest that a round waits for its moment; it ends in any case.
const LOAD_MAX: Duration = Duration::from_millis(1500);

/// How often who waits for a datagram looks whether the round is over.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What everybody in a round shares.
struct Round {
    fate: Arc<Fate>,
    crowd: Crowd,
    book: Arc<Book>,
    /// Where notifications go and prompts come from.
    desk: String,
    /// The address of a phone that is there and never says a word.
    silent_uri: String,
}

#[test]
fn a_bot_is_told_the_truth_whenever_the_server_is_killed() {
    let _stage = stage();
    let rounds = from_environment("FERMATA_KILL_ROUNDS").unwrap_or(ROUNDS_DEFAULT);
    let first_seed = from_environment("FERMATA_KILL_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    let (book, silent) = (Arc::new(Book::default()), silent_phone());
    let desk = Desk::open(&book);
    let mut server = Server::start();
    let mut bots = [Bot::of(&server), Bot::of_another_application(&server)];
    let mut figures = Figures::default();
    for seed in first_seed..first_seed + rounds {
        let fate = Arc::new(Fate::new(seed));
        println!("FERMATA_KILL_SEED={seed} {fate}");
        desk.serve(&fate);
        let round = Round { fate, crowd: crowd(), book: Arc::clone(&book), desk: desk.url(), silent_uri: uri(&silent) };
        let asked_before = book.read(|pages| pages.requests.len());
        let (restarted, killed) = live_and_die(&round, &bots, &silent, seed, server, &desk);
        server = restarted;
        let is_settled = book.wait_until(PATIENCE, |pages| is_settled(&pages.since(asked_before)));
        let pages = book.read(|pages| pages.since(asked_before));
        figures += judge(&pages, killed).unwrap_or_else(|complaint| {
            let timeline = pages.timeline(complaint.call.as_deref(), killed);
            panic!("FERMATA_KILL_SEED={seed} {}: {}\n{timeline}", round.fate, complaint.what)
        });
        assert!(is_settled, "FERMATA_KILL_SEED={seed}: nothing is wrong, and not everything is told");
        for bot in &mut bots {
            bot.follow(&server);
            let alive = bot.ask(Method::GET, "/v1.0/communications/calls").body;
            assert_eq!(alive["value"], json!([]), "FERMATA_KILL_SEED={seed}: a call outlived the server");
        }
    }
    Belief::of(&book.read(|pages| pages.notices()));
    println!("{rounds} rounds: {figures:#?}");
}

/// Puts load on the server until the moment that the fate has chosen, kills it and starts it again. Returns the new one,
/// and when the old one was killed.
fn live_and_die(
    round: &Round,
    bots: &[Bot; 2],
    silent: &UdpSocket,
    seed: u64,
    server: Server,
    desk: &Desk,
) -> (Server, Instant) {
    thread::scope(|scope| {
        scope.spawn(|| count_invitations(silent, &round.fate));
        for n in 0..ACTORS {
            scope.spawn(move || Actor::new(n, seed, round, &bots[n % bots.len()]).live());
        }
        round.fate.wait(LOAD_MAX);
        let killed = Instant::now();
        let restart = server.kill_and_restart_after(|| {
            round.fate.strike();
            round.book.wake();
            // What the old one has sent must not come after what the new one sends.
            desk.wait_until_quiet();
        });
        (restart, killed)
    })
}

fn crowd() -> Crowd {
    let config = CrowdConfig {
        listen: Ipv4Addr::LOCALHOST.into(),
        phones: ACTORS * PHONES_PER_ACTOR,
        codec: Codec::Pcmu,
        tones_hz: vec![300],
        level_dbfs: -20.0,
        // Nobody is watched.
        watch: Watch { tone_hz: 1000, level_min_dbfs: -20.0 },
        srtp: SrtpPolicy::Off,
    };
    Crowd::start(config).expect("there are sockets for the phones")
}

fn silent_phone() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    socket.set_read_timeout(Some(LOOK_EVERY)).expect("a socket can time out");
    socket
}

fn uri(silent: &UdpSocket) -> String {
    format!("sip:silent@{}", silent.local_addr().expect("it is bound"))
}

/// Counts what comes to the silent phone until the server is killed.
fn count_invitations(silent: &UdpSocket, fate: &Fate) {
    let mut datagram = [0; 2048];
    while !fate.is_struck() {
        if silent.recv(&mut datagram).is_ok() {
            fate.happens(Moment::Invited);
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}
