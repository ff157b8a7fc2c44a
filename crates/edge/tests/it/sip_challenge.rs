//! Calls through servers that want a password or fork: RFC 3261 §13.2.2.4, §22.2, RFC 7616, RFC 8760.

use std::time::Duration;

use edge::sip::{Credentials, EndCause, Event, Method, Name, Request, Status};

use crate::sip_pair::{ALICES, invite};
use crate::sip_solo::{Solo, header};

const CONTACT: (&str, &str) = ("Contact", "<sip:bob@192.0.2.9:5070>");
const LONG: Duration = Duration::from_secs(200);

fn calling(password: Option<&str>) -> (Solo, Request) {
    let mut solo = Solo::new(|_| {});
    let mut invite = invite();
    invite.credentials =
        password.map(|password| Credentials { user: "alice".to_owned(), password: password.to_owned() });
    solo.endpoint.invite(ALICES, invite, solo.now);
    let request = solo.request();
    (solo, request)
}

fn parameter(request: &Request, name: &Name, wanted: &str) -> String {
    let value = header(&request.headers, name);
    let start = value.find(&format!("{wanted}=")).unwrap_or_else(|| panic!("{wanted} in {value}"));
    let rest = &value[start + wanted.len() + 1..];
    rest.split(',').next().unwrap().trim_matches('"').to_owned()
}

const MD5: (&str, &str) =
    ("Proxy-Authenticate", "Digest realm=\"trunk\", nonce=\"n1\", qop=\"auth,auth-int\", opaque=\"o\"");

#[test]
fn a_challenge_is_answered_in_a_new_request_of_the_same_call() {
    let (mut solo, first) = calling(Some("secret"));
    solo.answer(&first, "407 Proxy Authentication Required", "p", &[MD5]);
    let second = solo.request();
    assert_eq!(second.method, Method::Invite);
    assert_eq!(header(&second.headers, &Name::CallId), header(&first.headers, &Name::CallId));
    assert_eq!(header(&second.headers, &Name::From), header(&first.headers, &Name::From));
    assert_eq!(header(&second.headers, &Name::CSeq), "2 INVITE");
    let name = Name::ProxyAuthorization;
    assert_eq!(parameter(&second, &name, "nc"), "00000001");
    assert_eq!(parameter(&second, &name, "opaque"), "o");
    assert_eq!(parameter(&second, &name, "algorithm"), "MD5");
    solo.answer(&second, "200 OK", "b", &[CONTACT]);
    let ack = solo.request();
    let signed = header(&second.headers, &name);
    assert_eq!(header(&ack.headers, &name), signed, "the ACK carries the INVITE's credentials");
    assert_eq!(solo.events(), [Event::Answered { dialog: ALICES, body: Vec::new() }]);
}

#[test]
fn the_nonce_is_used_again_with_the_next_count() {
    let (mut solo, first) = calling(Some("secret"));
    solo.answer(&first, "407 Proxy Authentication Required", "p", &[MD5]);
    let second = solo.request();
    solo.answer(&second, "200 OK", "b", &[CONTACT]);
    solo.request();
    solo.endpoint.hang_up(ALICES, solo.now);
    let bye = solo.request();
    assert_eq!(parameter(&bye, &Name::ProxyAuthorization, "nc"), "00000002");
    // The nonce is stale by now: a fresh one starts from 1.
    let stale = "Digest realm=\"trunk\", nonce=\"n2\", qop=\"auth\", stale=TRUE";
    solo.answer(&bye, "407 Proxy Authentication Required", "b", &[("Proxy-Authenticate", stale)]);
    let bye = solo.request();
    assert_eq!(parameter(&bye, &Name::ProxyAuthorization, "nc"), "00000001");
    assert_eq!(parameter(&bye, &Name::ProxyAuthorization, "nonce"), "n2");
    solo.answer(&bye, "200 OK", "b", &[]);
    solo.pass(LONG);
    assert!(solo.endpoint.is_idle());
}

#[test]
fn the_first_algorithm_that_we_know_is_taken() {
    let (mut solo, first) = calling(Some("secret"));
    let fields = [
        ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-512-256"),
        ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256"),
        ("WWW-Authenticate", "Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=MD5"),
    ];
    solo.answer(&first, "401 Unauthorized", "p", &fields);
    let second = solo.request();
    assert_eq!(parameter(&second, &Name::Authorization, "algorithm"), "SHA-256");
    assert_eq!(parameter(&second, &Name::Authorization, "response").len(), 64);
}

