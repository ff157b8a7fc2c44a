//! Who hears what.

use crate::room::{CODECS, MUSIC_HZ, Phone, Room, format, recording};
use media::{Codec, Hears, LegId, Loop, Mixer, RtpError};
use std::sync::Arc;

fn music(codec: Codec) -> Hears {
    // 1.9 kHz makes whole periods in a second.
    Hears::Music(Arc::new(Loop::encode(&recording(MUSIC_HZ, 16_000, 16_000), codec)))
}

fn check(room: &Room, expected: [&str; 3]) {
    assert_eq!([0, 1, 2].map(|phone| room.heard_by(phone)), expected);
}

#[test]
fn everybody_hears_the_others() {
    for codec in CODECS {
        let mut room = Room::new([codec; 3]);
        room.run(30);
        check(&room, ["bc", "ac", "ab"]);
    }
}

#[test]
fn codecs_mix() {
    let mut room = Room::new([Codec::Pcma, Codec::G722, Codec::Opus]);
    room.run(30);
    check(&room, ["bc", "ac", "ab"]);
}

#[test]
fn a_held_one_hears_only_music_and_is_not_heard() {
    for codec in CODECS {
        let mut room = Room::new([codec; 3]);
        room.run(20);
        room.route(1, music(codec), false);
        room.run(30);
        check(&room, ["c", "m", "a"]);
        room.route(1, Hears::Conversation, true);
        room.run(30);
        check(&room, ["bc", "ac", "ab"]);
    }
}

#[test]
fn a_muted_one_hears_and_is_not_heard() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    room.route(1, Hears::Conversation, false);
    room.run(30);
    check(&room, ["c", "ac", "a"]);
}

#[test]
fn nothing_sends_nothing_while_time_goes_on() {
    let mut room = Room::new([Codec::Pcma; 3]);
    room.run(10);
    room.route(1, Hears::Nothing, false);
    room.run(10);
    room.route(1, Hears::Silence, false);
    room.run(10);
    let packets = &room.phones[1].packets;
    assert_eq!(packets.iter().map(|packet| packet.tick).collect::<Vec<_>>(), (0..10).chain(20..30).collect::<Vec<_>>());
    let (last, next) = (&packets[9], &packets[10]);
    assert_eq!(next.sequence, last.sequence.wrapping_add(1));
    assert_eq!(next.timestamp, last.timestamp.wrapping_add(11 * 160));
    assert_eq!((packets[0].marker, last.marker, next.marker), (true, false, true));
}

#[test]
fn a_stream_keeps_its_numbers_through_holds_and_changes_of_codec() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    room.run(5);
    room.route(0, music(Codec::Pcmu), false);
    room.run(5);
    room.route(0, Hears::Conversation, true);
    room.run(5);
    room.mixer.set_format(LegId(0), format(Codec::Pcma));
    let packets = std::mem::take(&mut room.phones[0].packets);
    room.phones[0] = Phone::new(Codec::Pcma, None);
    room.phones[0].packets = packets;
    room.run(5);
    for pair in room.phones[0].packets.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
        assert_eq!(pair[1].ssrc, pair[0].ssrc);
    }
    assert_eq!(room.phones[0].packets[15].payload_type, 8);
}

#[test]
fn the_first_packet_of_music_is_marked_and_only_that() {
    let mut room = Room::new([Codec::Opus; 3]);
    room.run(5);
    room.route(1, Hears::Silence, false);
    room.run(5);
    room.route(1, music(Codec::Opus), false);
    room.run(80);
    let marked: Vec<u64> = room.phones[1].packets.iter().filter(|p| p.first_of_music).map(|p| p.tick).collect();
    assert_eq!(marked, [10]);
}

#[test]
fn music_goes_on_behind_the_phones_own_hold() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    let music = Hears::Music(Arc::new(Loop::encode(&recording(437.3, 8_000, 80_000), Codec::Pcmu)));
    let mut undisturbed = Room::new([Codec::Pcmu; 3]);
    undisturbed.route(1, music.clone(), false);
    undisturbed.run(40);
    room.route(1, music.clone(), false);
    room.run(10);
    room.route(1, Hears::Nothing, false);
    room.run(10);
    room.route(1, music, false);
    room.run(20);
    let last = |room: &Room| room.phones[1].packets.last().map(|packet| packet.payload.clone());
    assert_eq!(last(&room), last(&undisturbed));
}

#[test]
fn one_music_gives_way_to_another_gently() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    let other = Loop::encode(&recording(1_000.0, 8_000, 8_000), Codec::Pcmu);
    room.route(1, music(Codec::Pcmu), false);
    room.run(20);
    room.route(1, Hears::Music(Arc::new(other)), false);
    room.run(20);
    let tone = |from: usize, to: usize, hz| media::tone_dbfs(&room.phones[1].sound[from..to], hz, 8_000);
    // The first music fades out in the first half of the tick: half as loud on average.
    assert!((tone(3_200, 3_280, MUSIC_HZ) + 29.0).abs() < 2.0);
    assert!(tone(3_200, 3_280, 1_000.0) < -40.0);
    assert!((tone(3_360, 6_400, 1_000.0) + 23.0).abs() < 0.5);
    assert!(tone(3_360, 6_400, MUSIC_HZ) < -60.0);
}

#[test]
fn music_of_another_codec_is_silence() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    room.run(10);
    room.route(1, music(Codec::Pcma), false);
    room.run(20);
    check(&room, ["c", "", "a"]);
    assert!(room.phones[1].packets.iter().all(|packet| !packet.first_of_music));
}

#[test]
fn loud_voices_saturate_and_do_not_wrap() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    for phone in &mut room.phones {
        phone.tone = Some(media::Sine::new(400.0, 8_000, 30_000));
    }
    room.run(20);
    let sound = &room.phones[0].sound[800..];
    let steepest = sound.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs()).max();
    // Two sines of 30000 at 400 Hz step by 2 * 30000 * 2 pi * 400 / 8000 = 18850 at most; a wrap would step by 65536.
    assert!(steepest < Some(22_000), "{steepest:?}");
}

#[test]
fn a_leg_that_left_is_not_heard() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    room.run(10);
    room.mixer.remove_leg(LegId(2));
    let packet = room.phones[2].say(3);
    assert_eq!(room.mixer.receive(LegId(2), &packet, room.now), Err(RtpError::UnknownLeg));
    for _ in 0..20 {
        for leg in 0..2 {
            let packet = room.phones[leg].say(leg as u32 + 1);
            room.mixer.receive(LegId(leg as u64), &packet, room.now).unwrap();
        }
        room.tick();
    }
    assert_eq!([room.heard_by(0), room.heard_by(1)], ["b", "a"]);
}

#[test]
fn the_level_of_what_a_leg_says_is_known() {
    let mut room = Room::new([Codec::Opus; 3]);
    room.run(20);
    let level = room.mixer.statistics(LegId(0)).map(|statistics| statistics.level_dbfs).unwrap();
    assert!((level + 23.0).abs() < 1.0, "{level}");
    room.route(0, Hears::Conversation, false);
    room.run(2);
    assert_eq!(room.mixer.statistics(LegId(0)).map(|s| s.level_dbfs), Some(media::SILENCE_DBFS));
    assert!(Mixer::new().statistics(LegId(0)).is_none());
}
