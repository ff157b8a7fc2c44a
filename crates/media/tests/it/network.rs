//! Bad networks, in virtual time: what is said comes through, and the delay follows what the network does.

use crate::room::{CODECS, Phone, TONE_DBFS, TONES_HZ, format, start};
use media::{Codec, Hears, LegId, Mixer, NtpTime, Route, Statistics, TICK, TransmitStart};
use std::time::Duration;

const SPEAKER: LegId = LegId(0);
const LISTENER: LegId = LegId(1);

/// What a network does to one stream.
#[derive(Clone, Copy)]
struct Network {
    seed: u32,
    delay_ms_max: u32,
    loss_percent: u32,
    duplicate_percent: u32,
    /// How much faster the sender's clock runs, in parts per million.
    drift_ppm: i64,
}

const PERFECT: Network = Network { seed: 1, delay_ms_max: 0, loss_percent: 0, duplicate_percent: 0, drift_ppm: 0 };

/// What came through it.
pub(crate) struct Outcome {
    pub(crate) heard: Phone,
    pub(crate) statistics: Statistics,
}

impl Network {
    fn random(&mut self, below: u32) -> u32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        if below == 0 { 0 } else { self.seed % below }
    }

    /// Says when the copies of packet number `n` arrive, in microseconds.
    fn arrivals(&mut self, n: u64) -> Vec<i64> {
        let sent = n as i64 * 20_000 * (1_000_000 - self.drift_ppm) / 1_000_000;
        let mut arrive = || sent + i64::from(self.random(self.delay_ms_max * 1_000));
        let (first, second) = (arrive(), arrive());
        let mut arrivals = vec![first, second];
        let is_duplicate = self.random(100) < self.duplicate_percent;
        arrivals.truncate(if is_duplicate { 2 } else { 1 });
        if self.random(100) < self.loss_percent { Vec::new() } else { arrivals }
    }
}

/// A phone speaks over the network for some ticks, another listens.
fn speak(codec: Codec, mut network: Network, ticks: u64) -> Outcome {
    let mut phone = Phone::new(codec, Some(TONES_HZ[0]));
    let mut packets: Vec<(i64, Vec<u8>)> = Vec::new();
    for n in 0..ticks {
        let packet = phone.say(1);
        packets.extend(network.arrivals(n).into_iter().map(|at| (at, packet.clone())));
    }
    packets.sort_by_key(|(at, _)| *at);
    listen(codec, &packets, ticks)
}

pub(crate) fn listen(codec: Codec, packets: &[(i64, Vec<u8>)], ticks: u64) -> Outcome {
    let mut mixer = Mixer::new();
    let origin = start();
    for (leg, codec) in [(SPEAKER, codec), (LISTENER, Codec::Pcmu)] {
        let start = TransmitStart { ssrc: 9, sequence: 0, timestamp: 0 };
        mixer.add_leg(leg, format(codec), start, Route { hears: Hears::Conversation, heard: leg == SPEAKER });
    }
    let mut heard = Phone::new(Codec::Pcmu, None);
    let mut packets = packets.iter().peekable();
    for tick in 0..ticks {
        // Ticks fall between the sender's beats, as they do in life.
        let now_us = tick as i64 * 20_000 + 7_000;
        while let Some((at, packet)) = packets.next_if(|(at, _)| *at <= now_us) {
            mixer.receive(SPEAKER, packet, origin + Duration::from_micros(*at as u64)).unwrap();
        }
        mixer.tick(origin + Duration::from_micros(now_us as u64), NtpTime::default(), &mut |outgoing| {
            if outgoing.leg == LISTENER && outgoing.kind == media::OutgoingKind::Rtp {
                heard.hear(tick, false, outgoing.bytes);
            }
        });
    }
    Outcome { heard, statistics: mixer.statistics(SPEAKER).unwrap() }
}

