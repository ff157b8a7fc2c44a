//! Stories of registration, alice's phone at bob's registrar: RFC 3261 §10, §22, RFC 5626 §5.

use std::time::Duration;

use edge::sip::{
    Algorithm, Config, Credentials, Destination, Endpoint, Event, HostPort, Message, Name, Registration,
    RegistrationKey, RegistrationState, Request, Status, Transport,
};
use expect_test::expect;

use crate::sip_pair::{Pair, Side, Weather, address};
use crate::sip_solo::{Solo, header};

const SECOND: Duration = Duration::from_secs(1);
const KEY: RegistrationKey = RegistrationKey(1);

fn pair(seed: u64) -> Pair {
    Pair::with(seed, |side, config| {
        if side == Side::Bob {
            config.users = users();
        }
    })
}

fn users() -> Vec<Credentials> {
    ["alice", "carol"].map(|user| Credentials { user: user.to_owned(), password: "fermata-dev".to_owned() }).to_vec()
}

fn registration(password: &str, transport: &str) -> Registration {
    Registration {
        registrar: format!("sip:192.0.2.2:5060;transport={transport}").parse().unwrap(),
        destination: None,
        address_of_record: "sip:alice@192.0.2.2".parse().unwrap(),
        credentials: Some(Credentials { user: "alice".to_owned(), password: password.to_owned() }),
        expires: Duration::from_secs(600),
    }
}

fn changed(state: RegistrationState) -> Event {
    Event::RegistrationChanged { registration: KEY, state }
}

fn registered() -> Event {
    changed(RegistrationState::Registered { expires: Duration::from_secs(600) })
}

/// What an endpoint wants of a trunk that needs no password.
fn at_trunk() -> Registration {
    Registration {
        registrar: "sip:192.0.2.9:5070".parse().unwrap(),
        destination: None,
        address_of_record: "sip:us@trunk.example".parse().unwrap(),
        credentials: None,
        expires: Duration::from_secs(600),
    }
}

fn contacts(pair: &Pair) -> Vec<String> {
    pair.bob.bindings("alice", pair.now).map(|binding| binding.contact.to_string()).collect()
}

#[test]
fn a_registration_that_fails_goes_elsewhere_at_once_and_its_failures_count_on() {
    let mut solo = Solo::new(|_| {});
    let elsewhere = Destination::Address { transport: Transport::Tcp, remote: "192.0.2.8:5060".parse().unwrap() };
    assert!(!solo.endpoint.register_elsewhere(KEY, elsewhere, solo.now), "there is none");
    solo.endpoint.register(KEY, at_trunk(), solo.now);
    let fail = |solo: &mut Solo, request: &Request, retry_s: u64| {
        solo.answer(request, "503 Service Unavailable", "x", &[]);
        let retry = Some(Duration::from_secs(retry_s));
        let state = RegistrationState::Failed { status: Status::SERVICE_UNAVAILABLE, retry };
        assert_eq!(solo.events(), [changed(state)]);
    };
    let first = solo.request();
    fail(&mut solo, &first, 30);
    assert!(solo.endpoint.register_elsewhere(KEY, elsewhere, solo.now));
    let transmit = solo.endpoint.poll_transmit().expect("it is sent");
    assert_eq!(transmit.destination, elsewhere);
    let Ok(Message::Request(second)) = Message::parse(&transmit.bytes) else { panic!("a request") };
    assert!(header(&second.headers, &Name::Contact).contains("transport=tcp"), "where we are called back");
    assert_eq!(header(&second.headers, &Name::CallId), header(&first.headers, &Name::CallId));
    fail(&mut solo, &second, 60);
}

