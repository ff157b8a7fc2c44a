//! A browser's session against another implementation's side of it (str0m's own), in virtual time, over a network that a
//! test can cut and on which the browser can move.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge::dtls::Certificate;
use edge::webrtc::{Browser, Event, OfferError, Settings, Transport, connectivity_check_of, is_check_accepted};
use media::rtp;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event as RtcEvent, Input, Output, Rtc, RtcConfig};

/// How long a connection may take, in virtual time.
const CONNECT: Duration = Duration::from_secs(3);

#[test]
fn sound_goes_both_ways_once_both_have_proved_who_they_are() {
    let mut net = Net::connecting();
    assert!(!net.send(0), "nothing is sent before there is a path");
    net.run(CONNECT);
    assert!(net.server_events.contains(&Event::Connected));
    for number in 1..=20 {
        assert!(net.send(number));
        net.speak(number);
        net.run(Duration::from_millis(20));
    }
    assert_eq!(net.heard_by_browser, (1..=20).collect::<Vec<_>>());
    assert_eq!(net.heard_by_server(), (1..=20).collect::<Vec<_>>());
}

#[test]
fn numbers_go_round() {
    let mut net = Net::connected();
    for number in [65_533, 65_534, 65_535, 0, 1] {
        assert!(net.send(number));
        net.run(Duration::from_millis(20));
    }
    assert_eq!(net.heard_by_browser, [65_533, 65_534, 65_535, 0, 1]);
}

#[test]
fn a_browser_that_stops_listening_holds_us_and_resumes() {
    let mut net = Net::connected();
    for (direction, sends, holds) in [
        (Direction::SendOnly, true, true),
        (Direction::Inactive, false, true),
        (Direction::RecvOnly, false, false),
        (Direction::SendRecv, true, false),
    ] {
        net.turn(direction);
        let agreed = net.server.agreed();
        assert_eq!((agreed.remote_sends, agreed.remote_hold), (sends, holds), "{direction:?}");
    }
    net.speak(7);
    assert!(net.send(8));
    net.run(Duration::from_millis(100));
    assert_eq!((net.heard_by_server(), &net.heard_by_browser[..]), (vec![7], &[8][..]));
}

#[test]
fn after_an_ice_restart_the_session_goes_on_from_another_address() {
    let mut net = Net::connected();
    let before = net.server.user_fragment();
    net.move_browser_to("127.0.0.1:6000");
    net.restart_ice();
    assert_ne!(net.server.user_fragment(), before);
    net.run(CONNECT);
    assert!(net.send(1));
    net.speak(2);
    net.run(Duration::from_millis(100));
    assert_eq!((net.heard_by_server(), &net.heard_by_browser[..]), (vec![2], &[1][..]));
    let connected = net.server_events.iter().filter(|event| **event == Event::Connected).count();
    assert_eq!(connected, 1, "it is one session");
}

#[test]
fn a_path_that_is_cut_is_told_and_so_is_its_return() {
    let mut net = Net::connected();
    net.server_events.clear();
    net.is_cut = true;
    net.run(Duration::from_secs(30));
    assert!(net.server_events.contains(&Event::Interrupted));
    assert!(!net.server_events.contains(&Event::Closed), "that is the owner's to decide");
    net.server_events.clear();
    net.is_cut = false;
    net.restart_ice();
    net.run(CONNECT);
    assert!(net.server_events.contains(&Event::Resumed));
    assert!(net.send(1));
    net.run(Duration::from_millis(100));
    assert_eq!(net.heard_by_browser, [1]);
}

#[test]
fn a_browser_that_closes_is_gone() {
    let mut net = Net::connected();
    net.browser.close().expect("it is open");
    net.run(Duration::from_secs(1));
    assert!(net.server_events.contains(&Event::Closed));
    assert!(!net.send(1));
}

#[test]
fn a_browser_is_told_that_the_session_is_over() {
    let mut net = Net::connected();
    net.server.close();
    net.run(Duration::from_secs(1));
    assert!(net.is_browser_closed);
}

#[test]
fn datagrams_of_strangers_change_nothing() {
    let mut net = Net::connected();
    let stranger = "127.0.0.9:9".parse().expect("an address");
    let check = [&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42][..], &[7; 12]].concat();
    for datagram in [&[][..], &[0; 20], &check, &[20, 254, 253, 0], &[128, 111, 0, 1], &[200; 1500]] {
        net.server.receive(Transport::Udp, stranger, datagram, net.now);
        assert_eq!(net.server.poll_transmit(), None, "{datagram:?}");
    }
    assert!(net.send(1));
    net.run(Duration::from_millis(100));
    assert_eq!(net.heard_by_browser, [1]);
}

