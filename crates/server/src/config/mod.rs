//! Configuration: one TOML file, every key also as an environment variable, on top of a profile's defaults.
//!
//! An unknown key is an error that names the nearest known one: a misspelt key that is silently ignored is a setting
//! that silently does not hold.

mod nearest;
mod port_range;

pub(crate) use port_range::PortRange;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

const DEV: &str = include_str!("dev.toml");
const PRODUCTION: &str = include_str!("production.toml");

/// The prefix of environment variables; `__` stands between levels, too.
const ENVIRONMENT_PREFIX: &str = "FERMATA__";

/// Everything that can be set. `config/dev.toml` says what each key means.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) profile: Profile,
    pub(crate) data: PathBuf,
    pub(crate) public_url: String,
    pub(crate) http: Http,
    pub(crate) https: Https,
    pub(crate) sip: Sip,
    pub(crate) rtp: Rtp,
    pub(crate) srtp: Srtp,
    pub(crate) webrtc: WebRtc,
    pub(crate) guard: Guard,
    pub(crate) media: Media,
    pub(crate) observation: Observation,
    pub(crate) graph: Graph,
    pub(crate) authority: Authority,
    pub(crate) throttling: Throttling,
    pub(crate) notifications: Notifications,
    pub(crate) dial: Dial,
    pub(crate) outgoing: Outgoing,
    pub(crate) tenant: Tenant,
    pub(crate) apps: Vec<App>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) issuers: Vec<Issuer>,
    pub(crate) users: Vec<User>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trunks: Vec<Trunk>,
}

/// Which defaults hold, and what is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// Everything on loopback, with known secrets.
    Dev,
    /// Nothing unsafe: callbacks by https only, requests to public addresses only.
    Production,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Https {
    #[serde(with = "empty_is_none")]
    pub(crate) listen: Option<SocketAddr>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sip {
    pub(crate) listen: SocketAddr,
    #[serde(with = "empty_is_none")]
    pub(crate) tls_listen: Option<SocketAddr>,
    pub(crate) tls_certificate: String,
    pub(crate) tls_key: String,
    pub(crate) tls_authorities: String,
    pub(crate) digest: Vec<Digest>,
    pub(crate) domain: String,
    pub(crate) ring_timeout_seconds: u16,
    pub(crate) redirects: u8,
    pub(crate) session_expires_seconds: u32,
    pub(crate) session_expires_min_seconds: u32,
    pub(crate) trusted: Vec<IpAddr>,
    pub(crate) name_servers: Vec<SocketAddr>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rtp {
    pub(crate) address: IpAddr,
    pub(crate) ports: PortRange,
    pub(crate) probe_after_seconds: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Srtp {
    pub(crate) phones: SrtpPolicy,
    pub(crate) trunk: SrtpPolicy,
    pub(crate) keys: Vec<SrtpKeys>,
    pub(crate) offers: Vec<SrtpKeys>,
    pub(crate) suites: Vec<String>,
    pub(crate) keys_without_tls: bool,
}

/// Where browsers are heard.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebRtc {
    #[serde(with = "empty_is_none")]
    pub(crate) listen: Option<SocketAddr>,
    #[serde(with = "empty_is_none")]
    pub(crate) address: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ice_servers: Vec<IceServer>,
}

/// A server that helps browsers to find a path.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IceServer {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) username: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password_file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password_env: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret_file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret_env: String,
}

/// Who is shut out of SIP.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guard {
    pub(crate) failures: u32,
    pub(crate) window_seconds: u64,
    pub(crate) ban_seconds: u64,
    pub(crate) requests_per_second: u32,
    pub(crate) trusted: Vec<IpAddr>,
}

/// A hash that passwords are proved by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Digest {
    #[serde(rename = "md5")]
    Md5,
    #[serde(rename = "sha-256")]
    Sha256,
}

/// Whether legs are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SrtpPolicy {
    Off,
    Optional,
    Required,
}

