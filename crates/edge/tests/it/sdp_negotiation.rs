//! Offers and answers of one call, one after the other.

use edge::sdp::{Direction, Negotiated, Negotiation, SdpError};
use expect_test::{Expect, expect};
use media::Codec;

use crate::sdp::{fermata, phone};

/// A call whose first offer was ours.
fn called(answer: &[&str]) -> Negotiation {
    let mut negotiation = Negotiation::new(fermata());
    negotiation.offer();
    negotiation.accept_answer(phone(answer).as_bytes()).unwrap();
    negotiation
}

/// A call whose first offer was the phone's.
fn called_by(offer: &[&str]) -> Negotiation {
    let mut negotiation = Negotiation::new(fermata());
    offered(&mut negotiation, offer);
    negotiation
}

fn offered(negotiation: &mut Negotiation, lines: &[&str]) -> (String, Negotiated) {
    negotiation.answer(phone(lines).as_bytes()).unwrap()
}

/// The version, and the streams.
fn check(description: &str, expected: Expect) {
    let version = description.split(' ').nth(2).unwrap();
    let streams = &description[description.find("m=").unwrap()..];
    expected.assert_eq(&format!("version {version}\n{}", streams.replace("\r\n", "\n")));
}

#[test]
fn an_offer_in_mid_call_is_full_and_keeps_the_numbers_in_use() {
    let mut negotiation = called_by(&[
        "m=audio 4000 RTP/AVP 101 96 8",
        "a=rtpmap:101 opus/48000/2",
        "a=rtpmap:96 telephone-event/48000",
        "a=sendonly",
    ]);
    check(
        &negotiation.offer(),
        expect![[r#"
            version 2
            m=audio 20000 RTP/AVP 101 9 8 0 96 97
            a=rtpmap:101 opus/48000/2
            a=fmtp:101 useinbandfec=1
            a=rtpmap:9 G722/8000
            a=rtpmap:8 PCMA/8000
            a=rtpmap:0 PCMU/8000
            a=rtpmap:96 telephone-event/48000
            a=fmtp:96 0-16
            a=rtpmap:97 telephone-event/8000
            a=fmtp:97 0-16
            a=ptime:20
            a=rtcp-mux
            a=sendrecv
        "#]],
    );
}

#[test]
fn every_stream_keeps_its_place_in_an_offer_of_ours() {
    let mut negotiation = called_by(&[
        "m=video 4002 RTP/AVP 97",
        "a=rtpmap:97 H264/90000",
        "m=audio 4000 RTP/AVPF 0",
        "m=image 9 udptl t38",
    ]);
    negotiation.set_codecs(vec![Codec::Pcmu]);
    check(
        &negotiation.offer(),
        expect![[r#"
            version 2
            m=video 0 RTP/AVP 97
            m=audio 20000 RTP/AVPF 0 101
            a=rtpmap:0 PCMU/8000
            a=rtpmap:101 telephone-event/8000
            a=fmtp:101 0-16
            a=ptime:20
            a=rtcp-mux
            a=sendrecv
            m=image 0 udptl t38
        "#]],
    );
    let answer = ["m=video 0 RTP/AVP 97", "m=audio 4000 RTP/AVPF 0", "a=sendonly", "m=image 0 udptl t38"];
    assert!(negotiation.accept_answer(phone(&answer).as_bytes()).unwrap().remote_hold);
}

#[test]
fn the_version_rises_when_something_is_new_and_only_then() {
    let mut negotiation = called(&["m=audio 4000 RTP/AVP 0"]);
    let version = |description: &str| description.split(' ').nth(2).unwrap().parse::<u64>().unwrap();
    let hold = ["m=audio 4000 RTP/AVP 0", "a=sendonly"];
    assert_eq!(version(&offered(&mut negotiation, &hold).0), 2);
    assert_eq!(version(&offered(&mut negotiation, &hold).0), 2, "the same again");
    assert_eq!(version(&offered(&mut negotiation, &["m=audio 4000 RTP/AVP 0"]).0), 3);
    assert_eq!(version(&negotiation.offer()), 4);
    negotiation.withdraw();
    assert_eq!(version(&negotiation.offer()), 4, "the same again");
}

#[test]
fn a_phone_that_ends_its_audio_is_answered_in_kind_and_comes_back() {
    let mut negotiation = called(&["m=audio 4000 RTP/AVP 8 101", "a=rtpmap:101 telephone-event/8000"]);
    let (text, ended) = offered(&mut negotiation, &["m=audio 0 RTP/AVP 8"]);
    assert!(text.contains("m=audio 0 RTP/AVP 8\r\n"), "{text}");
    assert!(ended.remote_hold && !ended.remote_listens && !ended.remote_sends);
    let back = offered(&mut negotiation, &["m=audio 4004 RTP/AVP 0"]).1;
    assert!(!back.remote_hold && back.remote_listens && back.remote_sends);
    assert_eq!((back.format.codec, back.remote_rtp.port()), (Codec::Pcmu, 4004));
}

#[test]
fn an_audio_stream_that_ends_in_favour_of_another_moves() {
    let mut negotiation = called(&["m=audio 4000 RTP/AVP 8"]);
    let (text, moved) = offered(&mut negotiation, &["m=audio 0 RTP/AVP 8", "m=audio 4010 RTP/AVP 9"]);
    assert!(text.contains("m=audio 0 RTP/AVP 8\r\nm=audio 20000 RTP/AVP 9\r\n"), "{text}");
    assert_eq!((moved.format.codec, moved.remote_rtp.port()), (Codec::G722, 4010));
}

#[test]
fn what_comes_to_nothing_changes_nothing() {
    let mut negotiation = called(&["m=audio 4000 RTP/AVP 0"]);
    let before = negotiation.agreed();
    for refused in [&["m=image 4000 udptl t38"][..], &["m=audio 4000 RTP/AVP 3"], &["hello"]] {
        negotiation.answer(phone(refused).as_bytes()).unwrap_err();
        assert_eq!(negotiation.agreed(), before);
    }
    negotiation.offer();
    assert_eq!(negotiation.accept_answer(b""), Err(SdpError::Version { line: 1 }));
    assert_eq!(negotiation.agreed(), before);
    assert_eq!(negotiation.accept_answer(phone(&["m=audio 1 RTP/AVP 0"]).as_bytes()), Err(SdpError::NotOffered));
}

#[test]
fn a_phone_that_resumes_by_answering_our_offer_is_not_held_back_by_its_hold() {
    let mut negotiation = called(&["m=audio 4000 RTP/AVP 0"]);
    assert!(offered(&mut negotiation, &["m=audio 4000 RTP/AVP 0", "a=inactive"]).1.remote_hold);
    assert!(negotiation.offer().contains("a=sendrecv\r\n"));
    let resumed = negotiation.accept_answer(phone(&["m=audio 4000 RTP/AVP 0"]).as_bytes()).unwrap();
    assert_eq!((resumed.remote, resumed.remote_hold), (Direction::SendRecv, false));
}

#[test]
fn the_same_description_again_is_answered_like_an_offer() {
    let mut negotiation = called(&["m=audio 4000 RTP/AVP 0"]);
    offered(&mut negotiation, &["m=audio 4000 RTP/AVP 0", "a=sendonly"]);
    let refreshed = negotiation.accept_refresh(phone(&["m=audio 4000 RTP/AVP 0", "a=sendonly"]).as_bytes()).unwrap();
    assert!(refreshed.remote_hold && refreshed.remote_sends);
}

#[test]
fn an_address_of_the_other_family_cannot_be_reached() {
    let lines = ["m=audio 4000 RTP/AVP 0", "c=IN IP6 2001:db8::1"];
    let refused = Negotiation::new(fermata()).answer(phone(&lines).as_bytes()).unwrap_err();
    assert_eq!(refused, SdpError::AddressFamily { line: 7 });
    let held = called_by(&["m=audio 4000 RTP/AVP 0", "c=IN IP6 ::"]).agreed().unwrap();
    assert!(held.remote_hold, "the zero address holds in either family");
}
