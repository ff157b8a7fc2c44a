//! Stories about phones that hand their place on: REFER and `Replaces`.

use crate::story::{check, check_with};
use call::{Peer, Policy};
use expect_test::expect;

#[test]
fn a_phone_refers_to_somebody_who_takes_its_place() {
    check(
        "group alice bob\n---\nalice refers to carol\ncarol answers",
        expect![[r#"
        alice refers to carol
          tell alice: Accepted
          dial carol
        carol answers
          carol hears Conversation, is heard
          tell alice: Succeeded
          hang up alice: Replaced
          tell: roster 4: bot, bob, carol
    "#]],
    );
    check(
        "peer alice\nalice answers\n---\nalice refers to carol\ncarol answers\ncarol leaves",
        expect![[r#"
        alice refers to carol
          tell alice: Accepted
          dial carol
        carol answers
          carol hears Conversation, is heard
          tell alice: Succeeded
          hang up alice: Replaced
        carol leaves
          tell: call Deleted, Terminated, 200/4521
          close
    "#]],
    );
}

#[test]
fn a_target_that_does_not_answer_changes_nothing() {
    check(
        "group alice bob\n---\nalice refers to carol\ncarol is busy\nalice refers to dave",
        expect![[r#"
        alice refers to carol
          tell alice: Accepted
          dial carol
        carol is busy
          tell alice: Failed(Busy)
        alice refers to dave
          tell alice: Accepted
          dial dave
    "#]],
    );
}

#[test]
fn a_phone_that_hangs_up_at_once_is_waited_for() {
    check(
        "peer alice\nalice answers\n---\nalice refers to carol\nalice leaves\ncarol answers\ncarol leaves",
        expect![[r#"
            alice refers to carol
              tell alice: Accepted
              dial carol
            alice leaves
            carol answers
              carol hears Conversation, is heard
            carol leaves
              tell: call Deleted, Terminated, 200/4521
              close
        "#]],
    );
    check(
        "peer alice\nalice answers\n---\nalice refers to carol\nalice leaves\ncarol is busy",
        expect![[r#"
        alice refers to carol
          tell alice: Accepted
          dial carol
        alice leaves
        carol is busy
          tell: call Deleted, Terminated, 200/5002
          close
    "#]],
    );
}

#[test]
fn who_may_not_refer_is_told_so() {
    check(
        "group alice bob\n---\nalice refers to bob\nalice refers to carol\nalice refers to dave",
        expect![[r#"
            alice refers to bob
              tell alice: Refused
            alice refers to carol
              tell alice: Accepted
              dial carol
            alice refers to dave
              tell alice: Refused
        "#]],
    );
}

#[test]
fn nobody_takes_the_place_of_who_is_held() {
    check(
        "group alice bob\nhold alice\n---\nalice refers to carol\ncarol replaces alice",
        expect![[r#"
        alice refers to carol
          tell alice: Refused
        carol replaces alice
          hang up carol: NotReplaced
    "#]],
    );
    check(
        "group alice bob\nalice refers to carol\n---\nhold alice\ncarol answers",
        expect![[r#"
        hold alice
          = 1 Running
          hang up carol: NotReplaced
          tell alice: Failed(NoAnswer)
          alice hears HoldMusic, is not heard
          load built-in music for 1
        carol answers
    "#]],
    );
    check(
        "group alice bob\ncarol replaces alice\n---\nhold alice\ncarol answers",
        expect![[r#"
        hold alice
          = 1 Running
          hang up carol: NotReplaced
          alice hears HoldMusic, is not heard
          load built-in music for 1
        carol answers
    "#]],
    );
}

#[test]
fn who_calls_with_replaces_takes_the_place_when_it_has_confirmed() {
    check(
        "group alice bob\n---\ncarol replaces alice\ncarol answers\ncarol leaves",
        expect![[r#"
        carol replaces alice
          answer carol
        carol answers
          carol hears Conversation, is heard
          hang up alice: Replaced
          tell: roster 4: bot, bob, carol
        carol leaves
          tell: roster 5: bot, bob
    "#]],
    );
    check(
        "group alice bob\n---\ncarol replaces alice\ncarol does not confirm",
        expect![[r#"
        carol replaces alice
          answer carol
        carol does not confirm
    "#]],
    );
    let policy = Policy { peer: Peer::Participant, ..Policy::default() };
    check_with(
        policy,
        "peer alice\nalice answers\n---\ncarol replaces alice\ncarol answers",
        expect![[r#"
        carol replaces alice
          answer carol
        carol answers
          carol hears Conversation, is heard
          hang up alice: Replaced
          tell: roster 2: bot, carol
    "#]],
    );
}

#[test]
fn a_replacement_ends_with_what_it_was_for() {
    check(
        "group alice bob\nalice refers to carol\n---\nremove alice",
        expect![[r#"
        remove alice
          = done
          hang up carol: NotReplaced
          tell alice: Failed(NoAnswer)
          hang up alice: Removed
          tell: roster 4: bot, bob
    "#]],
    );
    check(
        "group alice bob\nalice refers to carol\n---\nhang up",
        expect![[r#"
        hang up
          = done
          tell: call Updated, Terminating
          tell: call Deleted, Terminated, 200/7000
          hang up carol: CallEnded
          tell alice: Failed(NoAnswer)
    "#]],
    );
    check(
        "group alice bob\nalice refers to carol\n---\nwait 75",
        expect![[r#"
        wait 75
          hang up carol: NoAnswer
          tell alice: Failed(NoAnswer)
    "#]],
    );
}
