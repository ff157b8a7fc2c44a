//! Phones that each say a tone only they say, and what of it is heard where.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use phone::{Codec, Config, Observation, Packet, Phone, Speech, Window};

use super::PATIENCE;

/// The level at which everybody speaks and music is recorded.
pub(crate) const SPOKEN_DBFS: f32 = -20.0;

/// What the phones say and what is played. Multiples of 50 Hz have whole periods in a frame of 20 ms, so that they are
/// told apart exactly; no harmonic of one, and no sum or difference of two, is another.
pub(crate) const ALICE_HZ: u32 = 650;
pub(crate) const BOB_HZ: u32 = 1150;
pub(crate) const CAROL_HZ: u32 = 1700;
pub(crate) const MUSIC_HZ: u32 = 2600;
pub(super) const TONES_HZ: [u32; 4] = [ALICE_HZ, BOB_HZ, CAROL_HZ, MUSIC_HZ];

/// The loudest that a tone may be which is heard. Codecs keep levels within 1 dB; the decoder of G.722 overshoots for some
/// frames where packets were lost.
const HEARD_MAX_DBFS: f32 = SPOKEN_DBFS + 6.0;

/// A tone above this is heard. On a quiet machine everything is within 1 dB of [`SPOKEN_DBFS`]; a busy one sends some
/// frames of a phone too late to be mixed, and a window with half of them missing is at -30. Still far above what is
/// not there.
const HEARD_MIN_DBFS: f32 = -40.0;

/// A tone below this is not there. The rounding of G.711 makes about -70 dBFS of noise in a window's 40 Hz; one leaked
/// frame of 20 ms would be at -34.
pub(super) const UNHEARD_DBFS: f32 = -60.0;

/// The same in a window in which another tone begins: a sound that begins has some of every frequency, -59.6 dBFS at 550 Hz
/// from it was seen. One leaked frame is far above that, too.
pub(super) const UNHEARD_BESIDE_ONSET_DBFS: f32 = -50.0;

/// How long what was before an answer or a notification may still arrive after it: the tick that was under way, the
/// codec's memory, and what a busy machine adds.
pub(crate) const SETTLING: Duration = Duration::from_millis(60);

/// How long a jitter buffer keeps the first packet back at most: as long as the hiccups of the last seconds told it to,
/// up to 120 ms, and a tick.
const JITTER_BUFFER_MAX: Duration = Duration::from_millis(140);

/// What is judged at a time: 100 ms. Fewer frames could not tell the tones apart.
const FRAMES_PER_WINDOW: usize = 5;

/// Switches a phone on that speaks this codec and says this tone.
pub(crate) fn speaking(name: &str, codec: Codec, hz: u32) -> Phone {
    speaking_at(Ipv4Addr::LOCALHOST, name, codec, hz)
}

/// The same at an address that need not be the loopback's.
pub(crate) fn speaking_at(address: Ipv4Addr, name: &str, codec: Codec, hz: u32) -> Phone {
    go_first();
    let speaks = Speech::Tone { hz, level_dbfs: SPOKEN_DBFS };
    let config = Config { speaks, codecs: vec![codec], ..Config::new(name, address.into()) };
    Phone::start(config).expect("there are sockets for a phone")
}

/// Lets this thread, and with it the phones that it starts, go before other programs where the system allows that: they
/// are measuring instruments. Where it does not, a busy machine may make a test fail that another run passes.
pub(crate) fn go_first() {
    const NICENESS: i32 = -15;
    // Only root may.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// Lets every one of these phones hear so many packets more, and returns when all have.
pub(crate) fn listen(phones: &[&Phone], packets: u64) -> Instant {
    let heard = |phone: &Observation| phone.hearing.statistics().packets;
    let wanted: Vec<u64> = phones.iter().map(|phone| phone.observe(heard) + packets).collect();
    for (phone, wanted) in phones.iter().zip(wanted) {
        let waited = phone.wait_until(PATIENCE, |phone| heard(phone) >= wanted);
        assert!(waited.is_ok(), "{} hears nothing more: {:?}", phone.uri(), phone.statistics());
    }
    Instant::now()
}

/// Waits until a phone hears a tone: until whoever says it has come back, which takes the one longer than the other.
#[track_caller]
pub(crate) fn wait_until_heard(phone: &Phone, hz: u32, since: Instant) {
    const WINDOW: Duration = Duration::from_millis(100);
    let is_heard = |phone: &Observation| {
        let now = Instant::now();
        phone.hearing.between(since.max(now - WINDOW), now).level_at(hz.into()) > SPOKEN_DBFS - 6.0
    };
    assert!(phone.wait_until(PATIENCE, is_heard).is_ok(), "{}: {hz} Hz is not heard", phone.uri());
}

/// What lies between the server and the phones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    /// The longest that a packet takes.
    pub(crate) delay_max: Duration,
    /// How loud a tone that is not there may seem, in dBFS: where packets are lost, what they are concealed with has some of
    /// every frequency.
    pub(crate) noise_dbfs: f32,
}

