//! People in real browsers, together with phones: who hears whom, measured in the page and at the phones.

use std::time::Instant;

use crate::harness::{
    ALICE_HZ, BOB_HZ, Bot, Browser, CAROL_HZ, Conversation, Files, MUSIC_HZ, Server, assert_hears, listen,
    phone_target, speaking, stage, user_target,
};
use phone::{Codec, Phone};

/// Users of the `dev` profile.
const BOB: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";
const CAROL: &str = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

/// Alice and carol at phones, bob in a browser.
struct Cast {
    #[expect(dead_code, reason = "what counts is that it is held")]
    stage: crate::harness::Stage,
    server: Server,
    bot: Bot,
    alice: Phone,
    carol: Phone,
    bob: Browser,
}

impl Cast {
    fn new() -> Cast {
        let (server, stage) = (Server::start(), stage());
        let bot = Bot::of(&server);
        let (alice, carol) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("carol", Codec::Opus, CAROL_HZ));
        let bob = Browser::open(&server, "bob", BOB_HZ);
        Cast { stage, server, bot, alice, carol, bob }
    }

    /// The bot calls all three, and all answer.
    fn call(&self) -> Conversation<'_> {
        let targets = [phone_target(self.alice.uri()), user_target(BOB), phone_target(self.carol.uri())];
        let created = self.bot.create_call(&targets);
        assert_eq!(created.status, 201, "{created:?}");
        self.bob.expect_call();
        self.bob.answer();
        Conversation::of_created(&self.bot, &created.body)
    }
}

/// Checks that for a while from now on each phone hears exactly these.
#[track_caller]
fn assert_phones_hear(phones: [(&Phone, &[u32]); 2], since: Instant) {
    let to = listen(&phones.map(|(phone, _)| phone), 20);
    for (phone, heard) in phones {
        assert_hears(phone, heard, since, to);
    }
}

#[test]
fn a_browser_is_heard_and_held_as_a_phone_is() {
    let cast = Cast::new();
    let files = Files::start();
    let targets = [phone_target(cast.alice.uri()), user_target(BOB), phone_target(cast.carol.uri())];
    let created = cast.bot.create_call(&targets);
    let called = cast.bob.expect_call();
    assert_eq!(called["callId"], created.body["id"]);
    cast.bob.answer();
    let call = Conversation::of_created(&cast.bot, &created.body);
    let (bob, music) = (call.participant(BOB), files.uri("/music.wav"));
    assert_eq!(called["id"], bob.as_str());
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
    assert_phones_hear([(&cast.alice, &[BOB_HZ, CAROL_HZ]), (&cast.carol, &[ALICE_HZ, BOB_HZ])], Instant::now());
    for _ in 0..3 {
        let hold = call.hold(&bob, Some(&music));
        assert_phones_hear([(&cast.alice, &[CAROL_HZ]), (&cast.carol, &[ALICE_HZ])], hold.accepted);
        cast.bob.assert_hears(&[MUSIC_HZ]);
        call.unhold(&bob);
        cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
        assert_phones_hear([(&cast.alice, &[BOB_HZ, CAROL_HZ]), (&cast.carol, &[ALICE_HZ, BOB_HZ])], Instant::now());
    }
    cast.bob.leave();
    call.expect_roster_without(&bob);
}

#[test]
fn fifty_holds_let_nothing_through_and_lose_nothing() {
    const CYCLES: usize = 50;
    let cast = Cast::new();
    let files = Files::start();
    let call = cast.call();
    let (bob, music) = (call.participant(BOB), files.uri("/music.wav"));
    // The first hold waits for the file; with all others the music is there at once.
    call.hold(&bob, Some(&music));
    call.unhold(&bob);
    for cycle in 0..CYCLES {
        let hold = call.hold(&bob, Some(&music));
        assert_phones_hear([(&cast.alice, &[CAROL_HZ]), (&cast.carol, &[ALICE_HZ])], hold.accepted);
        // Every browser's jitter buffer takes its time to be empty, so not in every cycle.
        if cycle % 10 == 0 {
            cast.bob.assert_hears(&[MUSIC_HZ]);
        }
        call.unhold(&bob);
    }
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
    let counted = cast.bob.statistics();
    assert_eq!(counted["lost"], 0, "{counted}");
}

#[test]
fn a_browser_that_moves_during_a_hold_stays_in_the_roster_and_on_hold() {
    let cast = Cast::new();
    let files = Files::start();
    let call = cast.call();
    let (bob, music) = (call.participant(BOB), files.uri("/music.wav"));
    let hold = call.hold(&bob, Some(&music));
    cast.bob.restart_ice();
    cast.bob.assert_hears(&[MUSIC_HZ]);
    assert_phones_hear([(&cast.alice, &[CAROL_HZ]), (&cast.carol, &[ALICE_HZ])], hold.accepted);
    call.unhold(&bob);
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
    assert_phones_hear([(&cast.alice, &[BOB_HZ, CAROL_HZ]), (&cast.carol, &[ALICE_HZ, BOB_HZ])], Instant::now());
    assert_eq!(call.participant(BOB), bob, "it is the same participant");
}

