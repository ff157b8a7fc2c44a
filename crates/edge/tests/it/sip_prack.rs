//! Reliable provisional responses to our calls: RFC 3262.

use std::time::Duration;

use edge::sip::{EndCause, Event, Method, Name, Request};

use crate::sip_pair::{ALICES, invite};
use crate::sip_solo::{PEER, Solo, header};

/// A call to the scripted peer, and its INVITE.
fn calling() -> (Solo, Request) {
    let mut solo = Solo::new(|_| {});
    let target = format!("sip:peer@{PEER}").parse().unwrap();
    solo.endpoint.invite(ALICES, edge::sip::Invite { target, ..invite() }, solo.now);
    let request = solo.request();
    (solo, request)
}

const CONTACT: (&str, &str) = ("Contact", "<sip:there@192.0.2.9:5070>");
const SDP: (&str, &str) = ("Content-Type", "application/sdp");

fn reliable(rseq: &str) -> [(&str, &str); 3] {
    [("Require", "100rel"), ("RSeq", rseq), CONTACT]
}

fn pracks(solo: &mut Solo) -> Vec<String> {
    let pracks = solo.requests().into_iter().filter(|request| request.method == Method::Prack);
    pracks.map(|prack| format!("{} {}", prack.uri, header(&prack.headers, &Name::RAck))).collect()
}

#[test]
fn each_reliable_response_is_confirmed_once_and_in_order() {
    let (mut solo, invite) = calling();
    assert!(header(&invite.headers, &Name::Supported).contains("100rel"));
    solo.answer(&invite, "180 Ringing", "t", &reliable("7"));
    assert_eq!(pracks(&mut solo), ["sip:there@192.0.2.9:5070 7 1 INVITE"]);
    // Repeated because the PRACK was late, overtaken, and the next.
    solo.answer(&invite, "180 Ringing", "t", &reliable("7"));
    solo.answer(&invite, "183 Session Progress", "t", &reliable("9"));
    assert_eq!(pracks(&mut solo), [""; 0]);
    solo.answer(&invite, "183 Session Progress", "t", &reliable("8"));
    assert_eq!(pracks(&mut solo), ["sip:there@192.0.2.9:5070 8 1 INVITE"]);
    // One that is not reliable, and one of another phone.
    solo.answer(&invite, "180 Ringing", "t", &[CONTACT]);
    solo.answer(&invite, "180 Ringing", "other", &reliable("1"));
    assert_eq!(pracks(&mut solo), ["sip:there@192.0.2.9:5070 1 1 INVITE"]);
}

#[test]
fn an_answer_in_a_reliable_response_is_the_calls_answer() {
    let (mut solo, invite) = calling();
    let [require, rseq, contact] = reliable("1");
    solo.answer_with(&invite, "183 Session Progress", "t", &[require, rseq, contact, SDP], "early");
    let prack = solo.request();
    solo.answer(&prack, "200 OK", "t", &[]);
    solo.answer(&invite, "200 OK", "t", &[CONTACT]);
    assert_eq!(solo.events().last(), Some(&Event::Answered { dialog: ALICES, body: b"early".to_vec() }));
    // Its requests count on from the PRACK.
    solo.endpoint.hang_up(ALICES, solo.now);
    assert_eq!(header(&solo.request().headers, &Name::CSeq), "3 BYE");
}

#[test]
fn another_phone_that_answers_has_an_answer_of_its_own() {
    let (mut solo, invite) = calling();
    let [require, rseq, contact] = reliable("1");
    solo.answer_with(&invite, "183 Session Progress", "one", &[require, rseq, contact, SDP], "early");
    solo.answer_with(&invite, "200 OK", "two", &[CONTACT, SDP], "late");
    assert_eq!(solo.events().last(), Some(&Event::Answered { dialog: ALICES, body: b"late".to_vec() }));
}

#[test]
fn an_early_dialog_can_be_refreshed_but_not_be_changed_before_our_offer_is_answered() {
    let (mut solo, invite) = calling();
    solo.answer(&invite, "183 Session Progress", "t", &reliable("1"));
    let prack = solo.request();
    let [from, to, call_id] = [Name::To, Name::From, Name::CallId].map(|name| header(&prack.headers, &name).to_owned());
    let status = |solo: &mut Solo, cseq: &str, body: &str| {
        let via = format!("SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{}", cseq.replace(' ', ""));
        let fields = [("From", &*from), ("To", &*to), ("Call-ID", &*call_id), ("CSeq", cseq), ("Via", &*via), SDP];
        solo.send(&format!("{} sip:alice@192.0.2.1", &cseq[2..]), &fields, body);
        solo.response().status.code()
    };
    assert_eq!(status(&mut solo, "1 UPDATE", ""), 200);
    assert_eq!(status(&mut solo, "2 UPDATE", "v=0"), 491);
    assert_eq!(status(&mut solo, "3 BYE", ""), 481);
    solo.answer(&invite, "486 Busy Here", "t", &[]);
    assert_eq!(status(&mut solo, "4 UPDATE", ""), 481);
    solo.pass(Duration::from_secs(100));
    assert!(solo.endpoint.is_idle());
}

#[test]
fn a_call_given_up_while_it_rings_reliably_leaves_nothing() {
    let (mut solo, invite) = calling();
    solo.answer(&invite, "180 Ringing", "t", &reliable("1"));
    solo.endpoint.hang_up(ALICES, solo.now);
    solo.answer(&invite, "487 Request Terminated", "t", &[]);
    assert_eq!(solo.events().last(), Some(&Event::Ended { dialog: ALICES, cause: EndCause::Local }));
    solo.pass(Duration::from_secs(100));
    assert!(solo.endpoint.is_idle());
}
