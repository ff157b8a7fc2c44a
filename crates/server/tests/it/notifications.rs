//! What a bot is told over the life of a call: everything, in order, once.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use phone::{Answer, Config, Phone, State, Status};
use reqwest::Method;

use crate::harness::{Belief, Bot, Conversation, Notice, PATIENCE, Server, Trio, phone_target};

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
    assert!(Belief::of(&notices).is_over(call.id()));
    let told: Vec<String> = notices.iter().map(summary).filter(|told| !told.starts_with("roster")).collect();
    let cycle = ["startHoldMusicOperation completed", "stopHoldMusicOperation completed"];
    // The second "established" says that there is sound.
    let beginning = ["call establishing", "call established", "call established"];
    let end = ["call terminating", "call terminated"];
    assert_eq!(told, [beginning.as_slice(), &cycle, &cycle, &cycle, &end].concat());
}

#[test]
fn the_roster_shows_who_is_held_and_who_is_back() {
    let server = Server::start();
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = call.participant(phones.bob.uri());
    let expect_inactive = |expected: &[&str]| {
        bot.expect_in("a roster that shows who is held", |notices| {
            (Belief::of(notices).inactive(call.id()) == expected).then(|| notices.last())?
        });
    };
    let held = call.hold(&bob, None);
    expect_inactive(&[&bob]);
    assert_eq!(Belief::of(&bot.notices()).end_of(&held.id), Some("completed"));
    call.unhold(&bob);
    expect_inactive(&[]);
}

/// Is a phone that does something else than to talk.
fn start_phone(name: &str, answer: Answer) -> Phone {
    let config = Config { answer, ..Config::new(name, Ipv4Addr::LOCALHOST.into()) };
    Phone::start(config).expect("there are sockets for a phone")
}

/// Calls these phones, does something, and waits for the end. Returns what the bot was told of the call.
fn told_of_a_short_call(phones: &[&Phone], act: impl FnOnce(&Bot, &str)) -> Vec<String> {
    let server = Server::start();
    let bot = Bot::of(&server);
    let targets: Vec<_> = phones.iter().map(|phone| phone_target(phone.uri())).collect();
    let created = bot.create_call(&targets);
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.body["id"].as_str().expect("an id");
    act(&bot, id);
    bot.expect("the end of the call", |notice| {
        notice.value()["changeType"] == "deleted" && notice.resource()["id"] == id
    });
    let notices = bot.notices();
    assert!(Belief::of(&notices).is_over(id));
    let different = notices.iter().map(|notice| &notice.message_id).collect::<BTreeSet<_>>().len();
    assert_eq!(different, notices.len(), "nothing came twice");
    notices.iter().map(summary).filter(|told| !told.starts_with("roster")).collect()
}

#[test]
fn a_call_that_is_hung_up_before_anybody_answers_has_its_whole_story() {
    let phones = ["alice", "bob"].map(|name| start_phone(name, Answer::Never));
    let told = told_of_a_short_call(&[&phones[0], &phones[1]], |bot, id| {
        let answer = bot.ask(Method::DELETE, &format!("/v1.0/communications/calls/{id}"));
        assert_eq!(answer.status, 204, "{answer:?}");
    });
    assert_eq!(told.first().map(String::as_str), Some("call establishing"));
    assert_eq!(told[told.len() - 2..], ["call terminating", "call terminated"]);
}

#[test]
fn a_phone_that_answers_and_hangs_up_at_once_ends_its_call() {
    let phone = start_phone("alice", Answer::AtOnce);
    let told = told_of_a_short_call(&[&phone], |_, _| {
        phone.wait_for(State::Established, PATIENCE).expect("it answers");
        phone.hang_up();
    });
    assert_eq!(told.first().map(String::as_str), Some("call establishing"));
    assert_eq!(told.last().map(String::as_str), Some("call terminated"));
}

#[test]
fn a_call_that_everybody_rejects_ends_without_having_been_established() {
    for count in [1, 2] {
        let phones: Vec<Phone> =
            (0..count).map(|n| start_phone(&format!("phone-{n}"), Answer::Reject(Status::BUSY_HERE))).collect();
        let told = told_of_a_short_call(&phones.iter().collect::<Vec<_>>(), |_, _| {});
        assert_eq!(told.last().map(String::as_str), Some("call terminated"), "{told:?}");
    }
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
