//! Users of the directory are reached at the phones that they have registered.

use std::net::Ipv4Addr;
use std::time::Duration;

use phone::{Answer, Config, Observation, Phone, Register, State};
use serde_json::Value;

use crate::harness::{Bot, PATIENCE, Server, user_target};

/// A user of the `dev` profile.
const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

/// Long enough for another phone to ring meanwhile.
const PICKS_UP_AFTER: Duration = Duration::from_secs(1);

/// Switches a phone of a user's on and waits until the server knows it.
pub(crate) fn registered(server: &Server, user: &str, answer: Answer) -> Phone {
    let phone = registering(server, user, "fermata-dev", answer);
    phone.wait_until(PATIENCE, Observation::is_registered).expect("the password is right");
    phone
}

fn registering(server: &Server, user: &str, password: &str, answer: Answer) -> Phone {
    let register = Register { server: server.sip(), user: user.to_owned(), password: password.to_owned() };
    let config = Config { register: Some(register), answer, ..Config::new(user, Ipv4Addr::LOCALHOST.into()) };
    Phone::start(config).expect("there are sockets for a phone")
}

#[track_caller]
fn call_alice(bot: &Bot) -> String {
    let answer = bot.create_call(&[user_target(ALICE)]);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body["id"].as_str().expect("a call has an id").to_owned()
}

#[track_caller]
fn expect_state(bot: &Bot, call: &str, state: &str) -> Value {
    let notice = bot.expect(state, |notice| notice.resource()["id"] == call && notice.resource()["state"] == state);
    notice.resource().clone()
}

#[test]
fn a_registered_phone_rings_when_its_user_is_called() {
    let server = Server::start();
    let (bot, phone) = (Bot::of(&server), registered(&server, "alice", Answer::AtOnce));
    let call = call_alice(&bot);
    expect_state(&bot, &call, "established");
    phone.wait_for(State::Established, PATIENCE).expect("it has answered");
}

#[test]
fn all_phones_of_a_user_ring_and_the_first_to_answer_has_the_call() {
    let server = Server::start();
    let bot = Bot::of(&server);
    let (desk, pocket) =
        (registered(&server, "alice", Answer::Never), registered(&server, "alice", Answer::After(PICKS_UP_AFTER)));
    let call = call_alice(&bot);
    desk.wait_for(State::Ringing, PATIENCE).expect("the phone on the desk rings");
    pocket.wait_for(State::Established, PATIENCE).expect("the other one takes the call");
    desk.wait_for(State::Ended, PATIENCE).expect("the phone on the desk stops ringing");
    expect_state(&bot, &call, "established");
}

#[test]
fn a_user_without_a_phone_cannot_be_reached() {
    let server = Server::start();
    let bot = Bot::of(&server);
    let call = call_alice(&bot);
    let ended = expect_state(&bot, &call, "terminated");
    assert!(ended["resultInfo"]["message"].is_string(), "{ended}");
}

#[test]
fn a_wrong_password_does_not_register() {
    let server = Server::start();
    let phone = registering(&server, "alice", "fermata-prod", Answer::AtOnce);
    phone.wait_until(PATIENCE, |phone| phone.registration.is_some()).expect("the server answers");
    assert!(!phone.observe(Observation::is_registered));
}

#[test]
fn a_phone_that_has_gone_does_not_ring() {
    let server = Server::start();
    let bot = Bot::of(&server);
    let phone = registered(&server, "alice", Answer::AtOnce);
    phone.unregister();
    phone.wait_until(PATIENCE, |phone| !phone.is_registered()).expect("the server lets it go");
    expect_state(&bot, &call_alice(&bot), "terminated");
    assert_eq!(phone.state(), State::Idle);
}
