//! A crowd of light phones, seen by a phone that calls one of them.

use std::net::Ipv4Addr;

use phone::{Codec, Config, Crowd, CrowdConfig, Phone, Speech, State, Watch};

use crate::{SOON, SPOKEN_DBFS, check_hears, says};

/// What is watched for.
const TONE_HZ: u32 = 1000;

fn crowd() -> Crowd {
    let config = CrowdConfig {
        srtp: phone::SrtpPolicy::Off,
        listen: Ipv4Addr::LOCALHOST.into(),
        phones: 3,
        codec: Codec::Pcmu,
        says: [300, 500].map(|hz| Speech::Tone { hz, level_dbfs: SPOKEN_DBFS }).to_vec(),
        watch: Watch { tone_hz: TONE_HZ, level_min_dbfs: SPOKEN_DBFS - 6.0 },
    };
    Crowd::start(config).unwrap()
}

fn call(crowd: &Crowd, n: usize, caller: Config) -> Phone {
    let caller = Phone::start(caller).unwrap();
    caller.call(&crowd.uri(n)).unwrap();
    caller.wait_for(State::Established, SOON).unwrap();
    caller
}

#[test]
fn each_says_its_own_tone() {
    let crowd = crowd();
    let to_second = call(&crowd, 1, says("alice", 700));
    let to_third = call(&crowd, 2, says("bob", 700));
    check_hears(&to_second, 500, 300);
    check_hears(&to_third, 300, 500);
}

#[test]
fn only_who_is_watched_tells_when_the_tone_comes() {
    let crowd = crowd();
    crowd.watch(&[1, 2]);
    let caller = call(&crowd, 1, says("alice", TONE_HZ));
    crowd.wait_until(SOON, |crowd| crowd.tone_since(1).is_some()).unwrap();
    assert_eq!(crowd.observe(|crowd| crowd.tone_since(2)), None);
    crowd.watch(&[2]);
    assert_eq!(crowd.observe(|crowd| crowd.tone_since(1)), None);
    drop(caller);
}

#[test]
fn packets_are_counted_until_the_caller_hangs_up() {
    let crowd = crowd();
    let caller = call(&crowd, 0, says("alice", 700));
    crowd.wait_until(SOON, |crowd| crowd.reached == 1).unwrap();
    caller.wait_until(SOON, |phone| phone.hearing.statistics().packets > 21).unwrap();
    let traffic = crowd.take_traffic();
    // A packet may be heard before it is counted as sent.
    assert!(traffic.sent > 20 && traffic.received > 1, "{traffic:?}");
    assert!(traffic.deviations.count() < traffic.received);
    caller.hang_up();
    crowd.wait_until(SOON, |crowd| crowd.reached == 0).unwrap();
}

#[test]
fn who_is_told_to_hang_up_does_and_can_be_called_again() {
    let crowd = crowd();
    let caller = call(&crowd, 0, says("alice", 700));
    crowd.hang_up(0);
    caller.wait_for(State::Ended, SOON).unwrap();
    call(&crowd, 0, says("bob", 700));
}

#[test]
fn nobody_else_is_there() {
    let crowd = crowd();
    let caller = Phone::start(says("alice", 700)).unwrap();
    caller.call(&crowd.uri(3)).unwrap();
    caller.wait_until(SOON, |phone| matches!(phone.state, State::Failed(_))).unwrap();
}
