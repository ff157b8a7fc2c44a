//! Stories about calls that come in: answered, rejected, redirected, given up.

use crate::story::{check, check_with};
use call::{Peer, Policy};
use expect_test::expect;

#[test]
fn an_answered_call_is_established_when_the_caller_has_confirmed() {
    let policy = Policy { peer: Peer::Participant, ..Policy::default() };
    check_with(
        policy,
        "incoming alice\nanswer\nalice answers\nhold alice\nalice leaves",
        expect![[r#"
        incoming alice
          tell: call Created, Incoming from alice
        answer
          = done
          tell: call Updated, Establishing
          answer alice
        alice answers
          alice hears Conversation, is heard
          tell: call Updated, Established
          tell: roster 1: bot, alice
          tell: call Updated, Established, audio active
        hold alice
          = 1 Running
          alice hears HoldMusic, is not heard
          load built-in music for 1
        alice leaves
          drop music of alice
          tell: operation 1 Failed, 400/8558
          tell: call Deleted, Terminated, 200/4521
          close
    "#]],
    );
}

#[test]
fn a_rejected_call_ends_and_the_caller_is_told_why() {
    check(
        "incoming alice\n---\nreject busy\nanswer",
        expect![[r#"
        reject busy
          = done
          hang up alice: Rejected(Busy)
          tell: call Deleted, Terminated, 200/7000
          close
        answer
          refused: CallNotFound
    "#]],
    );
    check(
        "incoming alice\n---\nreject",
        expect![[r#"
        reject
          = done
          hang up alice: Rejected(None)
          tell: call Deleted, Terminated, 200/7000
          close
    "#]],
    );
}

#[test]
fn an_application_that_does_not_decide_in_time_loses_the_call() {
    check(
        "incoming alice\n---\nwait 14\nwait 1\nanswer",
        expect![[r#"
        wait 14
        wait 1
          hang up alice: Undecided
          tell: call Deleted, Terminated, 480/8587
          close
        answer
          refused: CallNotFound
    "#]],
    );
}

#[test]
fn a_caller_may_give_up_at_any_time() {
    check(
        "incoming alice\n---\nalice gives up\nanswer",
        expect![[r#"
        alice gives up
          tell: call Deleted, Terminated, 487/8542
          close
        answer
          refused: CallNotFound
    "#]],
    );
    check(
        "incoming alice\nanswer\n---\nalice does not confirm",
        expect![[r#"
        alice does not confirm
          tell: call Deleted, Terminated, 408/1106
          close
    "#]],
    );
    check(
        "incoming alice\nredirect 20 bob\n---\nalice gives up\nbob answers",
        expect![[r#"
        alice gives up
          tell: call Deleted, Terminated, 487/8542
          hang up bob: CallEnded
          close
        bob answers
    "#]],
    );
}

#[test]
fn a_decision_is_final() {
    check(
        "incoming alice\nanswer\n---\nanswer\nreject\nredirect 20 bob\nalice answers\nanswer",
        expect![[r#"
        answer
          refused: CallNotIncoming
        reject
          refused: CallNotIncoming
        redirect 20 bob
          refused: CallNotIncoming
        alice answers
          alice hears Conversation, is heard
          tell: call Updated, Established
          tell: call Updated, Established, audio active
        answer
          refused: CallNotIncoming
    "#]],
    );
    check(
        "group alice\n---\nanswer\nreject",
        expect![[r#"
        answer
          refused: CallNotIncoming
        reject
          refused: CallNotIncoming
    "#]],
    );
}

#[test]
fn an_undecided_call_can_be_hung_up_and_nothing_else() {
    check(
        "incoming alice\n---\nhold alice\nmute alice\ninvite bob\nkeep alive\nhang up",
        expect![[r#"
        hold alice
          refused: CallNotEstablished
        mute alice
          refused: CallNotEstablished
        invite bob
          refused: CallNotEstablished
        keep alive
          = done
        hang up
          = done
          tell: call Updated, Terminating
          tell: call Deleted, Terminated, 200/7000
          hang up alice: CallEnded
          close
    "#]],
    );
}

#[test]
fn the_first_to_answer_gets_a_redirected_call_and_the_application_leaves_it() {
    check(
        "incoming alice\n---\nredirect 20 bob carol\ncarol answers\nalice answers\nbob answers\nalice leaves",
        expect![[r#"
            redirect 20 bob carol
              = done
              tell: call Updated, Redirecting
              dial bob for 20 s
              dial carol for 20 s
            carol answers
              carol hears Conversation, is heard
              hang up bob: CallEnded
              answer alice
            alice answers
              alice hears Conversation, is heard
              tell: call Deleted, Terminated, 200/0
            bob answers
            alice leaves
              hang up carol: CallEnded
              close
        "#]],
    );
}

#[test]
fn a_redirected_call_that_nobody_takes_ends_with_the_reason() {
    check(
        "incoming alice\n---\nredirect 20 bob carol\nbob is busy\ncarol is busy",
        expect![[r#"
        redirect 20 bob carol
          = done
          tell: call Updated, Redirecting
          dial bob for 20 s
          dial carol for 20 s
        bob is busy
        carol is busy
          hang up alice: NotRedirected(Busy)
          tell: call Deleted, Terminated, 486/8539
          close
    "#]],
    );
    check(
        "incoming alice\n---\nredirect 20 bob carol\nbob is busy\nwait 19\nwait 1",
        expect![[r#"
        redirect 20 bob carol
          = done
          tell: call Updated, Redirecting
          dial bob for 20 s
          dial carol for 20 s
        bob is busy
        wait 19
        wait 1
          hang up carol: NoAnswer
          hang up alice: NotRedirected(NoAnswer)
          tell: call Deleted, Terminated, 408/10057
          close
    "#]],
    );
}

#[test]
fn who_has_taken_a_redirected_call_may_leave_before_the_caller_is_there() {
    check(
        "incoming alice\nredirect 20 bob\nbob answers\n---\nbob leaves\nalice answers",
        expect![[r#"
        bob leaves
          tell: call Deleted, Terminated, 200/4521
          hang up alice: CallEnded
          close
        alice answers
    "#]],
    );
}

#[test]
fn a_call_is_not_redirected_to_its_caller() {
    check(
        "incoming alice\n---\nredirect 20 alice\nredirect 20 bob bob\nanswer",
        expect![[r#"
        redirect 20 alice
          refused: alice is in the call
        redirect 20 bob bob
          refused: bob is in the call
        answer
          = done
          tell: call Updated, Establishing
          answer alice
    "#]],
    );
}
