//! Session timers: RFC 4028.

use std::time::Duration;

use edge::sip::{Config, EndCause, Event, Headers, Method, Name};
use expect_test::expect;

use crate::sip_pair::{ALICES, BOBS, Pair, Side, invite};
use crate::sip_solo::{PEER, Solo, header};

const SECOND: Duration = Duration::from_secs(1);

/// Both sides ask for this interval.
fn seconds(expires_s: u64) -> impl Fn(Side, &mut Config) {
    move |_, config| config.session_expires = Some(Duration::from_secs(expires_s))
}

fn session_expires(headers: &Headers) -> &str {
    header(headers, &Name::SessionExpires)
}

#[test]
fn the_callee_refreshes_by_update_for_as_long_as_the_call_lasts() {
    let mut pair = Pair::talking_with(1, seconds(90));
    pair.drive(SECOND * 100);
    let refreshed = "bob: UPDATE\nalice: 200 UPDATE\n";
    assert_eq!(pair.take_trace(), refreshed.repeat(2));
    pair.drive(SECOND * 3600);
    assert_eq!(pair.take_trace(), refreshed.repeat(80));
    assert_eq!((&pair.alice_events[..], &pair.bob_events[..]), (&[][..], &[][..]), "nobody is told");
}

#[test]
fn a_call_whose_refresher_is_gone_ends_before_the_interval_does() {
    let mut pair = Pair::talking_with(2, seconds(90));
    pair.loses = Box::new(|label| label.starts_with("bob"));
    pair.drive(SECOND * 61);
    assert_eq!(pair.alice_events, [Event::Ended { dialog: ALICES, cause: EndCause::Timeout }]);
}

#[test]
fn a_refresher_whose_peer_is_gone_ends_the_call() {
    let mut pair = Pair::talking_with(3, seconds(90));
    pair.loses = Box::new(|label| label.starts_with("alice"));
    pair.drive(SECOND * 80);
    assert_eq!(pair.bob_events, [Event::Ended { dialog: BOBS, cause: EndCause::Timeout }]);
}

#[test]
fn a_change_of_the_session_refreshes_it_as_well() {
    let mut pair = Pair::talking_with(4, seconds(90));
    for _ in 0..10 {
        pair.drive(SECOND * 40);
        pair.alice.reinvite(ALICES, b"offer".to_vec(), pair.now).unwrap();
    }
    assert!(!pair.take_trace().contains("UPDATE"));
}

