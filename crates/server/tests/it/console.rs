//! The console: what is committed is what its source builds, it is small, and in a real browser it does what it says.

use crate::harness::{Server, block_on, in_console, run};

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
