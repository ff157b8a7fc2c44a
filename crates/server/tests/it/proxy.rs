//! Phones behind a proxy that stays on the way of their calls: they register through it, a trunk is behind it, and holds,
//! refreshes, collisions and ends go through it both ways.

use phone::{Answer, Codec, State};
use reqwest::Method;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Bot, CAROL_HZ, Conversation, Files, HELD, Kamailio, PATIENCE, ProxyAddress, Server, Sipp,
    TOGETHER, Wav, check_every_order, phone_target, speaking, stage, user_target,
};
use crate::sipp::{description, scenario};

const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const BOB: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const NUMBER: &str = "+4930123456";

/// Has numbers called through the proxy, and sessions end so many seconds after they were refreshed.
fn settings(proxy: ProxyAddress, session_s: u32) -> String {
    format!(
        "[sip]\nsession_expires_seconds = {session_s}\nsession_expires_min_seconds = 1\n\
         [[trunks]]\nname = \"gateway\"\naddress = \"{}\"\n",
        proxy.uri()
    )
}

#[test]
fn behind_a_record_routing_proxy_holds_hold_in_every_order_sessions_go_on_and_both_sides_can_hang_up() {
    let proxy = ProxyAddress::choose();
    // Sooner than the test ends, so that they are refreshed.
    let (server, files, _stage) = (Server::start_with(&settings(proxy, 6)), Files::start(), stage());
    let carol = speaking("carol", Codec::Opus, CAROL_HZ);
    let proxy = Kamailio::start(proxy, server.sip(), carol.uri());
    let alice = proxy.phone("alice", Codec::Pcmu, ALICE_HZ, Answer::AtOnce);
    let mut bob = proxy.phone("bob", Codec::Pcma, BOB_HZ, Answer::AtOnce);
    let bot = Bot::of(&server);
    let targets = [user_target(ALICE), user_target(BOB), phone_target(NUMBER)];
    let call = Conversation::of_targets(&bot, &targets);
    let participant = call.participant(BOB);
    check_every_order(&call, (&participant, &mut bob), [&alice, &carol], &files.uri("/music.wav"));
    let (samples, rate_hz) = bob.recording();
    let recording = Wav { rate_hz, channels: 1, samples };
    assert_eq!(recording.heard_between_holds(), [TOGETHER, HELD, TOGETHER, HELD, TOGETHER]);
    for phone in [&alice, &bob, &carol] {
        assert_eq!(phone.state(), State::Established, "{}", phone.uri());
    }
    bob.hang_up();
    call.expect_roster_without(&participant);
    call.remove(&call.participant(NUMBER));
    carol.wait_for(State::Ended, PATIENCE).expect("it is told");
}

#[test]
fn behind_a_record_routing_proxy_callers_give_up_and_calls_are_taken_back() {
    let (server, bot) = Bot::on_call();
    let proxy = Kamailio::start(ProxyAddress::choose(), server.sip(), "sip:nobody@127.0.0.1");
    let alice = proxy.phone("alice", Codec::Pcmu, ALICE_HZ, Answer::AtOnce);
    alice.call(&proxy.uri_of("bot")).expect("a SIP address");
    let incoming = Conversation::incoming(&bot);
    alice.wait_for(State::Ringing, PATIENCE).expect("the caller hears that it rings");
    alice.hang_up();
    assert_eq!(incoming.expect_end().resource()["resultInfo"]["subcode"], 8542);

    let bob = proxy.phone("bob", Codec::Pcmu, BOB_HZ, Answer::Never);
    let created = bot.create_call(&[user_target(BOB)]).body;
    let path = format!("/v1.0/communications/calls/{}", created["id"].as_str().expect("a call has an id"));
    bob.wait_for(State::Ringing, PATIENCE).expect("it is called");
    assert_eq!(bot.ask(Method::DELETE, &path).status, 204);
    bob.wait_for(State::Ended, PATIENCE).expect("it stops ringing");
}

#[test]
fn behind_a_record_routing_proxy_offers_that_collide_are_made_again() {
    let proxy = ProxyAddress::choose();
    // The pause after a collision (up to 4 s) must be over before a third of the interval is left, when the call ends.
    let server = Server::start_with(&settings(proxy, 26));
    let phone = Sipp::start(&colliding_phone(), BOB_HZ);
    let _proxy = Kamailio::start(proxy, server.sip(), &format!("sip:sipp@{}", phone.address()));
    let bot = Bot::of(&server);
    let alice = speaking("alice", Codec::Pcmu, ALICE_HZ);
    let call = Conversation::of(&bot, &[alice.uri(), NUMBER]);
    let participant = call.participant(NUMBER);
    call.expect_roster_without(&participant);
    phone.finish();
}

/// Takes no UPDATE, so that its session is refreshed by re-INVITE. When one comes it offers something itself: both are
/// refused (RFC 3261 §14.1). It takes the second one, and hangs up.
fn colliding_phone() -> String {
    let head = |method: &str, sequence: u32, branch: &str| {
        format!(
            "{method} [$target] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch={branch}\n[routes]\n\
             From:[$self];tag=[call_number]\nTo:[$peer]\nCall-ID: [call_id]\nCSeq: {sequence} {method}\nMax-Forwards: 70\n\
             Contact: <sip:sipp@[local_ip]:[local_port]>"
        )
    };
    let answer = |to_tag: &str, version| {
        format!(
            r#"
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:]{to_tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:sipp@[local_ip]:[local_port]>
Allow: INVITE, ACK, BYE, CANCEL
Require: timer
Session-Expires: 26;refresher=uac
Content-Type: application/sdp
Content-Length: [len]

{}
]]></send>
<recv request="ACK"/>"#,
            description(version, "[media_ip]", "sendrecv")
        )
    };
    scenario(&format!(
        r#"
<recv request="INVITE" rrs="true">
  <action>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="self"/>
    <ereg regexp="sip:[^;>]*" search_in="hdr" header="Contact:" assign_to="target"/>
  </action>
</recv>{taken}
<recv request="INVITE">
  <action>
    <ereg regexp=".*" search_in="hdr" header="Via:" occurrence="1" assign_to="via"/>
    <ereg regexp=".*" search_in="hdr" header="Via:" occurrence="2" assign_to="first_via"/>
    <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
  </action>
</recv>
<send retrans="500"><![CDATA[
{invite}
Content-Type: application/sdp
Content-Length: [len]

{hold}
]]></send>
<recv response="100" optional="true"/>
<recv response="491"/>
<send><![CDATA[
{ack}
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
SIP/2.0 491 Request Pending
Via:[$via]
Via:[$first_via]
From:[$peer]
To:[$self];tag=[call_number]
[last_Call-ID:]
CSeq:[$cseq]
Content-Length: 0

]]></send>
<recv request="ACK"/>
<recv request="INVITE"/>{refreshed}
<send retrans="500"><![CDATA[
{bye}
Content-Length: 0

]]></send>
<recv response="200"/>"#,
        taken = answer(";tag=[call_number]", 1),
        invite = head("INVITE", 1, "[branch]"),
        hold = description(2, "[media_ip]", "sendonly"),
        // The ACK of a refusal belongs to the transaction of the INVITE (RFC 3261 §17.1.1.3), three steps before.
        ack = head("ACK", 1, "[branch-3]"),
        refreshed = answer("", 1),
        bye = head("BYE", 2, "[branch]"),
    ))
}
