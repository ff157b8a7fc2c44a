//! Who may call: passwords, trusted hosts, and what is believed of a caller (RFC 3261 §22.4, RFC 3325).

use std::net::SocketAddr;
use std::time::Duration;

use edge::sip::{Credentials, Event, Incoming, Message};

use crate::sip_pair::{ALICES, BOBS, Pair, Side, address, invite};
use crate::sip_solo::{PEER, Solo};

const SECOND: Duration = Duration::from_secs(1);

/// Bob knows alice by her password and trusts nobody, or alice's host.
fn pair(trusts_alice: bool) -> Pair {
    Pair::with(1, |side, config| {
        if side == Side::Bob {
            config.realm = "fermata.test".to_owned();
            config.users = vec![Credentials { user: "alice".to_owned(), password: "fermata-dev".to_owned() }];
            let trusted = if trusts_alice { vec![address(Side::Alice).ip()] } else { Vec::new() };
            config.incoming = Incoming::Authenticate { trusted };
        }
    })
}

/// Alice calls under this address, and with this password if there is one. Returns whom bob takes her for.
fn called(mut pair: Pair, from: &str, password: Option<&str>) -> Option<(Option<String>, String)> {
    let mut invite = invite();
    invite.from.uri = from.parse().unwrap();
    invite.credentials =
        password.map(|password| Credentials { user: "alice".to_owned(), password: password.to_owned() });
    pair.alice.invite(ALICES, invite, pair.now);
    pair.drive(SECOND);
    pair.bob_events.into_iter().find_map(|event| match event {
        Event::Incoming { user, from, .. } => Some((user, from.uri.to_string())),
        _ => None,
    })
}

fn statuses(solo: &mut Solo) -> Vec<u16> {
    let responses = solo.messages().into_iter().filter_map(|message| match message {
        Message::Response(response) => Some(response.status.code()),
        Message::Request(_) => None,
    });
    responses.collect()
}

#[test]
fn a_user_is_who_proves_it_by_the_password_whatever_it_calls_itself() {
    let alice = Some("alice".to_owned());
    for from in ["sip:alice@fermata.test", "sip:somebody@elsewhere.example"] {
        assert_eq!(called(pair(false), from, Some("fermata-dev")), Some((alice.clone(), from.to_owned())));
    }
    assert_eq!(called(pair(false), "sip:alice@fermata.test", Some("wrong")), None);
    assert_eq!(called(pair(false), "sip:alice@fermata.test", None), None);
}

#[test]
fn a_trusted_host_needs_no_password_unless_it_calls_in_a_users_name() {
    for from in ["sip:+4930123456@provider.example", "sip:alice@192.0.2.2:5099", "sip:mallory@fermata.test"] {
        assert_eq!(called(pair(true), from, None), Some((None, from.to_owned())));
    }
    for from in ["sip:alice@fermata.test", "sip:alice@FERMATA.test", "sip:alice@192.0.2.2"] {
        assert_eq!(called(pair(true), from, None), None, "{from}");
    }
    let with_password = called(pair(true), "sip:alice@fermata.test", Some("fermata-dev"));
    assert_eq!(with_password.and_then(|(user, _)| user).as_deref(), Some("alice"));
}

#[test]
fn only_a_trusted_host_is_believed_whom_it_asserts() {
    let asserted = [("P-Asserted-Identity", "\"Heidi\" <sip:+4930123456@provider.example>")];
    let peer: SocketAddr = PEER.parse().unwrap();
    for (trusted, is_believed) in [(Vec::new(), false), (vec![peer.ip()], true)] {
        let mut solo = Solo::new(|config| config.incoming = Incoming::Authenticate { trusted: trusted.clone() });
        let fields =
            [asserted[0], ("From", "<sip:anonymous@anonymous.invalid>;tag=p"), ("Content-Type", "application/sdp")];
        solo.send("INVITE sip:bot@192.0.2.1", &fields, "v=0\r\n");
        let refused = statuses(&mut solo).pop();
        match solo.endpoint.poll_event() {
            Some(Event::Incoming { from, .. }) => {
                assert!(is_believed);
                assert_eq!(from.uri.user().as_deref(), Some("+4930123456"));
            }
            _ => assert_eq!((is_believed, refused), (false, Some(401))),
        }
    }
}

#[test]
fn a_trunk_is_trusted_where_it_is_now() {
    let trunk: SocketAddr = PEER.parse().unwrap();
    let mut solo = Solo::new(|config| config.incoming = Incoming::Authenticate { trusted: Vec::new() });
    let call = |solo: &mut Solo, call_id: &str| {
        let branch = format!("SIP/2.0/UDP {PEER};branch=z9hG4bK{call_id}");
        let fields = [("Call-ID", call_id), ("Via", branch.as_str()), ("Content-Type", "application/sdp")];
        solo.send("INVITE sip:bot@192.0.2.1", &fields, "v=0\r\n");
        statuses(solo).pop()
    };
    assert_eq!(call(&mut solo, "before"), Some(401));
    solo.endpoint.set_trunks([trunk.ip()].into());
    assert_eq!(call(&mut solo, "there"), None);
    solo.incoming();
    solo.endpoint.set_trunks(Default::default());
    assert_eq!(call(&mut solo, "after"), Some(401));
}

#[test]
fn strangers_hear_the_same_for_users_that_exist_and_that_do_not() {
    let challenge = |from: &str| {
        let mut solo = Solo::new(|config| {
            config.users = vec![Credentials { user: "alice".to_owned(), password: "x".to_owned() }];
            config.incoming = Incoming::Authenticate { trusted: Vec::new() };
        });
        solo.send("INVITE sip:bot@192.0.2.1", &[("From", from), ("Content-Type", "application/sdp")], "v=0\r\n");
        statuses(&mut solo)
    };
    assert_eq!(challenge("<sip:alice@192.0.2.1>;tag=1"), challenge("<sip:mallory@192.0.2.1>;tag=1"));
}

#[test]
fn the_acknowledgement_of_an_answered_call_is_told_once() {
    let mut pair = Pair::new(1);
    pair.loses = Box::new({
        let mut acks = 0;
        move |line| {
            acks += u32::from(line == "alice: ACK");
            line == "alice: ACK" && acks < 3
        }
    });
    pair.call();
    pair.drive(SECOND * 10);
    let confirmed = |pair: &Pair| pair.bob_events.iter().filter(|e| **e == Event::Confirmed { dialog: BOBS }).count();
    assert_eq!(confirmed(&pair), 1, "{:?}", pair.bob_events);
    pair.alice.reinvite(ALICES, b"offer".to_vec(), pair.now).expect("established");
    pair.drive(SECOND * 10);
    assert_eq!(confirmed(&pair), 1, "a change of the session is none");
}