impl Outcome {
    /// How many windows of 100 ms, of those after the first second, have the tone within 1.5 dB, in percent.
    fn clean_percent(&self) -> usize {
        let windows = self.heard.sound[8_000..].chunks_exact(800);
        let clean =
            windows.clone().filter(|window| (media::tone_dbfs(window, TONES_HZ[0], 8_000) - TONE_DBFS).abs() < 1.5);
        clean.count() * 100 / windows.len()
    }
}

#[test]
fn over_a_perfect_network_nothing_is_made_up_and_the_delay_is_low() {
    for codec in CODECS {
        let outcome = speak(codec, PERFECT, 500);
        assert_eq!(outcome.clean_percent(), 100, "{codec:?}");
        let playout = outcome.statistics.playout;
        assert_eq!((playout.concealed_ticks, playout.dropped_ticks, playout.late), (0, 0, 0), "{codec:?}");
        assert!(outcome.statistics.playout_delay <= TICK, "{codec:?} {:?}", outcome.statistics.playout_delay);
    }
}

#[test]
fn jitter_and_reordering_are_smoothed() {
    for codec in CODECS {
        // 60 ms of jitter swaps packets all the time.
        let outcome = speak(codec, Network { delay_ms_max: 60, ..PERFECT }, 1_000);
        assert!(outcome.clean_percent() >= 97, "{codec:?} {}", outcome.clean_percent());
        assert_eq!(outcome.statistics.packets_lost, 0);
        let delay = outcome.statistics.playout_delay;
        assert!(delay <= Duration::from_millis(110), "{codec:?} {delay:?}");
    }
}

#[test]
fn losses_are_counted_and_concealed() {
    for codec in CODECS {
        let outcome = speak(codec, Network { loss_percent: 3, ..PERFECT }, 1_000);
        let lost = outcome.statistics.packets_lost;
        assert!((15..50).contains(&lost), "{codec:?} {lost}");
        // One frame is made up for each loss, and no more.
        let concealed = outcome.statistics.playout.concealed_ticks;
        assert!(concealed.abs_diff(lost) <= 4, "{codec:?}: {concealed} for {lost}");
        assert!(outcome.clean_percent() >= 85, "{codec:?} {}", outcome.clean_percent());
        assert!(outcome.statistics.playout_delay <= 2 * TICK);
    }
}

#[test]
fn duplicates_are_dropped() {
    let outcome = speak(Codec::Pcma, Network { duplicate_percent: 50, ..PERFECT }, 500);
    assert_eq!(outcome.clean_percent(), 100);
    let playout = outcome.statistics.playout;
    assert!(playout.late + playout.duplicate > 200, "{playout:?}");
    assert_eq!(playout.concealed_ticks, 0);
}

#[test]
fn a_fast_clock_does_not_fill_the_buffer() {
    for drift_ppm in [500, -500] {
        let outcome = speak(Codec::G722, Network { drift_ppm, ..PERFECT }, 6_000);
        // 500 ppm make three frames in two minutes.
        let playout = outcome.statistics.playout;
        let corrections = playout.dropped_ticks + playout.concealed_ticks;
        assert!((2..=8).contains(&corrections), "{drift_ppm}: {playout:?}");
        assert!(outcome.statistics.playout_delay <= 3 * TICK, "{:?}", outcome.statistics.playout_delay);
        assert!(outcome.clean_percent() >= 97);
    }
}

#[test]
fn the_delay_comes_down_when_the_network_has_calmed_down() {
    let mut phone = Phone::new(Codec::Pcmu, Some(TONES_HZ[0]));
    let mut rough = Network { delay_ms_max: 100, ..PERFECT };
    let mut packets = Vec::new();
    for n in 0..1_500 {
        let packet = phone.say(1);
        let arrivals = if n < 300 { rough.arrivals(n) } else { vec![n as i64 * 20_000] };
        packets.extend(arrivals.into_iter().map(|at| (at, packet.clone())));
    }
    packets.sort_by_key(|(at, _)| *at);
    let outcome = listen(Codec::Pcmu, &packets, 1_500);
    assert!(outcome.statistics.playout_delay <= 2 * TICK, "{:?}", outcome.statistics.playout_delay);
    assert!(outcome.statistics.playout.dropped_ticks >= 1);
}