/// Where the keys of a leg come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SrtpKeys {
    Sdes,
    Dtls,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Media {
    pub(crate) workers: usize,
}

/// What is written down for people who look.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Observation {
    pub(crate) heard: bool,
    pub(crate) heard_audio_seconds: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Graph {
    pub(crate) mode: Mode,
    pub(crate) on_prompt_failure: OnPromptFailure,
    pub(crate) peer_is_participant: bool,
    pub(crate) notification_issuer: String,
    pub(crate) cloud: Cloud,
}

/// One of Microsoft's clouds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Cloud {
    #[serde(rename = "global")]
    Global,
    #[serde(rename = "us-gov-l4")]
    UsGovL4,
    #[serde(rename = "us-gov-l5")]
    UsGovL5,
    #[serde(rename = "china")]
    China,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Authority {
    pub(crate) signing_key_days: u32,
    pub(crate) assertion_reuse: bool,
}

/// How much may be asked of the server; 0 is no limit.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Throttling {
    pub(crate) requests_per_second: u32,
    pub(crate) concurrent_calls: u32,
    pub(crate) calls_per_month: u32,
    pub(crate) unauthenticated_per_second: u32,
    pub(crate) failed_token_requests_per_minute: u32,
    pub(crate) failed_sign_ins_per_minute: u32,
    pub(crate) connections: usize,
    pub(crate) proxies: Vec<IpAddr>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notifications {
    pub(crate) give_up_after_hours: u32,
    pub(crate) kept_days: u32,
}

/// How closely Graph's documented limits are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Strict,
    Extended,
}

/// What becomes of a hold whose prompt cannot be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnPromptFailure {
    Fail,
    DefaultMusic,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dial {
    pub(crate) loopback: bool,
    pub(crate) hosts: Vec<String>,
}

/// Who may be asked for prompts, told notifications, and asked for the keys of other issuers.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outgoing {
    pub(crate) allow_prompts: Vec<String>,
    pub(crate) allow_callbacks: Vec<String>,
    pub(crate) allow_keys: Vec<String>,
    pub(crate) deny: Vec<String>,
    pub(crate) ports: Vec<String>,
    pub(crate) hosts: BTreeMap<String, Vec<IpAddr>>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tenant {
    pub(crate) id: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret_hash: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret_file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) secret_env: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) certificates: Vec<PathBuf>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) callback_uri: String,
    pub(crate) roles: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) webhook_secret: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) webhook_secret_file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) webhook_secret_env: String,
}

/// Somebody else who issues tokens: Entra ID (`entra`) or any OpenID provider (`issuer`).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) entra: Option<Cloud>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) issuer: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) jwks_uri: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) tenant: String,
    pub(crate) audiences: Vec<String>,
    #[serde(default)]
    pub(crate) roles: Roles,
    pub(crate) apps: Vec<IssuerApp>,
}

/// Where the roles of a foreign token come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Roles {
    #[default]
    Token,
    Directory,
}

/// One client of an issuer, and which of our applications it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IssuerApp {
    pub(crate) client: String,
    pub(crate) app: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password_hash: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) sip_password: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) sip_password_file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) sip_password_env: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trunk {
    pub(crate) name: String,
    pub(crate) address: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) host: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) user: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password_file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) password_env: String,
    #[serde(default)]
    pub(crate) register: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prefixes: Vec<String>,
    #[serde(default)]
    pub(crate) strip: usize,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) prepend: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) caller_id: String,
}

/// Loads the settings: the profile's defaults, then the file, then the environment.
///
/// # Errors
///
/// What is wrong and in which key.
pub(crate) fn load(file: Option<&Path>) -> anyhow::Result<Settings> {
    load_from(file, std::env::vars().collect())
}

