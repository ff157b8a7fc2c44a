//! Settings in the terms of the crates that they are for. What cannot be meant is an error that names the key.

mod directory;
mod issuers;
mod outgoing;
mod secret;
mod sip_tls;
mod trunks;
mod users;
mod webrtc;

use crate::config::{self, Mode, OnPromptFailure, Settings};
use crate::console;
use anyhow::{Context, bail};
use engine::prompts;
use graph::{AuthoritySettings, Cloud, NotificationSettings, PublicUrl, Throttling, Timeouts};
use std::num::NonZero;
use std::time::Duration;

/// What the engine is started with.
pub(crate) fn engine(settings: &Settings) -> anyhow::Result<engine::Config> {
    for (key, address) in [("sip.listen", settings.sip.listen.ip()), ("rtp.address", settings.rtp.address)] {
        if address.is_unspecified() {
            bail!("{key}: phones are told this address, so it must be one that they can reach, not {address}");
        }
    }
    Ok(engine::Config {
        policy: policy(settings),
        sip: sip(settings)?,
        rtp: engine::RtpConfig {
            address: settings.rtp.address,
            ports: settings.rtp.ports.get(),
            probe_after: seconds_or_never(settings.rtp.probe_after_seconds),
        },
        webrtc: webrtc::webrtc(&settings.webrtc)?,
        prompts: prompt_policy(settings)?,
        workers: workers(settings),
        ledgers: ledgers(&settings.observation)?,
    })
}

fn policy(settings: &Settings) -> engine::Policy {
    engine::Policy {
        holds: match settings.graph.mode {
            Mode::Strict => engine::Holds::OneAtATime,
            Mode::Extended => engine::Holds::Several,
        },
        on_prompt_failure: match settings.graph.on_prompt_failure {
            OnPromptFailure::Fail => engine::OnPromptFailure::Fail,
            OnPromptFailure::DefaultMusic => engine::OnPromptFailure::DefaultMusic,
        },
        peer: match settings.graph.peer_is_participant {
            true => engine::Peer::Participant,
            false => engine::Peer::NotAddressable,
        },
    }
}

fn sip(settings: &Settings) -> anyhow::Result<engine::SipConfig> {
    let domain = match settings.sip.domain.as_str() {
        "" => settings.sip.listen.ip().to_string(),
        domain => domain.to_owned(),
    };
    Ok(engine::SipConfig {
        listen: settings.sip.listen,
        tls: sip_tls::sip_tls(settings, &domain).context("sip")?,
        domain,
        users: settings.users.iter().filter(|user| users::has_phone(user)).map(user).collect::<anyhow::Result<_>>()?,
        applications: applications(settings)?,
        trusted: settings.sip.trusted.clone(),
        name_servers: settings.sip.name_servers.clone(),
        trunks: trunks::trunks(settings)?,
        redirects_max: settings.sip.redirects,
        dial: engine::DialRule { loopback: settings.dial.loopback, hosts: settings.dial.hosts.clone() },
        ring_timeout: Duration::from_secs(settings.sip.ring_timeout_seconds.into()),
        srtp: srtp(&settings.srtp)?,
        digest: digest(&settings.sip.digest)?,
        guard: guard(&settings.guard),
        session_expires: seconds_or_never(settings.sip.session_expires_seconds),
        session_expires_min: session_expires_min(&settings.sip)?,
    })
}

fn digest(digest: &[config::Digest]) -> anyhow::Result<Vec<engine::Algorithm>> {
    if digest.is_empty() {
        bail!("sip.digest: phones must prove their passwords by something");
    }
    let algorithm = |digest: &config::Digest| match digest {
        config::Digest::Md5 => engine::Algorithm::Md5,
        config::Digest::Sha256 => engine::Algorithm::Sha256,
    };
    Ok(digest.iter().map(algorithm).collect())
}

fn guard(guard: &config::Guard) -> engine::GuardLimits {
    engine::GuardLimits {
        failures_max: guard.failures,
        window: Duration::from_secs(guard.window_seconds),
        ban: Duration::from_secs(guard.ban_seconds),
        requests_per_s_max: guard.requests_per_second,
        trusted: guard.trusted.iter().copied().collect(),
        ..engine::GuardLimits::default()
    }
}

