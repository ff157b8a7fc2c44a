//! The arrows between the crates, as ARCHITECTURE.md draws them. The tables here are the one statement of them; the
//! manifests and the lock file are held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// One crate: which of ours it may use, and which others. Crates for its tests only are free.
struct Promise {
    name: &'static str,
    ours: &'static [&'static str],
    foreign: Foreign,
}

enum Foreign {
    /// These and no more: the crate does no I/O, reads no clock and awaits nothing.
    Only(&'static [&'static str]),
    /// Whatever has no home elsewhere, see [`HOMES`].
    Free,
}

#[rustfmt::skip]
const PROMISES: [Promise; 7] = [
    Promise { name: "call",   ours: &[],                           foreign: Foreign::Only(&[]) },
    Promise { name: "media",  ours: &[],                           foreign: Foreign::Only(&["audio-codec", "opus-pure", "symphonia", "thiserror"]) },
    Promise { name: "edge",   ours: &["media"],                    foreign: Foreign::Only(&["aws-lc-rs", "base64", "dimpl", "hmac", "md-5", "sha2", "str0m", "subtle", "thiserror", "zeroize"]) },
    Promise { name: "engine", ours: &["call", "media", "edge"],    foreign: Foreign::Free },
    Promise { name: "graph",  ours: &["call", "engine"],           foreign: Foreign::Free },
    Promise { name: "phone",  ours: &["media", "edge"],            foreign: Foreign::Free },
    Promise { name: "server", ours: &["graph", "engine", "phone"], foreign: Foreign::Free },
];

/// Crates that are at home in some of ours and nowhere else.
#[rustfmt::skip]
const HOMES: &[(&str, &[&str])] = &[
    // Threads, sockets, clocks.
    ("hickory-resolver",            &["engine"]),
    ("mio",                         &["engine", "phone"]),
    ("tokio",                       &["engine", "graph", "server"]),
    ("rustix",                      &["engine", "server"]),
    ("thread-priority",             &["engine"]),
    // HTTP.
    // In `server` it is the web server of the small bot, which is told what happens and serves the music.
    ("axum",                        &["graph", "server"]),
    ("axum-server",                 &["graph"]),
    ("hyper",                       &["graph"]),
    ("http-body-util",              &["graph"]),
    ("tower",                       &["graph"]),
    ("tower-http",                  &["graph"]),
    ("http-body",                   &["graph"]),
    ("reqwest",                     &["engine", "graph", "server"]),
    // Wire types, tokens, database.
    ("serde",                       &["graph", "server"]),
    ("serde_json",                  &["graph", "server"]),
    ("serde_path_to_error",         &["graph"]),
    ("jsonwebtoken",                &["graph"]),
    ("rcgen",                       &["graph"]),
    ("sqlx",                        &["graph"]),
    // The program.
    ("anyhow",                      &["server"]),
    ("clap",                        &["server"]),
    ("config",                      &["server"]),
    ("indicatif",                   &["server"]),
    ("toml",                        &["server"]),
    ("tracing-subscriber",          &["server"]),
];

/// What a crate without I/O must not even reach through others, nor in its tests: sockets, executors, databases, TLS.
const IO: &[&str] = &["async-std", "axum", "hyper", "mio", "reqwest", "rustls", "smol", "socket2", "sqlx", "tokio"];

#[test]
fn every_crate_has_a_promise() {
    let promised = PROMISES.iter().map(|promise| promise.name.to_owned()).collect::<BTreeSet<_>>();
    let present = manifests().into_keys().collect::<BTreeSet<_>>();
    assert_eq!(present, promised);
}

#[test]
fn arrows_between_our_crates_point_down() {
    let ours = PROMISES.map(|promise| promise.name);
    for promise in &PROMISES {
        for dependency in dependencies(promise.name) {
            let allowed = !ours.contains(&dependency.as_str()) || promise.ours.contains(&dependency.as_str());
            assert!(allowed, "`{}` must not use `{dependency}`", promise.name);
        }
    }
}

#[test]
fn crates_without_io_use_only_what_is_named() {
    for promise in &PROMISES {
        let Foreign::Only(named) = promise.foreign else { continue };
        for dependency in dependencies(promise.name) {
            let allowed = [named, promise.ours].concat().contains(&dependency.as_str());
            assert!(allowed, "`{}` must not use `{dependency}`", promise.name);
        }
    }
}

#[test]
fn crates_without_io_reach_no_io_through_others() {
    let lock = locked_packages();
    for promise in &PROMISES {
        let Foreign::Only(_) = promise.foreign else { continue };
        let reached = reached_from(promise.name, &lock);
        let io = IO.iter().filter(|name| reached.contains(**name)).collect::<Vec<_>>();
        assert!(io.is_empty(), "`{}` reaches {io:?}", promise.name);
    }
}

#[test]
fn named_crates_stay_at_home() {
    for promise in &PROMISES {
        for dependency in dependencies(promise.name) {
            let Some((_, home)) = HOMES.iter().find(|(name, _)| *name == dependency) else { continue };
            assert!(home.contains(&promise.name), "`{}` must not use `{dependency}`: {home:?} may", promise.name);
        }
    }
}

/// What a crate is built from, tests left out.
fn dependencies(name: &str) -> Vec<String> {
    let manifest = &manifests()[name];
    let of_targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = of_targets.filter_map(Value::as_table).chain([manifest]);
    let sections = tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|section| table.get(section)));
    sections.flatten().filter_map(Value::as_table).flat_map(Table::keys).cloned().collect()
}

fn manifests() -> BTreeMap<String, Table> {
    let crates = fs::read_dir(root().join("crates")).expect("the crates are in crates/");
    let folders = crates.map(|entry| entry.expect("crates/ can be read").path());
    folders.map(|folder| (file_name(&folder), read_toml(&folder.join("Cargo.toml")))).collect()
}

/// Which packages each package in Cargo.lock uses, by name. Two versions of one package count as one.
fn locked_packages() -> BTreeMap<String, BTreeSet<String>> {
    let lock = read_toml(&root().join("Cargo.lock"));
    let mut packages = BTreeMap::<String, BTreeSet<String>>::new();
    for package in lock["package"].as_array().expect("a lock file lists packages") {
        let name = package["name"].as_str().expect("a package has a name");
        let uses = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let uses = uses.filter_map(Value::as_str).filter_map(|entry| entry.split(' ').next());
        packages.entry(name.to_owned()).or_default().extend(uses.map(str::to_owned));
    }
    packages
}

fn reached_from(name: &str, packages: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut to_visit = vec![name.to_owned()];
    while let Some(next) = to_visit.pop() {
        if reached.insert(next.clone()) {
            to_visit.extend(packages[&next].iter().cloned());
        }
    }
    reached
}

fn read_toml(path: &Path) -> Table {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("an entry of a folder has a name").to_string_lossy().into_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
