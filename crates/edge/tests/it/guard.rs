//! Guessers, scanners and floods: who is shut out, for how long, and who is not.

use std::time::Duration;

use edge::sip::{
    Ban, Config, Credentials, DialogKey, Event, Flow, GuardLimits, Incoming, Invite, Message, Name, NameAddr, Reach,
    Registration, RegistrationKey, Status, Transport,
};

use crate::sip_pair::{Pair, Side, invite};
use crate::sip_solo::Solo;

const SECOND: Duration = Duration::from_secs(1);
const LIMITS: u32 = 5;

fn guarded(config: &mut Config) {
    config.users =
        ["alice", "carol"].map(|user| Credentials { user: user.to_owned(), password: "right".to_owned() }).to_vec();
    config.incoming = Incoming::Refuse;
    config.guard = GuardLimits { failures_max: LIMITS, ..GuardLimits::default() };
}

/// A stranger who sends what it likes, from wherever it likes.
struct Stranger {
    solo: Solo,
    sent: u32,
}

impl Stranger {
    fn new(configure: impl Fn(&mut Config)) -> Stranger {
        Stranger {
            solo: Solo::new(|config| {
                guarded(config);
                configure(config);
            }),
            sent: 0,
        }
    }

    fn at(&mut self, address: &str) -> &mut Stranger {
        self.solo.flow.remote = address.parse().unwrap();
        self
    }

    /// Sends a request and returns the status of the answer, with the challenge's nonce.
    fn ask(&mut self, first_line: &str, fields: &[(&str, &str)]) -> Option<(Status, String)> {
        self.sent += 1;
        let (via, call) =
            (format!("SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK{};rport", self.sent), format!("call-{}", self.sent));
        let usual = [("Via", via.as_str()), ("Call-ID", call.as_str())];
        self.solo.send(first_line, &[&usual[..], fields].concat(), "");
        let Message::Response(response) = self.solo.messages().pop()? else { return None };
        let challenge = response.headers.first(&Name::WwwAuthenticate).unwrap_or("");
        let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("");
        Some((response.status, nonce.to_owned()))
    }

    fn register(&mut self) -> Option<(Status, String)> {
        self.ask("REGISTER sip:192.0.2.1", &[])
    }

    /// Guesses a password of alice's, with this nonce.
    fn guess(&mut self, nonce: &str) -> Option<Status> {
        self.guess_of("alice", nonce)
    }

    fn guess_of(&mut self, user: &str, nonce: &str) -> Option<Status> {
        let response = "0".repeat(32);
        let authorization = format!(
            "Digest username=\"{user}\", realm=\"fermata\", nonce=\"{nonce}\", uri=\"sip:192.0.2.1\", \
             response=\"{response}\", algorithm=MD5, qop=auth, nc=00000001, cnonce=\"c\""
        );
        self.ask("REGISTER sip:192.0.2.1", &[("Authorization", &authorization)]).map(|(status, _)| status)
    }

    /// Guesses until it is answered no more; returns how often it was answered.
    fn guess_on(&mut self) -> u32 {
        let (_, mut nonce) = self.register().expect("it is challenged");
        for answered in 0..1000 {
            let Some(_) = self.guess(&nonce) else { return answered };
            nonce = self.register().map_or(nonce, |(_, nonce)| nonce);
        }
        panic!("nobody stops it");
    }

    fn call(&mut self) -> Option<Status> {
        self.ask("INVITE sip:1000@192.0.2.1", &[]).map(|(status, _)| status)
    }

    fn bans(&mut self) -> Vec<Ban> {
        std::iter::from_fn(|| self.solo.endpoint.poll_ban()).collect()
    }

    fn wait(&mut self, duration: Duration) {
        self.solo.now += duration;
        self.solo.endpoint.expire(self.solo.now);
        self.solo.messages();
    }
}

#[test]
fn who_guesses_passwords_is_banned_told_once_and_forgiven_in_the_end() {
    let mut stranger = Stranger::new(|_| {});
    assert_eq!(stranger.guess_on(), LIMITS);
    for _ in 0..50 {
        assert_eq!((stranger.register(), stranger.call()), (None, None));
    }
    let [ban] = stranger.bans()[..] else { panic!("it is told once") };
    assert!(ban.is_proven && ban.address.to_string() == "192.0.2.9");
    assert!(stranger.solo.endpoint.take_dropped() > 50);
    assert!(stranger.at("192.0.2.10:5060").register().is_some(), "others are not concerned");
    stranger.at("192.0.2.9:5070").wait(ban.duration);
    assert!(stranger.register().is_some());
    assert_eq!(stranger.guess_on(), LIMITS);
}

#[test]
fn some_who_mistype_now_and_then_are_not_banned() {
    let mut stranger = Stranger::new(|_| {});
    for _ in 0..30 {
        let (_, nonce) = stranger.register().expect("it is challenged");
        assert_eq!(stranger.guess(&nonce), Some(Status::UNAUTHORIZED));
        stranger.wait(SECOND * 100);
    }
    assert_eq!(stranger.bans(), []);
}

