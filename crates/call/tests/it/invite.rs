//! Stories about `participants/invite`.

use crate::story::check;
use expect_test::expect;

#[test]
fn an_invitation_ends_when_everybody_has_answered_or_not() {
    check(
        "group alice\n---\ninvite bob carol\nbob answers\ncarol is busy",
        expect![[r#"
        invite bob carol
          = 1 Running
          dial bob
          dial carol
        bob answers
          bob hears Conversation, is heard
          tell: roster 3: bot, alice, bob
        carol is busy
          tell: operation 1 Completed
    "#]],
    );
    check(
        "group alice\n---\ninvite bob\nbob is busy\ninvite bob\nwait 75",
        expect![[r#"
        invite bob
          = 1 Running
          dial bob
        bob is busy
          tell: operation 1 Failed, 486/8539
        invite bob
          = 2 Running
          dial bob
        wait 75
          hang up bob: NoAnswer
          tell: operation 2 Failed, 408/10057
    "#]],
    );
}

#[test]
fn nobody_is_invited_twice() {
    check(
        "group alice\n---\ninvite alice\ninvite bob bob\ninvite bob\ninvite bob",
        expect![[r#"
        invite alice
          refused: alice is in the call
        invite bob bob
          refused: bob is in the call
        invite bob
          = 3 Running
          dial bob
        invite bob
          refused: bob is in the call
    "#]],
    );
}

#[test]
fn five_at_once() {
    check(
        "group alice\n---\ninvite a b c d e f",
        expect![[r#"
        invite a b c d e f
          refused: TooManyInvitees
    "#]],
    );
}

#[test]
fn a_second_person_makes_a_group_of_a_peer_to_peer_call() {
    check(
        "peer alice\nalice answers\n---\ninvite bob\nbob answers\nalice leaves",
        expect![[r#"
            invite bob
              = 1 Running
              dial bob
            bob answers
              bob hears Conversation, is heard
              tell: operation 1 Completed
              tell: roster 2: bot, alice, bob
            alice leaves
              tell: roster 3: bot, bob
        "#]],
    );
    check(
        "peer alice\nalice answers\n---\ninvite bob\nbob is busy\nalice leaves",
        expect![[r#"
            invite bob
              = 1 Running
              dial bob
            bob is busy
              tell: operation 1 Failed, 486/8539
            alice leaves
              tell: call Deleted, Terminated, 200/4521
              close
        "#]],
    );
}

#[test]
fn a_call_that_ends_no_longer_calls_its_invited() {
    check(
        "group alice bob\n---\ninvite carol\nhang up\ncarol answers",
        expect![[r#"
        invite carol
          = 1 Running
          dial carol
        hang up
          = done
          tell: call Updated, Terminating
          tell: operation 1 Failed, 400/8528
          hang up carol: CallEnded
          tell: call Deleted, Terminated, 200/7000
        carol answers
    "#]],
    );
}
