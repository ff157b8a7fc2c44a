//! Packets into a conversation of three, of whom one is held: whatever comes, what goes out is RTP, one packet for each
//! tick and leg that hears, and the held one hears nobody.
//!
//! The bytes are a script of steps: a control byte (two bits leg, three bits milliseconds, one bit "as it is"), a length,
//! and a packet. A packet that is not taken as it is gets the fixed header fields that its leg expects.

use std::time::{Duration, Instant};

use media::{Codec, Format, Hears, LegId, Mixer, NtpTime, OutgoingKind, Route, TICK, TransmitStart, rtp};

const LEGS: [Format; 3] = [
    Format::new(Codec::Pcmu, 0).with_telephone_event(101),
    Format::new(Codec::G722, 9).with_telephone_event(101),
    Format::new(Codec::Opus, 96).with_telephone_event(102),
];

/// Who is held: the first leg. It hears silence here; the music is not made of packets.
const HELD: LegId = LegId(0);

/// Who hears nothing: it is its decoder that foreign bytes meet, and its encoder that takes the time.
const DEAF: LegId = LegId(2);

pub(crate) fn run(bytes: &[u8]) {
    let mut mixer = conversation();
    let (begin, mut rest) = (Instant::now(), bytes);
    let (mut now, mut next_tick) = (begin, begin + TICK);
    while let Some((control, length, after)) = step(rest) {
        let (packet, after) = after.split_at(length.min(after.len()));
        rest = after;
        now += Duration::from_millis(u64::from(control >> 2 & 7) * 4);
        while next_tick <= now {
            tick(&mut mixer, next_tick, next_tick - begin);
            next_tick += TICK;
        }
        let leg = u64::from(control & 3) % 3;
        let packet = if control & 0x20 == 0 { packet.to_vec() } else { dressed(LEGS[leg as usize], packet) };
        let _ = mixer.receive(LegId(leg), &packet, now);
    }
    for _ in 0..10 {
        tick(&mut mixer, next_tick, next_tick - begin);
        next_tick += TICK;
    }
    while mixer.poll_event().is_some() {}
}

fn step(bytes: &[u8]) -> Option<(u8, usize, &[u8])> {
    let [control, length, after @ ..] = bytes else { return None };
    Some((*control, usize::from(*length), after))
}

fn conversation() -> Mixer {
    let mut mixer = Mixer::new();
    for (leg, format) in (0..).zip(LEGS) {
        let leg = LegId(leg);
        let start = TransmitStart { ssrc: 1, sequence: 65_530, timestamp: u32::MAX - 100 };
        let hears = match leg {
            HELD => Hears::Silence,
            DEAF => Hears::Nothing,
            _ => Hears::Conversation,
        };
        mixer.add_leg(leg, format, start, Route { hears, heard: leg != HELD });
    }
    mixer
}

/// Puts a header with the leg's payload type before what the script has: marker, sequence, timestamp, payload.
fn dressed(format: Format, script: &[u8]) -> Vec<u8> {
    let [flags, sequence, time_high, time_low, payload @ ..] = script else { return script.to_vec() };
    let is_event = flags & 2 != 0;
    let mut bytes = Vec::new();
    let packet = rtp::Packet {
        marker: flags & 1 != 0,
        payload_type: format.telephone_event.filter(|_| is_event).unwrap_or(format.payload_type),
        sequence: u16::from(*sequence),
        timestamp: u32::from(u16::from_be_bytes([*time_high, *time_low])) * 80,
        ssrc: u32::from(flags >> 6),
        payload,
    };
    packet.write(&mut bytes);
    bytes
}

fn tick(mixer: &mut Mixer, now: Instant, since: Duration) {
    let mut packets = [0; 3];
    mixer.tick(now, NtpTime::from_unix(since), &mut |outgoing| {
        if outgoing.kind == OutgoingKind::Rtp {
            let packet = rtp::Packet::parse(outgoing.bytes).expect("what goes out is RTP");
            packets[outgoing.leg.0 as usize] += 1;
            if outgoing.leg == HELD {
                assert!(is_silent(packet.payload), "the held one hears the others");
            }
        }
    });
    assert_eq!(packets, [1, 1, 0], "one packet a tick for each that hears");
}

/// µ-law has two zeros.
fn is_silent(payload: &[u8]) -> bool {
    payload.iter().all(|byte| matches!(byte, 0xFF | 0x7F))
}
