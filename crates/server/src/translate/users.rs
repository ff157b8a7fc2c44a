//! The people of the tenant, as whom they sign in, and what they may do at the console.

use crate::config::{self, Profile, Settings};
use anyhow::{Context, bail, ensure};
use graph::{SecretHash, User, UserId, UserRole};

pub(super) fn users(settings: &Settings) -> anyhow::Result<Vec<User>> {
    let user = |given: &config::User| user(given, settings.profile).with_context(|| format!("users: {}", given.name));
    settings.users.iter().map(user).collect()
}

fn user(user: &config::User, profile: Profile) -> anyhow::Result<User> {
    let role = |name: &String| name.parse::<UserRole>().with_context(|| format!("role {name:?}"));
    Ok(User {
        id: UserId(user.id.parse().context("id must be a GUID")?),
        name: user.name.clone(),
        display_name: user.display_name.clone(),
        password: password(user, profile)?,
        roles: user.roles.iter().map(role).collect::<anyhow::Result<_>>()?,
    })
}

fn password(user: &config::User, profile: Profile) -> anyhow::Result<Option<SecretHash>> {
    match (user.password.as_str(), user.password_hash.as_str()) {
        ("", "") => {
            ensure!(user.roles.is_empty(), "it has roles and cannot sign in: set password_hash");
            Ok(None)
        }
        (clear, "") if profile == Profile::Dev => Ok(Some(SecretHash::of(clear))),
        (_, "") => bail!("a password in clear is for the dev profile only; use password_hash"),
        ("", hash) => Ok(Some(SecretHash::from_phc(hash).context("password_hash")?)),
        (_, _) => bail!("set one of password and password_hash"),
    }
}

/// Who only signs in to the console needs no password for phones. Who has no password at all has been forgotten.
pub(super) fn has_phone(user: &config::User) -> bool {
    let sip = [&user.sip_password, &user.sip_password_file, &user.sip_password_env];
    let signs_in = !user.password.is_empty() || !user.password_hash.is_empty();
    !signs_in || sip.iter().any(|text| !text.is_empty())
}

/// Says as whom a newcomer can sign in, as long as that is no secret.
pub(super) fn sign_in_hint(settings: &Settings) -> Option<String> {
    let may_operate = |user: &&config::User| user.roles.iter().any(|role| role == UserRole::ConsoleOperate.name());
    let user = settings.users.iter().filter(may_operate).find(|user| !user.password.is_empty())?;
    let is_dev = settings.profile == Profile::Dev && user.password == DEV_PASSWORD;
    is_dev.then(|| format!("This is the dev profile: sign in as {} with {DEV_PASSWORD}.", user.name))
}

/// The password of dev.toml, which everybody knows.
const DEV_PASSWORD: &str = "fermata-dev";

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> config::User {
        config::load(None).expect("the dev profile").users.remove(0)
    }

    #[track_caller]
    fn check_refused(given: &config::User, profile: Profile, reason: &str) {
        let error = user(given, profile).expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn a_password_in_clear_is_for_the_dev_profile_only() {
        assert!(user(&alice(), Profile::Dev).expect("a user").password.is_some());
        check_refused(&alice(), Profile::Production, "use password_hash");
        let password_hash = SecretHash::to_phc("hashed").expect("a hash");
        let given = config::User { password: String::new(), password_hash, ..alice() };
        assert!(user(&given, Profile::Production).expect("a user").password.is_some());
    }

    #[test]
    fn what_nobody_can_mean_is_refused() {
        let given = config::User { password_hash: "abc".to_owned(), ..alice() };
        check_refused(&given, Profile::Dev, "set one of");
        check_refused(&config::User { password: String::new(), ..given }, Profile::Dev, "password_hash: must be");
        check_refused(&config::User { password: String::new(), ..alice() }, Profile::Dev, "cannot sign in");
        check_refused(&config::User { roles: vec!["Console.All".to_owned()], ..alice() }, Profile::Dev, "Console.All");
    }

    #[test]
    fn who_only_signs_in_has_no_phone() {
        let operator = config::User { sip_password: String::new(), ..alice() };
        assert!(has_phone(&alice()) && !has_phone(&operator));
        assert!(has_phone(&config::User { password: String::new(), ..operator }), "its password is missing");
    }

    #[test]
    fn only_a_password_that_everybody_knows_is_told() {
        let mut settings = config::load(None).expect("the dev profile");
        assert!(sign_in_hint(&settings).expect("a hint").contains("as alice with fermata-dev"));
        settings.users[0].password = "my own".to_owned();
        assert_eq!(sign_in_hint(&settings), None);
    }
}
