//! Stories of re-INVITE: RFC 3261 §14.

use std::time::Duration;

use edge::sip::{EndCause, Event, ReinviteError, Status};
use expect_test::expect;

use crate::sip_pair::{ALICES, BOBS, Pair, Weather};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(200);

#[test]
fn the_callee_holds_and_resumes() {
    let mut pair = Pair::talking(1);
    pair.bob.reinvite(BOBS, b"hold".to_vec(), pair.now).unwrap();
    pair.drive(SECOND);
    assert_eq!(pair.take_trace(), "bob: INVITE\nalice: 200 INVITE\nbob: ACK\n");
    assert_eq!(pair.alice_events, [Event::Offered { dialog: ALICES, body: b"hold".to_vec() }]);
    assert_eq!(pair.bob_events, [Event::OfferAnswered { dialog: BOBS, body: b"answer".to_vec() }]);
    pair.bob.reinvite(BOBS, b"resume".to_vec(), pair.now).unwrap();
    pair.drive(SECOND);
    assert_eq!(pair.alice_events.last(), Some(&Event::Offered { dialog: ALICES, body: b"resume".to_vec() }));
}

#[test]
fn the_caller_offers_too() {
    let mut pair = Pair::talking(2);
    pair.alice.reinvite(ALICES, b"hold".to_vec(), pair.now).unwrap();
    pair.drive(SECOND);
    assert_eq!(pair.bob_events, [Event::Offered { dialog: BOBS, body: b"hold".to_vec() }]);
    assert_eq!(pair.alice_events, [Event::OfferAnswered { dialog: ALICES, body: b"answer".to_vec() }]);
}

#[test]
fn a_refused_offer_leaves_the_call_as_it_was() {
    let mut pair = Pair::talking(3);
    pair.is_obliging = false;
    pair.bob.reinvite(BOBS, b"video".to_vec(), pair.now).unwrap();
    pair.drive(SECOND);
    pair.alice.answer_offer(ALICES, Err(Status::NOT_ACCEPTABLE_HERE), pair.now);
    pair.drive(LONG);
    assert_eq!(pair.bob_events, [Event::OfferRefused { dialog: BOBS, status: Status::NOT_ACCEPTABLE_HERE }]);
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(LONG);
    assert_eq!(pair.bob_events.last(), Some(&Event::Ended { dialog: BOBS, cause: EndCause::Remote }));
    pair.assert_idle();
}

#[test]
fn offers_that_collide_are_both_made_in_the_end() {
    let mut pair = Pair::talking(6);
    // Both are sent before either arrives.
    pair.alice.reinvite(ALICES, b"alice's".to_vec(), pair.now).unwrap();
    pair.bob.reinvite(BOBS, b"bob's".to_vec(), pair.now).unwrap();
    pair.drive(SECOND / 1000);
    expect![[r#"
        alice: INVITE
        bob: INVITE
        bob: 491 INVITE
        alice: 491 INVITE
        alice: ACK
        bob: ACK
    "#]]
    .assert_eq(&pair.take_trace());
    pair.drive(SECOND * 10);
    let offered = |dialog, body: &[u8]| Event::Offered { dialog, body: body.to_vec() };
    assert!(pair.alice_events.contains(&offered(ALICES, b"bob's")));
    assert!(pair.bob_events.contains(&offered(BOBS, b"alice's")));
    // Bob did not make the Call-ID, so his pause is the shorter one.
    let first = pair.take_trace();
    assert!(first.starts_with("bob: INVITE\n"), "{first}");
}

#[test]
fn one_offer_at_a_time() {
    let mut pair = Pair::talking(5);
    pair.is_obliging = false;
    pair.bob.reinvite(BOBS, b"one".to_vec(), pair.now).unwrap();
    assert_eq!(pair.bob.reinvite(BOBS, b"two".to_vec(), pair.now), Err(ReinviteError::Pending));
    pair.drive(SECOND);
    assert_eq!(pair.alice.reinvite(ALICES, b"three".to_vec(), pair.now), Err(ReinviteError::Pending));
    assert_eq!(pair.alice.reinvite(BOBS, b"four".to_vec(), pair.now), Err(ReinviteError::NotEstablished));
}

#[test]
fn an_offer_that_the_owner_does_not_answer_is_refused() {
    let mut pair = Pair::talking(6);
    pair.is_obliging = false;
    pair.bob.reinvite(BOBS, b"offer".to_vec(), pair.now).unwrap();
    pair.drive(SECOND * 25);
    assert_eq!(pair.bob_events, [Event::OfferRefused { dialog: BOBS, status: Status::SERVER_TIMEOUT }]);
}

#[test]
fn hanging_up_ends_an_offer_on_its_way() {
    let mut pair = Pair::talking(7);
    pair.is_obliging = false;
    pair.bob.reinvite(BOBS, b"offer".to_vec(), pair.now).unwrap();
    pair.drive(SECOND);
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(LONG);
    let refused = Event::OfferRefused { dialog: BOBS, status: Status::REQUEST_TERMINATED };
    assert_eq!(pair.bob_events, [refused, Event::Ended { dialog: BOBS, cause: EndCause::Remote }]);
    pair.assert_idle();
}

#[test]
fn an_offer_that_gets_no_answer_ends_the_call() {
    let mut pair = Pair::talking(8);
    pair.loses = Box::new(|label| label.starts_with("alice"));
    pair.bob.reinvite(BOBS, b"offer".to_vec(), pair.now).unwrap();
    pair.drive(SECOND * 33);
    assert_eq!(pair.bob_events, [Event::Ended { dialog: BOBS, cause: EndCause::Timeout }]);
}

#[test]
fn offers_of_both_sides_through_a_storm_leave_nothing_behind() {
    for seed in 0..100 {
        let mut pair = Pair::talking(seed);
        pair.weather = Weather { loss_percent: 20, duplicate_percent: 20, delay_ms_max: 300 };
        for round in 0..5 {
            // Either may be refused because another is under way; the storm decides.
            let _ = pair.alice.reinvite(ALICES, vec![b'a', round], pair.now);
            let _ = pair.bob.reinvite(BOBS, vec![b'b', round], pair.now);
            pair.drive(SECOND * 5);
        }
        pair.drive(LONG);
        pair.alice.hang_up(ALICES, pair.now);
        pair.bob.hang_up(BOBS, pair.now);
        pair.drive(LONG);
        let ends = |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
        assert_eq!((ends(&pair.alice_events), ends(&pair.bob_events)), (1, 1), "seed {seed}");
        pair.assert_idle();
    }
}
