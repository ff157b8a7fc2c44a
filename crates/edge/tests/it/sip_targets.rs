//! Calls for which there is more than one who may take them: silence, redirection (RFC 3261 §8.1.3.4), and those who were
//! too late (RFC 3326).

use std::time::Duration;

use edge::sip::{Event, Invite, Method, Name, NameAddr, Request, Status};

use crate::sip_pair::{ALICES, invite};
use crate::sip_solo::{Solo, header};

const SILENCE_MAX: Duration = Duration::from_secs(4);
const JUST_BEFORE: Duration = Duration::from_millis(3_900);
const LONG: Duration = Duration::from_secs(200);

fn calling(invite: Invite) -> (Solo, Request) {
    let mut solo = Solo::new(|_| {});
    solo.endpoint.invite(ALICES, invite, solo.now);
    let request = solo.request();
    (solo, request)
}

#[test]
fn a_server_that_is_silent_is_given_up_when_there_are_others() {
    let (mut solo, _) = calling(Invite { silence_max: Some(SILENCE_MAX), ..invite() });
    solo.pass(JUST_BEFORE);
    assert_eq!(solo.events(), []);
    solo.pass(SILENCE_MAX);
    assert!(matches!(solo.events()[..], [Event::Failed { status: Status::REQUEST_TIMEOUT, .. }]));
    solo.pass(LONG);
    assert!(solo.endpoint.is_idle());
}

#[test]
fn a_server_that_says_anything_has_the_whole_time() {
    let (mut solo, request) = calling(Invite { silence_max: Some(SILENCE_MAX), ..invite() });
    solo.pass(JUST_BEFORE);
    solo.answer(&request, "100 Trying", "x", &[]);
    solo.pass(Duration::from_secs(50));
    assert_eq!(solo.events(), []);
    solo.pass(Duration::from_secs(10));
    assert!(matches!(solo.events()[..], [Event::Failed { status: Status::REQUEST_TIMEOUT, .. }]));
}

#[test]
fn a_server_that_wakes_after_it_was_given_up_is_told_so() {
    let (mut solo, request) = calling(Invite { silence_max: Some(SILENCE_MAX), ..invite() });
    solo.pass(2 * SILENCE_MAX);
    solo.requests();
    solo.answer(&request, "180 Ringing", "x", &[]);
    assert_eq!(solo.request().method, Method::Cancel);
}

#[test]
fn those_to_whom_a_phone_redirects_are_told_in_their_order() {
    let (mut solo, request) = calling(invite());
    let contacts =
        ("Contact", "<sip:a@192.0.2.7>;q=0.7, <tel:+4930123>, not a URI, \"B\" <sip:b@192.0.2.8;transport=tcp>");
    solo.answer(&request, "302 Moved Temporarily", "x", &[contacts]);
    assert_eq!(solo.request().method, Method::Ack);
    let events = solo.events();
    let [Event::Redirected { dialog: ALICES, status: Status::MOVED_TEMPORARILY, targets }] = &events[..] else {
        panic!("{events:?}")
    };
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["sip:a@192.0.2.7", "tel:+4930123", "sip:b@192.0.2.8;transport=tcp"]);
    solo.pass(LONG);
    assert!(solo.endpoint.is_idle());
}

#[test]
fn a_redirection_to_nobody_is_a_failure() {
    let (mut solo, request) = calling(invite());
    solo.answer(&request, "302 Moved Temporarily", "x", &[]);
    assert!(matches!(solo.events()[..], [Event::Failed { status: Status::MOVED_TEMPORARILY, .. }]));
}

#[test]
fn a_phone_that_was_too_late_is_told_that_it_missed_nothing() {
    let (mut solo, request) = calling(invite());
    solo.answer(&request, "180 Ringing", "x", &[]);
    solo.endpoint.answered_elsewhere(ALICES, solo.now);
    let cancel = solo.request();
    assert_eq!(cancel.method, Method::Cancel);
    assert_eq!(header(&cancel.headers, &Name::Reason), "SIP ;cause=200 ;text=\"Call completed elsewhere\"");
}

#[test]
fn a_phone_that_took_the_call_when_it_was_too_late_is_told_so() {
    let (mut solo, request) = calling(invite());
    solo.answer(&request, "180 Ringing", "x", &[]);
    solo.endpoint.answered_elsewhere(ALICES, solo.now);
    solo.requests();
    solo.answer(&request, "200 OK", "x", &[("Contact", "<sip:peer@192.0.2.9:5070>")]);
    let bye = solo.request();
    assert_eq!(bye.method, Method::Bye);
    assert_eq!(header(&bye.headers, &Name::Reason), "SIP ;cause=200 ;text=\"Call completed elsewhere\"");
}

#[test]
fn a_call_that_is_given_up_claims_nothing() {
    let (mut solo, request) = calling(invite());
    solo.answer(&request, "180 Ringing", "x", &[]);
    solo.endpoint.hang_up(ALICES, solo.now);
    assert_eq!(solo.request().headers.first(&Name::Reason), None);
}

#[test]
fn who_calls_is_asserted_to_those_who_trust_us_only() {
    let (_, request) = calling(invite());
    assert_eq!(request.headers.first(&Name::PAssertedIdentity), None);
    let caller = NameAddr::new("sip:+4930999@trunk.example".parse().unwrap());
    let (_, request) = calling(Invite { from: caller.clone(), asserted: Some(caller), ..invite() });
    assert_eq!(header(&request.headers, &Name::PAssertedIdentity), "<sip:+4930999@trunk.example>");
    assert!(header(&request.headers, &Name::From).starts_with("<sip:+4930999@trunk.example>;tag="));
}
