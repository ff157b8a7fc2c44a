//! Stories of a call: RFC 3261 §9, §13, §15 and §17, message by message.

use std::time::Duration;

use edge::sip::{DialogKey, EndCause, Event, Status, Transport, Uri};
use expect_test::expect;

use crate::sip_pair::{ALICES, BOBS, Pair, Side, Weather, address, invite};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than every timer: 64 × T1 twice.
const LONG: Duration = Duration::from_secs(200);

fn ended(dialog: DialogKey, cause: EndCause) -> Vec<Event> {
    vec![Event::Ended { dialog, cause }]
}

#[test]
fn a_call_is_made_and_ended_by_the_caller() {
    let mut pair = Pair::new(1);
    pair.call();
    pair.drive(SECOND);
    let body = b"answer".to_vec();
    assert_eq!(pair.alice_events, [Event::Ringing { dialog: ALICES }, Event::Answered { dialog: ALICES, body }]);
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(LONG);
    expect![[r#"
        alice: INVITE
        bob: 180 INVITE
        bob: 200 INVITE
        alice: PRACK
        alice: ACK
        bob: 200 PRACK
        alice: BYE
        bob: 200 BYE
    "#]]
    .assert_eq(&pair.take_trace());
    assert_eq!(pair.bob_events.last(), Some(&Event::Ended { dialog: BOBS, cause: EndCause::Remote }));
    pair.assert_idle();
}

#[test]
fn the_callee_ends_the_call() {
    let mut pair = Pair::talking(2);
    pair.bob.hang_up(BOBS, pair.now);
    pair.drive(LONG);
    assert_eq!(pair.take_trace(), "bob: BYE\nalice: 200 BYE\n");
    assert_eq!(pair.alice_events, ended(ALICES, EndCause::Remote));
    assert_eq!(pair.bob_events, ended(BOBS, EndCause::Local));
    pair.assert_idle();
}

#[test]
fn both_end_the_call_at_once() {
    let mut pair = Pair::talking(3);
    pair.alice.hang_up(ALICES, pair.now);
    pair.bob.hang_up(BOBS, pair.now);
    pair.drive(LONG);
    assert_eq!(pair.alice_events, ended(ALICES, EndCause::Local));
    assert_eq!(pair.bob_events, ended(BOBS, EndCause::Local));
    pair.assert_idle();
}

#[test]
fn a_call_that_nobody_answers_in_time_fails_with_408() {
    let mut pair = Pair::new(4);
    pair.is_obliging = false;
    pair.call();
    pair.drive(SECOND);
    pair.bob.ring(BOBS, pair.now);
    pair.drive(LONG);
    expect![[r#"
        alice: INVITE
        bob: 100 INVITE
        bob: 180 INVITE
        alice: PRACK
        bob: 200 PRACK
        alice: CANCEL
        bob: 200 CANCEL
        bob: 487 INVITE
        alice: ACK
    "#]]
    .assert_eq(&pair.take_trace());
    let reason = "Request Timeout".to_owned();
    let failed = Event::Failed { dialog: ALICES, status: Status::REQUEST_TIMEOUT, reason };
    assert_eq!(pair.alice_events, [Event::Ringing { dialog: ALICES }, failed]);
    assert_eq!(pair.bob_events.last(), Some(&Event::Ended { dialog: BOBS, cause: EndCause::Remote }));
    pair.assert_idle();
}

#[test]
fn a_call_is_withdrawn_only_after_a_provisional_response() {
    let mut pair = Pair::new(5);
    pair.is_obliging = false;
    pair.call();
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(Duration::from_millis(100));
    assert_eq!(pair.take_trace(), "alice: INVITE\n");
    assert_eq!(pair.alice_events, ended(ALICES, EndCause::Local));
    pair.drive(LONG);
    expect![[r#"
        bob: 100 INVITE
        alice: CANCEL
        bob: 200 CANCEL
        bob: 487 INVITE
        alice: ACK
    "#]]
    .assert_eq(&pair.take_trace());
    pair.assert_idle();
}

#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_ended() {
    let mut pair = Pair::new(6);
    pair.is_obliging = false;
    pair.call();
    pair.drive(SECOND);
    pair.bob.accept(BOBS, b"answer".to_vec(), pair.now);
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(LONG);
    expect![[r#"
        alice: INVITE
        bob: 100 INVITE
        alice: CANCEL
        bob: 200 INVITE
        bob: 200 CANCEL
        alice: ACK
        alice: BYE
        bob: 200 BYE
    "#]]
    .assert_eq(&pair.take_trace());
    assert_eq!(pair.alice_events, ended(ALICES, EndCause::Local));
    pair.assert_idle();
}

#[test]
fn a_rejected_call_says_why() {
    let mut pair = Pair::new(7);
    pair.is_obliging = false;
    pair.call();
    pair.drive(SECOND);
    pair.bob.reject(BOBS, Status::BUSY_HERE, pair.now);
    pair.drive(LONG);
    let reason = "Busy Here".to_owned();
    assert_eq!(pair.alice_events, [Event::Failed { dialog: ALICES, status: Status::BUSY_HERE, reason }]);
    assert_eq!(pair.bob_events.last(), Some(&Event::Ended { dialog: BOBS, cause: EndCause::Local }));
    pair.assert_idle();
}

#[test]
fn a_lost_ack_is_sent_again_for_each_copy_of_the_200() {
    let mut pair = Pair::new(8);
    let mut lost = 0;
    pair.loses = Box::new(move |label| {
        lost += u32::from(label == "alice: ACK");
        label == "alice: ACK" && lost <= 2
    });
    pair.call();
    pair.drive(SECOND * 10);
    expect![[r#"
        alice: INVITE
        bob: 180 INVITE
        bob: 200 INVITE
        alice: PRACK
        alice: ACK (lost)
        bob: 200 PRACK
        bob: 200 INVITE
        alice: ACK (lost)
        bob: 200 INVITE
        alice: ACK
    "#]]
    .assert_eq(&pair.take_trace());
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(LONG);
    pair.assert_idle();
}

#[test]
fn a_caller_that_never_acknowledges_is_hung_up_on() {
    let mut pair = Pair::new(9);
    pair.loses = Box::new(|label| label == "alice: ACK");
    pair.call();
    pair.drive(SECOND * 31);
    assert!(!pair.bob_events.iter().any(|event| matches!(event, Event::Ended { .. })));
    pair.drive(LONG);
    assert_eq!(pair.bob_events.last(), Some(&Event::Ended { dialog: BOBS, cause: EndCause::Timeout }));
    assert_eq!(pair.alice_events.last(), Some(&Event::Ended { dialog: ALICES, cause: EndCause::Remote }));
    pair.assert_idle();
}

#[test]
fn a_dead_peer_is_given_up_after_64_t1() {
    let mut pair = Pair::new(10);
    pair.loses = Box::new(|_| true);
    pair.call();
    pair.drive(Duration::from_millis(31_999));
    assert_eq!(pair.alice_events, []);
    // At 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s (RFC 3261 §17.1.1.2).
    assert_eq!(pair.trace.len(), 7);
    pair.drive(Duration::from_millis(1));
    let reason = "Request Timeout".to_owned();
    assert_eq!(pair.alice_events, [Event::Failed { dialog: ALICES, status: Status::REQUEST_TIMEOUT, reason }]);
    pair.assert_idle();
}

#[test]
fn a_peer_that_vanishes_during_the_call_does_not_keep_the_bye_for_ever() {
    let mut pair = Pair::talking(11);
    pair.loses = Box::new(|_| true);
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(LONG);
    assert!(pair.alice.is_idle());
    // At 0, 0.5, 1.5, 3.5 s, then every 4 s until 32 s (RFC 3261 §17.1.2.2).
    assert_eq!(pair.trace.len(), 11);
}

#[test]
fn an_unreachable_peer_fails_the_call_at_once() {
    let mut pair = Pair::new(12);
    pair.call();
    let transmit = pair.alice.poll_transmit().unwrap();
    pair.alice.unreachable(transmit.destination, pair.now);
    pair.drain();
    let reason = "Service Unavailable".to_owned();
    assert_eq!(pair.alice_events, [Event::Failed { dialog: ALICES, status: Status::SERVICE_UNAVAILABLE, reason }]);
    pair.assert_idle();
}

#[test]
fn a_target_without_an_address_fails_the_call() {
    let mut pair = Pair::new(13);
    let mut nowhere = invite();
    nowhere.target = "sip:bob@example.com".parse().unwrap();
    pair.alice.invite(ALICES, nowhere, pair.now);
    pair.drain();
    assert!(matches!(pair.alice_events[..], [Event::Failed { status: Status::SERVICE_UNAVAILABLE, .. }]));
    pair.assert_idle();
}

#[test]
fn a_call_over_tcp_needs_no_retransmission_and_stays_on_tcp() {
    let mut pair = Pair::new(14);
    let mut over_tcp = invite();
    over_tcp.target = "sip:bob@192.0.2.2:5060;transport=tcp".parse().unwrap();
    pair.alice.invite(ALICES, over_tcp, pair.now);
    pair.drive(SECOND);
    pair.bob.hang_up(BOBS, pair.now);
    pair.drain();
    let bye = pair.transmits.last().unwrap();
    assert_eq!(bye.destination.transport(), Transport::Tcp);
    assert_eq!(bye.destination.remote().ip(), address(Side::Alice).ip());
    let text = String::from_utf8(bye.bytes.clone()).unwrap();
    assert!(text.starts_with("BYE sip:alice@192.0.2.1:5060;transport=tcp SIP/2.0\r\n"), "{text}");
    pair.drive(LONG);
    expect![[r#"
        alice: INVITE
        bob: 180 INVITE
        bob: 200 INVITE
        alice: PRACK
        alice: ACK
        bob: 200 PRACK
        bob: BYE
        alice: 200 BYE
    "#]]
    .assert_eq(&pair.take_trace());
    pair.assert_idle();
}

#[test]
fn a_tcp_connection_that_ends_fails_the_call_that_waits_on_it() {
    let mut pair = Pair::new(15);
    pair.is_obliging = false;
    let mut over_tcp = invite();
    over_tcp.target = "sip:bob@192.0.2.2:5060;transport=tcp".parse().unwrap();
    pair.alice.invite(ALICES, over_tcp, pair.now);
    let destination = pair.alice.poll_transmit().unwrap().destination;
    let local = "192.0.2.1:40000".parse().unwrap();
    let flow = edge::sip::Flow { transport: Transport::Tcp, local, remote: destination.remote() };
    pair.alice.closed(flow, pair.now);
    pair.drain();
    assert!(matches!(pair.alice_events[..], [Event::Failed { status: Status::SERVICE_UNAVAILABLE, .. }]));
    pair.assert_idle();
}

#[test]
fn info_carries_a_digit() {
    let mut pair = Pair::talking(16);
    pair.bob.info(BOBS, "application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n".to_vec(), pair.now);
    pair.drive(SECOND);
    assert_eq!(pair.take_trace(), "bob: INFO\nalice: 200 INFO\n");
    let content_type = "application/dtmf-relay".to_owned();
    let body = b"Signal=5\r\nDuration=160\r\n".to_vec();
    assert_eq!(pair.alice_events, [Event::Info { dialog: ALICES, content_type, body }]);
}

#[test]
fn a_request_to_a_peer_that_lost_the_dialog_ends_it() {
    let mut pair = Pair::talking(17);
    pair.bob = Pair::new(18).bob;
    pair.alice.info(ALICES, "application/dtmf-relay", Vec::new(), pair.now);
    pair.drive(LONG);
    assert_eq!(pair.alice_events, ended(ALICES, EndCause::Unknown));
    pair.assert_idle();
}

#[test]
fn display_names_and_users_arrive() {
    let mut pair = Pair::new(19);
    pair.call();
    pair.drive(SECOND);
    let Some(Event::Incoming { from, to, body, .. }) = pair.bob_events.first() else { panic!("no call") };
    assert_eq!(from.display.as_deref(), Some("Alice"));
    assert_eq!(from.uri.user().as_deref(), Some("alice"));
    assert_eq!(to, &"sip:bob@192.0.2.2:5060".parse::<Uri>().unwrap());
    assert_eq!(body, b"offer");
}

/// Whatever the network does, both sides hear the end exactly once and nothing lingers.
#[test]
fn a_call_through_a_storm_ends_clean_on_both_sides() {
    for seed in 0..200 {
        let mut pair = Pair::new(seed);
        pair.weather = Weather { loss_percent: 30, duplicate_percent: 20, delay_ms_max: 700 };
        pair.call();
        pair.drive(SECOND * u32::try_from(seed % 40).unwrap());
        let who_hangs_up = if seed % 2 == 0 { Side::Alice } else { Side::Bob };
        match who_hangs_up {
            Side::Alice => pair.alice.hang_up(ALICES, pair.now),
            Side::Bob => pair.bob.hang_up(BOBS, pair.now),
        }
        pair.drive(LONG);
        // Nobody ends a call that bob heard of too late: alice still has it.
        pair.alice.hang_up(ALICES, pair.now);
        pair.drive(LONG);
        let is_last = |event: &&Event| matches!(event, Event::Ended { .. } | Event::Failed { .. });
        assert_eq!(pair.alice_events.iter().filter(is_last).count(), 1, "seed {seed}: {:?}", pair.alice_events);
        let calls = pair.bob_events.iter().filter(|event| matches!(event, Event::Incoming { .. })).count();
        assert_eq!(pair.bob_events.iter().filter(is_last).count(), calls, "seed {seed}: {:?}", pair.bob_events);
        pair.assert_idle();
    }
}