#[test]
fn a_registrar_that_stays_away_is_asked_ever_less_often() {
    let mut solo = Solo::new(|_| {});
    solo.endpoint.register(KEY, at_trunk(), solo.now);
    for expected_s in [30, 60, 120, 240, 480, 960, 1800, 1800] {
        let request = solo.request();
        solo.answer(&request, "503 Service Unavailable", "x", &[]);
        let retry = Some(Duration::from_secs(expected_s));
        let state = RegistrationState::Failed { status: Status::SERVICE_UNAVAILABLE, retry };
        assert_eq!(solo.events(), [Event::RegistrationChanged { registration: RegistrationKey(1), state }]);
        solo.pass(Duration::from_secs(expected_s));
    }
    let request = solo.request();
    solo.answer(&request, "200 OK", "x", &[]);
    solo.events();
    solo.pass(Duration::from_secs(540));
    let request = solo.request();
    solo.answer(&request, "503 Service Unavailable", "x", &[]);
    let retry = Some(Duration::from_secs(30));
    let state = RegistrationState::Failed { status: Status::SERVICE_UNAVAILABLE, retry };
    assert_eq!(solo.events(), [Event::RegistrationChanged { registration: RegistrationKey(1), state }]);
}

#[test]
fn a_phone_registers_is_refreshed_and_leaves() {
    let mut pair = pair(1);
    pair.alice.register(KEY, registration("fermata-dev", "udp"), pair.now);
    pair.drive(SECOND);
    assert_eq!(contacts(&pair), ["sip:alice@192.0.2.1:5060"]);
    pair.drive(SECOND * 540);
    expect![[r#"
        alice: REGISTER
        bob: 401 REGISTER
        alice: REGISTER
        bob: 200 REGISTER
        alice: REGISTER
        bob: 401 REGISTER
        alice: REGISTER
        bob: 200 REGISTER
    "#]]
    .assert_eq(&pair.take_trace());
    pair.drive(SECOND * 3600);
    assert_eq!(contacts(&pair).len(), 1, "it is refreshed for as long as it is wanted");
    assert_eq!(pair.bob_events, [Event::Registered { user: "alice".to_owned() }]);
    pair.alice.unregister(KEY, pair.now);
    pair.drive(SECOND * 60);
    assert_eq!(contacts(&pair), [""; 0]);
    assert_eq!(pair.bob_events.last(), Some(&Event::Unregistered { user: "alice".to_owned() }));
    assert_eq!(pair.alice_events.last(), Some(&changed(RegistrationState::Unregistered)));
    assert_eq!((pair.alice.deadline(), pair.bob.deadline()), (None, None));
    pair.assert_idle();
}

#[test]
fn each_algorithm_that_is_offered_can_be_used() {
    for (algorithm, digits) in [(Algorithm::Md5, 32), (Algorithm::Sha256, 64)] {
        let mut pair = Pair::with(1, |_, config| {
            config.users = users();
            config.algorithms = vec![algorithm];
        });
        pair.alice.register(KEY, registration("fermata-dev", "udp"), pair.now);
        pair.drive(SECOND);
        assert_eq!(pair.alice_events, [registered()]);
        let signed = String::from_utf8(pair.transmits[2].bytes.clone()).unwrap();
        let response = signed.split("response=\"").nth(1).unwrap().split('"').next().unwrap();
        assert_eq!(response.len(), digits);
    }
}

#[test]
fn an_algorithm_that_is_not_offered_is_not_accepted() {
    let mut phone = Phone::new();
    let signed = phone.register();
    assert_eq!(phone.status(&signed.replace("algorithm=MD5", "algorithm=SHA-256")), 401);
}

#[test]
fn a_wrong_password_is_refused_for_good() {
    let mut pair = pair(2);
    pair.alice.register(KEY, registration("wrong", "udp"), pair.now);
    pair.drive(SECOND * 100);
    let state = RegistrationState::Failed { status: Status::UNAUTHORIZED, retry: None };
    assert_eq!(pair.alice_events, [changed(state)]);
    assert_eq!(contacts(&pair), [""; 0]);
}

#[test]
fn a_phone_that_vanishes_is_forgotten() {
    let mut pair = pair(3);
    pair.alice.register(KEY, registration("fermata-dev", "udp"), pair.now);
    pair.drive(SECOND);
    pair.loses = Box::new(|label| label.starts_with("alice"));
    pair.drive(SECOND * 601);
    assert_eq!(contacts(&pair), [""; 0]);
    assert_eq!(pair.bob_events.last(), Some(&Event::Unregistered { user: "alice".to_owned() }));
}

#[test]
fn a_registrar_that_was_away_is_tried_again() {
    let mut pair = pair(4);
    pair.loses = Box::new(|_| true);
    pair.alice.register(KEY, registration("fermata-dev", "udp"), pair.now);
    pair.drive(SECOND * 40);
    let retry = Some(Duration::from_secs(30));
    assert_eq!(pair.alice_events, [changed(RegistrationState::Failed { status: Status::REQUEST_TIMEOUT, retry })]);
    pair.loses = Box::new(|_| false);
    pair.drive(SECOND * 30);
    assert_eq!(pair.alice_events.last(), Some(&registered()));
}

#[test]
fn a_wish_that_is_too_short_is_raised() {
    let mut pair = pair(5);
    let mut brief = registration("fermata-dev", "udp");
    brief.expires = Duration::from_secs(10);
    pair.alice.register(KEY, brief, pair.now);
    pair.drive(SECOND);
    assert!(pair.take_trace().contains("bob: 423 REGISTER"));
    let expires = Duration::from_secs(60);
    assert_eq!(pair.alice_events, [changed(RegistrationState::Registered { expires })]);
}

#[test]
fn a_contact_over_tcp_goes_with_its_connection() {
    let mut pair = pair(6);
    pair.alice.register(KEY, registration("fermata-dev", "tcp"), pair.now);
    pair.drive(SECOND);
    assert_eq!(contacts(&pair), ["sip:alice@192.0.2.1:5060;transport=tcp"]);
    let flow = pair.bob.bindings("alice", pair.now).next().unwrap().flow;
    assert_eq!((flow.transport, flow.remote.port()), (Transport::Tcp, 40_000));
    pair.bob.closed(flow, pair.now);
    pair.drain();
    assert_eq!(contacts(&pair), [""; 0]);
    assert_eq!(pair.bob_events.last(), Some(&Event::Unregistered { user: "alice".to_owned() }));
}

#[test]
fn a_registrar_that_grants_nothing_is_not_flooded() {
    let mut solo = Solo::new(|_| {});
    let mut registration = registration("fermata-dev", "udp");
    registration.registrar = "sip:192.0.2.9:5070".parse().unwrap();
    solo.endpoint.register(KEY, registration, solo.now);
    let first = solo.request();
    solo.answer(&first, "200 OK", "r", &[("Expires", "0")]);
    solo.pass(Duration::from_millis(4_999));
    assert_eq!(solo.requests(), []);
    solo.pass(Duration::from_millis(1));
    assert_eq!(solo.requests().len(), 1);
}

#[test]
fn a_registration_gets_through_a_storm() {
    for seed in 0..50 {
        let mut pair = pair(seed);
        pair.weather = Weather { loss_percent: 30, duplicate_percent: 30, delay_ms_max: 400 };
        pair.alice.register(KEY, registration("fermata-dev", "udp"), pair.now);
        pair.drive(SECOND * 200);
        assert_eq!(contacts(&pair).len(), 1, "seed {seed}");
    }
}

#[test]
fn a_host_in_the_registrar_that_is_a_name_has_to_be_resolved() {
    let mut endpoint = Endpoint::new(Config::new(address(Side::Alice)), [1; 32]);
    let mut nowhere = registration("fermata-dev", "udp");
    nowhere.registrar = "sip:example.com".parse().unwrap();
    endpoint.register(KEY, nowhere, crate::sip_pair::start());
    let state = RegistrationState::Failed { status: Status::SERVICE_UNAVAILABLE, retry: None };
    assert_eq!(endpoint.poll_event(), Some(changed(state)));
    assert_eq!(endpoint.deadline(), None);
}

/// A phone written out as text, with a signed REGISTER that can be copied and changed.
struct Phone {
    solo: Solo,
    helper: Endpoint,
}

impl Phone {
    fn new() -> Phone {
        let registrar = Solo::new(|config| config.users = users());
        let peer: HostPort = "192.0.2.9:5070".parse().unwrap();
        let mut config = Config::new(address(Side::Alice));
        config.udp = peer;
        Phone { solo: registrar, helper: Endpoint::new(config, [9; 32]) }
    }

    /// Registers and returns the signed REGISTER as it was sent.
    fn register(&mut self) -> String {
        self.helper.register(KEY, registration("fermata-dev", "udp"), self.solo.now);
        let plain = self.helper.poll_transmit().unwrap();
        self.solo.endpoint.receive(self.solo.flow, &plain.bytes, self.solo.now);
        let challenge = self.solo.response();
        self.helper.receive(self.solo.flow, &challenge.to_bytes(), self.solo.now);
        String::from_utf8(self.helper.poll_transmit().unwrap().bytes).unwrap()
    }

    fn status(&mut self, register: &str) -> u16 {
        self.solo.endpoint.receive(self.solo.flow, register.as_bytes(), self.solo.now);
        self.solo.response().status.code()
    }
}

#[test]
fn a_copied_register_is_challenged_again() {
    let mut phone = Phone::new();
    let signed = phone.register();
    assert_eq!(phone.status(&signed), 200);
    let copy = signed.replacen("branch=z9hG4bK", "branch=z9hG4bKcopy", 1).replace("3 REGISTER", "9 REGISTER");
    let copy = copy.replace("2 REGISTER", "9 REGISTER");
    phone.solo.endpoint.receive(phone.solo.flow, copy.as_bytes(), phone.solo.now);
    let response = phone.solo.response();
    assert_eq!(response.status, Status::UNAUTHORIZED);
    let challenge = header(&response.headers, &edge::sip::Name::WwwAuthenticate);
    assert!(challenge.ends_with("stale=true"), "{challenge}");
}

#[test]
fn a_nonce_is_of_no_use_from_another_address_and_after_its_time() {
    let mut phone = Phone::new();
    let signed = phone.register();
    phone.solo.flow.remote = "192.0.2.77:5070".parse().unwrap();
    assert_eq!(phone.status(&signed.replacen("z9hG4bK", "z9hG4bKa", 1)), 401);
    phone.solo.flow.remote = "192.0.2.9:5070".parse().unwrap();
    phone.solo.pass(Duration::from_secs(301));
    assert_eq!(phone.status(&signed.replacen("z9hG4bK", "z9hG4bKb", 1)), 401);
}

#[test]
fn nobody_registers_somebody_else() {
    let mut phone = Phone::new();
    let signed = phone.register();
    assert_eq!(phone.status(&signed.replace("To: <sip:alice@", "To: <sip:carol@")), 403);
}

#[test]
fn unknown_users_get_the_same_answer_as_wrong_passwords() {
    let mut phone = Phone::new();
    let signed = phone.register();
    assert_eq!(phone.status(&signed.replace("username=\"alice\"", "username=\"mallory\"")), 401);
}

#[test]
fn a_star_removes_everything_but_only_with_expires_0() {
    let contact = |text: &str, with: &str| {
        let start = text.find("Contact: ").unwrap();
        let end = start + text[start..].find("\r\n").unwrap();
        format!("{}{with}{}", &text[..start], &text[end..])
    };
    let mut phone = Phone::new();
    let signed = phone.register();
    assert_eq!(phone.status(&contact(&signed, "Contact: *")), 400);
    let mut phone = Phone::new();
    let signed = phone.register();
    let star = contact(&signed, "Contact: *").replace("Expires: 600", "Expires: 0");
    assert_eq!(phone.status(&star), 200);
    let mut phone = Phone::new();
    let signed = phone.register();
    let many: Vec<String> = (0..11).map(|number| format!("<sip:alice@192.0.2.9:{}>", 6000 + number)).collect();
    assert_eq!(phone.status(&contact(&signed, &format!("Contact: {}", many.join(", ")))), 403);
}

#[test]
fn the_newest_contact_comes_first() {
    let mut phone = Phone::new();
    let signed = phone.register();
    let two = signed.replacen("Contact: ", "Contact: <sip:alice@192.0.2.9:6000>, ", 1);
    assert_eq!(phone.status(&two), 200);
    let ports: Vec<String> =
        phone.solo.endpoint.bindings("alice", phone.solo.now).map(|binding| binding.contact.to_string()).collect();
    assert_eq!(ports, ["sip:alice@192.0.2.9:5070", "sip:alice@192.0.2.9:6000"]);
    assert_eq!(phone.solo.events(), [Event::Registered { user: "alice".to_owned() }]);
}
