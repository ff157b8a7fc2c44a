//! SIPp as a phone that holds in the ways of old and new phones, and as a trunk that asks who calls.

use std::time::{Duration, Instant};

use phone::Codec;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Bot, CAROL_HZ, Conversation, Files, PATIENCE, Server, Sipp, assert_hears, listen, phone_target,
    speaking, stage,
};

/// How long the script stays in each of its [`STATES`].
const STATE: Duration = Duration::from_millis(300);

/// How often it goes through them: 12 s. Most of that is to happen while the bot holds it. SIPp reads at most 64 KiB of
/// script, which is six rounds.
const ROUNDS: usize = 5;

/// How long the bot holds it: a round and a bit, in packets of 20 ms.
const HELD_PACKETS: u64 = 130;

/// Where the script says what it wants.
#[derive(Clone, Copy)]
enum SaidIn {
    /// A re-INVITE.
    Invite,
    /// An UPDATE (RFC 3311).
    Update,
    /// The ACK of an INVITE that has asked for an offer.
    Ack,
}

/// What the script says of itself one after the other: where, at which address, which direction, and what the server says
/// then. Where the script has said "sendrecv", it is answered so; where it holds, the server says that it only listens.
const STATES: [(SaidIn, &str, &str, &str); 8] = [
    (SaidIn::Invite, "[media_ip]", "sendonly", "recvonly"),
    (SaidIn::Invite, "0.0.0.0", "sendrecv", "recvonly"),
    (SaidIn::Invite, "[media_ip]", "sendrecv", "sendrecv"),
    (SaidIn::Invite, "[media_ip]", "inactive", "inactive"),
    (SaidIn::Update, "[media_ip]", "sendonly", "recvonly"),
    (SaidIn::Update, "[media_ip]", "sendrecv", "sendrecv"),
    // The server offers before it knows that the script is about to hold.
    (SaidIn::Ack, "[media_ip]", "sendonly", "sendrecv"),
    (SaidIn::Ack, "[media_ip]", "sendrecv", "sendrecv"),
];

#[test]
fn what_sipp_holds_and_resumes_while_it_is_held_is_heard_by_nobody() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (alice, carol) = (speaking("alice", Codec::G722, ALICE_HZ), speaking("carol", Codec::Opus, CAROL_HZ));
    let sipp = Sipp::start(&holding_phone(), BOB_HZ);
    let bot = Bot::of(&server);
    let uri = format!("sip:sipp@{}", sipp.address());
    let call = Conversation::of(&bot, &[alice.uri(), carol.uri(), &uri]);
    let hears_sipp = |since: Instant| {
        let heard = alice.wait_until(PATIENCE, |alice| {
            let now = Instant::now();
            let from = since.max(now - Duration::from_millis(100));
            alice.hearing.between(from, now).level_at(BOB_HZ.into()) > -30.0
        });
        assert!(heard.is_ok(), "nothing is heard of sipp");
    };
    hears_sipp(Instant::now());

    let participant = call.participant(&uri);
    let accepted = call.hold(&participant, Some(&files.uri("/music.wav"))).accepted;
    let until = listen(&[&alice, &carol], HELD_PACKETS);
    assert_hears(&alice, &[CAROL_HZ], accepted, until);
    assert_hears(&carol, &[ALICE_HZ], accepted, until);

    // It may be holding just now; when it resumes it is heard again.
    hears_sipp(call.unhold(&participant).arrived);
    call.remove(&participant);
    sipp.finish();
}

#[test]
fn a_number_is_called_through_a_trunk_that_asks_for_a_password_as_servers_do() {
    check_trunk(&trunk("401 Unauthorized", "WWW-Authenticate", VERIFIED));
}

#[test]
fn a_number_is_called_through_a_trunk_that_asks_for_a_password_as_proxies_do() {
    check_trunk(&trunk("407 Proxy Authentication Required", "Proxy-Authenticate", RECOGNISED));
}

