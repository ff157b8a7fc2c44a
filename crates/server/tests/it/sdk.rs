//! Microsoft's own SDKs, unmodified, against the whole program with real phones. What they do is in interop/.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{Server, Trio, npm, python, run};

/// The bot of the `dev` profile, which has a certificate, too, and an application that nobody allowed anything.
const APPLICATIONS: &str = r#"
[[apps]]
id = "22222222-2222-4222-8222-222222222222"
name = "Bot"
secret = "fermata-dev-secret"
certificates = ["CERTIFICATE"]
webhook_secret = "whsec_ZmVybWF0YS1kZXYtd2ViaG9vay1zZWNyZXQ="
roles = ["Calls.Initiate.All", "Calls.InitiateGroupCall.All", "Calls.JoinGroupCallAsGuest.All"]

[[apps]]
id = "44444444-4444-4444-8444-444444444444"
name = "Powerless"
secret = "powerless"
roles = []
"#;

#[test]
fn python_sdks_are_served_unmodified() {
    let stage = Stage::new();
    let written = run(stage.environment(python("python").args(["-W", "ignore", "-m", "unittest", "--verbose"])));
    assert!(written.contains("\nOK\n"), "a test was left out:\n{written}");
}

#[test]
fn javascript_sdks_are_served_unmodified() {
    let stage = Stage::new();
    let written = run(stage.environment(npm().arg("test")).env("NODE_EXTRA_CA_CERTS", stage.authority()));
    assert!(written.contains("\n# skipped 0\n"), "a test was left out:\n{written}");
}

#[test]
fn compat_md_names_the_versions_that_are_tried() {
    let compat = include_str!("../../../../docs/compat.md").replace('\n', " ");
    let python = include_str!("../../../../interop/python/requirements.txt");
    let python = ["msgraph-sdk", "azure-identity", "msal"].map(|name| (name, pinned(python, &format!("\n{name}=="))));
    let javascript = include_str!("../../../../interop/javascript/package.json");
    let javascript = ["@microsoft/microsoft-graph-client", "@azure/identity", "@azure/msal-node"]
        .map(|name| (name, pinned(javascript, &format!("\"{name}\": \""))));
    for (name, version) in python.into_iter().chain(javascript) {
        assert!(compat.contains(&format!("{name} {version} ")), "docs/compat.md does not name {name} {version}");
    }
}

/// Returns the version that follows the name of a package.
fn pinned<'a>(list: &'a str, name: &str) -> &'a str {
    let (_, rest) = list.split_once(name).unwrap_or_else(|| panic!("no {name:?}"));
    rest.split(['\n', '"']).next().unwrap_or_default()
}

/// A server whose bot has a certificate, and three phones that answer.
struct Stage {
    server: Server,
    phones: Trio,
    keys: TempDir,
}

impl Stage {
    fn new() -> Stage {
        let keys = tempfile::tempdir().expect("there is room for a folder");
        run(python("python").arg("make_certificate.py").arg(keys.path()));
        let certificate = keys.path().join("certificate.pem");
        let settings = APPLICATIONS.replace("CERTIFICATE", certificate.to_str().expect("our paths are UTF-8"));
        Stage { server: Server::start_with(&settings), phones: Trio::start(), keys }
    }

    fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("FERMATA_URL", format!("https://localhost:{}", self.server.https().port()))
            .env("FERMATA_CA", self.authority())
            .env("FERMATA_PHONES", self.phones.uris().join(" "))
            .env("FERMATA_POWERLESS", "44444444-4444-4444-8444-444444444444 powerless")
            .env("FERMATA_CERTIFICATE", self.keys.path().join("identity.pem"))
            .env("FERMATA_DATABASE", self.server.data().join("fermata.sqlite"))
    }

    fn authority(&self) -> PathBuf {
        self.server.data().join("ca.pem")
    }
}
