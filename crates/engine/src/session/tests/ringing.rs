//! Somebody who is called at a phone and in browsers: the first to answer has the call.

use super::*;
use crate::session::browsers::CONNECT_TIMEOUT;
use call::CallState;
use edge::dtls::Certificate;
use edge::webrtc::{self, Browser};

/// How long it rings in browsers.
const RINGS: Duration = Duration::from_secs(30);

/// Bob is called, and a browser of his is open.
struct Called {
    session: Session,
    now: Instant,
}

impl Called {
    fn new() -> Called {
        let now = Instant::now();
        let call = NewCall {
            id: CALL,
            participant: BOT,
            application: Identity::application("app", None),
            kind: CallKind::PeerToPeer,
            targets: vec![Invitation::new(id(1), Identity::user("bob", None))],
        };
        let conversation = Conversation::create(ConversationId::new(9), Policy::default(), call, now);
        let clock = WallClock::new(now, std::time::SystemTime::UNIX_EPOCH);
        let settings = Settings { probe_after: None, ledgers: None, clock };
        let mut called = Called { session: Session::new(conversation, settings), now };
        called.session.rings_in_browsers(id(1), now + RINGS);
        let address = SocketAddr::from(([127, 0, 0, 1], 20_000));
        let random = LegRandom { transmit: TRANSMIT, session_id: 7 };
        let srtp = LocalSrtp::new(SrtpPolicy::Off, KeySource::new([1; 32]));
        called.session.leg_opened(id(1), address, random, srtp).expect("it was to be called");
        called.session.sent_first(id(1), None);
        called.told();
        called
    }

    fn run(&mut self, time: Duration) -> Vec<String> {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(20);
            self.session.tick(self.now, NtpTime::default(), &mut |_| {});
            self.session.flushed(self.now);
        }
        self.told()
    }

    fn answer_in_browser(&mut self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], 4000));
        let settings = webrtc::Settings::new(address, false, Certificate::generate().expect("a certificate"));
        let (browser, _) = Browser::accept(&settings, OFFER, self.now).expect("a good offer");
        self.session.answered_in_browser(id(1), Box::new(browser), TRANSMIT, self.now)
    }

    fn answer_at_phone(&mut self) {
        let address = SocketAddr::from(([127, 0, 0, 1], 30_000));
        let offer = local(address, Codec::Pcmu, sdp::Direction::SendRecv);
        self.session.answered(id(1), sdp::offer(&offer).as_bytes(), self.now);
    }

    /// What is to be done since the last time, in words.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::StopRinging { end, .. } => told.push(format!("browsers: {end:?}")),
                Output::StopPhones { .. } => told.push("phones stop".to_owned()),
                Output::Notify(Notice::Call { state, result: Some(result), .. }) => {
                    told.push(format!("{state:?}, {}", result.message));
                }
                Output::Notify(Notice::Call { state: CallState::Established, audio_active: true, .. }) => {
                    told.push("up".to_owned());
                }
                _ => {}
            }
        }
        told
    }
}

const TRANSMIT: TransmitStart = TransmitStart { ssrc: 1, sequence: 1, timestamp: 1 };

#[test]
fn a_user_without_phones_goes_on_ringing_in_its_browsers_until_the_time_is_over() {
    let mut called = Called::new();
    called.session.unreached(id(1), Unreached::NoEndpoint, called.now);
    assert_eq!(called.told(), Vec::<String>::new());
    assert_eq!(called.run(RINGS), ["browsers: Over", "Terminated, The callee did not answer."]);
}

#[test]
fn who_declines_in_a_browser_still_rings_at_its_phone() {
    let mut called = Called::new();
    called.session.declined_in_browser(id(1), called.now);
    assert_eq!(called.told(), ["browsers: Declined"]);
    assert!(!called.answer_in_browser(), "it rings there no more");
    called.answer_at_phone();
    assert_eq!(called.told(), ["up"]);
}

#[test]
fn when_nothing_rings_any_more_the_best_reason_is_told() {
    let mut called = Called::new();
    called.session.declined_in_browser(id(1), called.now);
    called.session.unreached(id(1), Unreached::NoAnswer, called.now);
    assert_eq!(called.told(), ["browsers: Declined", "Terminated, The callee declined the call."]);
}

#[test]
fn a_phone_that_answers_silences_the_browsers() {
    let mut called = Called::new();
    called.answer_at_phone();
    assert_eq!(called.told(), ["browsers: AnsweredElsewhere", "up"]);
    assert!(!called.answer_in_browser());
    assert_eq!(called.run(RINGS), Vec::<String>::new());
}

#[test]
fn a_browser_that_answers_silences_the_phone_and_is_in_the_roster_only_when_it_is_connected() {
    let mut called = Called::new();
    assert!(called.answer_in_browser());
    assert!(called.session.is_in_browser(id(1)));
    assert_eq!(called.told(), ["browsers: AnsweredElsewhere", "phones stop"]);
    assert!(!called.answer_in_browser(), "it is answered once");
    let told = called.run(CONNECT_TIMEOUT);
    assert_eq!(told, ["Terminated, The callee answered, but no sound could get through."]);
    assert!(!called.session.is_in_browser(id(1)));
}

#[test]
fn a_call_that_ends_silences_the_browsers() {
    let mut called = Called::new();
    called.session.execute(CALL, Command::HangUp, None, called.now).expect("accepted");
    let told = called.told();
    assert!(told.contains(&"browsers: Over".to_owned()), "{told:?}");
}

/// What a browser offers, with a fingerprint that nobody will be asked to prove.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n";
