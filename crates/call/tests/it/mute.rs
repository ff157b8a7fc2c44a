//! Stories about muting.

use crate::story::check;
use expect_test::expect;

#[test]
fn a_muted_participant_hears_and_is_not_heard() {
    check(
        "group alice bob\n---\nmute alice\nmute alice\nmute bot\nmute nobody",
        expect![[r#"
        mute alice
          = 1 Completed
          alice hears Conversation, is not heard
          tell: roster 4: bot, alice muted, bob
        mute alice
          = 2 Completed
        mute bot
          refused: ParticipantIsApplication
        mute nobody
          refused: ParticipantNotFound
    "#]],
    );
}

#[test]
fn mute_outlives_a_hold() {
    check(
        "group alice bob\nmute alice\nhold alice\nloaded 2\nstarted 2\n---\nunhold alice\nstopped 3",
        expect![[r#"
        unhold alice
          = 3 Running
          alice hears Conversation, is not heard
          stop music of alice
        stopped 3
          tell: operation 3 Completed
          tell: roster 6: bot, alice muted, bob
    "#]],
    );
}

#[test]
fn who_is_unmuted_is_heard_unless_it_is_held() {
    check(
        "group alice bob\nmute alice\nhold alice\n---\nunmute alice\nunmute alice",
        expect![[r#"
            unmute alice
              = 3 Completed
              tell: roster 5: bot, alice Inactive, bob
            unmute alice
              = 4 Completed
        "#]],
    );
}

#[test]
fn a_bot_mutes_itself() {
    check(
        "group alice bob\n---\nmute\nunmute",
        expect![[r#"
        mute
          = 1 Completed
          tell: roster 4: bot muted, alice, bob
        unmute
          = 2 Completed
          tell: roster 5: bot, alice, bob
    "#]],
    );
}

#[test]
fn only_in_groups() {
    check(
        "peer alice\nalice answers\n---\nmute alice\nmute",
        expect![[r#"
        mute alice
          refused: NotAGroupCall
        mute
          refused: NotAGroupCall
    "#]],
    );
}
