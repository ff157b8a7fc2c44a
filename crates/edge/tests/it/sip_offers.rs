//! Offers that come late, by UPDATE, at the wrong moment, or among other things.

use std::time::Duration;

use edge::sip::{Event, Invite, Method, Name, Status};
use expect_test::expect;

use crate::sip_pair::{ALICES, BOBS, Pair, invite};
use crate::sip_solo::{Solo, header};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(200);

fn offered(dialog: edge::sip::DialogKey, body: &str) -> Event {
    Event::Offered { dialog, body: body.into() }
}

fn answered(dialog: edge::sip::DialogKey, body: &str) -> Event {
    Event::OfferAnswered { dialog, body: body.into() }
}

#[test]
fn a_call_without_an_offer_is_offered_in_the_200_and_answered_in_the_ack() {
    let mut pair = Pair::new(1);
    pair.is_obliging = false;
    pair.alice.invite(ALICES, Invite { offer: Vec::new(), ..invite() }, pair.now);
    pair.drive(SECOND / 10);
    pair.bob.accept(BOBS, b"bob's offer".to_vec(), pair.now);
    pair.drive(SECOND);
    assert_eq!(pair.alice_events, [Event::Answered { dialog: ALICES, body: b"bob's offer".to_vec() }]);
    pair.alice.answer_offer(ALICES, Ok(b"alice's answer".to_vec()), pair.now);
    pair.drive(LONG);
    // The 200 is repeated until its ACK comes.
    expect![[r#"
        alice: INVITE
        bob: 200 INVITE
        bob: 200 INVITE
        alice: ACK
    "#]]
    .assert_eq(&pair.take_trace());
    assert_eq!(pair.bob_events.last(), Some(&answered(BOBS, "alice's answer")));
}

#[test]
fn a_late_offer_that_is_of_no_use_still_gets_its_ack() {
    let mut pair = Pair::new(2);
    pair.is_obliging = false;
    pair.alice.invite(ALICES, Invite { offer: Vec::new(), ..invite() }, pair.now);
    pair.drive(SECOND / 10);
    pair.bob.accept(BOBS, b"bob's offer".to_vec(), pair.now);
    pair.drive(SECOND / 10);
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(LONG);
    expect![[r#"
        alice: INVITE
        bob: 200 INVITE
        alice: ACK
        alice: BYE
        bob: 200 BYE
    "#]]
    .assert_eq(&pair.take_trace());
    pair.assert_idle();
}

#[test]
fn a_reinvite_without_an_offer_wants_ours_and_its_ack_brings_the_answer() {
    let mut pair = Pair::talking(3);
    pair.bob.reinvite(BOBS, Vec::new(), pair.now).unwrap();
    pair.drive(SECOND);
    assert_eq!(pair.take_trace(), "bob: INVITE\nalice: 200 INVITE\nbob: ACK\n");
    assert_eq!(pair.alice_events, [Event::OfferWanted { dialog: ALICES }, answered(ALICES, "answer")]);
    assert_eq!(pair.bob_events, [offered(BOBS, "late offer")]);
}

#[test]
fn an_ack_that_owes_an_answer_and_has_none_says_so() {
    let mut pair = Pair::talking(4);
    pair.is_obliging = false;
    pair.bob.reinvite(BOBS, Vec::new(), pair.now).unwrap();
    pair.drive(SECOND);
    pair.alice.answer_offer(ALICES, Ok(b"late offer".to_vec()), pair.now);
    pair.drive(SECOND);
    pair.bob.answer_offer(BOBS, Err(Status::NOT_ACCEPTABLE_HERE), pair.now);
    pair.drive(SECOND);
    assert_eq!(pair.alice_events.last(), Some(&answered(ALICES, "")));
}

#[test]
fn an_update_offers_without_an_ack() {
    let mut pair = Pair::talking(5);
    pair.bob.update(BOBS, b"hold".to_vec(), pair.now).unwrap();
    pair.drive(SECOND);
    assert_eq!(pair.take_trace(), "bob: UPDATE\nalice: 200 UPDATE\n");
    assert_eq!(pair.alice_events, [offered(ALICES, "hold")]);
    assert_eq!(pair.bob_events, [answered(BOBS, "answer")]);
    // And the other way, after it.
    pair.alice.update(ALICES, b"hold".to_vec(), pair.now).unwrap();
    pair.drive(LONG);
    assert_eq!(pair.bob_events.last(), Some(&offered(BOBS, "hold")));
}

#[test]
fn an_update_and_a_reinvite_that_collide_are_both_made_in_the_end() {
    let mut pair = Pair::talking(6);
    pair.alice.reinvite(ALICES, b"alice's".to_vec(), pair.now).unwrap();
    pair.bob.update(BOBS, b"bob's".to_vec(), pair.now).unwrap();
    pair.drive(SECOND / 1000);
    expect![[r#"
        alice: INVITE
        bob: UPDATE
        bob: 491 INVITE
        alice: 491 UPDATE
        alice: ACK
    "#]]
    .assert_eq(&pair.take_trace());
    pair.drive(SECOND * 10);
    assert!(pair.alice_events.contains(&offered(ALICES, "bob's")));
    assert!(pair.bob_events.contains(&offered(BOBS, "alice's")));
}

#[test]
fn an_offer_of_ours_that_waits_for_its_answer_in_the_ack_collides_too() {
    let mut pair = Pair::talking(7);
    pair.is_obliging = false;
    pair.bob.reinvite(BOBS, Vec::new(), pair.now).unwrap();
    pair.drive(SECOND / 10);
    pair.alice.answer_offer(ALICES, Ok(b"late offer".to_vec()), pair.now);
    pair.drain();
    // Bob has the offer and has not answered it; he may not offer himself, and alice may not either.
    pair.drive(SECOND / 10);
    assert!(pair.bob.update(BOBS, b"x".to_vec(), pair.now).is_err());
    assert!(pair.alice.update(ALICES, b"x".to_vec(), pair.now).is_err());
}

#[test]
fn a_peer_that_never_has_time_for_an_offer_is_given_up() {
    let (mut solo, to) = called();
    let call = edge::sip::DialogKey::INCOMING;
    solo.endpoint.reinvite(call, b"offer".to_vec(), solo.now).unwrap();
    let tag = to.split("tag=").nth(1).unwrap();
    let mut attempts = 0;
    while let Some(request) = solo.requests().into_iter().find(|request| request.method == Method::Invite) {
        attempts += 1;
        solo.answer(&request, "491 Request Pending", tag, &[]);
        solo.pass(SECOND * 4);
    }
    assert_eq!(attempts, 10);
    assert_eq!(solo.events(), [Event::OfferRefused { dialog: call, status: Status::REQUEST_PENDING }]);
}

#[test]
fn a_peer_that_says_when_to_come_back_is_believed() {
    let (mut solo, to) = called();
    let call = edge::sip::DialogKey::INCOMING;
    solo.endpoint.update(call, b"offer".to_vec(), solo.now).unwrap();
    let update = solo.request();
    solo.answer(&update, "500 Server Internal Error", to.split("tag=").nth(1).unwrap(), &[("Retry-After", "7")]);
    solo.pass(SECOND * 6);
    assert_eq!(solo.requests(), []);
    solo.pass(SECOND * 2);
    assert_eq!(solo.request().body, b"offer");
}

/// A call from the scripted peer that is up.
fn called() -> (Solo, String) {
    let mut solo = Solo::new(|_| {});
    solo.send("INVITE sip:alice@192.0.2.1", &[SDP], "v=0");
    let call = solo.incoming();
    solo.endpoint.accept(call, b"answer".to_vec(), solo.now);
    let to = header(&solo.response().headers, &Name::To).to_owned();
    solo.send("ACK sip:alice@192.0.2.1", &[("To", &to), ("CSeq", "1 ACK"), branch("z9hG4bKack")], "");
    solo.events();
    (solo, to)
}

const SDP: (&str, &str) = ("Content-Type", "application/sdp");

fn branch(branch: &str) -> (&'static str, &'static str) {
    let via = format!("SIP/2.0/UDP 192.0.2.9:5070;branch={branch};rport");
    ("Via", Box::leak(via.into_boxed_str()))
}

/// Sends a request in the call and returns the status of the answer.
fn status(solo: &mut Solo, to: &str, request: &str, number: u32, fields: &[(&str, &str)], body: &str) -> u16 {
    let cseq = format!("{number} {request}");
    let fields = [&[("To", to), ("CSeq", &cseq), branch(&format!("z9hG4bK{number}"))], fields].concat();
    solo.send(&format!("{request} sip:alice@192.0.2.1"), &fields, body);
    solo.response().status.code()
}

#[test]
fn an_offer_before_the_last_one_is_answered_is_told_to_wait() {
    let (mut solo, to) = called();
    let cseq = "2 UPDATE";
    solo.send("UPDATE sip:alice@192.0.2.1", &[("To", &to), ("CSeq", cseq), branch("z9hG4bKu"), SDP], "v=1");
    assert_eq!(status(&mut solo, &to, "UPDATE", 3, &[SDP], "v=2"), 500);
    assert_eq!(status(&mut solo, &to, "INVITE", 4, &[SDP], "v=3"), 500);
    // Without an offer there is nothing to wait for.
    assert_eq!(status(&mut solo, &to, "UPDATE", 5, &[], ""), 200);
}

#[test]
fn a_description_is_found_in_a_multipart_body() {
    let body = "preamble\r\n--edge\r\nContent-Type: application/isup;version=x\r\n\
                Content-Disposition: signal;handling=optional\r\n\r\n\x01\x02\r\n\
                --edge\r\ncontent-type : application/SDP\r\n\r\nv=0\r\ns=-\r\n\r\n--edge--\r\nv=9";
    let multipart = ("Content-Type", "multipart/mixed; boundary=\"edge\"");
    let (mut solo, to) = called();
    let invite = [("To", to.as_str()), ("CSeq", "2 INVITE"), branch("z9hG4bK2"), multipart];
    solo.send("INVITE sip:alice@192.0.2.1", &invite, body);
    let [Event::Offered { body, .. }] = &solo.events()[..] else { panic!("an offer") };
    assert_eq!(body, b"v=0\r\ns=-\r\n");
}

#[test]
fn what_must_be_understood_and_is_not_is_refused() {
    let (mut solo, to) = called();
    let isup = ("Content-Type", "application/isup");
    assert_eq!(status(&mut solo, &to, "UPDATE", 2, &[isup], "x"), 415);
    assert_eq!(
        status(&mut solo, &to, "UPDATE", 3, &[isup, ("Content-Disposition", "signal;handling=optional")], "x"),
        200
    );
    assert_eq!(status(&mut solo, &to, "UPDATE", 4, &[SDP, ("Content-Encoding", "gzip")], "x"), 415);
    let parts = "--b\r\nContent-Type: application/isup\r\n\r\nx\r\n--b--";
    let multipart = ("Content-Type", "multipart/mixed;boundary=b");
    assert_eq!(status(&mut solo, &to, "UPDATE", 5, &[multipart], parts), 415);
    assert_eq!(status(&mut solo, &to, "UPDATE", 6, &[("Require", "timer, resource-priority")], ""), 420);
    assert_eq!(status(&mut solo, &to, "PRACK", 7, &[("RAck", "1 1 INVITE")], ""), 481);
}
