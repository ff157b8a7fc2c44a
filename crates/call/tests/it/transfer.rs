//! Stories about `transfer`.

use crate::story::{check, check_with};
use call::{Peer, Policy};
use expect_test::expect;

#[test]
fn a_transferred_call_goes_on_without_its_application() {
    check(
        "peer alice\nalice answers\n---\ntransfer bob\nbob answers\nhang up\nalice leaves",
        expect![[r#"
        transfer bob
          = done
          tell: call Updated, Transferring
          dial bob
        bob answers
          bob hears Conversation, is heard
          tell: call Updated, TransferAccepted
          tell: call Deleted, Terminated, 200/7015
        hang up
          refused: CallNotFound
        alice leaves
          hang up bob: CallEnded
          close
    "#]],
    );
    check(
        "incoming alice\nanswer\nalice answers\n---\ntransfer bob\nbob answers\nbob leaves",
        expect![[r#"
        transfer bob
          = done
          tell: call Updated, Transferring
          dial bob
        bob answers
          bob hears Conversation, is heard
          tell: call Updated, TransferAccepted
          tell: call Deleted, Terminated, 200/7015
        bob leaves
          hang up alice: CallEnded
          close
    "#]],
    );
}

#[test]
fn a_transfer_that_fails_leaves_the_call_as_it_was() {
    check(
        "peer alice\nalice answers\n---\ntransfer bob\nbob is busy\ntransfer carol\nwait 75\nalice leaves",
        expect![[r#"
            transfer bob
              = done
              tell: call Updated, Transferring
              dial bob
            bob is busy
              tell: call Updated, Established, audio active, 500/7000
            transfer carol
              = done
              tell: call Updated, Transferring
              dial carol
            wait 75
              hang up carol: NoAnswer
              tell: call Updated, Established, audio active, 500/7000
            alice leaves
              tell: call Deleted, Terminated, 200/4521
              close
        "#]],
    );
}

#[test]
fn a_held_transferee_is_opened_by_success_only() {
    let policy = Policy { peer: Peer::Participant, ..Policy::default() };
    let held = "peer alice\nalice answers\nhold alice\nloaded 1\nstarted 1\n---\n";
    check_with(
        policy,
        &format!("{held}transfer bob\nbob is busy\nunhold alice"),
        expect![[r#"
        transfer bob
          = done
          tell: call Updated, Transferring
          dial bob
        bob is busy
          tell: call Updated, Established, audio active, 500/7000
        unhold alice
          = 2 Running
          alice hears Conversation, is heard
          stop music of alice
    "#]],
    );
    check_with(
        policy,
        &format!("{held}transfer bob\nbob answers"),
        expect![[r#"
        transfer bob
          = done
          tell: call Updated, Transferring
          dial bob
        bob answers
          bob hears Conversation, is heard
          tell: call Updated, TransferAccepted
          alice hears Conversation, is heard
          drop music of alice
          tell: call Deleted, Terminated, 200/7015
    "#]],
    );
}

#[test]
fn who_leaves_during_a_transfer_ends_it() {
    check(
        "peer alice\nalice answers\n---\ntransfer bob\nalice leaves\nbob answers",
        expect![[r#"
        transfer bob
          = done
          tell: call Updated, Transferring
          dial bob
        alice leaves
          tell: call Deleted, Terminated, 200/4521
          hang up bob: CallEnded
          close
        bob answers
    "#]],
    );
    check(
        "peer alice\nalice answers\n---\ntransfer bob\nhang up\nbob answers",
        expect![[r#"
        transfer bob
          = done
          tell: call Updated, Transferring
          dial bob
        hang up
          = done
          tell: call Updated, Terminating
          tell: call Deleted, Terminated, 200/7000
          hang up alice: CallEnded
          hang up bob: CallEnded
          close
        bob answers
    "#]],
    );
}

#[test]
fn what_cannot_be_transferred() {
    check(
        "group alice\n---\ntransfer bob",
        expect![[r#"
        transfer bob
          refused: NotPeerToPeer
    "#]],
    );
    check(
        "peer alice\n---\ntransfer bob",
        expect![[r#"
        transfer bob
          refused: CallNotEstablished
    "#]],
    );
    check(
        "peer alice\nalice answers\n---\ntransfer alice\ntransfer bob\ntransfer carol",
        expect![[r#"
        transfer alice
          refused: alice is in the call
        transfer bob
          = done
          tell: call Updated, Transferring
          dial bob
        transfer carol
          refused: CallNotEstablished
    "#]],
    );
}

#[test]
fn who_was_asked_first_is_moved_here_from_its_own_call() {
    check(
        "peer alice\nalice answers\n---\ntransfer consulted bob\nbob arrives\nbob leaves",
        expect![[r#"
        transfer consulted bob
          = done
          tell: call Updated, Transferring
          fetch bob
        bob arrives
          bob hears Conversation, is heard
          tell: call Updated, TransferAccepted
          tell: call Deleted, Terminated, 200/7015
        bob leaves
          hang up alice: CallEnded
          close
    "#]],
    );
    check(
        "peer bob\nbob answers\n---\nrelease",
        expect![[r#"
        release
          = bob
          tell: call Deleted, Terminated, 200/7015
          close
    "#]],
    );
}

#[test]
fn who_is_not_released_does_not_come() {
    check(
        "peer alice\nalice answers\n---\ntransfer consulted bob\nbob is not released\ntransfer consulted bob\nwait 5",
        expect![[r#"
            transfer consulted bob
              = done
              tell: call Updated, Transferring
              fetch bob
            bob is not released
              tell: call Updated, Established, audio active, 500/7700
            transfer consulted bob
              = done
              tell: call Updated, Transferring
              fetch bob
            wait 5
              hang up bob: NoAnswer
              tell: call Updated, Established, audio active, 500/7700
        "#]],
    );
    check(
        "group alice bob\n---\nrelease",
        expect![[r#"
        release
          refused: NotPeerToPeer
    "#]],
    );
    check(
        "peer alice\n---\nrelease",
        expect![[r#"
        release
          refused: CallNotEstablished
    "#]],
    );
}

#[test]
fn who_is_released_is_off_hold() {
    let policy = Policy { peer: Peer::Participant, ..Policy::default() };
    check_with(
        policy,
        "peer bob\nbob answers\nhold bob\n---\nrelease",
        expect![[r#"
        release
          = bob
          drop music of bob
          tell: operation 1 Failed, 400/8558
          tell: call Deleted, Terminated, 200/7015
          close
    "#]],
    );
}
