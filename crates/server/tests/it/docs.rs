//! The documents name what exists. That each route has its row in docs/compat.md is checked beside the routes, in
//! `graph`.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn links_lead_somewhere() {
    for document in documents() {
        let folder = document.parent().expect("a document is in a folder");
        for target in link_targets(&read(&document)) {
            assert!(folder.join(target).exists(), "{}: no such file: {target}", document.display());
        }
    }
}

#[test]
fn every_path_that_architecture_md_names_exists() {
    let text = read(&root().join("ARCHITECTURE.md"));
    let paths = code_spans(&text).filter(|span| is_path(span)).collect::<Vec<_>>();
    assert!(paths.len() > 20, "only {paths:?}");
    for path in paths {
        // `call/src/layers.rs` is short for crates/call/src/layers.rs.
        let exists = root().join(path).exists() || root().join("crates").join(path).exists();
        assert!(exists, "ARCHITECTURE.md: no such file: {path}");
    }
}

#[test]
fn architecture_md_names_every_crate() {
    let text = read(&root().join("ARCHITECTURE.md"));
    for entry in fs::read_dir(root().join("crates")).expect("the crates are in crates/") {
        let name = entry.expect("crates/ can be read").file_name().to_string_lossy().into_owned();
        assert!(text.contains(&format!("`{name}`")), "ARCHITECTURE.md does not name the crate `{name}`");
    }
}

/// Every document for people: those in the root and in docs/.
fn documents() -> Vec<PathBuf> {
    let mut documents = Vec::new();
    for folder in [root(), root().join("docs")] {
        let entries = fs::read_dir(&folder).expect("the root and docs/ are there");
        let paths = entries.map(|entry| entry.expect("a folder can be read").path());
        documents.extend(paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    documents
}

/// The targets of `[text](target)` that are files of ours, without the part after `#`.
fn link_targets(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.filter_map(|target| target.split(['#', ' ']).next())
}

/// What stands between backticks, fenced blocks left out.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    let outside_fences = text.split("```").step_by(2);
    outside_fences.flat_map(|part| part.split('`').skip(1).step_by(2))
}

/// Whether a code span is a path of this repository: `call/src/layers.rs`, `crates/`, `docs/compat.md`.
fn is_path(span: &str) -> bool {
    let file = [".rs", ".toml", ".md", ".sql", "/"].iter().any(|end| span.ends_with(end));
    file && span.contains('/') && !span.starts_with('/') && !span.contains([' ', '{'])
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
