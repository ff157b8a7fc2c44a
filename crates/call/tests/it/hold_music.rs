//! Stories about `startHoldMusic` and `stopHoldMusic`.

use crate::story::{check, check_with};
use call::{Holds, OnPromptFailure, Peer, Policy};
use expect_test::expect;

#[test]
fn a_hold_from_request_to_end() {
    check(
        "group alice bob\n---\nhold alice\nloaded 1\nstarted 1\nunhold alice\nstopped 2",
        expect![[r#"
        hold alice
          = 1 Running
          alice hears HoldMusic, is not heard
          load built-in music for 1
        loaded 1
          play 1 to alice
        started 1
          tell: operation 1 Completed
          tell: roster 4: bot, alice Inactive, bob
        unhold alice
          = 2 Running
          alice hears Conversation, is heard
          stop music of alice
        stopped 2
          tell: operation 2 Completed
          tell: roster 5: bot, alice, bob
    "#]],
    );
}

#[test]
fn a_prompt_that_cannot_be_had_puts_the_participant_back() {
    check(
        "group alice bob\nhold alice http://x/a.wav\n---\nbroken 1\nloaded 1\nstarted 1",
        expect![[r#"
        broken 1
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 400/8536
        loaded 1
        started 1
    "#]],
    );
    check(
        "group alice bob\nhold alice http://x/a.wav\n---\nunreadable 1",
        expect![[r#"
        unreadable 1
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 400/8535
    "#]],
    );
}

#[test]
fn a_prompt_that_cannot_be_had_is_replaced_where_the_operator_says_so() {
    let policy = Policy { on_prompt_failure: OnPromptFailure::DefaultMusic, ..Policy::default() };
    check_with(
        policy,
        "group alice bob\nhold alice http://x/a.wav\n---\nbroken 1\nloaded 1\nstarted 1",
        expect![[r#"
        broken 1
          load built-in music for 1
        loaded 1
          play 1 to alice
        started 1
          tell: operation 1 Completed
          tell: roster 4: bot, alice Inactive, bob
    "#]],
    );
}

#[test]
fn even_the_built_in_music_may_fail() {
    let policy = Policy { on_prompt_failure: OnPromptFailure::DefaultMusic, ..Policy::default() };
    check_with(
        policy,
        "group alice bob\nhold alice http://x/a.wav\nbroken 1\n---\nbroken 1",
        expect![[r#"
        broken 1
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 400/8536
    "#]],
    );
}

#[test]
fn a_second_hold_is_refused_and_names_who_is_held() {
    check(
        "group alice bob\nhold alice\n---\nhold bob\nhold alice\nhold bot\nhold nobody",
        expect![[r#"
        hold bob
          refused: alice is on hold
        hold alice
          refused: AlreadyOnHold
        hold bot
          refused: ParticipantIsApplication
        hold nobody
          refused: ParticipantNotFound
    "#]],
    );
}

#[test]
fn several_holds_where_the_operator_says_so() {
    let policy = Policy { holds: Holds::Several, ..Policy::default() };
    check_with(
        policy,
        "group alice bob\nhold alice\n---\nhold bob\nhold alice",
        expect![[r#"
        hold bob
          = 2 Running
          bob hears HoldMusic, is not heard
          load built-in music for 2
        hold alice
          refused: AlreadyOnHold
    "#]],
    );
}

#[test]
fn a_stop_without_a_hold_is_refused() {
    check(
        "group alice bob\n---\nunhold alice\nunhold bot\nunhold nobody",
        expect![[r#"
        unhold alice
          refused: NotOnHold
        unhold bot
          refused: ParticipantIsApplication
        unhold nobody
          refused: ParticipantNotFound
    "#]],
    );
}

#[test]
fn a_stop_during_the_start_waits_for_it() {
    check(
        "group alice bob\nhold alice\n---\nunhold alice\nunhold alice\nloaded 1\nstarted 1\nstopped 2",
        expect![[r#"
            unhold alice
              = 2 Running
            unhold alice
              refused: HoldEnding
            loaded 1
              play 1 to alice
            started 1
              tell: operation 1 Completed
              tell: roster 4: bot, alice Inactive, bob
              alice hears Conversation, is heard
              stop music of alice
            stopped 2
              tell: operation 2 Completed
              tell: roster 5: bot, alice, bob
        "#]],
    );
    check(
        "group alice bob\nhold alice\nunhold alice\n---\nbroken 1",
        expect![[r#"
        broken 1
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 400/8536
          tell: operation 2 Completed
    "#]],
    );
}

#[test]
fn while_a_hold_ends_nothing_else_is_accepted_for_it() {
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\nunhold alice\n---\nunhold alice\nhold alice\nhold bob",
        expect![[r#"
            unhold alice
              refused: HoldEnding
            hold alice
              refused: AlreadyOnHold
            hold bob
              refused: alice is on hold
        "#]],
    );
}

#[test]
fn every_wait_has_an_end() {
    check(
        "group alice bob\nhold alice\n---\nwait 21\nwait 1\nloaded 1",
        expect![[r#"
        wait 21
        wait 1
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 400/8536
        loaded 1
    "#]],
    );
    check(
        "group alice bob\nhold alice\nloaded 1\n---\nwait 3\nstarted 1",
        expect![[r#"
        wait 3
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 500/8511
        started 1
    "#]],
    );
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\nunhold alice\n---\nwait 3\nstopped 2",
        expect![[r#"
        wait 3
          alice hears HoldMusic, is not heard
          play 1 to alice
          tell: operation 2 Failed, 500/9002
        stopped 2
    "#]],
    );
}

#[test]
fn the_phones_own_hold_never_opens_ours() {
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\n---\nalice holds\nalice resumes\nunhold alice\nstopped 2",
        expect![[r#"
            alice holds
              alice hears Nothing, is not heard
            alice resumes
              alice hears HoldMusic, is not heard
            unhold alice
              = 2 Running
              alice hears Conversation, is heard
              stop music of alice
            stopped 2
              tell: operation 2 Completed
              tell: roster 5: bot, alice, bob
        "#]],
    );
}

#[test]
fn our_stop_never_opens_the_phones_own_hold() {
    check(
        "group alice bob\nalice holds\nhold alice\nloaded 1\nstarted 1\n---\nunhold alice\nstopped 2\nalice resumes",
        expect![[r#"
            unhold alice
              = 2 Running
              stop music of alice
            stopped 2
              tell: operation 2 Completed
            alice resumes
              alice hears Conversation, is heard
              tell: roster 5: bot, alice, bob
        "#]],
    );
}

#[test]
fn a_held_one_who_leaves_frees_the_slot() {
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\n---\nalice leaves\nhold bob",
        expect![[r#"
        alice leaves
          drop music of alice
          tell: roster 5: bot, bob
        hold bob
          = 2 Running
          bob hears HoldMusic, is not heard
          load built-in music for 2
    "#]],
    );
    check(
        "group alice bob\nhold alice\nunhold alice\n---\nalice leaves",
        expect![[r#"
        alice leaves
          drop music of alice
          tell: operation 1 Failed, 400/8558
          tell: operation 2 Failed, 400/8558
          tell: roster 4: bot, bob
    "#]],
    );
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\nunhold alice\n---\nalice leaves",
        expect![[r#"
        alice leaves
          drop music of alice
          tell: operation 2 Failed, 400/8558
          tell: roster 5: bot, bob
    "#]],
    );
}

#[test]
fn a_call_that_ends_releases_whom_it_holds() {
    check(
        "group alice bob\nhold alice\nloaded 1\nstarted 1\n---\nhang up",
        expect![[r#"
        hang up
          = done
          tell: call Updated, Terminating
          alice hears Conversation, is heard
          drop music of alice
          tell: call Deleted, Terminated, 200/7000
    "#]],
    );
    check(
        "group alice bob\nhold alice\nunhold alice\n---\nhang up",
        expect![[r#"
        hang up
          = done
          tell: call Updated, Terminating
          tell: operation 2 Failed, 400/8528
          alice hears Conversation, is heard
          drop music of alice
          tell: operation 1 Failed, 400/8528
          tell: call Deleted, Terminated, 200/7000
    "#]],
    );
}

#[test]
fn the_peer_of_a_peer_to_peer_call_is_held_only_where_the_operator_says_so() {
    check(
        "peer alice\nalice answers\n---\nhold alice",
        expect![[r#"
        hold alice
          refused: ParticipantNotFound
    "#]],
    );
    let policy = Policy { peer: Peer::Participant, ..Policy::default() };
    check_with(
        policy,
        "peer alice\nalice answers\n---\nhold alice\nloaded 1\nstarted 1",
        expect![[r#"
        hold alice
          = 1 Running
          alice hears HoldMusic, is not heard
          load built-in music for 1
        loaded 1
          play 1 to alice
        started 1
          tell: operation 1 Completed
          tell: roster 2: bot, alice Inactive
    "#]],
    );
}

#[test]
fn nobody_is_held_before_the_call_is_established_or_the_person_has_answered() {
    check(
        "peer alice\n---\nhold alice",
        expect![[r#"
        hold alice
          refused: CallNotEstablished
    "#]],
    );
    check(
        "ringing group alice bob\nbob answers\n---\nhold alice",
        expect![[r#"
        hold alice
          refused: ParticipantNotFound
    "#]],
    );
}
