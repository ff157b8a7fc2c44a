//! Prompts that cannot be played: the operation says so, the participant is back, and nobody ever hears anything of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Instant;

use serde_json::json;

use crate::harness::{Bot, Conversation, Files, MUSIC_HZ, Notice, SETTLING, Server, Trio, listen, stage};

const DOWNLOAD_FAILED: u32 = 8536;
const FORMAT_INVALID: u32 = 8535;

/// Checks that an operation has failed, with a subcode of 400 and a sentence.
#[track_caller]
fn assert_failed(notice: &Notice, subcode: u32, sentence: &str) {
    assert_eq!(notice.resource()["status"], "failed", "{:#}", notice.body);
    let result = &notice.resource()["resultInfo"];
    assert_eq!((&result["code"], &result["subcode"]), (&json!(400), &json!(subcode)), "{result}");
    let message = result["message"].as_str().unwrap_or_default();
    assert!(message.contains(sentence) && message.ends_with('.'), "{message}");
}

/// Holds bob with a prompt that cannot be played, and checks how that ends and that all is as before.
#[track_caller]
fn check_fails(call: &Conversation<'_>, phones: &Trio, uri: &str, subcode: u32, sentence: &str) {
    let operation = call.start_hold_music(&call.participant(phones.bob.uri()), Some(uri));
    let notice = call.expect_end_of(&operation);
    assert_failed(&notice, subcode, sentence);
    phones.assert_together(notice.arrived);
    // From beginning to end the two others heard each other and now and then bob, but nothing of a file.
    for phone in [&phones.alice, &phones.carol] {
        let music_dbfs = phone.heard_between(operation.accepted, Instant::now()).level_at(MUSIC_HZ.into());
        assert!(music_dbfs < -60.0, "{uri}: {music_dbfs} dBFS of music at {}", phone.uri());
    }
}

#[test]
fn a_prompt_that_cannot_be_played_fails_with_its_code_and_changes_nothing() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let check = |uri: &str, subcode, sentence: &str| check_fails(&call, &phones, uri, subcode, sentence);
    check(&files.uri("/missing.wav"), DOWNLOAD_FAILED, "answered with HTTP status 404");
    check(&files.uri("/large.wav"), DOWNLOAD_FAILED, "larger than 50 MiB");
    check(&format!("http://{}/refused.wav", closed_port()), DOWNLOAD_FAILED, "no connection to");
    check(&files.uri("/page.wav"), FORMAT_INVALID, "cannot be played");
    check(&files.uri("/stereo.wav"), FORMAT_INVALID, "44100 Hz");
    check(&files.uri("/tone.mp3"), FORMAT_INVALID, "MP3");
}

#[test]
fn a_prompt_that_takes_longer_than_15_seconds_fails_and_the_participant_is_back() {
    let (server, files) = (Server::start(), Files::start());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let operation = call.start_hold_music(&call.participant(phones.bob.uri()), Some(&files.uri("/never.wav")));
    assert_failed(&call.expect_end_of(&operation), DOWNLOAD_FAILED, "within 15 s");
    // The stage is for listening only: others use it while the prompt does not come.
    let _stage = stage();
    phones.assert_together(Instant::now());
}

#[test]
fn while_a_prompt_does_not_come_the_held_one_hears_nothing_and_is_not_heard() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let operation = call.start_hold_music(&call.participant(phones.bob.uri()), Some(&files.uri("/never.wav")));
    phones.assert_bob_apart(&[], operation.accepted);
}

#[test]
fn extended_mode_plays_stereo_and_mp3() {
    let server = Server::start_with("[graph]\nmode = \"extended\"");
    let (files, _stage) = (Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    call.hold(&bob, Some(&files.uri("/stereo.wav")));
    phones.assert_bob_apart(&[MUSIC_HZ], Instant::now());
    call.unhold(&bob);
    call.hold(&bob, Some(&files.uri("/tone.mp3")));
    assert_bob_hears_something_else(&phones);
}

#[test]
fn with_default_music_on_failure_the_hold_goes_on_with_the_built_in_music() {
    let server = Server::start_with("[graph]\non_prompt_failure = \"default-music\"");
    let (files, _stage) = (Files::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    call.hold(&call.participant(phones.bob.uri()), Some(&files.uri("/missing.wav")));
    assert_bob_hears_something_else(&phones);
}

/// Checks that bob hears something that is none of the tones, and the others only each other.
fn assert_bob_hears_something_else(phones: &Trio) {
    let since = Instant::now();
    phones.assert_bob_unheard(since);
    let until = listen(&[&phones.bob], 25);
    let heard_dbfs = phones.bob.heard_between(since + SETTLING, until).level();
    assert!(heard_dbfs > -45.0, "bob hears {heard_dbfs} dBFS");
}

/// An address where nobody listens: a port that was free a moment ago.
fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("a listener has an address")
}