#[test]
fn known_and_unknown_users_get_the_same_answers() {
    let mut stranger = Stranger::new(|config| config.guard = GuardLimits::off());
    let (_, nonce) = stranger.register().expect("it is challenged");
    for user in ["alice", "nobody"] {
        assert_eq!(stranger.guess_of(user, &nonce), Some(Status::UNAUTHORIZED));
    }
}

#[test]
fn forged_addresses_get_nobody_banned_from_registering() {
    let mut stranger = Stranger::new(|_| {});
    let (_, foreign_nonce) = stranger.register().expect("it is challenged");
    stranger.at("192.0.2.77:5060");
    for _ in 0..50 {
        // Whoever forges an address does not read the answers, so it has no nonce for it.
        stranger.guess("made-up");
        stranger.guess(&foreign_nonce);
        stranger.call();
    }
    assert!(stranger.bans().iter().all(|ban| !ban.is_proven));
    stranger.wait(SECOND);
    assert_eq!(stranger.call(), None);
    assert!(stranger.register().is_some(), "the true owner of the address can register");
    let (_, nonce) = stranger.register().expect("it is challenged");
    assert!(stranger.guess(&nonce).is_some());
}

#[test]
fn who_calls_nobody_again_and_again_is_muted() {
    let mut stranger = Stranger::new(|_| {});
    for _ in 0..LIMITS {
        assert_eq!(stranger.call(), Some(Status::FORBIDDEN));
    }
    assert_eq!(stranger.call(), None);
    assert_eq!(stranger.ask("OPTIONS sip:192.0.2.1", &[]), None);
    let bans = stranger.bans();
    assert!(bans.len() == 1 && !bans[0].is_proven);
}

#[test]
fn over_tcp_the_address_is_proven_and_the_ban_whole() {
    let mut stranger = Stranger::new(|_| {});
    stranger.solo.flow.transport = Transport::Tcp;
    for _ in 0..LIMITS {
        stranger.call();
    }
    assert_eq!((stranger.call(), stranger.register()), (None, None));
    assert!(stranger.bans()[0].is_proven);
}

/// Asks those who call for their password, as a server with applications does.
fn asks_callers(config: &mut Config) {
    guarded(config);
    config.incoming = Incoming::Authenticate { trusted: Vec::new() };
}

#[test]
fn who_calls_without_a_password_again_and_again_is_muted_over_any_transport() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut stranger = Stranger::new(asks_callers);
        stranger.solo.flow.transport = transport;
        for _ in 0..LIMITS {
            assert_eq!(stranger.call(), Some(Status::UNAUTHORIZED));
        }
        assert_eq!(stranger.call(), None);
        assert!(stranger.register().is_some());
        let bans = stranger.bans();
        assert!(bans.len() == 1 && !bans[0].is_proven, "{transport:?}: {bans:?}");
    }
}

#[test]
fn who_calls_with_the_password_when_asked_may_call_as_often_as_it_likes() {
    let mut pair = Pair::with(1, |side, config| {
        if side == Side::Bob {
            asks_callers(config);
        }
    });
    let calls = u64::from(LIMITS) * 4;
    for call in 0..calls {
        let password = Credentials { user: "alice".to_owned(), password: "right".to_owned() };
        pair.alice.invite(DialogKey(call), Invite { credentials: Some(password), ..invite() }, pair.now);
        pair.drive(SECOND);
    }
    let came = pair.bob_events.iter().filter(|event| matches!(event, Event::Incoming { .. })).count();
    assert_eq!(came as u64, calls);
    assert_eq!(pair.bob.poll_ban(), None);
}

#[test]
fn tools_for_scanning_get_no_answer_at_all() {
    let mut stranger = Stranger::new(|_| {});
    for user_agent in ["friendly-scanner", "sipvicious 0.3", "VaxSIPUserAgent/3.1", "sipcli/v1.8"] {
        assert_eq!(stranger.ask("OPTIONS sip:100@192.0.2.1", &[("User-Agent", user_agent)]), None);
    }
    assert!(stranger.ask("OPTIONS sip:192.0.2.1", &[("User-Agent", "Yealink T46")]).is_some());
}

#[test]
fn a_flood_is_answered_up_to_the_rate_and_others_are_answered_meanwhile() {
    let mut stranger = Stranger::new(|config| config.guard.requests_per_s_max = 10);
    let mut answered = 0;
    for _ in 0..100 {
        answered += u32::from(stranger.at("192.0.2.9:5070").register().is_some());
        assert!(stranger.sent > 18 || stranger.at("192.0.2.10:5060").register().is_some());
    }
    assert_eq!(answered, 10);
    stranger.wait(SECOND);
    assert!(stranger.at("192.0.2.9:5070").register().is_some());
    assert_eq!(stranger.bans(), []);
}

#[test]
fn trusted_addresses_are_never_shut_out_or_limited() {
    let mut stranger = Stranger::new(|config| {
        config.guard.trusted.insert("192.0.2.9".parse().unwrap());
        config.guard.requests_per_s_max = 3;
    });
    for _ in 0..50 {
        assert_eq!(stranger.call(), Some(Status::FORBIDDEN));
    }
}

