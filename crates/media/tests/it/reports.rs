//! RTCP: what is written parses back, what comes is understood, and reports come at their times.

use crate::room::{Room, start};
use media::rtcp::{self, Packet, ReportBlock, SenderInfo};
use media::{Codec, LegId, NtpTime, RtcpError};
use std::time::Duration;

const BLOCK: ReportBlock = ReportBlock {
    ssrc: 1_000,
    fraction_lost: 64,
    cumulative_lost: -3,
    highest_sequence: 0x0001_0002,
    jitter: 17,
    last_sender_report: 0,
    delay_since_last: 0,
};

const INFO: SenderInfo =
    SenderInfo { ntp: NtpTime(0x0102_0304_0506_0708), rtp_timestamp: 9, packets: 10, payload_bytes: 1_600 };

fn written(info: Option<&SenderInfo>, block: Option<&ReportBlock>) -> Vec<u8> {
    let mut bytes = Vec::new();
    rtcp::write_report(7, info, block, "fermata-0000000a", &mut bytes);
    bytes
}

fn parsed(bytes: &[u8]) -> Result<Vec<Packet<'_>>, RtcpError> {
    let mut packets = Vec::new();
    rtcp::parse(bytes, |packet| packets.push(packet)).map(|()| packets)
}

#[test]
fn what_is_written_parses_back() {
    let bytes = written(Some(&INFO), Some(&BLOCK));
    let packets = parsed(&bytes).unwrap();
    let [Packet::SenderReport { ssrc: 7, info: INFO, blocks }, Packet::SourceDescription] = packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!(blocks.collect::<Vec<_>>(), [BLOCK]);
    let bytes = written(None, None);
    let packets = parsed(&bytes).unwrap();
    let [Packet::ReceiverReport { ssrc: 7, blocks }, Packet::SourceDescription] = packets[..] else {
        panic!("{packets:?}")
    };
    assert_eq!(blocks.count(), 0);
}

#[test]
fn a_name_of_any_length_ends_on_a_word() {
    for length in 0..=255 {
        let mut bytes = Vec::new();
        rtcp::write_report(7, None, None, &"x".repeat(length), &mut bytes);
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(parsed(&bytes).map(|packets| packets.len()), Ok(2));
        assert_eq!(bytes.last(), Some(&0));
    }
}

#[test]
fn goodbyes_and_strangers_are_understood() {
    let bytes = [0x81, 203, 0, 1, 0, 0, 0, 5, 0x80, 207, 0, 0];
    assert_eq!(parsed(&bytes), Ok(vec![Packet::Goodbye { ssrc: Some(5) }, Packet::Other { packet_type: 207 }]));
}

#[test]
fn bad_compounds_are_named() {
    assert_eq!(parsed(&[]), Err(RtcpError::Truncated { offset: 0 }));
    assert_eq!(parsed(&[0x80, 201, 0, 1, 0, 0]), Err(RtcpError::Truncated { offset: 0 }));
    assert_eq!(parsed(&[0x81, 201, 0, 1, 0, 0, 0, 7]), Err(RtcpError::Truncated { offset: 0 }), "a block is missing");
    assert_eq!(parsed(&[0x80, 202, 0, 0, 0x40, 0, 0, 0]), Err(RtcpError::Version { offset: 4, version: 1 }));
    let whole = written(Some(&INFO), Some(&BLOCK));
    for length in 0..whole.len() {
        assert!(parsed(&whole[..length]).is_err() || length == 52, "{length}");
    }
}

#[test]
fn reports_come_about_every_five_seconds() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    room.run(3_000);
    for leg in 0..3 {
        let times: Vec<u64> =
            room.reports.iter().filter(|report| report.1 == LegId(leg)).map(|report| report.0).collect();
        assert!((8..=20).contains(&times.len()), "{times:?}");
        assert!(times.windows(2).all(|pair| (125..=376).contains(&(pair[1] - pair[0]))), "{times:?}");
    }
    let mut bytes = room.reports[5].2.clone();
    let packets = parsed(&bytes).unwrap();
    let Packet::SenderReport { info, mut blocks, .. } = packets[0] else { panic!("{packets:?}") };
    assert_eq!(u64::from(info.packets), room.reports[5].0 + 1);
    assert_eq!(info.payload_bytes, info.packets * 160);
    assert_eq!(blocks.next().map(|block| (block.fraction_lost, block.cumulative_lost)), Some((0, 0)));
    bytes.clear();
}

#[test]
fn the_round_trip_follows_from_two_reports() {
    let mut room = Room::new([Codec::Pcmu; 3]);
    // The room's wall clock stands at 1000 s. The phone saw our report of 999.75 s and held it for 150 ms.
    room.run(1);
    let last_sender_report = NtpTime::from_unix(Duration::from_millis(999_750)).compact();
    let block = ReportBlock { last_sender_report, delay_since_last: 65_536 * 150 / 1_000, ..BLOCK };
    let tick = room.now - media::TICK;
    room.mixer.receive_rtcp(LegId(0), &written(None, Some(&block)), tick).unwrap();
    let statistics = room.mixer.statistics(LegId(0)).unwrap();
    let round_trip = statistics.round_trip.unwrap();
    assert!(round_trip.abs_diff(Duration::from_millis(100)) < Duration::from_millis(1), "{round_trip:?}");
    assert_eq!(statistics.remote_loss_percent, Some(25.0));
    assert_eq!(room.mixer.receive_rtcp(LegId(9), &[], start()), Err(RtcpError::UnknownLeg));
}

#[test]
fn ntp_time_counts_from_1900() {
    // RFC 868's example: 1970-01-01 is 2208988800.
    assert_eq!(NtpTime::from_unix(Duration::ZERO), NtpTime(2_208_988_800 << 32));
    assert_eq!(NtpTime::from_unix(Duration::from_millis(1_500)).0 & 0xFFFF_FFFF, 1 << 31);
}
