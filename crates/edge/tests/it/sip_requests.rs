//! What comes in from peers of all kinds: RFC 3261 §8.2, §11, §17.2.3 and §18.2, RFC 3581.

use std::time::Duration;

use edge::sip::{Destination, EndCause, Event, Incoming, Message, Name, Status};

use crate::sip_solo::{Solo, header};

const SDP: (&str, &str) = ("Content-Type", "application/sdp");
const LONG: Duration = Duration::from_secs(200);

/// Sends a request and returns the status of the answer.
fn status_of(first_line: &str, fields: &[(&str, &str)], body: &str) -> u16 {
    let mut solo = Solo::new(|_| {});
    solo.send(first_line, fields, body);
    solo.response().status.code()
}

#[test]
fn options_says_what_we_can() {
    let mut solo = Solo::new(|_| {});
    solo.send("OPTIONS sip:192.0.2.1", &[], "");
    let response = solo.response();
    assert_eq!(response.status, Status::OK);
    assert_eq!(
        header(&response.headers, &Name::Allow),
        "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY"
    );
    assert_eq!(header(&response.headers, &Name::Accept), "application/sdp");
    solo.pass(LONG);
    assert!(solo.endpoint.is_idle());
}

#[test]
fn what_we_do_not_serve_is_refused_with_its_status() {
    assert_eq!(status_of("JUMP sip:192.0.2.1", &[], ""), 501);
    assert_eq!(status_of("SUBSCRIBE sip:192.0.2.1", &[], ""), 405);
    assert_eq!(status_of("REGISTER sip:192.0.2.1", &[], ""), 405);
    assert_eq!(status_of("OPTIONS tel:+15551234", &[], ""), 416);
    assert_eq!(status_of("INVITE sip:192.0.2.1", &[("Require", "timer, precondition"), SDP], "v=0"), 420);
    assert_eq!(status_of("INVITE sip:192.0.2.1", &[("Content-Type", "text/plain")], "hello"), 415);
    assert_eq!(status_of("INVITE sip:192.0.2.1", &[("Contact", "none"), SDP], "v=0"), 400);
    assert_eq!(status_of("BYE sip:192.0.2.1", &[("To", "<sip:alice@192.0.2.1>;tag=nobody")], ""), 481);
    assert_eq!(status_of("BYE sip:192.0.2.1", &[], ""), 481);
    assert_eq!(status_of("CANCEL sip:192.0.2.1", &[], ""), 481);
    assert_eq!(status_of("OPTIONS sip:192.0.2.1", &[("CSeq", "1 INVITE")], ""), 400);
    assert_eq!(status_of("OPTIONS sip:192.0.2.1", &[("Call-ID", "none")], ""), 400);
}

#[test]
fn an_unsupported_extension_is_named() {
    let mut solo = Solo::new(|_| {});
    solo.send("INVITE sip:192.0.2.1", &[("Require", "100rel, precondition, timer, sec-agree"), SDP], "v=0");
    assert_eq!(header(&solo.response().headers, &Name::Unsupported), "precondition, sec-agree");
}

#[test]
fn the_server_says_clearly_that_it_takes_no_calls() {
    let mut solo = Solo::new(|config| config.incoming = Incoming::Refuse);
    solo.send("INVITE sip:alice@192.0.2.1", &[SDP], "v=0");
    let response = solo.response();
    assert_eq!(response.status, Status::FORBIDDEN);
    let warning = header(&response.headers, &Name::Warning);
    assert_eq!(warning, "399 192.0.2.1:5060 \"incoming calls are not offered here\"");
    assert_eq!(solo.events(), []);
}

#[test]
fn a_response_goes_to_the_source_port_when_rport_asks_for_it() {
    let mut solo = Solo::new(|_| {});
    solo.send("OPTIONS sip:192.0.2.1", &[("Via", "SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bKa;rport")], "");
    let transmit = solo.endpoint.poll_transmit().unwrap();
    assert_eq!(transmit.destination, Destination::Flow(solo.flow));
    let Message::Response(response) = Message::parse(&transmit.bytes).unwrap() else { panic!("a response") };
    let via = header(&response.headers, &Name::Via);
    assert_eq!(via, "SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bKa;rport=5070;received=192.0.2.9");
}

