//! What phones measure.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use media::{Codec, Key};
use phone::{Config, Phone, Speech};

use crate::{SOON, arrival_of_next, check_hears, connect, listen, says};

fn key(char: char) -> Key {
    Key::from_char(char).unwrap()
}

#[test]
fn keys_are_heard_once_each_and_speech_goes_on() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    for (pressed, char) in "5#0".chars().enumerate() {
        alice.send_dtmf(key(char));
        bob.wait_until(SOON, |phone| phone.hearing.keys().len() == pressed + 1).unwrap();
        arrival_of_next(&bob, 12);
    }
    let keys: Vec<Key> = bob.observe(|phone| phone.hearing.keys().iter().map(|heard| heard.key).collect());
    assert_eq!(keys, "5#0".chars().map(key).collect::<Vec<_>>());
    assert!(alice.observe(|phone| phone.hearing.keys().is_empty()));
    check_hears(&bob, 440, 1000);
}

#[test]
fn windows_cover_the_time_and_hold_each_packet_once() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    let from = arrival_of_next(&alice, 10);
    arrival_of_next(&alice, 25);
    let to = from + Duration::from_millis(400);
    let windows = alice.heard_windows(from, to, Duration::from_millis(100));
    assert_eq!((windows.len(), windows[3].end()), (4, to));
    let packets: usize = windows.iter().map(|window| window.packets()).sum();
    let whole = alice.heard_between(from, to);
    assert_eq!(packets, whole.packets());
    let pieces: Vec<i16> = windows.iter().flat_map(|window| window.samples().to_vec()).collect();
    assert_eq!(pieces, whole.samples());
}

#[test]
fn the_first_packet_with_a_tone_has_its_time() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    let before = Instant::now();
    connect(&alice, &bob);
    listen(&alice);
    let loud = |_: &phone::Packet, sound: &[i16]| media::level_dbfs(sound) > -25.0;
    let first = alice.first_packet_matching(before, loud).unwrap();
    assert!(first.arrival > before && first.arrival < Instant::now());
    let next = alice.first_packet_matching(first.arrival + Duration::from_nanos(1), loud).unwrap();
    assert_eq!(next.sequence, first.sequence.wrapping_add(1));
    assert_eq!(alice.first_packet_matching(before, |_, _| false), None);
}

#[test]
fn time_without_packets_is_a_gap() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    listen(&alice);
    let ended = Instant::now();
    bob.hang_up();
    alice.wait_for(phone::State::Ended, SOON).unwrap();
    let gap = alice.observe(|phone| phone.hearing.longest_gap(ended, ended + Duration::from_secs(60)));
    assert!(gap > Duration::from_secs(59), "{gap:?}");
}

#[test]
fn packets_of_strangers_are_counted_and_not_heard() {
    let alice = Phone::start(Config { codecs: vec![Codec::Pcmu], ..says("alice", 440) }).unwrap();
    let bob = Phone::start(says("bob", 1000)).unwrap();
    connect(&alice, &bob);
    arrival_of_next(&alice, 5);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let rtp =
        media::rtp::Packet { marker: false, payload_type: 0, sequence: 1, timestamp: 1, ssrc: 1, payload: &[0; 160] };
    let mut bytes = Vec::new();
    rtp.write(&mut bytes);
    stranger.send_to(&bytes, alice.rtp()).unwrap();
    alice.wait_until(SOON, |phone| phone.hearing.statistics().foreign == 1).unwrap();
    check_hears(&alice, 1000, 440);
    assert_eq!(alice.statistics().source_changes, 0);
}

#[test]
fn what_was_heard_can_be_listened_to() {
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says("bob", 1000)).unwrap());
    connect(&alice, &bob);
    arrival_of_next(&alice, 60);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alice.wav");
    alice.write_wav(&path).unwrap();
    let limits = media::Limits { max_duration: Duration::from_secs(600) };
    let file = media::decode_file(&std::fs::read(&path).unwrap(), limits).unwrap();
    let recording = file.recording;
    assert!(recording.duration() >= Duration::from_secs(1), "{:?}", recording.duration());
    let middle = &recording.samples[recording.samples.len() / 2..][..recording.rate_hz as usize / 5];
    assert!((media::tone_dbfs(middle, 1000.0, recording.rate_hz) + 20.0).abs() < 2.0);
}

#[test]
fn a_recording_of_any_rate_is_said_again_and_again() {
    let samples = media::Sine::new(600.0, 8_000, 4_640).take_samples(4_000);
    let recording = media::Recording { rate_hz: 8_000, samples: samples.into() };
    let says_recording = Config { speaks: Speech::Recording(recording), ..says("bob", 1000) };
    let (alice, bob) = (Phone::start(says("alice", 440)).unwrap(), Phone::start(says_recording).unwrap());
    connect(&alice, &bob);
    // Half a second is 25 packets, so this is its second round at least.
    arrival_of_next(&alice, 20);
    check_hears(&alice, 600, 440);
}