#[test]
fn a_peer_that_wants_more_time_gets_it() {
    let mut pair = Pair::with(5, |side, config| {
        config.session_expires = Some(Duration::from_secs(100));
        if side == Side::Bob {
            config.session_expires_min = Duration::from_secs(600);
        }
    });
    pair.call();
    pair.drive(SECOND);
    expect![[r#"
        alice: INVITE
        bob: 422 INVITE
        alice: ACK
        alice: INVITE
        bob: 180 INVITE
        bob: 200 INVITE
        alice: PRACK
        alice: ACK
        bob: 200 PRACK
    "#]]
    .assert_eq(&pair.take_trace());
    pair.drive(SECOND * 301);
    assert_eq!(pair.take_trace(), "bob: UPDATE\nalice: 200 UPDATE\n");
}

/// A call to a scripted peer that answers with these fields.
fn called(fields: &[(&str, &str)]) -> Solo {
    let mut solo = Solo::new(|config| config.session_expires = Some(Duration::from_secs(1800)));
    let target = format!("sip:peer@{PEER}").parse().unwrap();
    solo.endpoint.invite(ALICES, edge::sip::Invite { target, ..invite() }, solo.now);
    let request = solo.request();
    assert_eq!(session_expires(&request.headers), "1800");
    solo.answer(&request, "200 OK", "t", &[&[("Contact", "<sip:peer@192.0.2.9:5070>")], fields].concat());
    solo.messages();
    solo.events();
    solo
}

#[test]
fn a_peer_without_session_timers_has_none() {
    let mut solo = called(&[]);
    solo.pass(Duration::from_hours(24));
    assert!(solo.messages().is_empty() && solo.events().is_empty());
}

#[test]
fn a_peer_that_takes_no_update_is_refreshed_by_the_same_description_again() {
    let mut solo = called(&[("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, ACK, BYE")]);
    solo.pass(SECOND * 101);
    let reinvite = solo.requests().remove(0);
    assert_eq!((reinvite.method.clone(), &reinvite.body[..]), (Method::Invite, &b"offer"[..]));
    assert_eq!(session_expires(&reinvite.headers), "200;refresher=uac");
    solo.answer_with(&reinvite, "200 OK", "t", &[("Session-Expires", "200;refresher=uac")], "v=0");
    assert_eq!(solo.events(), [Event::Refreshed { dialog: ALICES, body: b"v=0".to_vec() }]);
}

#[test]
fn a_refresh_that_offers_nothing_collides_with_no_offer() {
    let mut solo = called(&[("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, ACK, BYE, UPDATE")]);
    solo.pass(SECOND * 101);
    let update = solo.requests().remove(0);
    let [from, to, call_id] =
        [Name::To, Name::From, Name::CallId].map(|name| header(&update.headers, &name).to_owned());
    let fields = [("From", &*from), ("To", &*to), ("Call-ID", &*call_id), ("Content-Type", "application/sdp")];
    solo.send("INVITE sip:alice@192.0.2.1", &fields, "v=0");
    assert_eq!(solo.events(), [Event::Offered { dialog: ALICES, body: b"v=0".to_vec() }]);
}

#[test]
fn a_refresh_that_is_refused_is_tried_again_by_the_other_method_and_the_call_goes_on() {
    let mut solo = called(&[("Session-Expires", "200;refresher=uac"), ("Allow", "INVITE, ACK, BYE, UPDATE")]);
    solo.pass(SECOND * 101);
    let update = solo.requests().remove(0);
    assert_eq!((update.method.clone(), &update.body[..]), (Method::Update, &b""[..]));
    solo.answer(&update, "501 Not Implemented", "t", &[]);
    solo.pass(SECOND * 26);
    assert_eq!(solo.requests()[0].method, Method::Invite);
    assert_eq!(solo.events(), []);
}

#[test]
fn a_peer_that_is_to_refresh_and_does_not_is_hung_up() {
    let mut solo = called(&[("Session-Expires", "200;refresher=uas")]);
    solo.pass(SECOND * 167);
    assert_eq!(solo.events(), []);
    solo.pass(SECOND * 2);
    assert_eq!(solo.events(), [Event::Ended { dialog: ALICES, cause: EndCause::Timeout }]);
    assert_eq!(solo.request().method, Method::Bye);
}

/// What we agree to, as the callee.
fn agreed(fields: &[(&str, &str)]) -> (u16, String, String) {
    let mut solo = Solo::new(|config| config.session_expires = Some(Duration::from_secs(1800)));
    solo.send("INVITE sip:alice@192.0.2.1", &[&[("Content-Type", "application/sdp")], fields].concat(), "v=0");
    if let Some(Event::Incoming { dialog, .. }) = solo.events().first() {
        solo.endpoint.accept(*dialog, b"answer".to_vec(), solo.now);
    }
    let response = solo.response();
    let [expires, require] =
        [Name::SessionExpires, Name::Require].map(|name| header(&response.headers, &name).to_owned());
    (response.status.code(), expires, require)
}

/// RFC 4028 §9, table 2.
#[test]
fn what_a_callee_agrees_to() {
    let (timer, hour) = (("Supported", "timer"), ("Session-Expires", "3600"));
    let check = |fields: &[(&str, &str)], expires: &str, require: &str| {
        assert_eq!(agreed(fields), (200, expires.to_owned(), require.to_owned()), "{fields:?}");
    };
    check(&[], "", "");
    check(&[timer], "1800;refresher=uas", "timer");
    check(&[timer, hour], "3600;refresher=uas", "timer");
    check(&[timer, ("Session-Expires", "3600;refresher=uac")], "3600;refresher=uac", "timer");
    check(&[timer, ("x", "3600 ; Refresher=UAS")], "3600;refresher=uas", "timer");
    // A proxy has asked; the caller knows nothing of it.
    check(&[hour], "3600;refresher=uas", "");
    check(&[("Session-Expires", "3600;refresher=uac")], "3600;refresher=uas", "");
    check(&[("Session-Expires", "30")], "90;refresher=uas", "");
    check(&[timer, ("Min-SE", "7200")], "7200;refresher=uas", "timer");
    assert_eq!(agreed(&[timer, ("Session-Expires", "30")]).0, 422);
}
