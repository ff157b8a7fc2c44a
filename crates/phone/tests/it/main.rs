//! Phones that call each other over loopback.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod calls;
mod crowd;
mod hearing;
mod hold;
mod registration;

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use phone::{Config, Phone, Speech, State, Window};

/// Long enough for a busy machine, and never waited for in full by a test that passes.
const SOON: Duration = Duration::from_secs(20);

/// The level phones speak at.
const SPOKEN_DBFS: f32 = -20.0;

/// How a phone is switched on that says a tone only it says.
fn says(name: &str, hz: u32) -> Config {
    let speaks = Speech::Tone { hz, level_dbfs: SPOKEN_DBFS };
    Config { speaks, ..Config::new(name, Ipv4Addr::LOCALHOST.into()) }
}

/// Lets `caller` call `callee` and waits until both are in the call.
fn connect(caller: &Phone, callee: &Phone) {
    caller.call(callee.uri()).unwrap();
    caller.wait_for(State::Established, SOON).unwrap();
    callee.wait_for(State::Established, SOON).unwrap();
}

/// Returns the sound of the next 15 packets; some before them are left out, where a codec still swings in.
fn listen(phone: &Phone) -> Window {
    let from = arrival_of_next(phone, 10);
    let to = arrival_of_next(phone, 15);
    phone.heard_between(from, to)
}

/// Waits for this many packets more, and returns when the last one arrived.
fn arrival_of_next(phone: &Phone, packets: u64) -> Instant {
    let wanted = phone.statistics().packets + packets;
    phone.wait_until(SOON, |phone| phone.hearing.statistics().packets >= wanted).unwrap();
    Instant::now()
}

/// Checks that a phone hears a tone at the level it was spoken, and another one not at all.
fn check_hears(phone: &Phone, heard_hz: u32, unheard_hz: u32) {
    let window = listen(phone);
    let (heard, unheard) = (window.level_at(heard_hz.into()), window.level_at(unheard_hz.into()));
    assert!((heard - SPOKEN_DBFS).abs() < 2.0, "{heard_hz} Hz at {heard} dBFS");
    assert!(unheard < -60.0, "{unheard_hz} Hz at {unheard} dBFS");
}