fn check_trunk(script: &str) {
    let sipp = Sipp::start(script, BOB_HZ);
    let server = Server::start_with(&format!(
        "[[trunks]]\nname = \"provider\"\naddress = \"sip:{}\"\nhost = \"trunk.example\"\nuser = \"fermata\"\n\
         password = \"a trunk's secret\"",
        sipp.address()
    ));
    let alice = speaking("alice", Codec::Pcma, ALICE_HZ);
    let bot = Bot::of(&server);
    let number = "+4930123456";
    let call = Conversation::of_targets(&bot, &[phone_target(number), phone_target(alice.uri())]);
    let participant = call.participant(number);
    call.hold(&participant, None);
    call.unhold(&participant);
    call.remove(&participant);
    sipp.finish();
}

#[test]
fn a_gateway_that_answers_and_offers_early_is_confirmed_and_heard() {
    let (server, _stage) = (Server::start(), stage());
    let alice = speaking("alice", Codec::Pcmu, ALICE_HZ);
    let sipp = Sipp::start(&reliable_gateway(), BOB_HZ);
    let bot = Bot::of(&server);
    let uri = format!("sip:gateway@{}", sipp.address());
    let call = Conversation::of(&bot, &[alice.uri(), &uri]);
    let hears = |alice: &phone::Observation| {
        let now = Instant::now();
        alice.hearing.between(now - Duration::from_millis(100), now).level_at(BOB_HZ.into()) > -30.0
    };
    alice.wait_until(PATIENCE, hears).expect("what was said before the 200 is the call's");
    call.remove(&call.participant(&uri));
    sipp.finish();
}

/// The label of the script's end.
const END: usize = 0;

/// What another program says when it is called: it remembers who is who, for requests of its own.
const INVITED: &str = r#"
<recv request="INVITE">
  <action>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="self"/>
    <ereg regexp="sip:[^;>]*" search_in="hdr" header="Contact:" assign_to="target"/>
  </action>
</recv>"#;

pub(crate) const ENDED: &str = r#"
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"#;

/// Answers, speaks, and presses hold and resumes until the other side hangs up.
fn holding_phone() -> String {
    let mut script = format!("{INVITED}{}", answered(1));
    for (at, (place, address, direction, said)) in STATES.repeat(ROUNDS).into_iter().enumerate() {
        let number = at + 1;
        script += &stays_for(STATE, number);
        script += &renegotiates(number, place, &description(number + 1, address, direction), said);
    }
    scenario(&format!("{script}<recv request=\"BYE\"/><label id=\"{END}\"/>{ENDED}"))
}

/// Computes the digest itself, which SIPp can do for `Authorization` only.
const VERIFIED: &str = r#"
<recv request="INVITE" auth="true" next="1" test="knows_password">
  <action>
    <ereg regexp="INVITE sip:\+4930123456@trunk\.example" search_in="msg" check_it="true" assign_to="target"/>
    <verifyauth assign_to="knows_password" username="fermata" password="a trunk's secret"/>
  </action>
</recv>"#;

/// Looks whether a digest is there, for this challenge.
const RECOGNISED: &str = r#"
<recv request="INVITE" next="1" test="knows_password">
  <action>
    <ereg regexp="INVITE sip:\+4930123456@trunk\.example" search_in="msg" check_it="true" assign_to="target"/>
    <ereg regexp="Digest username=.fermata., realm=.trunk\.example., nonce=.5ca1ab1e., .*response=.[0-9a-f]+"
          search_in="hdr" header="Proxy-Authorization:" assign_to="knows_password"/>
  </action>
</recv>"#;

/// Takes a call only from somebody who knows the password, as providers do. `checked` receives the second INVITE and goes
/// to label 1 if it is as it should be.
fn trunk(status: &str, header: &str, checked: &str) -> String {
    let answered = answered(1);
    scenario(&format!(
        r#"
<recv request="INVITE"/>
<send><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=challenge
[last_Call-ID:]
[last_CSeq:]
{header}: Digest realm="trunk.example", nonce="5ca1ab1e", algorithm=MD5, qop="auth"
Content-Length: 0

]]></send>
<recv request="ACK"/>{checked}
<Reference variables="target"/>
<send><![CDATA[
SIP/2.0 403 Forbidden
[last_Via:]
[last_From:]
[last_To:];tag=refused
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="1"/>{answered}
<recv request="BYE"/>{ENDED}"#
    ))
}

/// A whole script.
pub(crate) fn scenario(script: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<scenario>{script}\n</scenario>\n")
}

