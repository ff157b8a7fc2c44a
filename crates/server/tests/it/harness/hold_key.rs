//! Whoever has a hold key: softphones of others and phones of ours. And what is heard in every order of its hold and the
//! bot's.

use std::time::Instant;

use phone::{Hold, Phone};

use super::PATIENCE;
use super::conversation::Conversation;
use super::ears::{ALICE_HZ, BOB_HZ, CAROL_HZ, MUSIC_HZ, assert_hears, assert_hears_again, listen, wait_until_heard};

/// A phone that can hold by itself.
pub(crate) trait HoldKey {
    /// Holds, and waits until its peer has agreed.
    fn press_hold(&mut self);

    /// Resumes, and waits until its peer has agreed.
    fn press_resume(&mut self);
}

impl HoldKey for Phone {
    fn press_hold(&mut self) {
        self.hold();
        self.wait_until(PATIENCE, |phone| phone.hold == Hold::SendOnly).expect("the server agrees to a hold");
    }

    fn press_resume(&mut self) {
        self.resume();
        self.wait_until(PATIENCE, |phone| phone.hold == Hold::Off).expect("the server agrees to a resume");
    }
}

/// What bob hears while he is in the conversation, and while he is held.
pub(crate) const TOGETHER: &[u32] = &[ALICE_HZ, CAROL_HZ];
pub(crate) const HELD: &[u32] = &[MUSIC_HZ];

/// How long each state of the conversation lasts: 0.7 s, enough to be told from a transition in a recording.
const TURN_PACKETS: u64 = 35;

/// Has bob, who says [`BOB_HZ`], hold and be held in every order, and checks each time what `others` hear, who say
/// [`ALICE_HZ`] and [`CAROL_HZ`]. Bob hears [`TOGETHER`], [`HELD`], [`TOGETHER`],
/// [`HELD`] and [`TOGETHER`] meanwhile.
#[track_caller]
pub(crate) fn check_every_order(
    call: &Conversation<'_>,
    bob: (&str, &mut impl HoldKey),
    others: [&Phone; 2],
    music: &str,
) {
    let (participant, phone) = bob;
    assert_together(others, Instant::now());
    // Within the bot's hold.
    assert_apart(others, call.hold(participant, Some(music)).accepted);
    phone.press_hold();
    assert_apart(others, Instant::now());
    phone.press_resume();
    assert_apart(others, Instant::now());
    assert_together(others, call.unhold(participant).arrived);
    // Before it, and resumed too late to hear anybody.
    phone.press_hold();
    call.expect_direction(participant, "inactive");
    assert_apart(others, Instant::now());
    assert_apart(others, call.hold(participant, Some(music)).accepted);
    phone.press_resume();
    assert_apart(others, Instant::now());
    assert_together(others, call.unhold(participant).arrived);
    // Around it.
    phone.press_hold();
    call.hold(participant, Some(music));
    call.unhold(participant);
    assert_apart(others, Instant::now());
    phone.press_resume();
    call.expect_direction(participant, "sendReceive");
    assert_together(others, Instant::now());
}

#[track_caller]
fn assert_apart([alice, carol]: [&Phone; 2], since: Instant) {
    let to = listen(&[alice, carol], TURN_PACKETS);
    assert_hears(alice, &[CAROL_HZ], since, to);
    assert_hears(carol, &[ALICE_HZ], since, to);
}

/// Bob is heard again when his program has begun to speak again.
#[track_caller]
fn assert_together([alice, carol]: [&Phone; 2], since: Instant) {
    wait_until_heard(alice, BOB_HZ, since);
    wait_until_heard(carol, BOB_HZ, since);
    let since = Instant::now();
    let to = listen(&[alice, carol], TURN_PACKETS);
    assert_hears_again(alice, &[BOB_HZ, CAROL_HZ], since, to);
    assert_hears_again(carol, &[ALICE_HZ, BOB_HZ], since, to);
}