#[test]
fn the_fragment_in_a_check_is_ours_and_an_answer_says_that_it_was_good() {
    let mut net = Net::connecting();
    let ours = net.server.user_fragment();
    net.run(CONNECT);
    assert!(net.checks.iter().all(|fragment| *fragment == ours) && !net.checks.is_empty());
    assert!(net.has_accepted_a_check);
    for datagram in [&[][..], &[0, 1], &[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42], &[0; 40], &[[0, 1, 0, 9]; 9].concat()] {
        assert_eq!(connectivity_check_of(datagram), None, "{datagram:?}");
    }
}

#[test]
fn a_browser_that_hides_its_addresses_is_found_by_its_checks() {
    let mut net = Net::new();
    let offer = net.offer(|_| {});
    let hidden = offer.replace("127.0.0.1 5000 typ host", "4f1c1c6e-0000-4000-8000-000000000000.local 5000 typ host");
    assert_ne!(offer, hidden);
    net.take(&hidden);
    net.run(CONNECT);
    assert!(net.server_events.contains(&Event::Connected));
}

#[test]
fn offers_that_cannot_be_used_are_errors() {
    let check = |offer: &str| {
        let result = Browser::accept(&settings(), offer, start());
        result.err().unwrap_or_else(|| panic!("taken: {offer}"))
    };
    let offer = Net::new().offer(|_| {});
    assert!(matches!(check(""), OfferError::Unusable(_)));
    assert!(matches!(check("v=0\r\n"), OfferError::Unusable(_)));
    assert!(matches!(check(&offer.replace("a=fingerprint", "a=x-fingerprint")), OfferError::Unusable(_)));
    assert!(matches!(check(&offer.replace("a=ice-pwd", "a=x-ice-pwd")), OfferError::Unusable(_)));
    assert!(matches!(check(&offer.replace("opus/48000/2", "speex/8000")), OfferError::NoOpus));
    assert!(matches!(check(&"v".repeat(100_000)), OfferError::TooLong { bytes: 100_000 }));
}

const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2)), 4000);

/// Both ends, and the network between them.
struct Net {
    now: Instant,
    settings: Settings,
    server: Browser,
    browser: Rtc,
    address: SocketAddr,
    audio: Option<Mid>,
    pending: Option<SdpPendingOffer>,
    is_cut: bool,
    server_events: Vec<Event>,
    heard_by_browser: Vec<u16>,
    is_browser_closed: bool,
    /// Whom the browser's checks named, and whether one was accepted.
    checks: Vec<String>,
    has_accepted_a_check: bool,
}