#[test]
fn a_stall_is_not_played_late() {
    let mut phone = Phone::new(Codec::Pcmu, Some(TONES_HZ[0]));
    // Packets 100 to 150 come all at once, a second late.
    let packets: Vec<_> =
        (0..300).map(|n| (if (100..150).contains(&n) { 150 * 20_000 } else { n * 20_000 }, phone.say(1))).collect();
    let outcome = listen(Codec::Pcmu, &packets, 300);
    assert!(outcome.statistics.playout_delay <= Duration::from_millis(150), "{:?}", outcome.statistics.playout_delay);
    assert!(outcome.clean_percent() > 70);
}

#[test]
fn any_packet_duration_works() {
    for (codec, milliseconds) in
        [(Codec::Pcmu, 10), (Codec::Pcmu, 30), (Codec::Pcma, 40), (Codec::G722, 60), (Codec::Opus, 60)]
    {
        let packets = packets_of(codec, milliseconds, 4_000 / milliseconds + 1);
        let outcome = listen(codec, &packets, 200);
        assert_eq!(outcome.clean_percent(), 100, "{codec:?} {milliseconds} ms");
        // One stretch may find the delay that ticks of 20 ms and packets of 30 ms need.
        assert!(outcome.statistics.playout.concealed_ticks <= 1, "{codec:?} {milliseconds} ms");
    }
}

/// A tone in packets of another duration.
fn packets_of(codec: Codec, milliseconds: u32, count: u32) -> Vec<(i64, Vec<u8>)> {
    let mut tone = media::Sine::new(TONES_HZ[0], codec.sample_rate(), crate::room::AMPLITUDE);
    let mut encoder = media::Encoder::new(codec);
    let mut make = |n: u32| {
        let mut payload = Vec::new();
        encoder.encode(&tone.take_samples((codec.sample_rate() / 1_000 * milliseconds) as usize), &mut payload);
        let timestamp = n * codec.clock_rate() / 1_000 * milliseconds;
        let mut bytes = Vec::new();
        let payload_type = format(codec).payload_type;
        media::rtp::Packet { marker: false, payload_type, sequence: n as u16, timestamp, ssrc: 1, payload: &payload }
            .write(&mut bytes);
        bytes
    };
    (0..count).map(|n| (i64::from(n * milliseconds) * 1_000, make(n))).collect()
}

#[test]
fn silence_between_words_costs_no_delay_and_no_noise() {
    // Packets stop for half a second every second, and the timestamp goes on: discontinuous transmission.
    let mut phone = Phone::new(Codec::Pcmu, Some(TONES_HZ[0]));
    let all: Vec<_> = (0..400i64).map(|n| (n, phone.say(1))).collect();
    let spoken = all.into_iter().filter(|(n, _)| n % 50 < 25).enumerate();
    let packets: Vec<_> =
        spoken.map(|(sequence, (n, packet))| (n * 20_000, renumbered(packet, sequence as u16))).collect();
    let outcome = listen(Codec::Pcmu, &packets, 400);
    for n in 1..8 {
        let from = n * 8_000;
        let level = |a: usize, b: usize| media::level_dbfs(&outcome.heard.sound[from + a..from + b]);
        assert!((level(400, 3_900) - TONE_DBFS).abs() < 0.3, "word {n}");
        assert!(level(5_000, 7_900) < -70.0, "pause {n}");
    }
    assert_eq!(outcome.statistics.packets_lost, 0);
}

fn renumbered(mut packet: Vec<u8>, sequence: u16) -> Vec<u8> {
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet
}

