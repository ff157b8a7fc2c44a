//! Offers and answers as phones write them.

use std::net::IpAddr;

use edge::sdp::{Direction, Local, Negotiated, SdpError, accept_answer, answer, offer};
use expect_test::{Expect, expect};
use media::Codec::{self, G722, Opus, Pcma, Pcmu};

use Direction::{Inactive, SendOnly, SendRecv};

fn local(codecs: &[Codec]) -> Local {
    Local {
        address: IpAddr::from([192, 0, 2, 10]),
        rtp_port: 20_000,
        session_id: 7,
        version: 1,
        codecs: codecs.to_vec(),
        direction: SendRecv,
    }
}

/// Everything we can do.
pub(crate) fn fermata() -> Local {
    local(&[Opus, G722, Pcma, Pcmu])
}

/// A description of a phone: the session's lines, then these.
pub(crate) fn phone(lines: &[&str]) -> String {
    let session = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"];
    [&session[..], lines].concat().join("\r\n") + "\r\n"
}

fn answered(lines: &[&str]) -> (String, Negotiated) {
    answer(&fermata(), phone(lines).as_bytes()).unwrap()
}

fn negotiated(lines: &[&str]) -> Negotiated {
    answered(lines).1
}

fn refused(lines: &[&str]) -> SdpError {
    answer(&fermata(), phone(lines).as_bytes()).unwrap_err()
}

/// Offers SDP and shows the streams of the answer.
fn check_answer(lines: &[&str], expected: Expect) {
    let (text, _) = answered(lines);
    let streams = text.find("m=").unwrap();
    expected.assert_eq(&text[streams..].replace("\r\n", "\n"));
}

