//! Stories about `subscribeToTone` and `sendDtmfTones`.

use crate::story::check;
use expect_test::expect;

#[test]
fn who_has_subscribed_is_told_of_every_key() {
    check(
        "group alice bob\n---\nalice presses 1\nsubscribe\nsubscribe\nalice presses 1\nbob presses 11",
        expect![[r#"
            alice presses 1
            subscribe
              = 1 Completed
              listen for tones: true
            subscribe
              = 2 Completed
            alice presses 1
              tell: tone 1: Tone1
            bob presses 11
              tell: tone 2: Pound
        "#]],
    );
    check(
        "group alice bob\nsubscribe\n---\nhang up\nalice presses 1",
        expect![[r#"
        hang up
          = done
          tell: call Updated, Terminating
          listen for tones: false
          tell: call Deleted, Terminated, 200/7000
        alice presses 1
    "#]],
    );
    check(
        "ringing group alice bob\nsubscribe\n---\nalice presses 1",
        expect![[r#"
        alice presses 1
    "#]],
    );
}

#[test]
fn a_held_person_may_press_keys_and_gets_none() {
    check(
        "group alice bob\nsubscribe\nhold alice\n---\nalice presses 10\nsend 1\nsent 3",
        expect![[r#"
        alice presses 10
          tell: tone 1: Star
        send 1
          = 3 Running
          send [Tone1] for 3 to bob
        sent 3
          tell: operation 3 Completed
    "#]],
    );
    check(
        "peer alice\nalice answers\nalice holds\n---\nsend 1",
        expect![[r#"
        send 1
          refused: NobodyListens
    "#]],
    );
}

#[test]
fn tones_are_sent_one_after_the_other() {
    check(
        "group alice bob\n---\nsend 1 2\nsend 3\nsent 1\nsend 3",
        expect![[r#"
        send 1 2
          = 1 Running
          send [Tone1, Tone2] for 1 to alice, bob
        send 3
          refused: TonesUnderWay
        sent 1
          tell: operation 1 Completed
        send 3
          = 3 Running
          send [Tone3] for 3 to alice, bob
    "#]],
    );
    check(
        "ringing group alice\n---\nsend 1",
        expect![[r#"
        send 1
          refused: NobodyListens
    "#]],
    );
}

#[test]
fn tones_that_nobody_is_left_to_hear_are_cancelled() {
    check(
        "group alice bob\n---\nsend 1 2\nalice leaves\nbob holds\nsent 1\nbob resumes\nsend 3",
        expect![[r#"
        send 1 2
          = 1 Running
          send [Tone1, Tone2] for 1 to alice, bob
        alice leaves
          tell: roster 4: bot, bob
        bob holds
          bob hears Nothing, is not heard
          tell: operation 1 Completed, cancelled
          tell: roster 5: bot, bob Inactive
        sent 1
        bob resumes
          bob hears Conversation, is heard
          tell: roster 6: bot, bob
        send 3
          = 2 Running
          send [Tone3] for 2 to bob
    "#]],
    );
    check(
        "group alice bob\n---\nsend 1 2\nhold alice\nbob leaves",
        expect![[r#"
        send 1 2
          = 1 Running
          send [Tone1, Tone2] for 1 to alice, bob
        hold alice
          = 2 Running
          alice hears HoldMusic, is not heard
          load built-in music for 2
        bob leaves
          tell: operation 1 Completed, cancelled
          tell: roster 4: bot, alice Inactive
    "#]],
    );
}

#[test]
fn the_sending_of_tones_always_ends() {
    check(
        "group alice\n---\nsend 1 2\nwait 5\nwait 1",
        expect![[r#"
        send 1 2
          = 1 Running
          send [Tone1, Tone2] for 1 to alice
        wait 5
        wait 1
          drop tones of 1
          tell: operation 1 Failed, 500/9002
    "#]],
    );
    check(
        "group alice bob\n---\nsend 1 2\nhang up",
        expect![[r#"
        send 1 2
          = 1 Running
          send [Tone1, Tone2] for 1 to alice, bob
        hang up
          = done
          tell: call Updated, Terminating
          drop tones of 1
          tell: operation 1 Failed, 400/8528
          tell: call Deleted, Terminated, 200/7000
    "#]],
    );
    check(
        "group alice bob\n---\nsend 1 2\nunrecorded 1\nsent 1\nsend 1",
        expect![[r#"
        send 1 2
          = 1 Running
          send [Tone1, Tone2] for 1 to alice, bob
        unrecorded 1
          drop tones of 1
          tell: operation 1 Failed, 503/9001
        sent 1
        send 1
          = 2 Running
          send [Tone1] for 2 to alice, bob
    "#]],
    );
}
