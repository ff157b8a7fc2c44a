//! Reliable provisional responses to calls that come in: RFC 3262.

use std::time::Duration;

use edge::sip::{DialogKey, EndCause, Event, Message, Name, Response};

use crate::sip_pair::{Pair, invite};
use crate::sip_solo::{PEER, Solo, header};

const SUPPORTED: (&str, &str) = ("Supported", "timer, 100rel");
const REQUIRED: (&str, &str) = ("Require", "100rel");
const SDP: (&str, &str) = ("Content-Type", "application/sdp");

/// The scripted peer calls, and hears that it rings.
fn ringing(fields: &[(&str, &str)], offer: &str) -> (Solo, DialogKey) {
    let mut solo = Solo::new(|_| {});
    solo.send("INVITE sip:bot@192.0.2.1", fields, offer);
    let dialog = solo.incoming();
    solo.endpoint.ring(dialog, solo.now);
    (solo, dialog)
}

fn responses(solo: &mut Solo) -> Vec<Response> {
    let responses = solo.messages().into_iter().filter_map(|message| match message {
        Message::Response(response) => Some(response),
        Message::Request(_) => None,
    });
    responses.collect()
}

fn statuses(solo: &mut Solo) -> Vec<u16> {
    responses(solo).iter().map(|response| response.status.code()).collect()
}

/// The peer confirms a response with this number, for the `nth` time, and is answered.
fn prack(solo: &mut Solo, ringing: &Response, rseq: &str, nth: u32) -> Vec<u16> {
    let via = format!("SIP/2.0/UDP {PEER};branch=z9hG4bKprack{nth};rport");
    let (rack, cseq) = (format!("{rseq} 1 INVITE"), format!("{} PRACK", 1 + nth));
    let to = header(&ringing.headers, &Name::To);
    solo.send("PRACK sip:bot@192.0.2.1", &[("Via", &via), ("To", to), ("CSeq", &cseq), ("RAck", &rack)], "");
    statuses(solo)
}

#[test]
fn the_180_is_sent_again_until_it_is_confirmed() {
    for option in [SUPPORTED, REQUIRED] {
        let (mut solo, _) = ringing(&[option, SDP], "v=0");
        let first = solo.response();
        assert_eq!(header(&first.headers, &Name::Require), "100rel");
        let rseq = header(&first.headers, &Name::RSeq).to_owned();
        assert!((1..1 << 31).contains(&rseq.parse::<u32>().expect("a number")));
        // After 0.5, 1.5 and 3.5 s.
        solo.pass(Duration::from_secs(4));
        let again = responses(&mut solo);
        assert_eq!(again.len(), 3);
        assert!(again.iter().all(|response| response.to_bytes() == first.to_bytes()));
        assert_eq!(prack(&mut solo, &first, "0", 1), [481]);
        assert_eq!(prack(&mut solo, &first, &rseq, 2), [200]);
        assert_eq!(prack(&mut solo, &first, &rseq, 3), [481], "it is confirmed");
        solo.pass(Duration::from_secs(60));
        assert_eq!(statuses(&mut solo), [], "and rings on");
    }
}

#[test]
fn a_call_that_is_taken_before_the_180_is_confirmed_is_up() {
    let (mut solo, dialog) = ringing(&[SUPPORTED, SDP], "v=0");
    let first = solo.response();
    solo.endpoint.accept(dialog, b"answer".to_vec(), solo.now);
    assert_eq!(statuses(&mut solo), [200]);
    let rseq = header(&first.headers, &Name::RSeq).to_owned();
    assert_eq!(prack(&mut solo, &first, &rseq, 1), [200]);
    solo.pass(Duration::from_secs(2));
    assert!(statuses(&mut solo).iter().all(|status| *status == 200), "only the answer is sent again");
}

#[test]
fn a_caller_that_confirms_nothing_loses_the_call() {
    let (mut solo, dialog) = ringing(&[REQUIRED, SDP], "v=0");
    solo.pass(Duration::from_millis(31_900));
    assert!(statuses(&mut solo).iter().all(|status| *status == 180));
    solo.pass(Duration::from_millis(200));
    assert_eq!(statuses(&mut solo), [504]);
    assert_eq!(solo.events(), [Event::Ended { dialog, cause: EndCause::Local }]);
    solo.pass(Duration::from_secs(100));
    assert!(solo.endpoint.is_idle());
}

#[test]
fn one_180_is_enough() {
    let (mut solo, dialog) = ringing(&[SUPPORTED, SDP], "v=0");
    solo.endpoint.ring(dialog, solo.now);
    assert_eq!(statuses(&mut solo), [180]);
}

#[test]
fn a_caller_without_an_offer_is_told_only_what_needs_none() {
    let (mut solo, _) = ringing(&[SUPPORTED], "");
    assert_eq!(solo.response().headers.first(&Name::RSeq), None);
    let (mut solo, _) = ringing(&[REQUIRED], "");
    assert_eq!(statuses(&mut solo), []);
    let (mut solo, _) = ringing(&[SDP], "v=0");
    assert_eq!(solo.response().headers.first(&Name::RSeq), None);
}

#[test]
fn an_offer_in_a_prack_is_refused_and_the_180_confirmed() {
    let (mut solo, _) = ringing(&[SUPPORTED, SDP], "v=0");
    let first = solo.response();
    let rack = format!("{} 1 INVITE", header(&first.headers, &Name::RSeq));
    let (to, via) = (header(&first.headers, &Name::To), format!("SIP/2.0/UDP {PEER};branch=z9hG4bKp"));
    let fields = [("Via", via.as_str()), ("To", to), ("CSeq", "2 PRACK"), ("RAck", &rack), SDP];
    solo.send("PRACK sip:bot@192.0.2.1", &fields, "v=0");
    assert_eq!(statuses(&mut solo), [488]);
    solo.pass(Duration::from_secs(10));
    assert_eq!(statuses(&mut solo), []);
}

#[test]
fn between_two_of_ours_a_180_that_is_lost_comes_all_the_same() {
    let mut pair = Pair::new(1);
    pair.is_obliging = false;
    pair.loses = Box::new({
        let mut lost = 0;
        move |line| {
            let is_first = line == "bob: 180 INVITE" && lost == 0;
            lost += u32::from(is_first);
            is_first
        }
    });
    pair.alice.invite(DialogKey(1), invite(), pair.now);
    pair.drive(Duration::from_millis(100));
    pair.bob.ring(DialogKey::INCOMING, pair.now);
    pair.drive(Duration::from_secs(3));
    assert!(pair.alice_events.contains(&Event::Ringing { dialog: DialogKey(1) }), "{}", pair.take_trace());
    let trace = pair.take_trace();
    assert!(trace.contains("alice: PRACK\nbob: 200 PRACK\n"), "{trace}");
}
