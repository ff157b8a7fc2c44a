//! A phone that presses hold itself, before and while the bot holds it. The two holds never undo each other.

use std::time::Instant;

use phone::Hold;

use crate::harness::{Bot, Conversation, Files, MUSIC_HZ, PATIENCE, Server, Trio, stage};

/// Presses hold on bob's phone, or resumes. He goes on speaking while he holds, as a PBX plays its own music.
fn press(phones: &Trio, hold: Hold) {
    phones.bob.hold_by(hold);
    phones.bob.wait_until(PATIENCE, |bob| bob.hold == hold).expect("the server agrees to a hold");
}

/// Bob is held by the bot, then presses hold, then resumes: he is still held.
fn check_a_resume_does_not_undo_the_bots_hold(hold: Hold) {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    call.hold(&bob, Some(&files.uri("/music.wav")));
    press(&phones, hold);
    phones.assert_bob_unheard(Instant::now());
    press(&phones, Hold::Off);
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    call.unhold(&bob);
    phones.assert_together(Instant::now());
}

#[test]
fn a_phone_that_holds_with_sendonly_and_resumes_while_held_hears_only_the_music() {
    check_a_resume_does_not_undo_the_bots_hold(Hold::SendOnly);
}

#[test]
fn a_phone_that_holds_with_inactive_and_resumes_while_held_hears_only_the_music() {
    check_a_resume_does_not_undo_the_bots_hold(Hold::Inactive);
}

#[test]
fn a_phone_that_holds_with_the_zero_address_and_resumes_while_held_hears_only_the_music() {
    check_a_resume_does_not_undo_the_bots_hold(Hold::ZeroAddress);
}

#[test]
fn a_phone_that_is_held_while_it_holds_hears_only_the_music_once_it_resumes() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    press(&phones, Hold::SendOnly);
    call.hold(&bob, Some(&files.uri("/music.wav")));
    phones.assert_bob_unheard(Instant::now());
    press(&phones, Hold::Off);
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    call.unhold(&bob);
    phones.assert_together(Instant::now());
}

#[test]
fn the_bots_unhold_does_not_undo_a_phones_hold() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    press(&phones, Hold::SendOnly);
    call.hold(&bob, Some(&files.uri("/music.wav")));
    call.unhold(&bob);
    phones.assert_bob_unheard(Instant::now());
    press(&phones, Hold::Off);
    phones.assert_together(Instant::now());
}
