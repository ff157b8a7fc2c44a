//! The tenant, its applications and what they prove themselves by. Its people are in `users.rs`.

use super::{outgoing, secret, users};
use crate::config::{self, Profile, Settings};
use anyhow::{Context, bail};
use engine::outgoing::Rule;
use graph::{App, AppId, CallbackUri, ClientKey, Credentials, Directory, Role, SecretHash, TenantId, WebhookSecret};
use std::fs;
use std::path::Path;

pub(super) fn directory(settings: &Settings) -> anyhow::Result<Directory> {
    let tenant = settings.tenant.id.parse().context("tenant.id must be a GUID")?;
    let app = |given| reachable_app(given, settings).with_context(|| format!("apps: {}", given.id));
    let apps = settings.apps.iter().map(app).collect::<anyhow::Result<_>>()?;
    Ok(Directory { tenant: TenantId(tenant), apps, users: users::users(settings)? })
}

/// An application that nobody can be is a mistake.
fn reachable_app(given: &config::App, settings: &Settings) -> anyhow::Result<App> {
    let callback = callback(given, &outgoing::callbacks(settings)?)?;
    let app = App { callback, ..app(given, settings.profile)? };
    let mut foreign = settings.issuers.iter().flat_map(|issuer| &issuer.apps);
    let has_credential = !app.credentials.secrets.is_empty() || !app.credentials.keys.is_empty();
    if has_credential || foreign.any(|foreign| foreign.app.eq_ignore_ascii_case(&app.id.to_string())) {
        return Ok(app);
    }
    bail!("it has no credential: set secret_hash, secret_file, secret_env or certificates, or name it in issuers");
}

fn app(app: &config::App, profile: Profile) -> anyhow::Result<App> {
    let role = |name: &String| name.parse::<Role>().with_context(|| format!("role {name:?}"));
    let credentials = credentials(app, profile)?;
    Ok(App {
        id: AppId(app.id.parse().context("id must be a GUID")?),
        credentials,
        roles: app.roles.iter().map(role).collect::<anyhow::Result<_>>()?,
        webhook_secrets: webhook_secrets(app)?,
        callback: None,
    })
}

/// Who can be called must be told so.
fn callback(app: &config::App, callbacks: &Rule) -> anyhow::Result<Option<CallbackUri>> {
    match (app.addresses.is_empty(), app.callback_uri.as_str()) {
        (true, "") => Ok(None),
        (false, "") => bail!("it has addresses, and no callback_uri where it is told of calls"),
        (_, uri) => Ok(Some(CallbackUri::parse(uri, callbacks).context("callback_uri")?)),
    }
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
        secrets.push(SecretHash::of(&secret::of_file("secret_file", &app.secret_file)?));
    }
    if !app.secret_env.is_empty() {
        secrets.push(SecretHash::of(&secret::of_variable("secret_env", &app.secret_env)?));
    }
    let keys = app.certificates.iter().map(|path| client_key(path)).collect::<anyhow::Result<_>>()?;
    Ok(Credentials { secrets, keys })
}

/// These are needed as they are, in every profile: a signature cannot be made with a hash of the secret.
fn webhook_secrets(app: &config::App) -> anyhow::Result<Vec<WebhookSecret>> {
    const KEY: &str = "webhook_secret";
    let config::App { webhook_secret: clear, webhook_secret_file: file, webhook_secret_env: variable, .. } = app;
    if [clear, file, variable].iter().all(|text| text.is_empty()) {
        return Ok(Vec::new());
    }
    let secrets = secret::one_of(KEY, clear, file, variable)?;
    secrets.split_whitespace().map(|secret| secret.parse().context(KEY)).collect()
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
            addresses: Vec::new(),
            callback_uri: String::new(),
            roles: vec!["Calls.Initiate.All".to_owned()],
            webhook_secret: String::new(),
            webhook_secret_file: String::new(),
            webhook_secret_env: String::new(),
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
    }

    #[test]
    fn notifications_are_signed_with_every_webhook_secret() {
        let secrets = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_ZmVybWF0YS1kZXYtd2ViaG9vay1zZWNyZXQ=\n";
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        write!(file, "{secrets}").expect("written");
        let of_file = config::App { webhook_secret_file: file.path().display().to_string(), ..bot() };
        assert_eq!(app(&of_file, Profile::Production).expect("an app").webhook_secrets.len(), 2);
        assert!(app(&bot(), Profile::Production).expect("an app").webhook_secrets.is_empty());
        let both = config::App { webhook_secret: secrets.to_owned(), ..of_file };
        check_refused(&both, Profile::Production, "set one of webhook_secret");
        let short = config::App { webhook_secret: "whsec_c2hvcnQ=".to_owned(), ..bot() };
        check_refused(&short, Profile::Production, "webhook_secret: must be 24 to 64 bytes");
    }

    #[test]
    fn an_application_that_nobody_can_be_is_refused() {
        let mut settings = config::load(None).expect("the dev profile");
        settings.apps = vec![bot()];
        let error = directory(&settings).expect_err("it is refused");
        assert!(format!("{error:#}").contains("no credential"), "{error:#}");
    }

    #[test]
    fn who_can_be_called_is_told_so() {
        let called = config::App { addresses: vec!["bot".to_owned()], ..bot() };
        let error = callback(&called, &Rule::default()).expect_err("nobody could be told");
        assert!(format!("{error:#}").contains("no callback_uri"), "{error:#}");
        let told = config::App { callback_uri: "https://bot.example/api/calls".to_owned(), ..called };
        assert!(callback(&told, &Rule::default()).expect("a callback").is_some());
        let in_clear = config::App { callback_uri: "http://bot.example/api/calls".to_owned(), ..told };
        let error = callback(&in_clear, &Rule::default()).expect_err("it is not safe");
        assert!(format!("{error:#}").starts_with("callback_uri"), "{error:#}");
    }

    #[test]
    fn what_is_no_credential_is_named() {
        check_refused(
            &config::App { secret_hash: "abc".to_owned(), ..bot() },
            Profile::Production,
            "secret_hash: must be",
        );
        let given = config::App { secret_env: "FERMATA_TEST_NO_SUCH_VARIABLE".to_owned(), ..bot() };
        check_refused(&given, Profile::Production, "FERMATA_TEST_NO_SUCH_VARIABLE");
        let given = config::App { certificates: vec!["/no/such.pem".into()], ..bot() };
        check_refused(&given, Profile::Production, "/no/such.pem");
    }
}
