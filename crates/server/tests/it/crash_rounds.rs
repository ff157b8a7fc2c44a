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

use phone::{Codec, Crowd, CrowdConfig, Speech, SrtpPolicy, Watch};
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

/// What is there for all rounds.
struct Scene {
    book: Arc<Book>,
    desk: Desk,
    /// A phone that is there and never says a word.
    silent: UdpSocket,
}

/// What everybody in a round shares.
struct Round {
    seed: u64,
    fate: Arc<Fate>,
    crowd: Crowd,
    book: Arc<Book>,
    /// Where notifications go and prompts come from.
    desk: String,
    silent_uri: String,
}

#[test]
fn a_bot_is_told_the_truth_whenever_the_server_is_killed() {
    let _stage = stage();
    let rounds = from_environment("FERMATA_KILL_ROUNDS").unwrap_or(ROUNDS_DEFAULT);
    let first_seed = from_environment("FERMATA_KILL_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    let scene = Scene::open();
    let mut server = Server::start();
    let mut bots = [Bot::of(&server), Bot::of_another_application(&server)];
    let mut figures = Figures::default();
    for seed in first_seed..first_seed + rounds {
        let round = Round::begin(seed, &scene);
        println!("FERMATA_KILL_SEED={seed} {}", round.fate);
        let asked_before = scene.book.read(|pages| pages.requests.len());
        let killed;
        (server, killed) = live_and_die(&round, &scene, &bots, server);
        figures += wait_and_judge(&round, asked_before, killed);
        bots.iter_mut().for_each(|bot| bot.follow(&server));
        bots.iter().for_each(|bot| assert_no_call_outlived_the_server(bot, seed));
    }
    Belief::of(&scene.book.read(|pages| pages.notices()));
    println!("{rounds} rounds: {figures:#?}");
}

impl Scene {
    fn open() -> Scene {
        let book = Arc::new(Book::default());
        Scene { desk: Desk::open(&book), book, silent: silent_phone() }
    }
}

impl Round {
    fn begin(seed: u64, scene: &Scene) -> Round {
        let fate = Arc::new(Fate::new(seed));
        scene.desk.serve(&fate);
        let (book, desk) = (Arc::clone(&scene.book), scene.desk.url());
        let silent_uri = format!("sip:silent@{}", scene.silent.local_addr().expect("it is bound"));
        Round { seed, fate, crowd: crowd(), book, desk, silent_uri }
    }
}

/// Puts load on the server until the moment that the fate has chosen, kills it and starts it again. Returns the new one,
/// and when the old one was killed.
fn live_and_die(round: &Round, scene: &Scene, bots: &[Bot; 2], server: Server) -> (Server, Instant) {
    thread::scope(|scope| {
        scope.spawn(|| count_invitations(&scene.silent, &round.fate));
        for n in 0..ACTORS {
            scope.spawn(move || Actor::new(n, round, &bots[n % bots.len()]).live());
        }
        round.fate.wait(LOAD_MAX);
        let killed = Instant::now();
        let restarted = server.kill_and_restart_after(|| {
            round.fate.strike();
            round.book.wake();
            // What the old one has sent must not come after what the new one sends.
            scene.desk.wait_until_quiet();
        });
        (restarted, killed)
    })
}

/// Waits until everything has been told of what was asked in this round, and compares the two.
fn wait_and_judge(round: &Round, asked_before: usize, killed: Instant) -> Figures {
    let is_settled = round.book.wait_until(PATIENCE, |pages| is_settled(&pages.since(asked_before)));
    let pages = round.book.read(|pages| pages.since(asked_before));
    let Round { seed, fate, .. } = round;
    let figures = judge(&pages, killed).unwrap_or_else(|complaint| {
        let timeline = pages.timeline(complaint.call.as_deref(), killed);
        panic!("FERMATA_KILL_SEED={seed} {fate}: {}\n{timeline}", complaint.what)
    });
    assert!(is_settled, "FERMATA_KILL_SEED={seed} {fate}: nothing is wrong, and not everything is told");
    figures
}

fn assert_no_call_outlived_the_server(bot: &Bot, seed: u64) {
    let alive = bot.ask(Method::GET, "/v1.0/communications/calls").body;
    assert_eq!(alive["value"], json!([]), "FERMATA_KILL_SEED={seed}");
}

fn crowd() -> Crowd {
    let config = CrowdConfig {
        listen: Ipv4Addr::LOCALHOST.into(),
        phones: ACTORS * PHONES_PER_ACTOR,
        codec: Codec::Pcmu,
        says: vec![Speech::Tone { hz: 300, level_dbfs: -20.0 }],
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
