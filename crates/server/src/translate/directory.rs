//! The tenant, its applications and what they prove themselves by.

use crate::config::{self, Profile, Settings};
use anyhow::{Context, bail};
use graph::{App, AppId, ClientKey, Credentials, Directory, Role, SecretHash, TenantId};
use std::path::Path;
use std::{env, fs};

pub(super) fn directory(settings: &Settings) -> anyhow::Result<Directory> {
    let tenant = settings.tenant.id.parse().context("tenant.id must be a GUID")?;
    let app = |given: &config::App| app(given, settings.profile).with_context(|| format!("apps: {}", given.id));
    Ok(Directory { tenant: TenantId(tenant), apps: settings.apps.iter().map(app).collect::<anyhow::Result<_>>()? })
}

fn app(app: &config::App, profile: Profile) -> anyhow::Result<App> {
    let role = |name: &String| name.parse::<Role>().with_context(|| format!("role {name:?}"));
    let credentials = credentials(app, profile)?;
    if credentials.secrets.is_empty() && credentials.keys.is_empty() {
        bail!("it has no credential: set secret_hash, secret_file, secret_env or certificates");
    }
    Ok(App {
        id: AppId(app.id.parse().context("id must be a GUID")?),
        credentials,
        roles: app.roles.iter().map(role).collect::<anyhow::Result<_>>()?,
    })
}

fn credentials(app: &config::App, profile: Profile) -> anyhow::Result<Credentials> {
    let mut secrets = Vec::new();
    if !app.secret.is_empty() {
        if profile == Profile::Production {
            bail!("a secret in clear is for the dev profile only; use secret_hash, secret_file or secret_env");
        }
        secrets.push(SecretHash::of(&app.secret));
    }
    if !app.secret_hash.is_empty() {
        secrets.push(SecretHash::from_phc(&app.secret_hash).context("secret_hash")?);
    }
    if !app.secret_file.is_empty() {
        secrets.push(SecretHash::of(&secret_of_file(Path::new(&app.secret_file))?));
    }
    if !app.secret_env.is_empty() {
        let secret =
            env::var(&app.secret_env).with_context(|| format!("secret_env: the variable {}", app.secret_env))?;
        secrets.push(SecretHash::of(not_empty(&secret).context("secret_env")?));
    }
    let keys = app.certificates.iter().map(|path| client_key(path)).collect::<anyhow::Result<_>>()?;
    Ok(Credentials { secrets, keys })
}

/// Editors and `echo` end a file with a line break; it does not belong to the secret.
fn secret_of_file(path: &Path) -> anyhow::Result<String> {
    let named = || format!("secret_file: {}", path.display());
    let text = fs::read_to_string(path).with_context(named)?;
    Ok(not_empty(text.trim_end_matches(['\r', '\n'])).with_context(named)?.to_owned())
}

/// An empty secret would let everybody in who sends none.
fn not_empty(secret: &str) -> anyhow::Result<&str> {
    if secret.is_empty() { bail!("the secret is empty") } else { Ok(secret) }
}

fn client_key(path: &Path) -> anyhow::Result<ClientKey> {
    let named = || format!("certificates: {}", path.display());
    ClientKey::from_pem(&fs::read_to_string(path).with_context(named)?).with_context(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn bot() -> config::App {
        config::App {
            id: "22222222-2222-4222-8222-222222222222".to_owned(),
            name: "Bot".to_owned(),
            secret: String::new(),
            secret_hash: String::new(),
            secret_file: String::new(),
            secret_env: String::new(),
            certificates: Vec::new(),
            roles: vec!["Calls.Initiate.All".to_owned()],
        }
    }

    #[track_caller]
    fn check_refused(given: &config::App, profile: Profile, reason: &str) {
        let error = app(given, profile).expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn a_secret_in_clear_is_for_the_dev_profile_only() {
        let given = config::App { secret: "in clear".to_owned(), ..bot() };
        assert_eq!(app(&given, Profile::Dev).expect("an app").credentials.secrets.len(), 1);
        check_refused(&given, Profile::Production, "secret_hash, secret_file or secret_env");
    }

    #[test]
    fn a_secret_comes_from_a_hash_or_a_file() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        writeln!(file, "from a file").expect("written");
        let given = config::App {
            secret_hash: SecretHash::to_phc("hashed").expect("a hash"),
            secret_file: file.path().display().to_string(),
            ..bot()
        };
        assert_eq!(app(&given, Profile::Production).expect("an app").credentials.secrets.len(), 2);
        assert_eq!(secret_of_file(file.path()).expect("a secret"), "from a file");
    }

    #[test]
    fn what_is_no_credential_is_named() {
        check_refused(&bot(), Profile::Dev, "no credential");
        check_refused(
            &config::App { secret_hash: "abc".to_owned(), ..bot() },
            Profile::Production,
            "secret_hash: must be",
        );
        let given = config::App { secret_env: "FERMATA_TEST_NO_SUCH_VARIABLE".to_owned(), ..bot() };
        check_refused(&given, Profile::Production, "FERMATA_TEST_NO_SUCH_VARIABLE");
        let given = config::App { certificates: vec!["/no/such.pem".into()], ..bot() };
        check_refused(&given, Profile::Production, "/no/such.pem");
        let empty = tempfile::NamedTempFile::new().expect("a file");
        let given = config::App { secret_file: empty.path().display().to_string(), ..bot() };
        check_refused(&given, Profile::Production, "the secret is empty");
    }
}