fn srtp(srtp: &config::Srtp) -> anyhow::Result<engine::SrtpConfig> {
    let suite = |name: &String| engine::Suite::named(name).with_context(|| format!("srtp.suites: {name:?} is unknown"));
    let suites = srtp.suites.iter().map(suite).collect::<anyhow::Result<Vec<_>>>()?;
    if suites.is_empty() {
        bail!("srtp.suites: name one at least, or set phones and trunk to \"off\"");
    }
    let keying = |keys: &config::SrtpKeys| match keys {
        config::SrtpKeys::Sdes => engine::Keying::Sdes,
        config::SrtpKeys::Dtls => engine::Keying::Dtls,
    };
    if srtp.keys.is_empty() {
        bail!("srtp.keys: name one at least, or set phones and trunk to \"off\"");
    }
    if srtp.offers.iter().any(|offered| !srtp.keys.contains(offered)) {
        bail!("srtp.offers: what is offered must be taken, too: name it in srtp.keys");
    }
    let policy = |policy| match policy {
        config::SrtpPolicy::Off => engine::SrtpPolicy::Off,
        config::SrtpPolicy::Optional => engine::SrtpPolicy::Optional,
        config::SrtpPolicy::Required => engine::SrtpPolicy::Required,
    };
    Ok(engine::SrtpConfig {
        phones: policy(srtp.phones),
        trunk: policy(srtp.trunk),
        suites,
        accepts: srtp.keys.iter().map(keying).collect(),
        offers: srtp.offers.iter().map(keying).collect(),
        keys_without_tls: srtp.keys_without_tls,
    })
}

/// A call that must be longer than it may be asked to be would be refused by every phone.
fn session_expires_min(sip: &config::Sip) -> anyhow::Result<Duration> {
    let (wished, min) = (sip.session_expires_seconds, sip.session_expires_min_seconds);
    if min == 0 || (wished != 0 && wished < min) {
        bail!("sip.session_expires_min_seconds: must be at least 1 and at most sip.session_expires_seconds, not {min}");
    }
    Ok(Duration::from_secs(min.into()))
}

fn seconds_or_never(seconds: u32) -> Option<Duration> {
    (seconds != 0).then(|| Duration::from_secs(seconds.into()))
}

/// Nobody can be called under the address of another.
fn applications(settings: &Settings) -> anyhow::Result<Vec<engine::Application>> {
    let mut taken: Vec<&str> = settings.users.iter().map(|user| user.name.as_str()).collect();
    for app in &settings.apps {
        for address in &app.addresses {
            if taken.iter().any(|taken| taken.eq_ignore_ascii_case(address)) {
                bail!("apps: {}: addresses: {address:?} is somebody else's", app.id);
            }
            taken.push(address);
        }
    }
    let called = settings.apps.iter().filter(|app| !app.addresses.is_empty());
    let application = |app: &config::App| engine::Application {
        id: app.id.clone(),
        display_name: app.name.clone(),
        addresses: app.addresses.clone(),
    };
    Ok(called.map(application).collect())
}

fn user(user: &config::User) -> anyhow::Result<engine::User> {
    let password = secret::one_of("sip_password", &user.sip_password, &user.sip_password_file, &user.sip_password_env);
    Ok(engine::User {
        id: user.id.clone(),
        name: user.name.clone(),
        display_name: user.display_name.clone(),
        password: password.with_context(|| format!("users: {}", user.name))?,
    })
}

fn prompt_policy(settings: &Settings) -> anyhow::Result<prompts::Policy> {
    Ok(prompts::Policy {
        format: match settings.graph.mode {
            Mode::Strict => prompts::FormatRule::Strict,
            Mode::Extended => prompts::FormatRule::Extended,
        },
        outgoing: outgoing::prompts(settings)?,
        limits: prompts::Limits::default(),
    })
}

/// Intervals that are kept of what a participant was given: about a quarter of an hour of people who talk in turn. Each
/// takes some 100 bytes.
const HEARD_INTERVALS_MAX: usize = 2000;

/// The most sound that is kept of a participant: it is memory that is taken at once, 8 kB for each second.
const HEARD_AUDIO_SECONDS_MAX: u32 = 3600;

