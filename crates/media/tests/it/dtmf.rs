//! Key presses over a network that loses, repeats and delays.

use crate::room::{CODECS, Room};
use media::dtmf::{DtmfPress, EventPayload};
use media::{Codec, DtmfEvent, Ignored, Key, LegId, Received, TICK, rtp};
use std::time::Duration;

const LEG: LegId = LegId(0);

/// Sends the packets of presses and returns what the mixer makes of them, as words. `lose` gets the packet's number.
fn check(keys: &str, lose: impl Fn(usize) -> bool, expected: &str) {
    let mut room = Room::new([Codec::Pcmu; 3]);
    let mut heard = Vec::new();
    let (mut sequence, mut number) = (0, 0);
    for (press, key) in keys.chars().enumerate() {
        for (i, payload) in DtmfPress::new(Key::from_char(key).unwrap(), Duration::from_millis(100), 8_000).enumerate()
        {
            sequence += 1;
            number += 1;
            if !lose(number) {
                heard.extend(receive(&mut room, payload, sequence, 10_000 + press as u32 * 4_000, i == 0));
            }
            heard.extend(tick(&mut room));
        }
        for _ in 0..5 {
            heard.extend(tick(&mut room));
        }
    }
    for _ in 0..15 {
        heard.extend(tick(&mut room));
    }
    assert_eq!(heard.join(" "), expected);
}

fn receive(room: &mut Room, payload: EventPayload, sequence: u16, timestamp: u32, marker: bool) -> Option<String> {
    let mut bytes = Vec::new();
    rtp::Packet { marker, payload_type: 101, sequence, timestamp, ssrc: 1, payload: &payload.to_bytes() }
        .write(&mut bytes);
    match room.mixer.receive(LEG, &bytes, room.now).unwrap() {
        Received::Event(event) => Some(words(event)),
        Received::Ignored(Ignored::Duplicate) => None,
        other => panic!("{other:?}"),
    }
}

fn tick(room: &mut Room) -> Vec<String> {
    room.tick();
    std::iter::from_fn(|| room.mixer.poll_event()).map(|(_, event)| words(event)).collect()
}

fn words(event: DtmfEvent) -> String {
    match event {
        DtmfEvent::Pressed { key } => format!("{}v", key.as_char()),
        DtmfEvent::Released { key, duration } => format!("{}^{}", key.as_char(), duration.as_millis()),
    }
}

#[test]
fn a_press_is_told_once_at_each_end() {
    check("5", |_| false, "5v 5^100");
    check("1*#d", |_| false, "1v 1^100 *v *^100 #v #^100 Dv D^100");
    check("77", |_| false, "7v 7^100 7v 7^100");
}

#[test]
fn the_first_packets_may_be_lost() {
    check("5", |number| number <= 3, "5v 5^100");
}

#[test]
fn only_one_end_packet_may_come() {
    check("5", |number| number == 5 || number == 6, "5v 5^100");
}

#[test]
fn only_the_end_may_come() {
    check("5", |number| number <= 4, "5v 5^100");
}

#[test]
fn a_lost_end_is_made_up_for_by_time() {
    check("5", |number| number >= 5, "5v 5^80");
}

#[test]
fn a_lost_end_is_made_up_for_by_the_next_key() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    let payload = |event| EventPayload { event, end: false, volume: 10, duration: 320 };
    assert_eq!(receive(&mut room, payload(1), 1, 1_000, true), Some("1v".to_owned()));
    assert_eq!(receive(&mut room, payload(2), 2, 2_000, true), Some("2v".to_owned()));
    assert_eq!(tick(&mut room), ["1^40"]);
}

#[test]
fn keys_are_not_heard_by_the_others() {
    for codec in CODECS {
        let mut room = Room::new([codec; 3]);
        room.run(20);
        let event = EventPayload { event: 5, end: false, volume: 10, duration: 160 };
        // The phone's next sequence number: it began at 65530.
        receive(&mut room, event, 14, 77, true);
        room.run(10);
        assert!(room.phones.iter().flat_map(|phone| &phone.packets).all(|packet| packet.payload_type != 101));
    }
}

#[test]
fn events_that_are_no_keys_and_stumps_are_ignored() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    let flash = EventPayload { event: 16, end: false, volume: 10, duration: 160 };
    assert_eq!(receive(&mut room, flash, 1, 1_000, true), None);
    let mut bytes = Vec::new();
    rtp::Packet { marker: false, payload_type: 101, sequence: 2, timestamp: 0, ssrc: 1, payload: &[5, 0] }
        .write(&mut bytes);
    assert_eq!(room.mixer.receive(LEG, &bytes, room.now), Ok(Received::Ignored(Ignored::Malformed)));
}

#[test]
fn a_press_is_sent_as_rfc_4733_wants_it() {
    let press: Vec<EventPayload> = DtmfPress::new(Key::from_char('*').unwrap(), 3 * TICK, 8_000).collect();
    let durations: Vec<(u16, bool)> = press.iter().map(|payload| (payload.duration, payload.end)).collect();
    assert_eq!(durations, [(160, false), (320, false), (480, true), (480, true), (480, true)]);
    assert_eq!(press[2].to_bytes(), [10, 0x80 | 10, 1, 0xE0]);
    assert_eq!(EventPayload::parse(&press[2].to_bytes()), Some(press[2]));
}
