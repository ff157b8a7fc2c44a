//! Stories about operations that could not be stored.

use crate::story::check;
use expect_test::expect;

#[test]
fn a_start_that_was_not_stored_puts_the_participant_back() {
    check(
        "group alice bob\nhold alice\n---\nunrecorded 1\nloaded 1",
        expect![[r#"
        unrecorded 1
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 503/9001
        loaded 1
    "#]],
    );
    check(
        "group alice bob\nhold alice\nloaded 1\n---\nunrecorded 1\nstarted 1",
        expect![[r#"
        unrecorded 1
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 503/9001
        started 1
    "#]],
    );
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\n---\nunrecorded 1",
        expect![[r#"
        unrecorded 1
          alice hears Conversation, is heard
          drop music of alice
          tell: roster 5: bot, alice, bob
    "#]],
    );
}

#[test]
fn a_stop_that_was_not_stored_leaves_the_hold_as_it_was() {
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\nunhold alice\n---\nunrecorded 2\nwait 3",
        expect![[r#"
        unrecorded 2
          alice hears HoldMusic, is not heard
          play 1 to alice
          tell: operation 2 Failed, 503/9001
        wait 3
    "#]],
    );
    check(
        "group alice bob\nhold alice\nunhold alice\n---\nunrecorded 2\nloaded 1\nstarted 1",
        expect![[r#"
        unrecorded 2
          tell: operation 2 Failed, 503/9001
        loaded 1
          play 1 to alice
        started 1
          tell: operation 1 Completed
          tell: roster 4: bot, alice Inactive, bob
    "#]],
    );
}

#[test]
fn an_invitation_that_was_not_stored_calls_nobody() {
    check(
        "group alice\ninvite bob\n---\nunrecorded 2\nunrecorded 1",
        expect![[r#"
        unrecorded 2
        unrecorded 1
          tell: operation 1 Failed, 503/9001
          hang up bob: CallEnded
    "#]],
    );
}
