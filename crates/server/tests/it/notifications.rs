//! What a bot is told over the life of a call: everything, in order, once.

use std::collections::BTreeSet;

use crate::harness::{Bot, Conversation, Notice, Server, Trio};

#[test]
fn the_first_call_after_a_start_is_told_of_once_and_in_order() {
    let server = Server::start();
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    for _ in 0..3 {
        call.hold(&bob, None);
        call.unhold(&bob);
    }
    call.hang_up();
    call.expect_end();

    let notices = bot.notices();
    let different = notices.iter().map(|notice| &notice.message_id).collect::<BTreeSet<_>>().len();
    assert_eq!(different, notices.len(), "{:#?}", notices.iter().map(summary).collect::<Vec<_>>());
    let told: Vec<String> = notices.iter().map(summary).filter(|told| !told.starts_with("roster")).collect();
    let cycle = ["startHoldMusicOperation completed", "stopHoldMusicOperation completed"];
    // The second "established" says that there is sound.
    let beginning = ["call establishing", "call established", "call established"];
    let end = ["call terminating", "call terminated"];
    assert_eq!(told, [beginning.as_slice(), &cycle, &cycle, &cycle, &end].concat());
}

/// Says in a few words what a notification is about: `call established`, `stopHoldMusicOperation completed`, `roster of 3`.
fn summary(notice: &Notice) -> String {
    if let Some(roster) = notice.resource().as_array() {
        return format!("roster of {}", roster.len());
    }
    let name = |member: &str| notice.resource()[member].as_str().unwrap_or_default();
    let kind = name("@odata.type").trim_start_matches("#microsoft.graph.");
    match kind {
        "call" => format!("call {}", name("state")),
        operation => format!("{operation} {}", name("status")),
    }
}
