//! Where calls and registrations go whose hosts are names (RFC 3263), with a name server of the test's own.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use hickory_resolver::proto::rr::RecordType;
use phone::{Codec, Phone, State, Status};

use crate::harness::{
    ALICE_HZ, BOB_HZ, Bot, Conversation, NameServer, PATIENCE, Server, Sipp, assert_hears, listen, phone_target,
    speaking,
};
use crate::sipp::scenario;

const LOOPBACK: [u8; 4] = [127, 0, 0, 1];

/// How long answers may be kept: for as long as any test runs.
const KEPT_S: u32 = 3600;

/// How much is heard before it is judged: 0.6 s.
const HEARD_PACKETS: u64 = 30;

/// May call `pbx.test`.
const DIAL: &str = "[dial]\nloopback = true\nhosts = [\"pbx.test\"]\n";

fn port(phone: &Phone) -> u16 {
    let (_, port) = phone.uri().rsplit_once(':').expect("a phone says its port");
    port.parse().expect("a port is a number")
}

/// Somebody who says nothing.
fn silent() -> (UdpSocket, u16) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    socket.set_nonblocking(true).expect("sockets can");
    let port = socket.local_addr().expect("it is bound").port();
    (socket, port)
}

fn is_called(socket: &UdpSocket) -> bool {
    match socket.recv(&mut [0; 8]) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    }
}

#[test]
fn where_servers_of_a_name_are_silent_or_out_of_order_the_next_one_is_called() {
    let (silent, silent_port) = silent();
    let broken = Sipp::start(
        &scenario(
            r#"
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 503 Service Unavailable
[last_Via:]
[last_From:]
[last_To:];tag=refused
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<recv request="ACK"/>"#,
        ),
        BOB_HZ,
    );
    let (alice, bob) = (speaking("alice", Codec::Pcma, ALICE_HZ), speaking("bob", Codec::Pcmu, BOB_HZ));
    let names = NameServer::start();
    for (priority, port) in [(3, port(&alice)), (1, silent_port), (2, broken.address().port())] {
        let target = format!("sip{priority}.pbx.test");
        names.add_server("_sip._udp.pbx.test", priority, &target, port);
        names.set_host(&target, LOOPBACK, KEPT_S);
    }
    let server = Server::start_with(&format!("{}{DIAL}", names.settings()));
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &["sip:alice@pbx.test", bob.uri()]);
    assert!(is_called(&silent), "the first in order");
    let from = std::time::Instant::now();
    let until = listen(&[&alice, &bob], HEARD_PACKETS);
    assert_hears(&alice, &[BOB_HZ], from, until);
    call.hang_up();
    broken.finish();
}

#[test]
fn a_domain_is_asked_only_for_what_the_uri_does_not_say() {
    let names = NameServer::start();
    let server = Server::start_with(&format!("{}{DIAL}", names.settings()));
    let bot = Bot::of(&server);
    let [srv_udp, srv_tcp] = ["_sip._udp.pbx.test", "_sip._tcp.pbx.test"];
    let asked = || {
        let naptr = names.count("pbx.test", RecordType::NAPTR);
        let srv = [srv_udp, srv_tcp].map(|service| names.count(service, RecordType::SRV));
        (naptr, srv, names.count("pbx.test", RecordType::A))
    };
    // Nobody answers for these names, so each question is asked anew, and the host's own address is the last hope.
    for (uri, expected) in [
        ("sip:alice@pbx.test;transport=tcp", (0, [0, 1], 1)),
        ("sip:alice@pbx.test", (1, [1, 2], 2)),
        ("sip:alice@pbx.test:5070", (1, [1, 2], 3)),
    ] {
        let answer = bot.create_call(&[phone_target(uri)]);
        assert_eq!(answer.status, 201, "{answer:?}");
        let id = answer.body["id"].as_str().expect("a call has an id").to_owned();
        bot.expect("the end of the call", |notice| {
            notice.resource()["id"] == id.as_str() && notice.resource()["state"] == "terminated"
        });
        assert_eq!(asked(), expected, "{uri}");
    }
}

