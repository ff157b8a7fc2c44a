//! Softphones that people use hold and are held, in every order: what is heard of them, and what they hear by their own
//! recordings.

use std::time::Instant;

use phone::Codec;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Baresip, BaresipCodec, BaresipTransport, Bot, CAROL_HZ, Conversation, Disorder, FAR, Files, HELD,
    HoldKey, Linphone, LinphoneCodec, NEAR, Server, TOGETHER, Wire, assert_hears, check_every_order, listen,
    phone_target, speaking, speaking_at, stage, user_target, wait_until_heard, wire_settings,
};

const BOB: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

#[test]
fn linphone_hears_only_the_music_while_held_whatever_its_hold_key_does_and_is_not_heard() {
    let (server, files, _stage) = (Server::start(), Files::start(), stage());
    let (alice, carol) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("carol", Codec::Opus, CAROL_HZ));
    let mut bob = Linphone::start(&server, "bob", LinphoneCodec::Opus, BOB_HZ);
    let bot = Bot::of(&server);
    let targets = [phone_target(alice.uri()), user_target(BOB), phone_target(carol.uri())];
    let call = Conversation::of_targets(&bot, &targets);
    let (participant, music) = (call.participant(BOB), files.uri("/music.wav"));
    check_every_order(&call, (&participant, &mut bob), [&alice, &carol], &music);

    // Held, it changes to another codec.
    bob.speak(LinphoneCodec::Pcmu);
    call.hold(&participant, Some(&music));
    bob.press_hold();
    bob.press_resume();
    let since = Instant::now();
    let to = listen(&[&alice, &carol], 35);
    assert_hears(&alice, &[CAROL_HZ], since, to);
    let since = call.unhold(&participant).arrived;
    wait_until_heard(&alice, BOB_HZ, since);
    listen(&[&alice], 35);
    let [opus, pcmu] = &bob.recordings()[..] else { panic!("there is one for each codec") };
    assert_eq!(opus.heard_between_holds(), [TOGETHER, HELD, TOGETHER, HELD, TOGETHER]);
    assert_eq!(pcmu.heard_between_holds(), [HELD, TOGETHER]);
}

/// Its own recording ends when it holds for the first time, so what it is sent is looked at on its way.
#[test]
fn baresip_is_sent_only_the_music_while_held_whatever_its_hold_key_does_and_is_not_heard() {
    let Some(wire) = Wire::lay(Disorder::default(), 0) else { return };
    let _stage = stage();
    wire.near.enter(|| {
        let (server, files) = (Server::start_at(NEAR, &wire_settings()), Files::start());
        let alice = speaking_at(NEAR, "alice", Codec::Pcmu, ALICE_HZ);
        let carol = speaking_at(NEAR, "carol", Codec::Opus, CAROL_HZ);
        let start = || Baresip::start_at(FAR, &server, BaresipTransport::Udp, "bob", BaresipCodec::Pcmu, BOB_HZ);
        let mut bob = wire.far.enter(start);
        let bot = Bot::of(&server);
        let targets = [phone_target(alice.uri()), user_target(BOB), phone_target(carol.uri())];
        let call = Conversation::of_targets(&bot, &targets);
        let participant = call.participant(BOB);
        check_every_order(&call, (&participant, &mut bob), [&alice, &carol], &files.uri("/music.wav"));
        assert_eq!(bob.recording().heard_between_holds()[..2], [TOGETHER, HELD]);
    });
    // A busy machine may lose a packet on the wire. G.711 takes that as a gap; G.722 would be too loud for a while.
    let sent = wire.sound_at_far(Codec::Pcmu);
    assert_eq!(sent.heard_between_holds(), [TOGETHER, HELD, TOGETHER, HELD, TOGETHER]);
}