/// Nothing does.
const LOOPBACK: Network = Network { delay_max: Duration::ZERO, noise_dbfs: UNHEARD_DBFS };

/// Checks that from a moment on, at which something was answered or told, a phone heard exactly these tones: in every
/// 100 ms of what arrived, and nothing is missing in it.
#[track_caller]
pub(crate) fn assert_hears(phone: &Phone, heard_hz: &[u32], since: Instant, to: Instant) {
    assert_hears_over(LOOPBACK, phone, heard_hz, since, to);
}

/// Checks the same over such a network.
#[track_caller]
pub(crate) fn assert_hears_over(network: Network, phone: &Phone, heard_hz: &[u32], since: Instant, to: Instant) {
    check(phone, heard_hz, since + SETTLING + network.delay_max, to, |hz, level_dbfs| match heard_hz.contains(&hz) {
        true => (HEARD_MIN_DBFS..HEARD_MAX_DBFS).contains(&level_dbfs),
        false => level_dbfs <= network.noise_dbfs,
    });
}

/// Checks the same where somebody has just come back. What is not to be heard is gone as soon; but who comes back is
/// heard when its jitter buffer is full.
#[track_caller]
pub(crate) fn assert_hears_again(phone: &Phone, heard_hz: &[u32], since: Instant, to: Instant) {
    assert_hears_again_over(LOOPBACK, phone, heard_hz, since, to);
}

/// Checks the same over such a network.
#[track_caller]
pub(crate) fn assert_hears_again_over(network: Network, phone: &Phone, heard_hz: &[u32], since: Instant, to: Instant) {
    let noise_dbfs = network.noise_dbfs.max(UNHEARD_BESIDE_ONSET_DBFS);
    let is_allowed = |hz, level_dbfs| heard_hz.contains(&hz) || level_dbfs <= noise_dbfs;
    check(phone, heard_hz, since + SETTLING + network.delay_max, to, is_allowed);
    assert_hears_over(network, phone, heard_hz, since + JITTER_BUFFER_MAX, to);
}

/// Looks at every tone in every window of a span.
#[track_caller]
fn check(phone: &Phone, heard_hz: &[u32], from: Instant, to: Instant, is_fine: impl Fn(u32, f32) -> bool) {
    let windows = windows(phone, from, to);
    assert!(!windows.is_empty(), "less than 100 ms of sound in {:?}", to.saturating_duration_since(from));
    for window in windows {
        let levels = TONES_HZ.map(|hz| (hz, window.level_at(hz.into())));
        let wrong = levels.iter().find(|(hz, level_dbfs)| !is_fine(*hz, *level_dbfs));
        let (uri, at) = (phone.uri(), window.start() - from);
        assert!(wrong.is_none(), "{uri}: {wrong:?} at {at:?} of {:?}; {heard_hz:?} of {levels:?}", to - from);
    }
}

/// Every five packets in a row that arrived in a span. They are counted and not timed, so that a busy machine's hiccup
/// does not make a short window.
fn windows(phone: &Phone, from: Instant, to: Instant) -> Vec<Window> {
    phone.observe(|observation| {
        let hearing = &observation.hearing;
        let arrivals = hearing.packets().map(|packet: &Packet| packet.arrival);
        let arrivals: Vec<Instant> = arrivals.filter(|arrival| (from..to).contains(arrival)).collect();
        let spans = arrivals.windows(FRAMES_PER_WINDOW).map(|span| (span[0], span[FRAMES_PER_WINDOW - 1]));
        spans.map(|(first, last)| hearing.between(first, last + Duration::from_nanos(1))).collect()
    })
}