fn load_from(file: Option<&Path>, environment: Vec<(String, String)>) -> anyhow::Result<Settings> {
    let mut given = config::Config::builder();
    if let Some(file) = file {
        given = given.add_source(config::File::from(file).format(config::FileFormat::Toml));
    }
    let ours = environment.into_iter().filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)).collect();
    let variables = config::Environment::with_prefix("FERMATA").prefix_separator("__").separator("__");
    let variables = variables.try_parsing(true).source(Some(ours));
    let given = given.add_source(variables).build().context("the configuration cannot be read")?;
    let defaults = match given.get_string("profile").as_deref() {
        Ok("production") => PRODUCTION,
        Ok("dev") | Err(_) => DEV,
        Ok(other) => bail!("profile: there is no {other:?}, only \"dev\" and \"production\""),
    };
    let builder = config::Config::builder().add_source(config::File::from_str(defaults, config::FileFormat::Toml));
    let all = builder.add_source(given).build().context("the configuration cannot be read")?;
    all.try_deserialize::<Settings>().map_err(nearest::explain)
}

impl Settings {
    /// The settings as TOML, with every secret replaced.
    ///
    /// # Errors
    ///
    /// If they cannot be written as TOML.
    pub(crate) fn without_secrets(&self) -> anyhow::Result<String> {
        const HIDDEN: &str = "(hidden)";
        let mut shown = self.clone();
        let apps =
            shown.apps.iter_mut().flat_map(|app| [&mut app.secret, &mut app.secret_hash, &mut app.webhook_secret]);
        let users = shown.users.iter_mut();
        let users = users.flat_map(|user| [&mut user.sip_password, &mut user.password, &mut user.password_hash]);
        let trunks = shown.trunks.iter_mut().map(|trunk| &mut trunk.password);
        let servers = shown.webrtc.ice_servers.iter_mut().flat_map(|server| [&mut server.password, &mut server.secret]);
        let secrets = apps.chain(users).chain(trunks).chain(servers).filter(|secret| !secret.is_empty());
        secrets.for_each(|secret| *secret = HIDDEN.to_owned());
        toml::to_string_pretty(&shown).context("the settings cannot be printed")
    }
}

/// An empty string means "not set": TOML has no null.
mod empty_is_none {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::fmt::Display;
    use std::str::FromStr;

    pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: Display>,
    {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(D::Error::custom) }
    }

    pub(super) fn serialize<S: Serializer, T: Display>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.as_ref().map_or(String::new(), ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
        load_from(None, variables.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect())
    }

    #[test]
    fn without_anything_the_dev_profile_holds() {
        let settings = with(&[]).unwrap();
        assert_eq!(settings.http.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.apps.len(), 2);
        assert_eq!(settings.rtp.ports.to_string(), "20000-29999");
    }

    #[test]
    fn every_level_is_reached_by_the_environment() {
        let set = [("FERMATA__HTTP__LISTEN", "127.0.0.1:0"), ("FERMATA__GRAPH__MODE", "extended"), ("PATH", "/bin")];
        let settings = with(&set).unwrap();
        assert_eq!(settings.http.listen.port(), 0);
        assert_eq!(settings.graph.mode, Mode::Extended);
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let error = with(&[("FERMATA__HTTP__LISTENN", "127.0.0.1:0")]).unwrap_err().to_string();
        assert!(error.contains("listenn") && error.contains("`listen`"), "{error}");
        let error = with(&[("FERMATA__GRAPH__MODUS", "strict")]).unwrap_err().to_string();
        assert!(error.contains("modus") && error.contains("`mode`"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_its_key() {
        let error = with(&[("FERMATA__RTP__PORTS", "30000-20000")]).unwrap_err();
        assert!(format!("{error:#}").contains("rtp.ports"), "{error:#}");
    }

    #[test]
    fn production_knows_nobody() {
        let settings = with(&[("FERMATA__PROFILE", "production")]).unwrap();
        assert!(settings.apps.is_empty() && settings.users.is_empty() && !settings.dial.loopback);
    }
}