#[test]
fn our_offer() {
    expect![[r#"
        v=0
        o=- 7 1 IN IP4 192.0.2.10
        s=-
        c=IN IP4 192.0.2.10
        t=0 0
        m=audio 20000 RTP/AVP 96 9 8 0 101 102
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 useinbandfec=1
        a=rtpmap:9 G722/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=rtpmap:102 telephone-event/48000
        a=fmtp:102 0-16
        a=ptime:20
        a=rtcp-mux
        a=sendrecv
    "#]]
    .assert_eq(&offer(&fermata()).replace("\r\n", "\n"));
}

#[test]
fn our_offer_in_ipv6_with_one_codec() {
    let local = Local { address: "2001:db8::1".parse().unwrap(), direction: SendOnly, ..local(&[Pcmu]) };
    expect![[r#"
        v=0
        o=- 7 1 IN IP6 2001:db8::1
        s=-
        c=IN IP6 2001:db8::1
        t=0 0
        m=audio 20000 RTP/AVP 0 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ptime:20
        a=rtcp-mux
        a=sendonly
    "#]]
    .assert_eq(&offer(&local).replace("\r\n", "\n"));
}

#[test]
fn the_answer_keeps_the_numbers_of_the_offer_and_names_one_codec() {
    check_answer(
        &[
            "m=audio 7078 RTP/AVP 121 0 8 97 120",
            "a=rtpmap:121 opus/48000/2",
            "a=fmtp:121 useinbandfec=1; stereo=0",
            "a=rtpmap:97 telephone-event/8000",
            "a=rtpmap:120 telephone-event/48000",
            "a=rtcp-mux",
        ],
        expect![[r#"
            m=audio 20000 RTP/AVP 121 120
            a=rtpmap:121 opus/48000/2
            a=fmtp:121 useinbandfec=1
            a=rtpmap:120 telephone-event/48000
            a=fmtp:120 0-16
            a=ptime:20
            a=rtcp-mux
            a=sendrecv
        "#]],
    );
}

#[test]
fn other_streams_are_rejected_in_their_place() {
    check_answer(
        &[
            "m=video 7080 RTP/AVP 96 97",
            "a=rtpmap:96 VP8/90000",
            "m=audio 7082 RTP/SAVP 0",
            "m=audio 7084 RTP/AVP 3",
            "m=audio 7086 RTP/AVPF 8",
            "m=audio 7088 RTP/AVP 0",
            "m=application 9 UDP/BFCP *",
        ],
        expect![[r#"
            m=video 0 RTP/AVP 96 97
            m=audio 0 RTP/SAVP 0
            m=audio 0 RTP/AVP 3
            m=audio 20000 RTP/AVPF 8
            a=rtpmap:8 PCMA/8000
            a=ptime:20
            a=sendrecv
            m=audio 0 RTP/AVP 0
            m=application 0 UDP/BFCP *
        "#]],
    );
}

#[test]
fn offer_and_answer_meet_in_every_codec() {
    for codec in [Pcmu, Pcma, G722, Opus] {
        let caller = local(&[codec, Pcmu]);
        let [caller, callee] = [(caller, 1), (fermata(), 2)].map(|(local, host)| Local {
            address: format!("2001:db8::{host}").parse().unwrap(),
            rtp_port: 30_000,
            ..local
        });
        let (text, at_callee) = answer(&callee, offer(&caller).as_bytes()).unwrap();
        let at_caller = accept_answer(&caller, text.as_bytes()).unwrap();
        assert_eq!(at_caller.format, at_callee.format);
        assert_eq!(at_caller.format.codec, codec);
        assert_eq!(at_caller.format.telephone_event_clock, codec.clock_rate());
        assert_eq!(at_caller.remote_rtp, "[2001:db8::2]:30000".parse().unwrap());
        assert_eq!(at_caller.remote_rtcp, Some(at_caller.remote_rtp));
        assert!(at_caller.rtcp_mux && at_caller.remote_listens && at_caller.remote_sends);
    }
}

#[test]
fn the_peers_order_decides() {
    assert_eq!(negotiated(&["m=audio 4000 RTP/AVP 3 8 0"]).format.codec, Pcma);
    let answer = phone(&["m=audio 4000 RTP/AVP 0 8"]);
    assert_eq!(accept_answer(&fermata(), answer.as_bytes()).unwrap().format.codec, Pcmu);
}

#[test]
fn what_a_payload_type_means() {
    let format = |lines: &[&str]| negotiated(lines).format;
    let dynamic = format(&["m=audio 4000 RTP/AVP 111", "a=rtpmap:111 pcma/8000/1"]);
    assert_eq!((dynamic.codec, dynamic.payload_type), (Pcma, 111));
    let no_channels = format(&["m=audio 4000 RTP/AVP 96", "a=rtpmap:96 OPUS/48000"]);
    assert_eq!((no_channels.codec, no_channels.telephone_event), (Opus, None));
    let stereo_first = format(&["m=audio 4000 RTP/AVP 99 0", "a=rtpmap:99 PCMU/8000/2"]);
    assert_eq!((stereo_first.codec, stereo_first.payload_type), (Pcmu, 0));
    let eight_only =
        format(&["m=audio 4000 RTP/AVP 96 101", "a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000"]);
    assert_eq!((eight_only.telephone_event, eight_only.telephone_event_clock), (Some(101), 8000));
}

#[test]
fn a_hold_of_rfc_2543_does_not_listen_and_is_not_answered_in_kind() {
    let lines = ["m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0", "a=sendrecv"];
    let (text, negotiated) = answered(&lines);
    assert!(!negotiated.remote_listens);
    assert_eq!(negotiated.remote, SendRecv);
    assert!(text.contains("a=recvonly\r\n") && text.contains("c=IN IP4 192.0.2.10\r\n"), "{text}");
    let with_direction = answered(&["m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0", "a=recvonly"]);
    assert!(with_direction.0.contains("a=inactive\r\n"));
    let in_ipv6 = answered(&["m=audio 4000 RTP/AVP 0", "c=IN IP6 ::"]).1;
    assert!(!in_ipv6.remote_listens);
}

#[test]
fn a_peer_cannot_answer_more_than_was_offered() {
    let holding = Local { direction: SendOnly, ..fermata() };
    let greedy = accept_answer(&holding, phone(&["m=audio 4000 RTP/AVP 0", "a=sendrecv"]).as_bytes()).unwrap();
    assert!(greedy.remote_listens && !greedy.remote_sends);
}

#[test]
fn the_stream_inherits_from_the_session() {
    let inherited = negotiated(&["a=inactive", "a=ptime:40", "m=audio 4000 RTP/AVP 0"]);
    assert_eq!((inherited.remote, inherited.ptime_ms), (Inactive, 40));
    let overridden = negotiated(&[
        "a=inactive",
        "a=ptime:40",
        "m=audio 4000 RTP/AVP 0",
        "c=IN IP4 192.0.2.99",
        "a=sendonly",
        "a=ptime:30",
        "m=video 4002 RTP/AVP 96",
        "a=recvonly",
        "a=ptime:10",
    ]);
    assert_eq!((overridden.remote, overridden.ptime_ms), (SendOnly, 30));
    assert_eq!(overridden.remote_rtp, "192.0.2.99:4000".parse().unwrap());
}

#[test]
fn where_rtcp_goes() {
    let rtcp = |attribute: &str, port: u16| {
        negotiated(&[&format!("m=audio {port} RTP/AVP 0"), attribute]).remote_rtcp.map(|rtcp| rtcp.to_string())
    };
    assert_eq!(rtcp("a=x", 4000).as_deref(), Some("192.0.2.1:4001"));
    assert_eq!(rtcp("a=rtcp-mux", 4000).as_deref(), Some("192.0.2.1:4000"));
    assert_eq!(rtcp("a=rtcp:53020", 4000).as_deref(), Some("192.0.2.1:53020"));
    assert_eq!(rtcp("a=rtcp:53020 IN IP6 2001:db8::1", 4000).as_deref(), Some("[2001:db8::1]:53020"));
    assert_eq!(rtcp("a=x", 65_535), None);
    assert_eq!(rtcp("a=rtcp:0", 4000), None);
}

#[test]
fn malformed_attributes_are_as_if_absent() {
    let odd = negotiated(&[
        "b=AS:64",
        "k=prompt",
        "a=ptime:soon",
        "a=ptime:0",
        "a=rtcp:here",
        "a=",
        "a=sendrecvonly",
        "m=audio 4000/2 RTP/AVP 0 300 x",
        "a=rtpmap:0",
        "a=rtpmap:999 PCMA/8000",
        "a=rtpmap:1 a/b/c/d",
        "z=",
    ]);
    assert_eq!((odd.format.codec, odd.ptime_ms, odd.remote), (Pcmu, 20, SendRecv));
}

#[test]
fn line_ends_are_taken_as_they_come() {
    let lines = ["v=0", "c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 0", "a=sendonly"];
    for end in ["\r\n", "\n", "\r\n\r\n", " \n"] {
        let text = lines.join(end);
        assert_eq!(answer(&fermata(), text.as_bytes()).unwrap().1.remote, SendOnly, "{text:?}");
    }
    let latin_1 = [b"v=0\ns=caf\xe9\n".as_slice(), b"c=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0"].concat();
    assert!(answer(&fermata(), &latin_1).is_ok());
}

#[test]
fn errors_name_the_line() {
    let audio = "m=audio 4000 RTP/AVP 0";
    assert_eq!(refused(&["m=audio 4000 RTP/AVP 3 18"]), SdpError::NoCommonCodec { line: 6 });
    assert_eq!(refused(&["m=audio 0 RTP/AVP 0"]), SdpError::AudioRejected { line: 6 });
    assert_eq!(refused(&["m=video 4000 RTP/AVP 0"]), SdpError::NoAudio);
    assert_eq!(refused(&["m=audio 4000 TCP/RTP/AVP 0"]), SdpError::NoAudio);
    assert_eq!(refused(&["m=audio 4000 UDP/TLS/RTP/SAVP 0"]), SdpError::EncryptionRefused { line: 6 });
    assert_eq!(refused(&[]), SdpError::NoAudio);
    assert_eq!(refused(&[audio, "c=IN IP4 phone.example.com"]), SdpError::Connection { line: 7 });
    assert_eq!(refused(&[audio, "c=IN IP4 233.252.0.1/127"]), SdpError::Connection { line: 7 });
    assert_eq!(refused(&[audio, "c=IN IP4 255.255.255.255"]), SdpError::Connection { line: 7 });
    assert_eq!(refused(&[audio, "c=IN IP6 192.0.2.1"]), SdpError::Connection { line: 7 });
    assert_eq!(refused(&["m=audio 70000 RTP/AVP 0"]), SdpError::Media { line: 6 });
    assert_eq!(refused(&["m=audio 4000 RTP/AVP"]), SdpError::Media { line: 6 });
    assert_eq!(refused(&[audio, "hello"]), SdpError::Line { line: 7 });
    assert_eq!(refused(&[audio; 17]), SdpError::TooManyMedia { line: 22 });
}

#[test]
fn errors_of_the_whole_description() {
    let answer = |text: &str| answer(&fermata(), text.as_bytes()).unwrap_err();
    assert_eq!(answer(""), SdpError::Version { line: 1 });
    assert_eq!(answer("<html>"), SdpError::Version { line: 1 });
    assert_eq!(answer("v=0\nm=audio 4000 RTP/AVP 0"), SdpError::NoConnection { line: 2 });
    assert_eq!(answer(&"v=0\n".repeat(10_000)), SdpError::TooLong { length_bytes: 40_000 });
    expect!["line 2: no c= line tells the address of this stream"]
        .assert_eq(&answer("v=0\nm=audio 4000 RTP/AVP 0").to_string());
}

#[test]
fn an_unusable_address_of_another_stream_does_not_matter() {
    let lines = ["m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96", "c=IN IP4 camera.example.com"];
    assert_eq!(negotiated(&lines).remote_rtp.port(), 4000);
}

#[test]
fn an_answer_without_our_stream_is_no_answer() {
    let lines = ["m=video 4002 RTP/AVP 96", "m=audio 4000 RTP/AVP 0"];
    assert_eq!(accept_answer(&fermata(), phone(&lines).as_bytes()), Err(SdpError::NoAudio));
    let rejected = phone(&["m=audio 0 RTP/AVP 0"]);
    assert_eq!(accept_answer(&fermata(), rejected.as_bytes()), Err(SdpError::AudioRejected { line: 6 }));
}

/// Whatever is read, no panic; and what we answer can be read again and means the same.
#[test]
fn mutated_descriptions_never_panic() {
    let seed_text = phone(&[
        "a=sendonly",
        "m=audio 7078/1 RTP/AVP 96 9 8 0 101",
        "c=IN IP6 2001:db8::7",
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtcp:7079 IN IP4 192.0.2.1",
        "a=ptime:20",
        "m=video 0 RTP/AVP 97",
    ]);
    let ours = Local { address: "2001:db8::10".parse().unwrap(), ..fermata() };
    let mut random = Random(0x5eed);
    let mut answers = 0;
    for _ in 0..50_000 {
        let mutated = mutate(seed_text.as_bytes(), &mut random);
        let _ = accept_answer(&ours, &mutated);
        let Ok((text, negotiated)) = answer(&ours, &mutated) else { continue };
        answers += 1;
        assert_eq!(text.matches("m=audio 20000 ").count(), 1);
        let theirs = Local { direction: negotiated.remote, ..ours.clone() };
        let (_, read_back) = answer(&theirs, text.as_bytes()).unwrap();
        assert_eq!(read_back.format, negotiated.format, "{text}");
    }
    assert!(answers > 5_000, "the mutations must leave many descriptions readable, not {answers}");
}

fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] = b"0123456789/:= \r\n"[random.below(16)],
            2 => bytes.truncate(at + 1),
            3 => drop(bytes.drain(at..(at + random.below(9)).min(bytes.len() - 1).max(at))),
            _ => bytes.splice(at..at, seed[..random.below(seed.len())].to_vec()).for_each(drop),
        }
    }
    bytes
}

/// Xorshift64: enough to mutate, the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}
