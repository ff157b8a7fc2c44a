//! The commands of README.md, as they stand there. Only addresses are put in the place of others.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use phone::{Answer, State};
use serde_json::Value;

use crate::harness::{Bot, Conversation, Operation, PATIENCE, Server};
use crate::registration::registered;

const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

#[test]
fn the_commands_get_a_token_call_two_people_and_hold_one() {
    let server = Server::start();
    let (alice, bob) = (registered(&server, "alice", Answer::AtOnce), registered(&server, "bob", Answer::AtOnce));
    let bot = Bot::of(&server);
    let here = |block: String| {
        let block = block.replace("http://127.0.0.1:8080", &format!("http://{}", server.http()));
        block.replace("http://127.0.0.1:9000/callback", bot.callback_uri())
    };
    let token = bash(&(here(block_with("TOKEN=")) + "\nprintf %s \"$TOKEN\""), &[]);
    let created = json(&bash(&here(block_with("/communications/calls -H")), &[("TOKEN", &token)]));
    let call = Conversation::of_created(&bot, &created);
    for phone in [&alice, &bob] {
        phone.wait_for(State::Established, PATIENCE).expect("both phones are called");
    }
    let (id, participant) = (call.id().to_owned(), call.participant(ALICE));
    let environment = [("TOKEN", token.as_str()), ("CALL", &id), ("PARTICIPANT", &participant)];
    let accepted = json(&bash(&here(block_with("/startHoldMusic")), &environment));
    assert_eq!(accepted["status"], "running", "{accepted}");
    let operation = accepted["id"].as_str().expect("an operation has an id").to_owned();
    let ended = call.expect_end_of(&Operation { id: operation, accepted: Instant::now() });
    assert_eq!(ended.resource()["status"], "completed");
}

#[test]
fn every_command_of_the_program_exists() {
    let commands: Vec<String> = blocks().iter().filter_map(|block| subcommand(block)).collect();
    assert!(commands.len() >= 3, "{commands:?}");
    for command in commands {
        let help = Command::new(env!("CARGO_BIN_EXE_fermata")).args([&command, "--help"]).output();
        assert!(help.is_ok_and(|help| help.status.success()), "there is no `fermata {command}`");
    }
}

#[test]
fn the_test_command_is_there() {
    block_with("./test");
    let found = Command::new("test").arg("-x").arg(root().join("test")).status();
    assert!(found.is_ok_and(|status| status.success()), "./test cannot be run");
}

/// What follows `cargo run --release --`.
fn subcommand(block: &str) -> Option<String> {
    let arguments = block.trim().strip_prefix("cargo run --release -- ")?;
    Some(arguments.split_whitespace().next()?.to_owned())
}

/// Returns the only block of commands with this text in it.
fn block_with(text: &str) -> String {
    let found: Vec<String> = blocks().into_iter().filter(|block| block.contains(text)).collect();
    assert_eq!(found.len(), 1, "blocks with {text:?} in README.md");
    found.concat()
}

fn blocks() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("there is a README.md");
    let fenced = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    fenced.map(str::to_owned).collect()
}

/// Runs commands and returns what they write.
fn bash(commands: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new("bash").args(["-ec", commands]).envs(environment.iter().copied()).output();
    let output = output.expect("bash is installed");
    assert!(output.status.success(), "{commands}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the server writes UTF-8")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text:?}"))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
