//! Stories about commands that come twice.

use crate::story::check;
use expect_test::expect;

#[test]
fn a_hold_that_is_asked_for_again_is_the_same_hold() {
    check(
        "group alice bob\nhold alice\n---\nagain hold alice\nloaded 1\nagain hold alice\nstarted 1\nagain hold alice",
        expect![[r#"
            again hold alice
              = 1 again, Running
            loaded 1
              play 1 to alice
            again hold alice
              = 1 again, Running
            started 1
              tell: operation 1 Completed
              tell: roster 4: bot, alice Inactive, bob
            again hold alice
              refused: AlreadyOnHold
        "#]],
    );
}

#[test]
fn a_stop_that_is_asked_for_again_is_the_same_stop() {
    check(
        "group alice bob\nhold alice\n---\nunhold alice\nagain unhold alice\nloaded 1\nstarted 1\nagain unhold alice",
        expect![[r#"
            unhold alice
              = 2 Running
            again unhold alice
              = 2 again, Running
            loaded 1
              play 1 to alice
            started 1
              tell: operation 1 Completed
              tell: roster 4: bot, alice Inactive, bob
              alice hears Conversation, is heard
              stop music of alice
            again unhold alice
              = 2 again, Running
        "#]],
    );
}

#[test]
fn an_invitation_that_is_sent_again_calls_nobody_twice() {
    check(
        "group alice bob\ninvite carol dave\n---\nagain invite carol dave\nagain invite carol\ncarol answers",
        expect![[r#"
            again invite carol dave
              = 1 again, Running
            again invite carol
              refused: carol is in the call
            carol answers
        "#]],
    );
}

#[test]
fn only_the_same_is_a_repetition() {
    check(
        "group alice bob\nhold alice\n---\nhold alice\nagain hold bob\nagain unhold alice",
        expect![[r#"
            hold alice
              refused: AlreadyOnHold
            again hold bob
              refused: alice is on hold
            again unhold alice
              = 4 Running
        "#]],
    );
}

#[test]
fn what_was_refused_or_has_failed_is_judged_anew() {
    check(
        "group alice bob\nhold alice\n---\nhold bob\nbroken 1\nagain hold bob\nbroken 3\nagain hold bob",
        expect![[r#"
            hold bob
              refused: alice is on hold
            broken 1
              alice hears Conversation, is heard
              drop music of alice
              tell: operation 1 Failed, 400/8536
            again hold bob
              = 3 Running
              bob hears HoldMusic, is not heard
              load built-in music for 3
            broken 3
              bob hears Conversation, is heard
              drop music of bob
              tell: operation 3 Failed, 400/8536
            again hold bob
              = 4 Running
              bob hears HoldMusic, is not heard
              load built-in music for 4
        "#]],
    );
}

#[test]
fn what_completes_at_once_is_done_again() {
    check(
        "group alice bob\n---\nmute alice\nagain mute alice",
        expect![[r#"
        mute alice
          = 1 Completed
          alice hears Conversation, is not heard
          tell: roster 4: bot, alice muted, bob
        again mute alice
          = 2 Completed
    "#]],
    );
}