#[test]
fn a_wrong_password_is_tried_once() {
    let (mut solo, first) = calling(Some("wrong"));
    solo.answer(&first, "407 Proxy Authentication Required", "p", &[MD5]);
    let second = solo.request();
    solo.answer(&second, "407 Proxy Authentication Required", "p", &[MD5]);
    assert_eq!(solo.request().method, Method::Ack);
    let status = Status::PROXY_AUTHENTICATION_REQUIRED;
    let reason = status.reason().to_owned();
    assert_eq!(solo.events(), [Event::Failed { dialog: ALICES, status, reason }]);
    solo.pass(LONG);
    assert!(solo.endpoint.is_idle());
}

#[test]
fn a_server_that_always_says_stale_is_given_up() {
    let (mut solo, mut request) = calling(Some("secret"));
    let stale = ("Proxy-Authenticate", "Digest realm=\"trunk\", nonce=\"n\", qop=\"auth\", stale=true");
    let mut invites = 1;
    loop {
        solo.answer(&request, "407 Proxy Authentication Required", "p", &[stale]);
        let Some(next) = solo.requests().into_iter().find(|request| request.method == Method::Invite) else { break };
        request = next;
        invites += 1;
    }
    assert_eq!(invites, 5);
    assert!(matches!(solo.events()[..], [Event::Failed { .. }]));
}

#[test]
fn without_credentials_a_challenge_is_final() {
    let (mut solo, first) = calling(None);
    solo.answer(&first, "407 Proxy Authentication Required", "p", &[MD5]);
    assert!(matches!(solo.events()[..], [Event::Failed { status: Status::PROXY_AUTHENTICATION_REQUIRED, .. }]));
}

#[test]
fn a_second_fork_that_answers_is_acknowledged_and_ended() {
    let (mut solo, invite) = calling(None);
    solo.answer(&invite, "200 OK", "one", &[CONTACT]);
    solo.requests();
    solo.answer(&invite, "200 OK", "two", &[("Contact", "<sip:bob@192.0.2.10>")]);
    let sent = solo.requests();
    let methods: Vec<&Method> = sent.iter().map(|request| &request.method).collect();
    assert_eq!(methods, [&Method::Ack, &Method::Bye]);
    for request in &sent {
        assert!(header(&request.headers, &Name::To).ends_with(";tag=two"));
        assert_eq!(request.uri.to_string(), "sip:bob@192.0.2.10");
    }
    // Its retransmission gets the ACK again, but no second BYE.
    solo.answer(&invite, "200 OK", "two", &[("Contact", "<sip:bob@192.0.2.10>")]);
    assert_eq!(solo.requests().len(), 1);
    assert_eq!(solo.events(), [Event::Answered { dialog: ALICES, body: Vec::new() }]);
}

#[test]
fn a_200_that_comes_again_after_the_end_is_still_acknowledged() {
    let (mut solo, invite) = calling(None);
    solo.answer(&invite, "200 OK", "one", &[CONTACT]);
    solo.endpoint.hang_up(ALICES, solo.now);
    let bye = solo.request();
    solo.answer(&bye, "200 OK", "one", &[]);
    solo.answer(&invite, "200 OK", "one", &[CONTACT]);
    assert_eq!(solo.request().method, Method::Ack);
    assert!(matches!(solo.events()[..], [Event::Answered { .. }, Event::Ended { cause: EndCause::Local, .. }]));
}

#[test]
fn early_media_is_only_ringing() {
    let (mut solo, invite) = calling(None);
    solo.answer(&invite, "100 Trying", "x", &[]);
    assert_eq!(solo.events(), []);
    solo.answer(&invite, "183 Session Progress", "x", &[CONTACT]);
    solo.answer(&invite, "180 Ringing", "x", &[CONTACT]);
    assert_eq!(solo.events(), [Event::Ringing { dialog: ALICES }]);
}

#[test]
fn a_redirection_ends_the_call_and_is_not_followed_unasked() {
    let (mut solo, invite) = calling(None);
    solo.answer(&invite, "302 Moved Temporarily", "x", &[("Contact", "<sip:elsewhere@192.0.2.77>")]);
    assert_eq!(solo.request().method, Method::Ack);
    assert!(matches!(solo.events()[..], [Event::Redirected { status: Status::MOVED_TEMPORARILY, .. }]));
    solo.pass(LONG);
    assert_eq!(solo.requests(), []);
}

#[test]
fn a_strict_router_gets_its_own_request_uri() {
    let (mut solo, invite) = calling(None);
    let routes = ("Record-Route", "<sip:192.0.2.20;lr>, <sip:192.0.2.21>");
    solo.answer(&invite, "200 OK", "one", &[CONTACT, routes]);
    let ack = solo.request();
    assert_eq!(ack.uri.to_string(), "sip:192.0.2.21");
    let routes: Vec<&str> = ack.headers.list(&Name::Route).collect();
    assert_eq!(routes, ["<sip:192.0.2.20;lr>", "<sip:bob@192.0.2.9:5070>"]);
}
