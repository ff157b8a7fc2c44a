//! Keys of handshakes: who hears what before, during and after them, and what becomes of those that fail.

use super::*;
use edge::dtls::{HANDSHAKE_MAX, Role, Terms};

const REQUIRED: SrtpPolicy = SrtpPolicy::Required;

/// Three phones, of whom the second makes its keys by a handshake.
fn stage() -> Stage {
    let mut stage = Stage::empty();
    stage.join(0, Codec::Pcmu, SrtpPolicy::Off, Keying::Sdes);
    stage.join(1, Codec::G722, REQUIRED, Keying::Dtls);
    stage.join(2, Codec::Opus, REQUIRED, Keying::Sdes);
    stage
}

/// Lets what was heard so far be forgotten, and listens for a while.
fn listen(stage: &mut Stage) {
    stage.run_ms(200);
    stage.forget_what_was_heard();
    stage.run_ms(400);
}

fn terms(stage: &Stage, n: usize) -> Terms {
    match stage.phones[n].negotiation.encryption() {
        Some(Encryption::Handshake(terms)) => terms.clone(),
        other => panic!("no handshake: {other:?}"),
    }
}

fn is_in(stage: &Stage, n: usize) -> bool {
    stage.session.legs.get(&id(n)).is_some_and(|leg| leg.is_in)
}

/// The phone offers itself anew as somebody with another certificate.
fn reinvite_as_another(stage: &mut Stage, n: usize) {
    let certificate = Certificate::generate().expect("there is randomness");
    let Terms { certificate: before, .. } = terms(stage, n);
    let phone = &mut stage.phones[n];
    let offer =
        phone.negotiation.offer().replace(&before.fingerprint().to_string(), &certificate.fingerprint().to_string());
    stage.session.offered(id(n), offer.as_bytes(), stage.now);
    let answer = stage.drain().expect("an offer is answered");
    stage.phones[n].negotiation.accept_answer(answer.as_bytes()).expect("our own answer is good");
    let terms = Terms { certificate, ..terms(stage, n) };
    stage.phones[n].association = Some(Association::new(&terms, stage.now));
}

