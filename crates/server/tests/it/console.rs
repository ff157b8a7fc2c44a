//! The console: what is committed is what its source builds, it is small, and in a real browser it does what it says.

use std::time::Instant;

use crate::harness::{Bot, Conversation, Server, Trio, block_on, in_console, run, stage};

/// What a first visit loads, compressed, in bytes. On a slow mobile link that is about a second.
const FIRST_LOAD_MAX: usize = 200 * 1024;

#[test]
fn what_is_committed_is_what_its_source_builds() {
    run(in_console("npm").args(["run", "check"]));
}

#[test]
fn its_units_pass() {
    let written = run(in_console("npm").arg("test"));
    assert!(written.contains("\n# fail 0\n") && !written.contains("\n# pass 0\n"), "{written}");
}

#[test]
fn every_state_is_accessible_within_its_policy_and_without_errors() {
    let written = run(in_console("node").args(["--test", "test/looks.test.mjs"]));
    assert!(written.contains("\n# skipped 0\n"), "a test was left out:\n{written}");
}

#[test]
fn a_first_visit_loads_little() {
    let server = Server::start();
    let page = load(&server, "/");
    let paths = page.split('"').filter(|text| text.starts_with("/assets/"));
    let sizes: Vec<usize> = std::iter::once("/").chain(paths).map(|path| compressed_size(&server, path)).collect();
    assert!(sizes.len() > 3, "the page names a script, a style and an icon: {page}");
    assert!(sizes.iter().sum::<usize>() < FIRST_LOAD_MAX, "{sizes:?}");
}

#[test]
fn it_drives_a_full_hold_by_keyboard_alone() {
    let (server, _stage) = (Server::start(), stage());
    let (bot, phones) = (Bot::of(&server), Trio::start());
    let call = Conversation::of(&bot, &phones.uris());
    let bob = name_of(phones.bob.uri());
    call.participant(phones.bob.uri());
    press(&server, bob, "Hold", "Hold music");
    // What bob hears is the built-in music, whose harmonics lie among the tones of the others.
    phones.assert_bob_unheard(Instant::now());
    let others = format!("{} and {}", name_of(phones.alice.uri()), name_of(phones.carol.uri()));
    press(&server, bob, "Take off hold", &others);
    phones.assert_together(Instant::now());
}

/// Signs in with a browser, and presses a button of a participant; then the page says what the participant hears.
fn press(server: &Server, participant: &str, action: &str, hears: &str) {
    let mut node = in_console("node");
    node.args(["--test", "test/keyboard.test.mjs"]).env("FERMATA_URL", format!("http://{}", server.http()));
    node.env("FERMATA_PARTICIPANT", participant).env("FERMATA_ACTION", action).env("FERMATA_HEARS", hears);
    run(&mut node);
}

/// How the page calls who has no name: by the user part of the address.
fn name_of(uri: &str) -> &str {
    let address = uri.trim_start_matches("sip:");
    address.split_once('@').map_or(address, |(user, _)| user)
}

fn load(server: &Server, path: &str) -> String {
    let url = format!("http://{}{path}", server.http());
    block_on(async { reqwest::get(url).await.expect("an answer").text().await.expect("a whole answer") })
}

fn compressed_size(server: &Server, path: &str) -> usize {
    let url = format!("http://{}{path}", server.http());
    let request = reqwest::Client::new().get(url).header("accept-encoding", "gzip");
    block_on(async {
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        answer.bytes().await.expect("a whole answer").len()
    })
}
