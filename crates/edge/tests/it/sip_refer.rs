//! Calls that are handed on: REFER with its notifications (RFC 3515, 4488), `Replaces` (RFC 3891).

use std::time::Duration;

use edge::sip::{Event, Name, SipUri, Status, Uri};

use crate::sip_pair::{ALICES, BOBS, Pair, Weather, invite};
use crate::sip_solo::{Solo, header};

const SDP: (&str, &str) = ("Content-Type", "application/sdp");
const SECOND: Duration = Duration::from_secs(1);

fn carol() -> SipUri {
    match "sip:carol@192.0.2.3:5060".parse() {
        Ok(Uri::Sip(uri)) => uri,
        _ => panic!("a SIP URI"),
    }
}

/// What alice is told of her REFER.
fn told(pair: &Pair) -> Vec<u16> {
    let told = pair.alice_events.iter().filter_map(|event| match event {
        Event::ReferProgress { dialog: ALICES, status } => Some(status.code()),
        _ => None,
    });
    told.collect()
}

#[test]
fn who_refers_is_told_how_it_goes_on_until_the_end() {
    let mut pair = Pair::talking(1);
    pair.alice.refer(ALICES, &carol(), None, pair.now);
    pair.drive(SECOND);
    assert_eq!(pair.bob_events, [Event::Referred { dialog: BOBS, target: carol(), replaces: None }]);
    assert_eq!(told(&pair), [0; 0]);
    pair.bob.answer_referral(BOBS, Ok(()), pair.now);
    pair.drive(SECOND);
    pair.bob.notify_referral(BOBS, Status::RINGING, pair.now);
    pair.drive(SECOND);
    pair.bob.notify_referral(BOBS, Status::OK, pair.now);
    pair.bob.notify_referral(BOBS, Status::OK, pair.now);
    pair.drive(SECOND);
    assert_eq!(told(&pair), [100, 180, 200]);
    // And again: the first one is over.
    pair.alice.refer(ALICES, &carol(), None, pair.now);
    pair.drive(SECOND);
    pair.bob.answer_referral(BOBS, Err(Status::DECLINE), pair.now);
    pair.drive(SECOND);
    assert_eq!(told(&pair), [100, 180, 200, 603]);
    pair.alice.hang_up(ALICES, pair.now);
    pair.drive(SECOND * 60);
    pair.assert_idle();
}

#[test]
fn it_goes_on_through_bad_weather() {
    for seed in 0..20 {
        let mut pair = Pair::talking(seed);
        pair.weather = Weather { loss_percent: 25, duplicate_percent: 20, delay_ms_max: 120 };
        pair.alice.refer(ALICES, &carol(), None, pair.now);
        pair.drive(SECOND * 10);
        let referred = pair.bob_events.iter().filter(|event| matches!(event, Event::Referred { .. })).count();
        assert_eq!(referred, 1, "seed {seed}");
        pair.bob.answer_referral(BOBS, Ok(()), pair.now);
        pair.drive(SECOND * 10);
        pair.bob.notify_referral(BOBS, Status::BUSY_HERE, pair.now);
        pair.drive(SECOND * 10);
        assert_eq!(told(&pair).last(), Some(&486), "seed {seed}");
    }
}

#[test]
fn an_owner_that_says_nothing_and_a_call_that_ends_leave_nothing_open() {
    let mut pair = Pair::talking(1);
    pair.alice.refer(ALICES, &carol(), None, pair.now);
    pair.drive(SECOND * 21);
    assert_eq!(told(&pair), [504]);
    pair.alice.refer(ALICES, &carol(), None, pair.now);
    pair.drive(SECOND);
    pair.bob.hang_up(BOBS, pair.now);
    pair.bob.answer_referral(BOBS, Ok(()), pair.now);
    pair.drive(SECOND * 60);
    pair.assert_idle();
}

#[test]
fn the_dialog_that_is_to_be_replaced_travels_in_the_target() {
    let mut pair = Pair::talking(1);
    let replaces = pair.alice.replaces(ALICES).expect("a dialog");
    pair.alice.refer(ALICES, &carol(), Some(&replaces), pair.now);
    pair.drive(SECOND);
    let expected = Event::Referred { dialog: BOBS, target: carol(), replaces: Some(replaces) };
    assert_eq!(pair.bob_events, [expected]);
}

/// Alice's second call, which is to take the place of her first.
#[test]
fn an_invite_with_replaces_names_the_call_that_it_replaces() {
    let mut pair = Pair::talking(1);
    let replaces = pair.alice.replaces(ALICES);
    let other = edge::sip::DialogKey(2);
    pair.alice.invite(other, edge::sip::Invite { replaces: replaces.clone(), ..invite() }, pair.now);
    pair.drive(SECOND);
    let Some(Event::Incoming { dialog, replaces: Some(BOBS), .. }) = pair.bob_events.first() else {
        panic!("{:?}", pair.bob_events)
    };
    assert_ne!(*dialog, BOBS);
    pair.bob.hang_up(BOBS, pair.now);
    pair.drive(SECOND);
    // The place is gone now.
    pair.alice_events.clear();
    pair.alice.invite(edge::sip::DialogKey(3), edge::sip::Invite { replaces, ..invite() }, pair.now);
    pair.drive(SECOND);
    let failed = |event: &Event| matches!(event, Event::Failed { status: Status::CALL_DOES_NOT_EXIST, .. });
    assert!(pair.alice_events.iter().any(failed), "{:?}", pair.alice_events);
}

#[test]
fn a_refer_that_names_nobody_or_several_is_a_bad_request() {
    let several = [("Refer-To", "<sip:a@192.0.2.7>"), ("Refer-To", "<sip:b@192.0.2.7>")];
    let other_method = [("Refer-To", "<sip:a@192.0.2.7;method=BYE>")];
    for fields in [&[][..], &several, &[("Refer-To", "<tel:+4930>")], &other_method] {
        let mut solo = Solo::new(|_| {});
        solo.send("INVITE sip:bob@192.0.2.1", &[SDP], "v=0");
        let call = solo.incoming();
        solo.endpoint.accept(call, b"v=0".to_vec(), solo.now);
        let to = header(&solo.response().headers, &Name::To).to_owned();
        let usual = [("To", to.as_str()), ("CSeq", "2 REFER")];
        solo.send("REFER sip:bob@192.0.2.1", &[&usual, fields].concat(), "");
        assert_eq!(solo.response().status, Status::BAD_REQUEST, "{fields:?}");
    }
}

#[test]
fn a_replaces_that_names_no_dialog_is_refused() {
    let unknown = ("Replaces", "a@b;to-tag=c;from-tag=d");
    for (fields, status) in [
        (&[("Replaces", "nothing")][..], Status::BAD_REQUEST),
        (&[("Replaces", "a@b;to-tag=c")], Status::BAD_REQUEST),
        (&[unknown, unknown], Status::BAD_REQUEST),
        (&[unknown], Status::CALL_DOES_NOT_EXIST),
    ] {
        let mut solo = Solo::new(|_| {});
        solo.send("INVITE sip:bob@192.0.2.1", &[&[SDP], fields].concat(), "v=0");
        assert_eq!(solo.response().status, status, "{fields:?}");
        assert_eq!(solo.events(), []);
    }
}
