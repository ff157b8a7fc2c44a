//! Numbers through several trunks, phones that redirect, and users with several phones; SIPp plays those who refuse.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};

use phone::Codec;

use crate::harness::{ALICE_HZ, BOB_HZ, Bot, Conversation, Server, Sipp, assert_hears, listen, phone_target, speaking};
use crate::sipp::{ENDED, answered, scenario};

const NUMBER: &str = "+4930123456";

/// How much is heard before it is judged: 0.6 s.
const HEARD_PACKETS: u64 = 30;

#[test]
fn where_trunks_are_silent_or_out_of_order_the_next_one_is_told_the_number_and_the_caller_as_it_wants_them() {
    let silent = silent();
    let broken = Sipp::start(&refusing("503 Service Unavailable", ""), BOB_HZ);
    let working = Sipp::start(&working_trunk(), BOB_HZ);
    let server = Server::start_with(&format!(
        "[[trunks]]\nname = \"working\"\naddress = \"sip:{}\"\nstrip = 1\nprepend = \"00\"\ncaller_id = \"+4930999\"\n\
         [[trunks]]\nname = \"broken\"\naddress = \"sip:{}\"\nprefixes = [\"+49\", \"+43\"]\n\
         [[trunks]]\nname = \"silent\"\naddress = \"sip:{}\"\nprefixes = [\"+4930\"]\n",
        working.address(),
        broken.address(),
        silent.local_addr().expect("it is bound"),
    ));
    let alice = speaking("alice", Codec::Pcma, ALICE_HZ);
    let bot = Bot::of(&server);
    let call = Conversation::of_targets(&bot, &[phone_target(NUMBER), phone_target(alice.uri())]);
    assert!(is_called(&silent), "the longest prefix comes first");
    call.remove(&call.participant(NUMBER));
    broken.finish();
    working.finish();
}

#[test]
fn what_is_about_the_callee_is_final() {
    let spare = silent();
    let busy = Sipp::start(&refusing("486 Busy Here", ""), BOB_HZ);
    let server = Server::start_with(&format!(
        "[[trunks]]\nname = \"first\"\naddress = \"sip:{}\"\n[[trunks]]\nname = \"spare\"\naddress = \"sip:{}\"\n",
        busy.address(),
        spare.local_addr().expect("it is bound"),
    ));
    let bot = Bot::of(&server);
    let answer = bot.create_call(&[phone_target(NUMBER)]);
    assert_eq!(answer.status, 201, "{answer:?}");
    bot.expect("the end of the call", |notice| notice.resource()["state"] == "terminated");
    busy.finish();
    assert!(!is_called(&spare), "the callee is busy whoever calls");
}

#[test]
fn a_phone_that_redirects_to_an_allowed_address_is_followed() {
    let (alice, bob) = (speaking("alice", Codec::Pcma, ALICE_HZ), speaking("bob", Codec::Pcmu, BOB_HZ));
    let contacts = format!("Contact: <sip:nobody@192.0.2.1>, <{}>", bob.uri());
    let moved = Sipp::start(&refusing("302 Moved Temporarily", &contacts), BOB_HZ);
    let server = Server::start();
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &[alice.uri(), &format!("sip:moved@{}", moved.address())]);
    let from = std::time::Instant::now();
    let until = listen(&[&alice, &bob], HEARD_PACKETS);
    assert_hears(&alice, &[BOB_HZ], from, until);
    call.hang_up();
    moved.finish();
}

#[test]
fn phones_that_redirect_in_a_circle_are_called_once() {
    let moved = Sipp::start(&refusing("302 Moved Temporarily", "Contact: <sip:moved@[local_ip]:[local_port]>"), BOB_HZ);
    let server = Server::start();
    let bot = Bot::of(&server);
    let answer = bot.create_call(&[phone_target(&format!("sip:moved@{}", moved.address()))]);
    assert_eq!(answer.status, 201, "{answer:?}");
    bot.expect("the end of the call", |notice| notice.resource()["state"] == "terminated");
    moved.finish();
}

#[test]
fn a_registration_at_a_trunk_is_made_with_the_password_and_renewed() {
    let registrar = Sipp::start(&registrar(), BOB_HZ);
    let server = Server::start_with(&format!(
        "[[trunks]]\nname = \"provider\"\naddress = \"sip:{}\"\nhost = \"trunk.example\"\nuser = \"fermata\"\n\
         password = \"a trunk's secret\"\nregister = true\n",
        registrar.address()
    ));
    registrar.finish();
    drop(server);
}

/// Somebody who says nothing.
fn silent() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    socket.set_nonblocking(true).expect("sockets can");
    socket
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

/// Takes the number as it is written here, from this caller.
fn working_trunk() -> String {
    scenario(&format!(
        r#"
<recv request="INVITE">
  <action>
    <ereg regexp="INVITE sip:004930123456@127.0.0.1:" search_in="msg" check_it="true" assign_to="target"/>
    <ereg regexp="sip:\+4930999@127.0.0.1:" search_in="hdr" header="From:" check_it="true" assign_to="caller"/>
    <ereg regexp="sip:\+4930999@127.0.0.1:" search_in="hdr" header="P-Asserted-Identity:" check_it="true" assign_to="asserted"/>
  </action>
</recv>
<Reference variables="target,caller,asserted"/>{}
<recv request="BYE"/>{ENDED}"#,
        answered(1)
    ))
}

/// Lets somebody register who knows the password, for 5 s, and waits until that is renewed.
fn registrar() -> String {
    let granted = |label: usize| {
        format!(
            r#"
<recv request="REGISTER" auth="true" next="{label}" test="knows_password">
  <action>
    <ereg regexp="REGISTER sip:trunk\.example SIP" search_in="msg" check_it="true" assign_to="registrar"/>
    <ereg regexp="sip:fermata@trunk\.example" search_in="hdr" header="To:" check_it="true" assign_to="who"/>
    <ereg regexp="sip:fermata@127.0.0.1" search_in="hdr" header="Contact:" check_it="true" assign_to="where"/>
    <verifyauth assign_to="knows_password" username="fermata" password="a trunk's secret"/>
  </action>
</recv>
<Reference variables="registrar,who,where"/>{}
<label id="{label}"/>{}"#,
            answer("403 Forbidden", ""),
            answer("200 OK", "Contact: <sip:fermata@127.0.0.1>;expires=5\nExpires: 5\n"),
        )
    };
    let challenge =
        "WWW-Authenticate: Digest realm=\"trunk.example\", nonce=\"5ca1ab1e\", algorithm=MD5, qop=\"auth\"\n";
    let challenged = answer("401 Unauthorized", challenge);
    scenario(&format!("<recv request=\"REGISTER\"/>{challenged}{}{}", granted(1), granted(2)))
}

fn answer(status: &str, header: &str) -> String {
    format!(
        r#"
<send><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=registrar
[last_Call-ID:]
[last_CSeq:]
{header}Content-Length: 0

]]></send>"#
    )
}

/// Answers its only INVITE with this.
fn refusing(status: &str, header: &str) -> String {
    let header = if header.is_empty() { String::new() } else { format!("{header}\n") };
    scenario(&format!(
        r#"
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=refused
[last_Call-ID:]
[last_CSeq:]
{header}Content-Length: 0

]]></send>
<recv request="ACK"/>"#
    ))
}
