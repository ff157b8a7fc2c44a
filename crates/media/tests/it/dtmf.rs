//! Key presses over a network that loses, repeats and delays.

use crate::room::{CODECS, Room, format};
use media::dtmf::{DtmfPress, EventPayload};
use media::{Codec, DtmfEvent, Format, Hears, Ignored, Key, LegId, Received, Route, TICK, rtp};
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
    news(room)
}

fn news(room: &mut Room) -> Vec<String> {
    std::iter::from_fn(|| room.mixer.poll_event()).map(|(_, event)| words(event)).collect()
}

fn words(event: DtmfEvent) -> String {
    match event {
        DtmfEvent::Pressed { key } => format!("{}v", key.as_char()),
        DtmfEvent::Heard { key } => format!("{}~", key.as_char()),
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

/// Presses keys towards the first phone and runs on; returns the event packets that it got: key, end bit, timestamp.
fn pressed_towards(room: &mut Room, keys: &str, ticks: u64) -> Vec<(char, bool, u32)> {
    let keys: Vec<Key> = keys.chars().map(|key| Key::from_char(key).unwrap()).collect();
    room.mixer.press_keys(LEG, &keys, Duration::from_millis(60));
    room.phones[0].packets.clear();
    room.run(ticks);
    let events = room.phones[0].packets.iter().filter(|packet| packet.payload_type == 101);
    let read = events.map(|packet| {
        let payload = EventPayload::parse(&packet.payload).unwrap();
        (Key::from_event(payload.event).unwrap().as_char(), payload.end, packet.timestamp)
    });
    read.collect()
}

#[test]
fn keys_are_pressed_towards_a_leg_one_after_the_other_within_its_stream() {
    for codec in CODECS {
        let mut room = Room::new([codec; 3]);
        room.run(20);
        let events = pressed_towards(&mut room, "1#", 40);
        let ends = |key: char| events.iter().filter(|event| event.0 == key && event.1).count();
        assert_eq!((ends('1'), ends('#')), (3, 3), "{events:?}");
        assert_eq!(events.len(), 14);
        let timestamps: std::collections::BTreeSet<u32> = events.iter().map(|event| event.2).collect();
        assert_eq!(timestamps.len(), 2, "each press has one timestamp");
        let packets = &room.phones[0].packets;
        assert!(packets.windows(2).all(|pair| pair[1].sequence == pair[0].sequence.wrapping_add(1)));
        assert_eq!(packets.len(), 40, "a packet in every tick");
        assert!(!room.mixer.presses_keys(LEG));
    }
}

#[test]
fn a_leg_that_hears_music_gets_no_keys() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    room.run(20);
    room.mixer.press_keys(LEG, &[Key::from_char('1').unwrap(); 3], Duration::ZERO);
    room.run(2);
    room.mixer.set_route(LEG, Route { hears: Hears::Silence, heard: false });
    room.phones[0].packets.clear();
    room.run(40);
    assert!(!room.mixer.presses_keys(LEG));
    room.mixer.set_route(LEG, Route { hears: Hears::Conversation, heard: true });
    room.run(40);
    assert!(room.phones[0].packets.iter().all(|packet| packet.payload_type != 101), "what was dropped stays dropped");
}

/// A leg without events gets the tones themselves, and a leg that sends tones is understood, heard or not.
#[test]
fn keys_are_pressed_and_heard_as_sound() {
    for codec in CODECS {
        for heard in [true, false] {
            let mut room = Room::new([codec; 3]);
            room.mixer.set_format(LEG, Format::new(codec, format(codec).payload_type));
            room.mixer.listen_for_keys(LegId(1), true);
            room.mixer.set_route(LegId(1), Route { hears: Hears::Silence, heard });
            room.phones[1].will_say(Vec::new());
            room.phones[2].will_say(Vec::new());
            room.run(20);
            room.mixer.press_keys(LEG, &[Key::from_char('7').unwrap()], Duration::ZERO);
            room.phones[0].sound.clear();
            room.run(20);
            // What the first phone heard, the second one says.
            let sound = room.phones[0].sound.clone();
            room.phones[1].will_say(sound);
            room.run(30);
            let told = news(&mut room);
            assert_eq!(told, ["7~"], "{codec:?}, heard: {heard}");
        }
    }
}
