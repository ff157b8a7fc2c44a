//! SRTP between two ends, as RFC 3711 and RFC 7714 have it, and what an attacker can do to it.

use edge::srtp::{KeySource, Keys, MasterKey, Protection, SrtpError, Suite};

/// Two ends of one leg.
struct Pair {
    ours: Protection,
    theirs: Protection,
    out: Vec<u8>,
}

fn keys(suite: Suite, ours: u8, theirs: u8) -> Keys {
    let key = |secret: u8| KeySource::new([secret; 32]).key(suite);
    Keys { ours: key(ours), theirs: key(theirs) }
}

fn swapped(keys: &Keys) -> Keys {
    Keys { ours: keys.theirs.clone(), theirs: keys.ours.clone() }
}

impl Pair {
    fn new(suite: Suite) -> Pair {
        let keys = keys(suite, 1, 2);
        Pair { ours: Protection::new(&keys), theirs: Protection::new(&swapped(&keys)), out: Vec::new() }
    }

    fn sent(&mut self, packet: &[u8]) -> Vec<u8> {
        self.ours.protect(packet, &mut self.out).unwrap();
        self.out.clone()
    }

    fn receive(&mut self, sealed: &[u8]) -> Result<Vec<u8>, SrtpError> {
        self.theirs.unprotect(sealed, &mut self.out).map(|()| self.out.clone())
    }

    fn pass(&mut self, packet: &[u8]) {
        let sealed = self.sent(packet);
        assert_eq!(self.receive(&sealed).as_deref(), Ok(packet));
    }
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 96, 0, 0, 0, 0, 0, 160];
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..40).map(|at| at as u8 ^ sequence as u8));
    packet
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 6];
    packet.extend(ssrc.to_be_bytes());
    packet.extend([7; 20]);
    packet
}

#[test]
fn what_is_sent_arrives_in_every_suite_and_nothing_of_it_can_be_read_on_the_way() {
    let tags = [(Suite::AesCm128HmacSha1Tag80, 10), (Suite::AesCm128HmacSha1Tag32, 4), (Suite::AeadAes256Gcm, 16)];
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        for sequence in 0..5 {
            pair.pass(&rtp(7, sequence));
            pair.pass(&rtcp(7));
        }
        let (plain, sealed) = (rtp(7, 9), pair.sent(&rtp(7, 9)));
        assert_eq!(sealed[..12], plain[..12], "the header stays readable");
        assert!(!sealed.windows(8).any(|window| plain[12..].windows(8).any(|part| part == window)));
        if let Some((_, tag)) = tags.iter().find(|(known, _)| *known == suite) {
            assert_eq!(sealed.len(), plain.len() + tag);
        }
        assert_eq!(pair.sent(&rtcp(7))[..8], rtcp(7)[..8]);
    }
}

#[test]
fn headers_with_sources_and_extension_are_as_long_as_they_say() {
    let mut pair = Pair::new(Suite::AeadAes128Gcm);
    let mut packet = rtp(7, 1);
    packet[0] = 0x92;
    packet.splice(12..12, [0, 0, 0, 1, 0, 0, 0, 2, 0xBE, 0xDE, 0, 1, 9, 9, 9, 9]);
    pair.pass(&packet);
    assert_eq!(pair.sent(&packet)[12..28], packet[12..28], "they stay readable too");
    packet[23] = 200;
    assert_eq!(pair.ours.protect(&packet, &mut Vec::new()), Err(SrtpError::TooShort));
}

#[test]
fn one_changed_bit_anywhere_is_noticed() {
    for suite in Suite::ALL {
        for packet in [rtp(7, 300), rtcp(7)] {
            let mut pair = Pair::new(suite);
            let sealed = pair.sent(&packet);
            for bit in 0..sealed.len() * 8 {
                let mut changed = sealed.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(pair.receive(&changed).is_err(), "{suite:?}: bit {bit}");
            }
            assert_eq!(pair.receive(&sealed), Ok(packet));
        }
    }
}

#[test]
fn plain_packets_other_keys_and_short_ones_are_not_authentic() {
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        assert_eq!(pair.receive(&rtp(7, 1)), Err(SrtpError::NotAuthentic));
        assert!(pair.receive(&rtcp(7)).is_err());
        let mut stranger = Protection::new(&keys(suite, 8, 9));
        stranger.protect(&rtp(7, 1), &mut pair.out).unwrap();
        let sealed = pair.out.clone();
        assert_eq!(pair.receive(&sealed), Err(SrtpError::NotAuthentic));
        let sealed = pair.sent(&rtcp(7));
        for length in 0..sealed.len() {
            assert!(pair.receive(&sealed[..length]).is_err());
        }
    }
}

