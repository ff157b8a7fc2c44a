//! Who gets into a leg, and where its packets go.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge::latch::{Admission, CORRECTION, Latch, PATIENCE};

const SIGNALLED: &str = "192.0.2.1:4000";
const SAME_HOST: &str = "192.0.2.1:61000";
const NAT: &str = "198.51.100.7:40000";
const STRANGER: &str = "203.0.113.9:5555";

/// One latch and its clock: packets come in by address and milliseconds.
struct Story {
    latch: Latch,
    start: Instant,
}

impl Story {
    #[expect(clippy::disallowed_methods, reason = "virtual time begins at some instant, and there is no other")]
    fn new() -> Story {
        Story { latch: Latch::new(address(SIGNALLED)), start: Instant::now() }
    }

    fn packet(&mut self, from: &str, at_ms: u64) -> Admission {
        self.latch.admit(address(from), true, self.start + Duration::from_millis(at_ms))
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn before_the_first_packet_the_signalled_address_is_the_destination() {
    assert_eq!(Story::new().latch.destination(), address(SIGNALLED));
}

#[test]
fn the_signalled_host_is_believed_at_once_at_any_port() {
    let mut story = Story::new();
    assert_eq!(story.packet(SAME_HOST, 0), Admission::Latched);
    assert_eq!(story.packet(SAME_HOST, 20), Admission::Admitted);
    assert_eq!(story.latch.destination(), address(SAME_HOST));
}

#[test]
fn after_the_first_packet_all_others_are_foreign_and_counted() {
    let mut story = Story::new();
    story.packet(SIGNALLED, 0);
    for at_ms in 0..1000 {
        assert_eq!(story.packet(STRANGER, at_ms), Admission::Foreign);
    }
    assert_eq!(story.packet(SAME_HOST, 1000), Admission::Foreign);
    assert_eq!(story.latch.refused(), 1001);
    assert_eq!(story.latch.destination(), address(SIGNALLED));
}

#[test]
fn a_phone_takes_its_leg_back_from_another_of_its_host() {
    let mut story = Story::new();
    story.packet(SAME_HOST, 0);
    assert_eq!(story.packet(SIGNALLED, 100), Admission::Latched, "what SIP said beats what came first");
    assert_eq!(story.packet(SAME_HOST, 120), Admission::Foreign);
    assert_eq!(story.latch.destination(), address(SIGNALLED));
}

#[test]
fn after_a_while_nobody_takes_a_leg_over_any_more() {
    let mut story = Story::new();
    story.packet(SAME_HOST, 0);
    let correction_ms = u64::try_from(CORRECTION.as_millis()).unwrap();
    assert_eq!(story.packet(SIGNALLED, correction_ms), Admission::Foreign);
    assert_eq!(story.latch.destination(), address(SAME_HOST));
}

#[test]
fn the_signalled_address_does_not_take_a_leg_from_a_phone_behind_a_nat() {
    let mut story = Story::new();
    story.packet(NAT, 0);
    story.packet(NAT, 200);
    assert_eq!(story.packet(SIGNALLED, 220), Admission::Foreign, "it may be forged: the phone cannot send from there");
}

#[test]
fn a_phone_behind_a_nat_is_believed_after_a_while() {
    let mut story = Story::new();
    let patience_ms = u64::try_from(PATIENCE.as_millis()).unwrap();
    for at_ms in (0..patience_ms).step_by(20) {
        assert_eq!(story.packet(NAT, at_ms), Admission::Early);
    }
    assert_eq!(story.packet(NAT, patience_ms), Admission::Latched);
    assert_eq!(story.latch.destination(), address(NAT));
}

#[test]
fn a_sprayer_before_the_first_packet_loses_to_the_signalled_host() {
    let mut story = Story::new();
    for at_ms in 0..100 {
        assert_eq!(story.packet(STRANGER, at_ms), Admission::Early);
    }
    assert_eq!(story.packet(SIGNALLED, 100), Admission::Latched);
    assert_eq!(story.packet(STRANGER, 400), Admission::Foreign);
}

#[test]
fn one_stray_packet_does_not_keep_a_phone_behind_a_nat_out() {
    let mut story = Story::new();
    story.packet(STRANGER, 0);
    let admitted = (20..1000).step_by(20).find(|at_ms| story.packet(NAT, *at_ms).is_admitted());
    assert_eq!(admitted, Some(400), "200 ms until the stray one is forgotten, 200 ms of patience");
}

#[test]
fn many_addresses_do_not_take_turns_to_keep_a_phone_out() {
    let mut story = Story::new();
    story.packet(NAT, 0);
    for at_ms in 1..=199 {
        let sprayer = format!("203.0.113.{}:5555", at_ms % 250);
        assert_eq!(story.packet(&sprayer, at_ms), Admission::Early);
        assert_eq!(story.packet(NAT, at_ms), Admission::Early);
    }
    assert_eq!(story.packet(NAT, 200), Admission::Latched);
}

#[test]
fn what_is_not_rtp_of_the_leg_latches_nothing() {
    let mut story = Story::new();
    let admission = story.latch.admit(address(SAME_HOST), false, story.start);
    assert_eq!(admission, Admission::Invalid);
    assert_eq!(story.latch.destination(), address(SIGNALLED));
    assert_eq!(story.packet(SIGNALLED, 20), Admission::Latched);
}

#[test]
fn a_new_address_over_sip_opens_the_latch_once_more() {
    let mut story = Story::new();
    story.packet(SIGNALLED, 0);
    story.latch.resignalled(address("198.51.100.7:7000"));
    assert_eq!(story.latch.destination(), address("198.51.100.7:7000"));
    assert_eq!(story.packet(SIGNALLED, 20), Admission::Early, "the old source is nobody special now");
    assert_eq!(story.packet(NAT, 40), Admission::Latched);
    assert_eq!(story.packet(STRANGER, 60), Admission::Foreign);
}

#[test]
fn a_hold_and_a_refresh_leave_the_latch_closed() {
    let mut story = Story::new();
    story.packet(SAME_HOST, 0);
    for signalled in ["0.0.0.0:4000", SIGNALLED] {
        story.latch.resignalled(address(signalled));
        assert_eq!(story.latch.destination(), address(SAME_HOST));
        assert_eq!(story.packet(STRANGER, 5000), Admission::Foreign);
    }
}

#[test]
fn an_authentic_packet_is_believed_at_once_and_followed() {
    let mut story = Story::new();
    let arrival = story.start;
    assert_eq!(story.packet(STRANGER, 0), Admission::Early);
    assert_eq!(story.latch.admit_authentic(address(NAT), true, arrival), Admission::Latched);
    assert_eq!(story.latch.admit_authentic(address(NAT), true, arrival), Admission::Admitted);
    assert_eq!(story.latch.admit_authentic(address(SAME_HOST), false, arrival), Admission::Invalid);
    assert_eq!(story.latch.destination(), address(NAT));
    assert_eq!(story.latch.admit_authentic(address(SAME_HOST), true, arrival), Admission::Latched);
    assert_eq!(story.latch.destination(), address(SAME_HOST));
}
