//! The same over SRTP: who hears what, and what strangers and wrong keys can do.

use super::*;
use edge::srtp::Suite;

const ENCRYPTED: SrtpPolicy = SrtpPolicy::Required;

fn encrypted() -> Stage {
    Stage::of([Codec::Pcmu, Codec::Opus, Codec::G722].map(|codec| (codec, ENCRYPTED)))
}

/// Lets what was heard so far be forgotten, and listens for a while.
fn listen(stage: &mut Stage) {
    stage.run_ms(200);
    stage.forget_what_was_heard();
    stage.run_ms(400);
}

#[test]
fn a_held_phone_hears_the_music_only_and_is_not_heard() {
    let mut stage = encrypted();
    listen(&mut stage);
    stage.expect("after joining", [&[1, 2], &[0, 2], &[0, 1]]);
    stage.hold(1);
    stage.load_music(1);
    stage.run_ms(40);
    stage.forget_what_was_heard();
    stage.run_ms(400);
    stage.expect("on hold", [&[2], &[MUSIC_OF_1], &[0]]);
    stage.unhold(1);
    listen(&mut stage);
    stage.expect("after the hold", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn encrypted_and_clear_phones_are_together() {
    let mut stage = Stage::of([(Codec::Pcmu, ENCRYPTED), (Codec::Pcmu, SrtpPolicy::Off), (Codec::Opus, ENCRYPTED)]);
    listen(&mut stage);
    stage.expect("after joining", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn a_held_phone_may_hold_resume_and_change_its_codec_and_still_hears_the_music_only() {
    let mut stage = encrypted();
    stage.hold(1);
    stage.load_music(1);
    stage.reinvite(1, sdp::Direction::SendOnly, Codec::Opus);
    listen(&mut stage);
    stage.reinvite(1, sdp::Direction::SendRecv, Codec::Pcma);
    stage.load_music(1);
    listen(&mut stage);
    stage.expect("on hold and resumed", [&[2], &[MUSIC_OF_1], &[0]]);
}

#[test]
fn with_wrong_keys_there_is_silence_in_both_directions() {
    let mut stage = encrypted();
    let mut wrong = stage.phones[1].negotiation.keys().cloned().expect("it is encrypted");
    wrong.ours = KeySource::new([77; 32]).key(Suite::AeadAes256Gcm);
    wrong.theirs = KeySource::new([78; 32]).key(Suite::AeadAes256Gcm);
    stage.phones[1].protection = Some(Protection::new(&wrong));
    listen(&mut stage);
    stage.expect("with wrong keys", [&[2], &[], &[0]]);
    assert_eq!(stage.phones[1].packets, 0, "nothing that came in could be decrypted");
}

#[test]
fn a_clear_packet_is_not_heard_and_turns_no_sound_away() {
    let mut stage = encrypted();
    listen(&mut stage);
    let stranger = SocketAddr::from(([127, 0, 0, 1], 40_000));
    let protection = stage.phones[1].protection.take();
    let forged = stage.phones[1].speak();
    stage.phones[1].protection = protection;
    for address in [stranger, stage.phones[1].address] {
        stage.session.receive_rtp(id(1), address, &forged, stage.now);
    }
    listen(&mut stage);
    stage.expect("after forged packets", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn a_copy_of_a_packet_from_elsewhere_turns_no_sound_away() {
    let mut stage = encrypted();
    listen(&mut stage);
    let copied = stage.phones[1].speak();
    stage.session.receive_rtp(id(1), stage.phones[1].address, &copied, stage.now);
    stage.session.receive_rtp(id(1), SocketAddr::from(([127, 0, 0, 1], 40_000)), &copied, stage.now);
    listen(&mut stage);
    stage.expect("after copied packets", [&[1, 2], &[0, 2], &[0, 1]]);
}

#[test]
fn an_authentic_phone_that_moves_to_another_port_is_followed() {
    let mut stage = encrypted();
    listen(&mut stage);
    stage.phones[1].address = SocketAddr::from(([127, 0, 0, 1], 40_000));
    listen(&mut stage);
    stage.expect("after the move", [&[1, 2], &[0, 2], &[0, 1]]);
}