#[test]
fn a_packet_is_taken_once_in_whatever_order_they_come() {
    let mut pair = Pair::new(Suite::AesCm128HmacSha1Tag80);
    let sealed: Vec<_> = (100..110).map(|sequence| pair.sent(&rtp(7, sequence))).collect();
    for at in [0, 3, 1, 2, 9, 4] {
        assert!(pair.receive(&sealed[at]).is_ok());
        assert_eq!(pair.receive(&sealed[at]), Err(SrtpError::Replayed));
    }
    let report = pair.sent(&rtcp(7));
    assert!(pair.receive(&report).is_ok());
    assert_eq!(pair.receive(&report), Err(SrtpError::Replayed));
}

#[test]
fn the_sequence_number_goes_round_and_packets_cross_the_seam() {
    for suite in [Suite::AesCm128HmacSha1Tag80, Suite::AeadAes128Gcm] {
        let mut pair = Pair::new(suite);
        for round in 0..3_u32 {
            for step in 0..=u16::MAX / 251 {
                pair.pass(&rtp(7, step * 251 + round as u16));
            }
        }
        let mut pair = Pair::new(suite);
        let sealed: Vec<_> = [65_534, 65_535, 0, 1].map(|sequence| pair.sent(&rtp(7, sequence))).into();
        for at in [0, 2, 1, 3] {
            assert!(pair.receive(&sealed[at]).is_ok(), "{suite:?}: {at}");
        }
    }
}

#[test]
fn whoever_listens_late_finds_a_stream_that_began_shortly_before_its_seam() {
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        for sequence in [65_534, 65_535, 0] {
            pair.sent(&rtp(7, sequence));
        }
        pair.pass(&rtp(7, 1));
        pair.pass(&rtp(7, 2));
    }
}

#[test]
fn a_new_ssrc_under_the_same_key_is_a_stream_of_its_own_and_many_are_bounded() {
    let mut pair = Pair::new(Suite::AeadAes128Gcm);
    for ssrc in 0..8 {
        pair.pass(&rtp(ssrc, 40_000));
    }
    pair.pass(&rtp(0, 40_001));
    let sealed = pair.ours.protect(&rtp(8, 1), &mut Vec::new());
    assert_eq!(sealed, Err(SrtpError::Exhausted), "a forgotten stream would repeat its keystream");
}

#[test]
fn a_change_of_keys_loses_nothing_that_is_on_the_way() {
    for suite in Suite::ALL {
        let mut pair = Pair::new(suite);
        pair.pass(&rtp(7, 65_535));
        pair.pass(&rtp(7, 0));
        let on_the_way = pair.sent(&rtp(7, 1));
        let next = keys(suite, 3, 2);
        pair.ours.rekey(&next);
        pair.theirs.rekey(&swapped(&next));
        let first_of_new = pair.sent(&rtp(7, 2));
        assert!(pair.receive(&on_the_way).is_ok());
        assert!(pair.receive(&first_of_new).is_ok());
        let of_old = pair.receive(&on_the_way);
        assert_eq!(of_old, Err(SrtpError::NotAuthentic), "the old key is gone with the first packet of the new one");
    }
}

#[test]
fn the_same_keys_once_more_change_nothing() {
    let mut pair = Pair::new(Suite::AesCm128HmacSha1Tag80);
    pair.pass(&rtp(7, 65_535));
    pair.pass(&rtp(7, 0));
    let sealed = pair.sent(&rtp(7, 1));
    pair.ours.rekey(&keys(Suite::AesCm128HmacSha1Tag80, 1, 2));
    pair.theirs.rekey(&keys(Suite::AesCm128HmacSha1Tag80, 2, 1));
    assert!(pair.receive(&sealed).is_ok());
    assert_eq!(pair.receive(&sealed), Err(SrtpError::Replayed));
    pair.pass(&rtp(7, 2));
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The vectors that implementations of SRTP share: 16 bytes of 0xAB, with the key of RFC 3711 §B.3 and with one of GCM.
#[test]
fn a_packet_is_byte_for_byte_what_other_implementations_make() {
    let vectors = [
        (
            Suite::AesCm128HmacSha1Tag80,
            "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
            "4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
        ),
        (
            Suite::AeadAes128Gcm,
            "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab",
            "c5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
        ),
    ];
    for (suite, key, sealed) in vectors {
        let key = MasterKey::new(suite, &bytes(key)).unwrap();
        let mut protection = Protection::new(&Keys { ours: key.clone(), theirs: key });
        let header = bytes("800f1234decafbadcafebabe");
        let mut out = Vec::new();
        protection.protect(&[&header[..], &[0xAB; 16]].concat(), &mut out).unwrap();
        assert_eq!(out, [header, bytes(sealed)].concat(), "{suite:?}");
    }
}

#[test]
fn any_bytes_are_refused_and_nothing_is_remembered_of_them() {
    let mut pair = Pair::new(Suite::AesCm128HmacSha1Tag80);
    let mut state = 1_u64;
    for length in (0..400).chain((0..20_000).map(|n| n % 64)) {
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as u8
            })
            .collect();
        assert!(pair.receive(&bytes).is_err());
    }
    pair.pass(&rtp(7, 1));
}