fn ledgers(observation: &config::Observation) -> anyhow::Result<Option<engine::LedgerLimits>> {
    let config::Observation { heard, heard_audio_seconds } = *observation;
    if heard_audio_seconds > HEARD_AUDIO_SECONDS_MAX {
        bail!("observation.heard_audio_seconds: must be at most {HEARD_AUDIO_SECONDS_MAX}, not {heard_audio_seconds}");
    }
    if !heard && heard_audio_seconds != 0 {
        bail!("observation.heard_audio_seconds: sound is kept only where observation.heard is true");
    }
    let audio = Duration::from_secs(heard_audio_seconds.into());
    Ok(heard.then_some(engine::LedgerLimits { intervals_max: HEARD_INTERVALS_MAX, audio }))
}

/// One core is left for the API; mixing needs the others.
fn workers(settings: &Settings) -> usize {
    match settings.media.workers {
        0 => std::thread::available_parallelism().map_or(1, NonZero::get).saturating_sub(1).max(1),
        workers => workers,
    }
}

/// What the Graph side is started with.
pub(crate) fn graph(
    settings: &Settings,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
) -> anyhow::Result<graph::Settings> {
    Ok(graph::Settings {
        data: settings.data.clone(),
        http: settings.http.listen,
        https: settings.https.listen,
        public_url: public_url(settings)?,
        callbacks: outgoing::callbacks(settings)?,
        ice_servers: webrtc::ice_servers(settings)?,
        issuer_keys: outgoing::issuer_keys(settings)?,
        directory: directory::directory(settings)?,
        cloud: cloud(settings.graph.cloud),
        issuers: issuers::issuers(settings)?,
        authority: authority(settings)?,
        throttling: throttling(&settings.throttling),
        timeouts: Timeouts::default(),
        connections_max: match settings.throttling.connections {
            0 => usize::MAX,
            connections => connections,
        },
        notification_issuer: Some(settings.graph.notification_issuer.clone()).filter(|issuer| !issuer.is_empty()),
        notifications: notifications(&settings.notifications)?,
        site: console::site()?,
        metrics,
    })
}

fn throttling(throttling: &config::Throttling) -> Throttling {
    Throttling {
        requests_per_second: NonZero::new(throttling.requests_per_second),
        concurrent_calls: NonZero::new(throttling.concurrent_calls),
        calls_per_month: NonZero::new(throttling.calls_per_month),
        unauthenticated_per_second: NonZero::new(throttling.unauthenticated_per_second),
        failed_token_requests_per_minute: NonZero::new(throttling.failed_token_requests_per_minute),
        failed_sign_ins_per_minute: NonZero::new(throttling.failed_sign_ins_per_minute),
        proxies: throttling.proxies.clone(),
    }
}

fn notifications(notifications: &config::Notifications) -> anyhow::Result<NotificationSettings> {
    let config::Notifications { give_up_after_hours, kept_days } = *notifications;
    for (key, value) in [("give_up_after_hours", give_up_after_hours), ("kept_days", kept_days)] {
        if value == 0 {
            bail!("notifications.{key}: must be at least 1");
        }
    }
    Ok(NotificationSettings {
        give_up_after: Duration::from_hours(give_up_after_hours.into()),
        kept: Duration::from_hours(24 * u64::from(kept_days)),
    })
}

fn cloud(cloud: config::Cloud) -> Cloud {
    match cloud {
        config::Cloud::Global => Cloud::Global,
        config::Cloud::UsGovL4 => Cloud::UsGovL4,
        config::Cloud::UsGovL5 => Cloud::UsGovL5,
        config::Cloud::China => Cloud::China,
    }
}

/// Empty: follows the listeners.
fn public_url(settings: &Settings) -> anyhow::Result<Option<PublicUrl>> {
    let url = settings.public_url.as_str();
    if url.is_empty() {
        return Ok(None);
    }
    if !url.starts_with("https://") && !url.starts_with("http://") {
        bail!("public_url: {url:?} must begin with https:// or http://");
    }
    Ok(Some(PublicUrl::new(url)))
}

/// A key is announced for a day before it signs, so it cannot be replaced daily.
const SIGNING_KEY_DAYS_MIN: u32 = 2;

fn authority(settings: &Settings) -> anyhow::Result<AuthoritySettings> {
    let authority = &settings.authority;
    if authority.signing_key_days < SIGNING_KEY_DAYS_MIN {
        bail!("authority.signing_key_days: must be at least {SIGNING_KEY_DAYS_MIN}");
    }
    Ok(AuthoritySettings {
        signing_key_age: Duration::from_hours(24 * u64::from(authority.signing_key_days)),
        assertion_reuse: authority.assertion_reuse,
        sign_in_hint: users::sign_in_hint(settings),
    })
}
