//! A browser's session (ICE with STUN, DTLS) that strangers send datagrams to: nothing that is not proved comes through, it
//! says little to who has proved nothing, and left alone it comes to rest.
//!
//! The bytes are an offer up to the first zero byte (without one a good offer is taken), and then a script of steps: where
//! a datagram comes from and how, a length of two bytes, and the datagram. `{ufrag}` in it stands for the session's own.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use edge::dtls::Certificate;
use edge::webrtc::{Browser, Event, Settings, Transport, connectivity_check_of, is_check_accepted};

/// Steps run of one script.
const STEPS_MAX: usize = 64;

/// More is never said in answer to one datagram, or by itself in a tenth of a second.
const ANSWERS_MAX: usize = 64;

pub(crate) fn run(bytes: &[u8]) {
    let (offer, script) = match bytes.iter().position(|byte| *byte == 0) {
        Some(0) => (GOOD_OFFER, &bytes[1..]),
        Some(end) => match std::str::from_utf8(&bytes[..end]) {
            Ok(offer) => (offer, &bytes[end + 1..]),
            Err(_) => return,
        },
        None => (GOOD_OFFER, bytes),
    };
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| Certificate::generate().expect("there is randomness")).clone();
    let settings = Settings::new("192.0.2.1:3479".parse().expect("an address"), true, certificate);
    let mut now = Instant::now();
    let Ok((mut browser, _)) = Browser::accept(&settings, offer, now) else { return };
    drain(&mut browser);
    let mut rest = script;
    for _ in 0..STEPS_MAX {
        let [from, high, low, after @ ..] = rest else { break };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (datagram, after) = after.split_at(length.min(after.len()));
        let datagram = filled(datagram, &browser.user_fragment());
        let _ = (connectivity_check_of(&datagram), is_check_accepted(&datagram));
        let transport = if from % 2 == 0 { Transport::Udp } else { Transport::Tcp };
        let source = SocketAddr::from(([192, 0, 2, from / 32], 4000 + u16::from(from / 2 % 16)));
        browser.receive(transport, source, &datagram, now);
        drain(&mut browser);
        now += Duration::from_millis(100);
        browser.expire(now);
        drain(&mut browser);
        rest = after;
    }
    for _ in 0..600 {
        now += Duration::from_millis(100);
        if browser.deadline() <= now {
            browser.expire(now);
        }
        drain(&mut browser);
    }
}

fn drain(browser: &mut Browser) {
    let said = std::iter::from_fn(|| browser.poll_transmit()).take(ANSWERS_MAX + 1).count();
    assert!(said <= ANSWERS_MAX, "a flood");
    while let Some(event) = browser.poll_event() {
        assert!(!matches!(event, Event::Connected | Event::Packet(_)), "nobody has proved anything: {event:?}");
    }
}

fn filled(datagram: &[u8], user_fragment: &str) -> Vec<u8> {
    const PLACE: &[u8] = b"{ufrag}";
    match datagram.windows(PLACE.len()).position(|window| window == PLACE) {
        Some(at) => [&datagram[..at], user_fragment.as_bytes(), &datagram[at + PLACE.len()..]].concat(),
        None => datagram.to_vec(),
    }
}

const GOOD_OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtpmap:111 opus/48000/2\r\n\
    a=candidate:1 1 udp 2130706431 192.0.2.9 4000 typ host\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n";
