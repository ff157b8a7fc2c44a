//! Stories about calls from their request to their end.

use crate::story::{check, check_with};
use call::{Peer, Policy};
use expect_test::expect;

#[test]
fn a_group_is_established_at_once_and_people_join_it() {
    check(
        "ringing group alice bob\nalice answers\nbob answers",
        expect![[r#"
        ringing group alice bob
          tell: call Updated, Establishing
          tell: call Updated, Established
          tell: roster 1: bot
          tell: call Updated, Established, audio active
          dial alice
          dial bob
        alice answers
          alice hears Conversation, is heard
          tell: roster 2: bot, alice
        bob answers
          bob hears Conversation, is heard
          tell: roster 3: bot, alice, bob
    "#]],
    );
}

#[test]
fn a_peer_to_peer_call_is_established_by_the_answer() {
    check(
        "peer alice\nalice answers\nalice leaves",
        expect![[r#"
        peer alice
          tell: call Updated, Establishing
          dial alice
        alice answers
          alice hears Conversation, is heard
          tell: call Updated, Established
          tell: call Updated, Established, audio active
        alice leaves
          tell: call Deleted, Terminated, 200/4521
          close
    "#]],
    );
    let policy = Policy { peer: Peer::Participant, ..Policy::default() };
    check_with(
        policy,
        "peer alice\nalice answers\nhang up",
        expect![[r#"
        peer alice
          tell: call Updated, Establishing
          dial alice
        alice answers
          alice hears Conversation, is heard
          tell: call Updated, Established
          tell: roster 1: bot, alice
          tell: call Updated, Established, audio active
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
fn a_callee_that_cannot_be_reached_ends_the_call_with_the_reason() {
    check(
        "peer alice\n---\nalice is busy",
        expect![[r#"
        alice is busy
          tell: call Deleted, Terminated, 486/8539
          close
    "#]],
    );
    check(
        "peer alice\n---\nalice has no phone",
        expect![[r#"
        alice has no phone
          tell: call Deleted, Terminated, 480/10037
          close
    "#]],
    );
    check(
        "peer alice\n---\nwait 75",
        expect![[r#"
        wait 75
          hang up alice: NoAnswer
          tell: call Deleted, Terminated, 408/10057
          close
    "#]],
    );
    check(
        "ringing group alice bob\n---\nalice is busy\nbob is busy",
        expect![[r#"
        alice is busy
        bob is busy
          tell: call Deleted, Terminated, 200/5013
          close
    "#]],
    );
}

#[test]
fn a_group_goes_on_without_its_bot() {
    check(
        "group alice bob\n---\nhang up\nhang up\nalice leaves",
        expect![[r#"
        hang up
          = done
          tell: call Updated, Terminating
          tell: call Deleted, Terminated, 200/7000
        hang up
          refused: CallNotFound
        alice leaves
          hang up bob: CallEnded
          close
    "#]],
    );
}

#[test]
fn when_all_people_have_left_the_call_ends() {
    check(
        "group alice bob\n---\nalice leaves\nbob leaves",
        expect![[r#"
        alice leaves
          tell: roster 4: bot, bob
        bob leaves
          tell: roster 5: bot
          tell: call Deleted, Terminated, 200/5002
          close
    "#]],
    );
}

#[test]
fn a_call_that_is_not_kept_alive_ends() {
    check(
        "group alice bob\n---\nwait 2699\nkeep alive\nwait 2699\nwait 1",
        expect![[r#"
        wait 2699
        keep alive
          = done
        wait 2699
        wait 1
          tell: call Deleted, Terminated, 408/8537
    "#]],
    );
}

#[test]
fn somebody_is_removed() {
    check(
        "group alice bob\n---\nremove alice\nremove alice\nremove bot",
        expect![[r#"
        remove alice
          = done
          hang up alice: Removed
          tell: roster 4: bot, bob
        remove alice
          refused: ParticipantNotFound
        remove bot
          refused: ParticipantIsApplication
    "#]],
    );
    check(
        "ringing group alice bob\n---\nremove alice",
        expect![[r#"
        remove alice
          refused: ParticipantNotFound
    "#]],
    );
}

#[test]
fn hanging_up_while_it_rings_stops_the_ringing() {
    check(
        "peer alice\n---\nhang up\nalice answers",
        expect![[r#"
        hang up
          = done
          tell: call Updated, Terminating
          tell: call Deleted, Terminated, 200/7000
          hang up alice: CallEnded
          close
        alice answers
    "#]],
    );
    check(
        "ringing group alice bob\nalice answers\n---\nhang up\nbob answers",
        expect![[r#"
        hang up
          = done
          tell: call Updated, Terminating
          tell: call Deleted, Terminated, 200/7000
          hang up bob: CallEnded
          hang up alice: CallEnded
          close
        bob answers
    "#]],
    );
}