#[test]
fn answers_are_kept_as_long_as_they_say() {
    let (alice, bob) = (speaking("alice", Codec::Pcma, ALICE_HZ), speaking("bob", Codec::Pcmu, BOB_HZ));
    let names = NameServer::start();
    let server = Server::start_with(&format!("{}{DIAL}", names.settings()));
    let bot = Bot::of(&server);
    for (ttl_s, asked) in [(0, [1, 2]), (KEPT_S, [3, 3])] {
        names.set_host("pbx.test", LOOPBACK, ttl_s);
        for asked in asked {
            let call = Conversation::of(&bot, &[&format!("sip:alice@pbx.test:{}", port(&alice)), bob.uri()]);
            assert_eq!(names.count("pbx.test", RecordType::A), asked, "TTL {ttl_s} s");
            call.hang_up();
            alice.hang_up();
            alice.wait_for(State::Ended, PATIENCE).expect("it has hung up");
            bob.wait_for(State::Ended, PATIENCE).expect("nobody is left");
        }
    }
    assert_eq!(names.count("pbx.test", RecordType::NAPTR), 0, "a URI with a port says everything");
}

#[test]
fn a_name_does_not_lead_to_this_machine_if_that_may_not_be_called() {
    let (silent, port) = silent();
    let names = NameServer::start();
    names.set_host("pbx.test", LOOPBACK, KEPT_S);
    let dial = "[dial]\nloopback = false\nhosts = [\"pbx.test\"]\n";
    let server = Server::start_with(&format!("{}{dial}", names.settings()));
    let bot = Bot::of(&server);
    let answer = bot.create_call(&[phone_target(&format!("sip:alice@pbx.test:{port}"))]);
    assert_eq!(answer.status, 201, "{answer:?}");
    bot.expect("the end of the call", |notice| notice.resource()["state"] == "terminated");
    assert!(!is_called(&silent));
    assert_eq!(names.count("pbx.test", RecordType::A), 1);
}

/// The provider is another server of ours. Of its domain's two transports it prefers TLS, and of two servers the first is
/// gone.
#[test]
fn a_registration_goes_over_the_transport_that_the_provider_prefers_to_the_server_that_is_there() {
    let provider = Server::start_with("[sip]\ndomain = \"provider.test\"\n");
    let (clear, clear_port) = silent();
    let names = NameServer::start();
    names.add_service("provider.test", 2, "SIP+D2U", "_sip._udp.provider.test");
    names.add_service("provider.test", 1, "SIPS+D2T", "_sips._tcp.provider.test");
    names.add_server("_sip._udp.provider.test", 1, "sip.provider.test", clear_port);
    names.add_server("_sips._tcp.provider.test", 1, "sip.provider.test", closed_port());
    names.add_server("_sips._tcp.provider.test", 2, "sip.provider.test", provider.sips().port());
    names.set_host("sip.provider.test", LOOPBACK, KEPT_S);
    let server = Server::start_with(&format!(
        "{}tls_authorities = \"{}\"\n[[trunks]]\nname = \"provider\"\naddress = \"sip:provider.test\"\n\
         user = \"alice\"\npassword = \"fermata-dev\"\nregister = true\n",
        names.settings(),
        provider.data().join("ca.pem").display(),
    ));
    server.expect_metric("fermata_sip_trunk_registered{trunk=\"provider\"} 1");
    server.expect_metric("fermata_sip_trunk_addresses{trunk=\"provider\"} 1");
    assert!(!is_called(&clear), "it prefers TLS");
    provider.expect_metric("fermata_sip_registered_total 1");
}

#[test]
fn a_trunk_that_is_named_may_call_from_wherever_its_name_leads() {
    let names = NameServer::start();
    names.set_host("trunk.test", [127, 0, 0, 9], 0);
    let trunk = "trusted = []\n[[trunks]]\nname = \"gateway\"\naddress = \"sip:trunk.test:5060\"\n";
    let (server, bot) = Bot::on_call_with(&format!("{}{trunk}", names.settings()));
    server.expect_metric("fermata_sip_trunk_addresses{trunk=\"gateway\"} 1");
    let stranger = speaking("stranger", Codec::Pcmu, ALICE_HZ);
    call_bot(&stranger, server.sip());
    stranger.wait_for(State::Failed(Status::new(401).expect("a status")), PATIENCE).expect("it has to say who it is");
    names.set_host("trunk.test", LOOPBACK, 0);
    server.expect_metric("fermata_sip_trunk_addresses{trunk=\"gateway\"} 2");
    let gateway = speaking("gateway", Codec::Pcmu, ALICE_HZ);
    call_bot(&gateway, server.sip());
    Conversation::answered(&bot).hang_up();
}

fn call_bot(phone: &Phone, server: SocketAddr) {
    phone.call(&format!("sip:bot@{server}")).expect("a SIP address");
}

/// A port at which connections are refused.
fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}