#[test]
fn a_response_goes_to_the_port_of_the_via_without_rport() {
    let mut solo = Solo::new(|_| {});
    solo.send("OPTIONS sip:192.0.2.1", &[("Via", "SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bKa")], "");
    let transmit = solo.endpoint.poll_transmit().unwrap();
    assert_eq!(transmit.destination.remote(), "192.0.2.9:6000".parse().unwrap());
}

#[test]
fn all_vias_go_back_in_their_order() {
    let mut solo = Solo::new(|_| {});
    let vias = "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa, SIP/2.0/TCP far.example.com;branch=z9hG4bKb";
    solo.send("OPTIONS sip:192.0.2.1", &[("v", vias), ("Via", "none")], "");
    let response = solo.response();
    let vias: Vec<&str> = response.headers.all(&Name::Via).collect();
    let expected = ["SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa", "SIP/2.0/TCP far.example.com;branch=z9hG4bKb"];
    assert_eq!(vias, expected);
}

#[test]
fn a_copy_of_an_invite_that_came_another_way_is_merged() {
    let mut solo = Solo::new(|_| {});
    solo.send("INVITE sip:alice@192.0.2.1", &[SDP], "v=0");
    solo.incoming();
    let via = ("Via", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKother");
    solo.send("INVITE sip:alice@192.0.2.1", &[via, SDP], "v=0");
    assert_eq!(solo.response().status, Status::LOOP_DETECTED);
    assert_eq!(solo.events(), []);
}

#[test]
fn a_retransmitted_invite_gets_the_same_response_and_no_second_call() {
    let mut solo = Solo::new(|_| {});
    solo.send("INVITE sip:alice@192.0.2.1", &[SDP], "v=0");
    let call = solo.incoming();
    solo.endpoint.ring(call, solo.now);
    let first = solo.response();
    solo.send("INVITE sip:alice@192.0.2.1", &[SDP], "v=0");
    assert_eq!(solo.response(), first);
    assert_eq!(solo.events(), []);
}

#[test]
fn an_unanswered_call_is_refused_in_the_end() {
    let mut solo = Solo::new(|_| {});
    solo.send("INVITE sip:alice@192.0.2.1", &[SDP], "v=0");
    let call = solo.incoming();
    solo.pass(LONG);
    assert_eq!(solo.response().status, Status::TEMPORARILY_UNAVAILABLE);
    assert_eq!(solo.events(), [Event::Ended { dialog: call, cause: EndCause::Local }]);
    solo.pass(LONG);
    assert!(solo.endpoint.is_idle());
}

#[test]
fn a_full_endpoint_says_503_and_keeps_nothing() {
    let mut solo = Solo::new(|config| config.limits.transactions = 1);
    solo.send("OPTIONS sip:192.0.2.1", &[], "");
    solo.response();
    let via = ("Via", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKother");
    solo.send("OPTIONS sip:192.0.2.1", &[via], "");
    let first = solo.response();
    assert_eq!(first.status, Status::SERVICE_UNAVAILABLE);
    assert_eq!(header(&first.headers, &Name::RetryAfter), "5");
    solo.send("OPTIONS sip:192.0.2.1", &[via], "");
    assert_eq!(solo.response(), first, "the tag must be the same without state");
}

#[test]
fn too_many_dialogs_are_refused() {
    let mut solo = Solo::new(|config| config.limits.dialogs = 1);
    solo.send("INVITE sip:alice@192.0.2.1", &[SDP], "v=0");
    solo.incoming();
    let via = ("Via", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKother");
    solo.send("INVITE sip:alice@192.0.2.1", &[via, ("Call-ID", "other"), SDP], "v=0");
    assert_eq!(solo.response().status, Status::SERVICE_UNAVAILABLE);
}

/// The call is up, and the peer's requests carry these fields.
fn answered(solo: &mut Solo) -> (edge::sip::DialogKey, String) {
    let route = ("Record-Route", "<sip:192.0.2.8;lr>");
    solo.send("INVITE sip:alice@192.0.2.1", &[route, SDP], "v=0");
    let call = solo.incoming();
    solo.endpoint.accept(call, b"v=0".to_vec(), solo.now);
    let response = solo.response();
    assert_eq!(header(&response.headers, &Name::RecordRoute), "<sip:192.0.2.8;lr>");
    let to = header(&response.headers, &Name::To).to_owned();
    solo.send("ACK sip:alice@192.0.2.1", &[("To", &to), ("Via", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKack")], "");
    assert_eq!(solo.events(), [Event::Confirmed { dialog: call }]);
    (call, to)
}

#[test]
fn requests_of_a_dialog_take_its_route() {
    let mut solo = Solo::new(|_| {});
    let (call, _) = answered(&mut solo);
    solo.endpoint.hang_up(call, solo.now);
    let transmit = solo.endpoint.poll_transmit().unwrap();
    assert_eq!(transmit.destination.remote(), "192.0.2.8:5060".parse().unwrap());
    let Message::Request(bye) = Message::parse(&transmit.bytes).unwrap() else { panic!("a request") };
    assert_eq!(bye.uri.to_string(), "sip:peer@192.0.2.9:5070");
    assert_eq!(header(&bye.headers, &Name::Route), "<sip:192.0.2.8;lr>");
}

#[test]
fn a_request_that_was_overtaken_is_refused() {
    let mut solo = Solo::new(|_| {});
    let (_, to) = answered(&mut solo);
    let via = |branch| format!("SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{branch}");
    solo.send("INFO sip:alice@192.0.2.1", &[("To", &to), ("CSeq", "7 INFO"), ("Via", &via("a"))], "");
    assert_eq!(solo.response().status, Status::OK);
    solo.send("INFO sip:alice@192.0.2.1", &[("To", &to), ("CSeq", "6 INFO"), ("Via", &via("b"))], "");
    assert_eq!(solo.response().status, Status::SERVER_INTERNAL_ERROR);
}

#[test]
fn a_second_offer_before_the_first_is_answered_is_told_to_wait() {
    let mut solo = Solo::new(|_| {});
    let (call, to) = answered(&mut solo);
    let via = |branch| format!("SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{branch}");
    solo.send("INVITE sip:alice@192.0.2.1", &[("To", &to), ("CSeq", "2 INVITE"), ("Via", &via("a")), SDP], "v=1");
    assert_eq!(solo.events(), [Event::Offered { dialog: call, body: b"v=1".to_vec() }]);
    solo.send("INVITE sip:alice@192.0.2.1", &[("To", &to), ("CSeq", "3 INVITE"), ("Via", &via("b")), SDP], "v=2");
    let response = solo.response();
    assert_eq!(response.status, Status::SERVER_INTERNAL_ERROR);
    assert!(header(&response.headers, &Name::RetryAfter).parse::<u32>().unwrap() <= 10);
}

#[test]
fn a_withdrawn_offer_is_terminated() {
    let mut solo = Solo::new(|_| {});
    let (_, to) = answered(&mut solo);
    let via = ("Via", "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKa");
    solo.send("INVITE sip:alice@192.0.2.1", &[("To", &to), ("CSeq", "2 INVITE"), via, SDP], "v=1");
    solo.send("CANCEL sip:alice@192.0.2.1", &[("To", &to), ("CSeq", "2 CANCEL"), via], "");
    assert_eq!(solo.response().status, Status::REQUEST_TERMINATED);
}

#[test]
fn a_peer_behind_a_nat_is_reached_over_its_flow() {
    let mut solo = Solo::new(|_| {});
    let fields =
        [("Via", "SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bKa;rport"), ("Contact", "<sip:peer@10.0.0.1:6000>"), SDP];
    solo.send("INVITE sip:alice@192.0.2.1", &fields, "v=0");
    let call = solo.incoming();
    solo.endpoint.accept(call, b"v=0".to_vec(), solo.now);
    let to = header(&solo.response().headers, &Name::To).to_owned();
    solo.send("ACK sip:alice@192.0.2.1", &[("To", &to)], "");
    solo.endpoint.hang_up(call, solo.now);
    assert_eq!(solo.endpoint.poll_transmit().unwrap().destination, Destination::Flow(solo.flow));
}