#[test]
fn a_browser_whose_network_lets_no_udp_through_is_heard_and_held_over_tcp() {
    let cast = Cast::new();
    let files = Files::start();
    let targets = [phone_target(cast.alice.uri()), user_target(BOB), phone_target(cast.carol.uri())];
    let created = cast.bot.create_call(&targets);
    cast.bob.expect_call();
    cast.bob.answer_without_udp();
    let call = Conversation::of_created(&cast.bot, &created.body);
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
    assert_phones_hear([(&cast.alice, &[BOB_HZ, CAROL_HZ]), (&cast.carol, &[ALICE_HZ, BOB_HZ])], Instant::now());
    let hold = call.hold(&call.participant(BOB), Some(&files.uri("/music.wav")));
    assert_phones_hear([(&cast.alice, &[CAROL_HZ]), (&cast.carol, &[ALICE_HZ])], hold.accepted);
    cast.bob.assert_hears(&[MUSIC_HZ]);
    let counted = cast.bob.statistics();
    assert_eq!((&counted["protocol"], &counted["lost"]), (&"tcp".into(), &0.into()), "{counted}");
}

#[test]
fn a_page_that_was_reloaded_goes_on_with_its_leg_and_its_hold() {
    let cast = Cast::new();
    let files = Files::start();
    let call = cast.call();
    let (bob, music) = (call.participant(BOB), files.uri("/music.wav"));
    let hold = call.hold(&bob, Some(&music));
    cast.bob.reconnect();
    cast.bob.assert_hears(&[MUSIC_HZ]);
    assert_phones_hear([(&cast.alice, &[CAROL_HZ]), (&cast.carol, &[ALICE_HZ])], hold.accepted);
    call.unhold(&bob);
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
    assert_eq!(call.participant(BOB), bob, "it is the same participant");
}

#[test]
fn a_browsers_own_hold_is_told_and_after_it_our_music_is_all_that_is_heard() {
    let cast = Cast::new();
    let files = Files::start();
    let call = cast.call();
    let (bob, music) = (call.participant(BOB), files.uri("/music.wav"));
    cast.bob.turn("inactive");
    call.expect_direction(&bob, "inactive");
    let hold = call.hold(&bob, Some(&music));
    assert_phones_hear([(&cast.alice, &[CAROL_HZ]), (&cast.carol, &[ALICE_HZ])], hold.accepted);
    cast.bob.turn("sendrecv");
    cast.bob.assert_hears(&[MUSIC_HZ]);
    assert_phones_hear([(&cast.alice, &[CAROL_HZ]), (&cast.carol, &[ALICE_HZ])], hold.accepted);
    call.unhold(&bob);
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
}

#[test]
fn two_browsers_and_two_phones_hear_each_other() {
    let cast = Cast::new();
    let other = Browser::open(&cast.server, "carol", MUSIC_HZ);
    let targets =
        [phone_target(cast.alice.uri()), user_target(BOB), phone_target(cast.carol.uri()), user_target(CAROL)];
    let created = cast.bot.create_call(&targets);
    for browser in [&cast.bob, &other] {
        browser.expect_call();
        browser.answer();
    }
    let call = Conversation::of_created(&cast.bot, &created.body);
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ, MUSIC_HZ]);
    other.assert_hears(&[ALICE_HZ, BOB_HZ, CAROL_HZ]);
    call.hold(&call.participant(CAROL), None);
    cast.bob.assert_hears(&[ALICE_HZ, CAROL_HZ]);
    let carol = call.participant(CAROL);
    other.close();
    call.expect_roster_without(&carol);
}

#[test]
fn all_devices_of_a_user_ring_and_one_gets_the_call() {
    let cast = Cast::new();
    let other = Browser::open(&cast.server, "bob", MUSIC_HZ);
    let created = cast.bot.create_call(&[phone_target(cast.alice.uri()), user_target(BOB)]);
    let called = [cast.bob.expect_call(), other.expect_call()];
    assert_eq!(called[0], called[1]);
    other.answer();
    assert_eq!(cast.bob.expect_over(), "answeredElsewhere");
    let call = Conversation::of_created(&cast.bot, &created.body);
    call.hang_up();
    let created = cast.bot.create_call(&[user_target(BOB)]);
    cast.bob.expect_call();
    cast.bob.decline();
    assert_eq!(cast.bob.expect_over(), "declined");
    let end = Conversation::expect_refused(&cast.bot, &created.body);
    assert_eq!(end.resource()["resultInfo"]["code"], 603, "{:#}", end.body);
}
