//! Asking a silent peer whether it is still there.

use std::time::Duration;

use edge::sip::{EndCause, Event};

use crate::sip_pair::{ALICES, Pair};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_peer_that_is_there_says_so_and_nothing_happens() {
    let mut pair = Pair::talking(1);
    for _ in 0..10 {
        pair.alice.probe(ALICES, pair.now);
        pair.drive(SECOND * 30);
    }
    assert_eq!(pair.take_trace(), "alice: OPTIONS\nbob: 200 OPTIONS\n".repeat(10));
    assert_eq!(pair.alice_events, []);
}

#[test]
fn a_peer_that_is_gone_ends_the_call_however_often_it_was_asked() {
    let mut pair = Pair::talking(2);
    pair.loses = Box::new(|label| label.starts_with("bob"));
    for _ in 0..31 {
        pair.alice.probe(ALICES, pair.now);
        pair.drive(SECOND);
    }
    assert_eq!(pair.alice_events, []);
    pair.drive(SECOND * 2);
    assert_eq!(pair.alice_events, [Event::Ended { dialog: ALICES, cause: EndCause::Timeout }]);
}

#[test]
fn a_peer_that_has_forgotten_the_call_ends_it() {
    let mut pair = Pair::talking(3);
    pair.loses = Box::new(|label| label.contains("BYE"));
    pair.bob.hang_up(crate::sip_pair::BOBS, pair.now);
    pair.drive(SECOND * 40);
    pair.alice.probe(ALICES, pair.now);
    pair.drive(SECOND);
    assert_eq!(pair.alice_events, [Event::Ended { dialog: ALICES, cause: EndCause::Unknown }]);
}

#[test]
fn a_peer_that_cannot_be_reached_ends_the_call() {
    let mut pair = Pair::talking(4);
    pair.alice.probe(ALICES, pair.now);
    let destination = std::iter::from_fn(|| pair.alice.poll_transmit()).last().unwrap().destination;
    pair.alice.unreachable(destination, pair.now);
    pair.drive(SECOND);
    assert_eq!(pair.alice_events, [Event::Ended { dialog: ALICES, cause: EndCause::Timeout }]);
}
