//! baresip, a softphone that people use: what it hears, by its own recording, and what is heard of it.

use std::time::Instant;

use phone::Codec;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Baresip, BaresipCodec, Bot, CAROL_HZ, Conversation, Files, MUSIC_HZ, Server, assert_hears,
    assert_hears_again, listen, phone_target, speaking, stage, user_target,
};

const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
const BOB: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

/// How long each state of the conversation lasts: 1.2 s, enough to be told from a transition in a recording.
const TURN_PACKETS: u64 = 60;

#[test]
fn baresip_on_g722_and_on_opus_hears_only_music_while_held_and_is_not_heard() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let alice = Baresip::start(&server, "alice", BaresipCodec::G722, ALICE_HZ);
    let bob = Baresip::start(&server, "bob", BaresipCodec::Opus, BOB_HZ);
    let carol = speaking("carol", Codec::Pcmu, CAROL_HZ);
    let bot = Bot::of(&server);
    let targets = [user_target(ALICE), user_target(BOB), phone_target(carol.uri())];
    let call = Conversation::of_targets(&bot, &targets);
    let together = |since: Instant| {
        let until = listen(&[&carol], TURN_PACKETS);
        assert_hears_again(&carol, &[ALICE_HZ, BOB_HZ], since, until);
    };
    let music = files.uri("/music.wav");
    // Both need a moment until their files are read.
    listen(&[&carol], TURN_PACKETS);
    together(Instant::now());
    for (held, heard_hz) in [(ALICE, BOB_HZ), (BOB, ALICE_HZ)] {
        let held = call.participant(held);
        let accepted = call.hold(&held, Some(&music)).accepted;
        let until = listen(&[&carol], TURN_PACKETS);
        assert_hears(&carol, &[heard_hz], accepted, until);
        together(call.unhold(&held).arrived);
    }
    let (together, apart, music): (&[u32], &[u32], &[u32]) = (&[BOB_HZ, CAROL_HZ], &[CAROL_HZ], &[MUSIC_HZ]);
    assert_eq!(alice.recording().heard_in_turn(), [together, music, together, apart, together]);
    let together: &[u32] = &[ALICE_HZ, CAROL_HZ];
    assert_eq!(bob.recording().heard_in_turn(), [together, apart, together, music, together]);
}
