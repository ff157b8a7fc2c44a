//! The SIP providers.

use super::secret;
use crate::config::{Settings, Trunk};
use anyhow::{Context, bail, ensure};
use engine::{Credentials, HostPort, Uri};

/// Reads every trunk.
///
/// # Errors
///
/// Which key of which trunk is wrong.
pub(super) fn trunks(settings: &Settings) -> anyhow::Result<Vec<engine::Trunk>> {
    let has_tls = settings.sip.tls_listen.is_some();
    let named = |given: &Trunk| trunk(given, has_tls).with_context(|| format!("trunks: {}", given.name));
    settings.trunks.iter().map(named).collect()
}

fn trunk(trunk: &Trunk, has_tls: bool) -> anyhow::Result<engine::Trunk> {
    let (proxy, host) = address(&trunk.address, has_tls).with_context(|| format!("address: {:?}", trunk.address))?;
    Ok(engine::Trunk {
        name: trunk.name.clone(),
        proxy,
        host: match trunk.host.as_str() {
            "" => host,
            host => host.parse().with_context(|| format!("host: {host:?}"))?,
        },
        credentials: credentials(trunk)?,
        registers: trunk.register,
        prefixes: trunk.prefixes.iter().map(|prefix| checked_prefix(prefix)).collect::<anyhow::Result<_>>()?,
        strip: trunk.strip,
        prepend: trunk.prepend.clone(),
        caller_id: Some(trunk.caller_id.clone()).filter(|caller_id| !caller_id.is_empty()),
    })
}

/// Returns the URI and its host.
fn address(address: &str, has_tls: bool) -> anyhow::Result<(Uri, HostPort)> {
    let uri: Uri = address.parse()?;
    let Uri::Sip(sip) = &uri else { bail!("must begin with sip: or sips:") };
    ensure!(sip.user.is_none(), "must name no user");
    let Some(transport) = sip.transport() else { bail!("asks for a transport that is not spoken") };
    ensure!(has_tls || !transport.is_secure(), "needs TLS: set sip.tls_listen");
    let host = sip.host_port.clone();
    Ok((uri, host))
}

fn credentials(trunk: &Trunk) -> anyhow::Result<Option<Credentials>> {
    if trunk.user.is_empty() {
        let is_useless = [&trunk.password, &trunk.password_file, &trunk.password_env].iter().any(|key| !key.is_empty());
        ensure!(!is_useless, "user: a password needs a user");
        ensure!(!trunk.register, "user: a registration needs a user and a password");
        return Ok(None);
    }
    let password = secret::one_of("password", &trunk.password, &trunk.password_file, &trunk.password_env)?;
    Ok(Some(Credentials { user: trunk.user.clone(), password }))
}

fn checked_prefix(prefix: &str) -> anyhow::Result<String> {
    let digits = prefix.strip_prefix('+').unwrap_or_default();
    let is_prefix = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    ensure!(is_prefix, "prefixes: {prefix:?} must be a + and digits");
    Ok(prefix.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn translated(change: impl FnOnce(&mut Trunk)) -> anyhow::Result<Vec<engine::Trunk>> {
        let mut settings = config::load(None).expect("the dev profile");
        let mut trunk = toml::from_str("name = \"provider\"\naddress = \"sip:sip.provider.example;transport=tcp\"")?;
        change(&mut trunk);
        settings.trunks.push(trunk);
        trunks(&settings)
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut Trunk), reason: &str) {
        let error = translated(change).expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn what_is_left_out_follows_the_address() {
        let trunks = translated(|_| {}).expect("nothing is wrong");
        assert_eq!(trunks[0].host.to_string(), "sip.provider.example");
        assert!(trunks[0].credentials.is_none() && trunks[0].prefixes.is_empty() && trunks[0].caller_id.is_none());
    }

    #[test]
    fn what_is_wrong_names_its_key() {
        check_refused(|trunk| trunk.address = "tel:+49".to_owned(), "trunks: provider: address");
        check_refused(|trunk| trunk.address = "sip:me@provider.example".to_owned(), "must name no user");
        check_refused(|trunk| trunk.address = "sip:provider.example;transport=sctp".to_owned(), "not spoken");
        check_refused(|trunk| trunk.host = "no host".to_owned(), "host: \"no host\"");
        check_refused(|trunk| trunk.user = "me".to_owned(), "set one of password");
        check_refused(|trunk| trunk.password = "secret".to_owned(), "a password needs a user");
        check_refused(|trunk| trunk.register = true, "a registration needs a user");
        check_refused(|trunk| trunk.prefixes = vec!["49".to_owned()], "prefixes: \"49\"");
    }
}
