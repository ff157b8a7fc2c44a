//! Guessers, scanners and floods from outside: shut out, told once, and nobody else notices.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use phone::{Codec, Config, Observation, Phone, Register, SrtpPolicy, State};

use crate::harness::{
    ALICE_HZ, BOB_HZ, Bot, Conversation, PATIENCE, Server, assert_hears_again, encrypted, listen, phone_target,
    speaking, stage, user_target,
};

const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const CAROL: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

const FEW_FAILURES: &str = "[guard]\nfailures = 3";

/// How long an answer would take that is not to come. On loopback one comes within a millisecond.
const NO_ANSWER: Duration = Duration::from_millis(500);

const TURN_PACKETS: u64 = 30;

fn phone_at(server: &Server, user: &str, password: &str, address: [u8; 4]) -> Phone {
    let register = Register { server: server.sip(), user: user.to_owned(), password: password.to_owned() };
    let address = IpAddr::from(Ipv4Addr::from(address));
    Phone::start(Config { register: Some(register), ..Config::new(user, address) }).expect("there are sockets")
}

/// Sends a request from a socket of this host and tells whether it is answered.
fn is_answered(server: &Server, method: &str, user_agent: &str) -> bool {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    socket.set_read_timeout(Some(NO_ANSWER)).expect("a socket can wait");
    let (ours, server) = (socket.local_addr().expect("it has an address"), server.sip());
    let request = format!(
        "{method} sip:100@{server} SIP/2.0\r\nVia: SIP/2.0/UDP {ours};branch=z9hG4bK{port};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:100@{ours}>;tag={port}\r\nTo: <sip:100@{server}>\r\n\
         Call-ID: {port}@{method}\r\nCSeq: 1 {method}\r\nContact: <sip:100@{ours}>\r\n\
         User-Agent: {user_agent}\r\nContent-Length: 0\r\n\r\n",
        port = ours.port(),
    );
    socket.send_to(request.as_bytes(), server).expect("loopback takes datagrams");
    socket.recv_from(&mut [0; 65_535]).is_ok()
}

#[test]
fn who_guesses_passwords_is_shut_out_and_registered_phones_of_the_same_address_are_not() {
    let (server, _stage) = (Server::start_with(FEW_FAILURES), stage());
    let bot = Bot::of(&server);
    let alice = phone_at(&server, "alice", "fermata-dev", [127, 0, 0, 1]);
    alice.wait_until(PATIENCE, Observation::is_registered).expect("the password is right");
    for _ in 0..3 {
        let guesser = phone_at(&server, "bob", "guess", [127, 0, 0, 1]);
        guesser.wait_until(PATIENCE, |guesser| guesser.registration.is_some()).expect("it is refused");
        assert!(!guesser.observe(Observation::is_registered));
    }
    assert!(!is_answered(&server, "REGISTER", "phone") && !is_answered(&server, "OPTIONS", "phone"));
    let told = server.log_lines("shut out");
    assert!(told.len() == 1 && told[0].contains("127.0.0.1"), "{told:?}");
    let carol = phone_at(&server, "carol", "fermata-dev", [127, 0, 0, 2]);
    carol.wait_until(PATIENCE, Observation::is_registered).expect("another address is not concerned");
    Conversation::of_targets(&bot, &[ALICE, CAROL].map(user_target));
    alice.wait_for(State::Established, PATIENCE).expect("who is registered is called");
    listen(&[&alice, &carol], TURN_PACKETS);
}

#[test]
fn a_scanner_gets_no_answer_and_phones_register_all_the_same() {
    let server = Server::start_with(FEW_FAILURES);
    for _ in 0..4 {
        assert!(!is_answered(&server, "OPTIONS", "friendly-scanner"));
    }
    assert!(!is_answered(&server, "OPTIONS", "phone"), "the address may only register");
    assert_eq!(server.log_lines("may only register").len(), 1);
    let alice = phone_at(&server, "alice", "fermata-dev", [127, 0, 0, 1]);
    alice.wait_until(PATIENCE, Observation::is_registered).expect("datagrams can be forged, so it may still register");
}

#[test]
fn a_flood_of_calls_by_sipp_disturbs_nobody() {
    let (server, _stage) = (Server::start(), stage());
    let bot = Bot::of(&server);
    let alice = encrypted(&server, "alice", Codec::Pcmu, ALICE_HZ, SrtpPolicy::Required);
    let bob = speaking("bob", Codec::Pcma, BOB_HZ);
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut flood = Command::new("sipp")
        .args(["-sn", "uac", "-i", "127.0.0.3", "-r", "1000", "-l", "5000", "-m", "20000", "-nostdin"])
        .args(["-timeout", "30s", &server.sip().to_string()])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sipp is installed: ./test does that");
    let call = Conversation::of_targets(&bot, &[user_target(ALICE), phone_target(bob.uri())]);
    let since = Instant::now();
    let until = listen(&[&alice, &bob], TURN_PACKETS);
    assert_hears_again(&alice, &[BOB_HZ], since, until);
    let held = call.participant(ALICE);
    call.hold(&held, None);
    call.unhold(&held);
    // It may have given up by itself.
    let _ = flood.kill();
    let _ = flood.wait();
    assert_eq!(server.log_lines("may only register").len(), 1);
}

#[test]
fn phones_register_with_sha_256_where_it_is_configured() {
    let server = Server::start_with("[sip]\ndigest = [\"sha-256\"]");
    let alice = phone_at(&server, "alice", "fermata-dev", [127, 0, 0, 1]);
    alice.wait_until(PATIENCE, Observation::is_registered).expect("our phone knows SHA-256");
}