#[test]
fn a_new_stream_takes_over_and_a_stray_packet_does_not() {
    let (mut old, mut new) = (Phone::new(Codec::Pcmu, Some(TONES_HZ[0])), Phone::new(Codec::Pcmu, Some(TONES_HZ[1])));
    let mut stray = Phone::new(Codec::Pcmu, Some(3_000.0));
    let mut packets: Vec<_> = (0..100i64).map(|n| (n * 20_000, old.say(1))).collect();
    packets.insert(50, (50 * 20_000 - 1, stray.say(77)));
    packets.extend((100..200).map(|n| (n * 20_000, new.say(2))));
    let outcome = listen(Codec::Pcmu, &packets, 200);
    assert_eq!(outcome.statistics.remote_ssrc, Some(2));
    let tone = |hz, from: usize, to: usize| media::tone_dbfs(&outcome.heard.sound[from * 160..to * 160], hz, 8_000);
    assert!((tone(TONES_HZ[0], 45, 55) - TONE_DBFS).abs() < 0.5);
    assert!(tone(3_000.0, 45, 60) < -60.0);
    assert!((tone(TONES_HZ[1], 110, 200) - TONE_DBFS).abs() < 0.5);
}

#[test]
fn a_sender_that_sets_its_clock_anew_is_heard_on() {
    for jump in [10_000_000u32, 10_000_000u32.wrapping_neg()] {
        let mut phone = Phone::new(Codec::Pcmu, Some(TONES_HZ[0]));
        let mut packets: Vec<_> = (0..100i64).map(|n| (n * 20_000, phone.say(1))).collect();
        packets.extend((100..200).map(|n| {
            let mut packet = phone.say(1);
            let timestamp = u32::from_be_bytes(packet[4..8].try_into().unwrap()).wrapping_add(jump);
            packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
            (n * 20_000, packet)
        }));
        let outcome = listen(Codec::Pcmu, &packets, 200);
        assert!(outcome.clean_percent() >= 90, "{jump}: {}", outcome.clean_percent());
    }
}

#[test]
fn no_packets_make_a_mixer_panic_or_grow() {
    let mut random = Network { seed: 99, ..PERFECT };
    for codec in CODECS {
        let mut mixer = Mixer::new();
        let start_at = TransmitStart { ssrc: 9, sequence: 0, timestamp: 0 };
        mixer.add_leg(SPEAKER, format(codec), start_at, Route { hears: Hears::Conversation, heard: true });
        let origin = start();
        for tick in 0..500u32 {
            let now = origin + TICK * tick;
            for _ in 0..random.random(200) {
                let bytes = hostile_packet(&mut random, codec);
                let _ = mixer.receive(SPEAKER, &bytes, now);
                let _ = mixer.receive_rtcp(SPEAKER, &bytes, now);
            }
            mixer.tick(now, NtpTime::default(), &mut |_| ());
        }
        let delay = mixer.statistics(SPEAKER).unwrap().playout_delay;
        assert!(delay < Duration::from_secs(10), "{codec:?}: {delay:?} of sound in hand");
    }
}

/// A packet that is nearly right: of the right stream, with numbers that leap and a payload of noise.
fn hostile_packet(random: &mut Network, codec: Codec) -> Vec<u8> {
    let length = random.random(300);
    let payload: Vec<u8> = (0..length).map(|_| random.random(256) as u8).collect();
    let leap = if random.random(20) == 0 { u32::MAX } else { 20_000 };
    let packet = media::rtp::Packet {
        marker: random.random(2) == 0,
        payload_type: if random.random(10) == 0 { 101 } else { format(codec).payload_type },
        sequence: random.random(60) as u16,
        timestamp: random.random(leap),
        ssrc: random.random(2),
        payload: &payload,
    };
    let mut bytes = Vec::new();
    packet.write(&mut bytes);
    bytes.truncate(bytes.len() - random.random(3) as usize);
    bytes
}
