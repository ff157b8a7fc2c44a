//! Who may be asked for prompts, told notifications, and asked for keys.

use crate::config::{Profile, Settings};
use anyhow::Context;
use engine::outgoing::{Destination, PlainHttp, Rule};
use std::collections::HashMap;
use std::ops::RangeInclusive;

/// Graph fetches prompts by http from anywhere, so we do.
pub(super) fn prompts(settings: &Settings) -> anyhow::Result<Rule> {
    rule(settings, PlainHttp::Anywhere, "outgoing.allow_prompts", &settings.outgoing.allow_prompts)
}

pub(super) fn callbacks(settings: &Settings) -> anyhow::Result<Rule> {
    rule(settings, plain_http(settings.profile), "outgoing.allow_callbacks", &settings.outgoing.allow_callbacks)
}

pub(super) fn issuer_keys(settings: &Settings) -> anyhow::Result<Rule> {
    rule(settings, plain_http(settings.profile), "outgoing.allow_keys", &settings.outgoing.allow_keys)
}

fn plain_http(profile: Profile) -> PlainHttp {
    match profile {
        Profile::Dev => PlainHttp::ToLoopback,
        Profile::Production => PlainHttp::Nowhere,
    }
}

fn rule(settings: &Settings, plain_http: PlainHttp, allow_key: &str, allow: &[String]) -> anyhow::Result<Rule> {
    let given = &settings.outgoing;
    let hosts = given.hosts.iter().map(|(name, addresses)| (name.to_ascii_lowercase(), addresses.clone()));
    Ok(Rule {
        plain_http,
        ports: given.ports.iter().map(|text| ports(text)).collect::<anyhow::Result<_>>()?,
        allow: destinations(allow_key, allow)?,
        deny: destinations("outgoing.deny", &given.deny)?,
        hosts: hosts.collect::<HashMap<_, _>>(),
    })
}

fn destinations(key: &str, given: &[String]) -> anyhow::Result<Vec<Destination>> {
    let destination = |text: &String| text.parse().with_context(|| format!("{key}: {text:?}"));
    given.iter().map(destination).collect()
}

/// `443` or `1024-65535`.
fn ports(text: &str) -> anyhow::Result<RangeInclusive<u16>> {
    let expected =
        || format!("outgoing.ports: {text:?}: a port or a range of ports is expected, such as \"1024-65535\"");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().with_context(expected)?, last.parse().with_context(expected)?);
    anyhow::ensure!(first <= last, expected());
    Ok(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn settings(change: impl FnOnce(&mut config::Outgoing)) -> Settings {
        let mut settings = config::load(None).expect("the dev profile");
        change(&mut settings.outgoing);
        settings
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut config::Outgoing), reason: &str) {
        let error = callbacks(&settings(change)).expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn each_purpose_has_its_own_list() {
        let settings = settings(|outgoing| outgoing.allow_callbacks = vec!["bot.internal:8443".to_owned()]);
        assert_eq!(callbacks(&settings).expect("a rule").allow, ["bot.internal:8443".parse().expect("a destination")]);
        assert_ne!(prompts(&settings).expect("a rule").allow, callbacks(&settings).expect("a rule").allow);
        assert_eq!(prompts(&settings).expect("a rule").plain_http, PlainHttp::Anywhere);
    }

    #[test]
    fn what_cannot_be_meant_names_its_key() {
        let list = |text: &str| vec![text.to_owned()];
        check_refused(
            |outgoing| outgoing.allow_callbacks = list("10.0.0.7/8"),
            "outgoing.allow_callbacks: \"10.0.0.7/8\"",
        );
        check_refused(|outgoing| outgoing.deny = list("a b"), "outgoing.deny: \"a b\"");
        for wrong in ["http", "70000", "2-1", "1-", ""] {
            check_refused(|outgoing| outgoing.ports = list(wrong), &format!("outgoing.ports: {wrong:?}"));
        }
    }
}