#[test]
fn an_ipv6_customer_is_one_source_whatever_its_address() {
    let mut stranger = Stranger::new(|_| {});
    for host in 1..=LIMITS {
        stranger.at(&format!("[2001:db8:1:2::{host:x}]:5060")).call();
    }
    assert_eq!(stranger.at("[2001:db8:1:2:ffff::1]:5060").call(), None);
    assert_eq!(stranger.at("[2001:db8:1:3::1]:5060").call(), Some(Status::FORBIDDEN));
}

#[test]
fn any_number_of_forged_addresses_fills_a_bounded_table() {
    let mut stranger = Stranger::new(|config| {
        config.guard.sources_max = 100;
        config.limits.transactions = 100;
    });
    for host in 0..20_000_u32 {
        let [_, b, c, d] = host.to_be_bytes();
        stranger.at(&format!("10.{b}.{c}.{d}:5060")).call();
    }
    // What remains ends with its window, and nothing is left behind.
    stranger.wait(SECOND * 1000);
    assert_eq!(stranger.solo.endpoint.deadline(), None);
}

fn registration() -> Registration {
    Registration {
        registrar: "sip:192.0.2.2:5060".parse().unwrap(),
        destination: None,
        address_of_record: "sip:alice@192.0.2.2".parse().unwrap(),
        credentials: Some(Credentials { user: "alice".to_owned(), password: "right".to_owned() }),
        expires: Duration::from_secs(120),
    }
}

#[test]
fn a_registered_phone_behind_the_same_address_goes_on_and_may_not_guess_either() {
    let mut pair = Pair::with(1, |side, config| {
        if side == Side::Bob {
            guarded(config);
        }
    });
    pair.alice.register(RegistrationKey(1), registration(), pair.now);
    pair.drive(SECOND);
    let bound = Flow {
        transport: Transport::Udp,
        local: "192.0.2.2:5060".parse().unwrap(),
        remote: "192.0.2.1:5060".parse().unwrap(),
    };
    let mut stranger = Stranger { solo: Solo { endpoint: pair.bob, now: pair.now, flow: bound }, sent: 0 };
    stranger.at("192.0.2.1:7777").guess_on();
    assert_eq!(stranger.register(), None, "the address is banned");
    // From the port of the phone itself: it may guess nobody else's password.
    assert_eq!(stranger.at("192.0.2.1:5060").guess_of("carol", "x"), None);
    assert!(stranger.register().is_some());
    stranger.solo.messages();
    pair.bob = stranger.solo.endpoint;
    pair.drive(SECOND * 500);
    assert_eq!(pair.bob.bindings("alice", pair.now).count(), 1, "it is refreshed all the time");
}

/// A callee that names another host in its answer: where the ACK and the BYE go.
fn sent_after_answer(reach: Reach, contact: &str) -> Vec<String> {
    let mut solo = Solo::new(|config| config.reach = reach.clone());
    let invite = Invite {
        target: "sip:bob@192.0.2.9:5070".parse().unwrap(),
        destination: None,
        from: NameAddr::new("sip:fermata@192.0.2.1".parse().unwrap()),
        to: None,
        asserted: None,
        offer: b"v=0\r\n".to_vec(),
        credentials: None,
        ring_timeout: SECOND * 60,
        silence_max: None,
        replaces: None,
    };
    solo.endpoint.invite(DialogKey(1), invite, solo.now);
    let request = solo.requests().pop().unwrap();
    solo.answer_with(
        &request,
        "200 OK",
        "bob",
        &[("Contact", contact), ("Content-Type", "application/sdp")],
        "v=0\r\n",
    );
    solo.endpoint.hang_up(DialogKey(1), solo.now);
    std::iter::from_fn(|| solo.endpoint.poll_transmit()).map(|sent| sent.destination.remote().to_string()).collect()
}

#[test]
fn a_contact_leads_only_where_calls_may_go() {
    let only = |addresses: &[&str], loopback: bool| Reach::Only {
        loopback,
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    };
    let began = "192.0.2.9:5070";
    let cases = [
        (Reach::Anywhere, "<sip:bob@10.0.0.7:5060>", "10.0.0.7:5060"),
        (only(&[], false), "<sip:bob@10.0.0.7:5060>", began),
        (only(&[], false), "<sip:bob@127.0.0.1:6379>", began),
        (only(&[], true), "<sip:bob@127.0.0.1:5062>", "127.0.0.1:5062"),
        (only(&["10.0.0.7"], false), "<sip:bob@10.0.0.7:5060>", "10.0.0.7:5060"),
        (only(&[], false), "<sip:bob@192.0.2.9:5099>", "192.0.2.9:5099"),
        (only(&[], false), "<sip:bob@internal.example>", began),
    ];
    for (reach, contact, expected) in cases {
        let sent = sent_after_answer(reach, contact);
        assert_eq!(sent, [expected, expected], "{contact}");
    }
}