#[test]
fn a_held_phone_hears_the_music_only_and_is_not_heard() {
    let mut stage = stage();
    listen(&mut stage);
    stage.expect("after joining", [&[1, 2], &[0, 2], &[0, 1]]);
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(40);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("on hold", [&[2], &[MUSIC_OF_1], &[0]]);
    stage.reinvite(1, sdp::Direction::SendOnly, Codec::G722);
    stage.reinvite(1, sdp::Direction::SendRecv, Codec::G722);
    listen(&mut stage);
    stage.expect("on hold, after a hold of its own", [&[2], &[MUSIC_OF_1], &[0]]);
    stage.unhold(1);
    listen(&mut stage);
    stage.expect("after the hold", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn the_phone_may_begin_even_before_its_answer_is_here() {
    let mut stage = Stage::empty();
    stage.join(0, Codec::Pcmu, SrtpPolicy::Off, Keying::Sdes);
    let answer = stage.call(1, Codec::Pcmu, REQUIRED, Keying::Dtls).replace("a=setup:passive", "a=setup:active");
    let terms = Terms { role: Role::Client, ..terms(&stage, 1) };
    let mut association = Association::new(&terms, stage.now);
    association.expire(stage.now);
    let hello = association.poll_transmit().expect("it begins");
    stage.session.receive_rtp(id(1), stage.phones[1].address, &hello, stage.now);
    stage.phones[1].association = Some(association);
    stage.session.answered(id(1), answer.as_bytes(), stage.now);
    assert!(!is_in(&stage, 1));
    stage.shake();
    assert!(is_in(&stage, 1), "the first word was not lost, so nothing had to be repeated");
    stage.join(2, Codec::Pcmu, SrtpPolicy::Off, Keying::Sdes);
    listen(&mut stage);
    stage.expect("after joining", [&[1, 2], &[0, 2], &[0, 1]]);
}

/// The first datagram of a phone behind a NAT: it comes from an address that its answer does not tell.
#[test]
fn a_phone_at_an_address_that_nobody_has_told_is_believed_after_a_moment() {
    let mut stage = Stage::empty();
    let answer = stage.call(0, Codec::Pcmu, REQUIRED, Keying::Dtls).replace("a=setup:passive", "a=setup:active");
    let terms = Terms { role: Role::Client, ..terms(&stage, 0) };
    stage.phones[0].association = Some(Association::new(&terms, stage.now));
    stage.session.answered(id(0), answer.replace("127.0.0.1", "192.0.2.1").as_bytes(), stage.now);
    stage.shake();
    assert!(!is_in(&stage, 0));
    stage.now = stage.session.deadline().expect("the first datagram waits");
    stage.shake();
    assert!(is_in(&stage, 0), "the first word was not lost, so nothing had to be repeated");
}

#[test]
fn before_the_keys_nothing_is_heard_or_sent_and_nobody_is_in() {
    let mut stage = stage();
    let association = stage.phones[1].association.take();
    assert!(is_in(&stage, 0) && !is_in(&stage, 1) && is_in(&stage, 2));
    listen(&mut stage);
    stage.expect("without keys", [&[2], &[], &[0]]);
    assert_eq!(stage.phones[1].packets, 0, "nothing comes in clear");
    stage.phones[1].association = association;
    stage.run_ms(1_000);
    assert!(is_in(&stage, 1), "what was lost is repeated");
    listen(&mut stage);
    stage.expect("with keys", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn a_handshake_without_an_answer_ends_the_leg() {
    let mut stage = stage();
    stage.phones[1].association = None;
    stage.run_ms(HANDSHAKE_MAX.as_millis() as u32 - 100);
    assert_eq!(stage.closed, []);
    stage.run_ms(200);
    assert_eq!(stage.closed, [id(1)]);
    assert!(stage.session.deadline().is_none());
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("without it", [&[2], &[], &[0]]);
}

#[test]
fn who_is_not_the_one_that_was_described_ends_the_leg_and_is_not_heard() {
    let mut stage = stage();
    let certificate = Certificate::generate().expect("there is randomness");
    let terms = Terms { certificate, ..terms(&stage, 1) };
    stage.phones[1].association = Some(Association::new(&terms, stage.now));
    stage.run_ms(20);
    assert_eq!(stage.closed, [id(1)]);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("without it", [&[2], &[], &[0]]);
}

#[test]
fn another_certificate_in_a_hold_is_another_handshake_and_the_music_waits_for_it() {
    let mut stage = stage();
    listen(&mut stage);
    stage.hold(1);
    stage.run_ms(100);
    reinvite_as_another(&mut stage, 1);
    let association = stage.phones[1].association.take();
    stage.load_music(1);
    stage.forget_what_was_heard();
    stage.run_ms(200);
    stage.expect("without new keys", [&[2], &[], &[0]]);
    assert_eq!(stage.phones[1].packets, 0);
    assert!(stage.session.music.contains_key(&id(1)));
    assert!(stage.ended.is_empty());
    stage.phones[1].association = association;
    listen(&mut stage);
    listen(&mut stage);
    stage.expect("on hold, with new keys", [&[2], &[MUSIC_OF_1], &[0]]);
    stage.unhold(1);
    listen(&mut stage);
    stage.expect("after the hold", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn a_new_handshake_that_fails_ends_the_leg() {
    let mut stage = stage();
    listen(&mut stage);
    reinvite_as_another(&mut stage, 1);
    stage.phones[1].association = None;
    stage.run_ms(HANDSHAKE_MAX.as_millis() as u32 + 100);
    assert_eq!(stage.closed, [id(1)]);
}

#[test]
fn a_copy_and_a_packet_in_clear_are_not_heard_and_turn_no_sound_away() {
    let mut stage = stage();
    listen(&mut stage);
    let stranger = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let copied = stage.phones[1].speak();
    let association = stage.phones[1].association.take();
    let in_clear = stage.phones[1].speak();
    stage.phones[1].association = association;
    for from in [stage.phones[1].address, stranger] {
        for packet in [&copied, &in_clear] {
            stage.session.receive_rtp(id(1), from, packet, stage.now);
        }
    }
    listen(&mut stage);
    stage.expect("after copies", [&[1, 2], &[0, 2], &[0, 1]]);
}