/// Takes the call and begins to speak.
pub(crate) fn answered(version: usize) -> String {
    let description = description(version, "[media_ip]", "sendrecv");
    format!(
        r#"
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:sipp@[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

{description}
]]></send>
<recv request="ACK"/>
<nop><action><exec rtp_stream="speech.ul,-1,0"/></action></nop>"#
    )
}

/// Describes a stream at this address.
pub(crate) fn description(version: usize, address: &str, direction: &str) -> String {
    format!(
        "v=0\no=sipp 1 {version} IN IP4 [local_ip]\ns=-\nc=IN IP4 {address}\nt=0 0\n\
         m=audio [rtpstream_audio_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\na={direction}"
    )
}

/// Lets time pass in which the other side may hang up.
fn stays_for(duration: Duration, label: usize) -> String {
    format!(
        "\n<recv request=\"BYE\" timeout=\"{}\" ontimeout=\"{label}\" next=\"{END}\"/><label id=\"{label}\"/>",
        duration.as_millis()
    )
}

/// Rings, answers in a reliable 183 that it does not speak yet, wants its PRACK, speaks from an UPDATE on (RFC 3311 §5.2),
/// and takes the call without saying its answer again (RFC 3262 §5).
fn reliable_gateway() -> String {
    let silent = description(1, "[media_ip]", "inactive");
    let updated = renegotiates(1, SaidIn::Update, &description(2, "[media_ip]", "sendrecv"), "sendrecv");
    let head = |status: &str| {
        format!(
            "SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n\
             Contact: <sip:sipp@[local_ip]:[local_port]>"
        )
    };
    scenario(&format!(
        r#"
<recv request="INVITE">
  <action>
    <ereg regexp="100rel" search_in="hdr" header="Supported:" check_it="true" assign_to="supported"/>
    <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
    <ereg regexp=".*" search_in="hdr" header="From:" assign_to="peer"/>
    <ereg regexp=".*" search_in="hdr" header="To:" assign_to="self"/>
    <ereg regexp="sip:[^;>]*" search_in="hdr" header="Contact:" assign_to="target"/>
  </action>
</recv>
<Reference variables="supported"/>
<send retrans="500"><![CDATA[
{}
Require: 100rel
RSeq: 4711
Content-Type: application/sdp
Content-Length: [len]

{silent}
]]></send>
<recv request="PRACK">
  <action><ereg regexp="4711 1 INVITE" search_in="hdr" header="RAck:" check_it="true" assign_to="rack"/></action>
</recv>
<Reference variables="rack"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>{updated}
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
Via:[$via]
From:[$peer]
To:[$self];tag=[call_number]
[last_Call-ID:]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<recv request="ACK"/>
<nop><action><exec rtp_stream="speech.ul,-1,0"/></action></nop>
<recv request="BYE"/><label id="{END}"/>{ENDED}"#,
        head("183 Session Progress")
    ))
}

/// Describes itself anew and wants this direction of the server.
fn renegotiates(sequence: usize, place: SaidIn, description: &str, said: &str) -> String {
    let head = |method: &str| {
        format!(
            "{method} [$target] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n\
             From:[$self];tag=[call_number]\nTo:[$peer]\nCall-ID: [call_id]\nCSeq: {sequence} {method}\nMax-Forwards: 70\n\
             Contact: <sip:sipp@[local_ip]:[local_port]>"
        )
    };
    let described = format!("Content-Type: application/sdp\nContent-Length: [len]\n\n{description}");
    let nothing = "Content-Length: 0\n".to_owned();
    let (method, body, acknowledgement) = match place {
        SaidIn::Invite => ("INVITE", described, Some(nothing)),
        SaidIn::Update => ("UPDATE", described, None),
        SaidIn::Ack => ("INVITE", nothing, Some(described)),
    };
    let acknowledged = acknowledgement.map(|body| format!("\n<send><![CDATA[\n{}\n{body}\n]]></send>", head("ACK")));
    format!(
        r#"
<send retrans="500"><![CDATA[
{}
{body}
]]></send>
<recv response="100" optional="true"/>
<recv request="BYE" optional="true" next="{END}"/>
<recv response="200">
  <action><ereg regexp="a={said}" search_in="msg" check_it="true" assign_to="answer"/></action>
</recv>
<Reference variables="answer"/>{}"#,
        head(method),
        acknowledged.unwrap_or_default()
    )
}