impl Net {
    /// A network with a server that has answered another browser, so that there is something to be replaced.
    fn new() -> Net {
        let now = start();
        let settings = settings();
        let (mut browser, address) = (rtc(now), "127.0.0.1:5000".parse().expect("an address"));
        browser.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
        let mut other = rtc(now);
        let mut change = other.sdp_api();
        change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, _) = change.apply().expect("there is something to offer");
        let (server, _) = Browser::accept(&settings, &offer.to_sdp_string(), now).expect("a good offer");
        Net {
            now,
            settings,
            server,
            browser,
            address,
            audio: None,
            pending: None,
            is_cut: false,
            server_events: Vec::new(),
            heard_by_browser: Vec::new(),
            is_browser_closed: false,
            checks: Vec::new(),
            has_accepted_a_check: false,
        }
    }

    fn connecting() -> Net {
        let mut net = Net::new();
        let offer = net.offer(|_| {});
        net.take(&offer);
        net
    }

    fn connected() -> Net {
        let mut net = Net::connecting();
        net.run(CONNECT);
        assert!(net.server_events.contains(&Event::Connected));
        net
    }

    /// The browser offers, the first time a stream of sound.
    fn offer(&mut self, change_more: impl FnOnce(&mut str0m::change::SdpApi<'_>)) -> String {
        let mut change = self.browser.sdp_api();
        if self.audio.is_none() {
            self.audio = Some(change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None));
        }
        change_more(&mut change);
        let (offer, pending) = change.apply().expect("there is something to offer");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    fn take(&mut self, offer: &str) {
        let (server, answer) = Browser::accept(&self.settings, offer, self.now).expect("a good offer");
        self.server = server;
        self.answered(&answer);
    }

    fn answered(&mut self, answer: &str) {
        let pending = self.pending.take().expect("there was an offer");
        let answer = SdpAnswer::from_sdp_string(answer).expect("an answer");
        self.browser.sdp_api().accept_answer(pending, answer).expect("it answers the offer");
    }

    fn turn(&mut self, direction: Direction) {
        let audio = self.audio.expect("there is a stream");
        let offer = self.offer(|change| change.set_direction(audio, direction));
        let answer = self.server.renegotiate(&offer, self.now).expect("a good offer");
        self.answered(&answer);
    }

    fn move_browser_to(&mut self, address: &str) {
        self.address = address.parse().expect("an address");
    }

    fn restart_ice(&mut self) {
        let candidate = Candidate::host(self.address, "udp").expect("a candidate");
        let offer = self.offer(|change| {
            change.ice_restart(false);
        });
        let answer = self.server.renegotiate(&offer, self.now).expect("a good offer");
        self.answered(&answer);
        self.browser.add_local_candidate(candidate);
    }

    /// The mixer sends a packet with this number.
    fn send(&mut self, sequence: u16) -> bool {
        let payload_type = self.server.agreed().format.payload_type;
        let timestamp = u32::from(sequence) * 960;
        let packet = rtp::Packet { marker: false, payload_type, sequence, timestamp, ssrc: 1, payload: &[0xFC; 40] };
        self.server.send(&packet, self.now)
    }

    /// The browser sends a packet with this number.
    fn speak(&mut self, sequence: u16) {
        let audio = self.audio.expect("there is a stream");
        let number = self.server.agreed().format.payload_type;
        let timestamp = u32::from(sequence) * 960;
        let mut api = self.browser.direct_api();
        let stream = api.stream_tx_by_mid(audio, None).expect("the stream is sent");
        let sequence = u64::from(sequence);
        stream.write_rtp(RtpWrite::new(number.into(), sequence.into(), timestamp, self.now, &[0xFC; 40][..]));
    }

    fn heard_by_server(&self) -> Vec<u16> {
        let packet = |event: &Event| match event {
            Event::Packet(packet) => Some(packet.sequence),
            _ => None,
        };
        self.server_events.iter().filter_map(packet).collect()
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.carry();
            self.now += Duration::from_millis(5);
            self.server.expire(self.now);
            self.browser.handle_input(Input::Timeout(self.now)).expect("time passes");
        }
        self.carry();
    }

    /// Carries datagrams until nobody sends any more.
    fn carry(&mut self) {
        loop {
            let to_server = self.poll_browser();
            let is_quiet = to_server.is_empty();
            for datagram in to_server {
                self.checks.extend(connectivity_check_of(&datagram).map(str::to_owned));
                if !self.is_cut {
                    self.server.receive(Transport::Udp, self.address, &datagram, self.now);
                }
            }
            self.server_events.extend(std::iter::from_fn(|| self.server.poll_event()));
            if self.deliver() == 0 && is_quiet {
                return;
            }
        }
    }

    fn poll_browser(&mut self) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        loop {
            match self.browser.poll_output().expect("the browser works") {
                Output::Timeout(_) => return sent,
                Output::Transmit(transmit) => sent.push(transmit.contents.into()),
                Output::Event(RtcEvent::RtpPacket(packet)) => self.heard_by_browser.push(packet.header.sequence_number),
                Output::Event(RtcEvent::Closed) => self.is_browser_closed = true,
                Output::Event(_) => {}
            }
        }
    }

    fn deliver(&mut self) -> usize {
        let mut delivered = 0;
        while let Some(transmit) = self.server.poll_transmit() {
            self.has_accepted_a_check |= is_check_accepted(&transmit.bytes);
            if self.is_cut || transmit.destination != self.address {
                continue;
            }
            let contents = transmit.bytes[..].try_into().expect("what we send is one of the four kinds");
            let receive = Receive { proto: Protocol::Udp, source: SERVER, destination: self.address, contents };
            self.browser.handle_input(Input::Receive(self.now, receive)).expect("what we send is good");
            delivered += 1;
            let more = self.poll_browser();
            for datagram in more {
                self.server.receive(Transport::Udp, self.address, &datagram, self.now);
            }
        }
        delivered
    }
}

#[expect(clippy::disallowed_methods, reason = "an arbitrary start; only differences of time matter from here on")]
fn start() -> Instant {
    Instant::now()
}

fn settings() -> Settings {
    Settings::new(SERVER, false, Certificate::generate().expect("a certificate"))
}

fn rtc(now: Instant) -> Rtc {
    RtcConfig::new().set_rtp_mode(true).clear_codecs().enable_opus(true, false).build(now)
}
