//! HTTP caching (RFC 9111), as far as a cache of whole files needs it.
//!
//! The cache is a shared one in the RFC's words: bots of several owners may name the same URI.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{
    AGE, CACHE_CONTROL, DATE, ETAG, EXPIRES, HeaderMap, HeaderName, HeaderValue, LAST_MODIFIED, VARY,
};

use crate::outgoing::HttpUri;

/// However long an origin promises not to change a file, it is asked again after a day.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the origin says nothing but when it last changed the file, a tenth of the time since then (RFC 9111 §4.2.2).
const HEURISTIC_FRACTION: u32 = 10;

/// How long an answer may be used without asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Freshness {
    /// Whether it may be kept at all.
    pub(super) storable: bool,
    /// For how long it is fresh, from when it was received.
    pub(super) lifetime: Duration,
}

impl Freshness {
    const ALWAYS: Self = Self { storable: true, lifetime: LIFETIME_MAX };
    const STALE: Self = Self { storable: true, lifetime: Duration::ZERO };

    /// What the origin says of a whole file, or what its age suggests.
    pub(super) fn of_file(headers: &HeaderMap, now: SystemTime) -> Self {
        Self::explicit(headers, now).unwrap_or_else(|| Self::heuristic(headers, now))
    }

    /// What the origin says, if it says anything.
    pub(super) fn explicit(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let directives = Directives::parse(headers);
        if directives.no_store {
            return Some(Self { storable: false, lifetime: Duration::ZERO });
        }
        if directives.no_cache || headers.get(VARY).is_some_and(|vary| vary == "*") {
            return Some(Self::STALE);
        }
        let promised = directives.lifetime().or_else(|| expires_in(headers, now))?;
        let lifetime = promised.saturating_sub(age(headers)).min(LIFETIME_MAX);
        Some(Self { storable: true, lifetime })
    }

    /// What the origin says of a redirect. A permanent one need not be asked again, any other must (RFC 9110 §15.4).
    pub(super) fn of_redirect(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Self {
        let permanent = matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT);
        Self::explicit(headers, now).unwrap_or(if permanent { Self::ALWAYS } else { Self::STALE })
    }

    /// Where nothing has been asked yet.
    pub(super) fn unlimited() -> Self {
        Self::ALWAYS
    }

    /// A file that was reached through redirects is as fresh as the stalest step.
    pub(super) fn and(self, other: Self) -> Self {
        Self { storable: self.storable && other.storable, lifetime: self.lifetime.min(other.lifetime) }
    }

    fn heuristic(headers: &HeaderMap, now: SystemTime) -> Self {
        let unchanged_for = date(headers, LAST_MODIFIED)
            .and_then(|changed| date(headers, DATE).unwrap_or(now).duration_since(changed).ok())
            .unwrap_or_default();
        Self { storable: true, lifetime: (unchanged_for / HEURISTIC_FRACTION).min(LIFETIME_MAX) }
    }
}

/// What lets the origin say "not modified" instead of sending the file again (RFC 9110 §8.8).
#[derive(Clone, Debug)]
pub(super) struct Validators {
    /// The URI they hold for: the last one, after redirects.
    pub(super) uri: HttpUri,
    pub(super) etag: Option<HeaderValue>,
    pub(super) last_modified: Option<HeaderValue>,
}

impl Validators {
    pub(super) fn of(uri: &HttpUri, headers: &HeaderMap) -> Option<Self> {
        let etag = headers.get(ETAG).cloned();
        let last_modified = headers.get(LAST_MODIFIED).cloned();
        (etag.is_some() || last_modified.is_some()).then(|| Self { uri: uri.clone(), etag, last_modified })
    }
}

/// The directives of `Cache-Control` that matter here (RFC 9111 §5.2.2).
#[derive(Default)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    max_age: Option<Duration>,
    shared_max_age: Option<Duration>,
}

impl Directives {
    fn parse(headers: &HeaderMap) -> Self {
        let mut directives = Self::default();
        let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
        for directive in lines.flat_map(|line| line.split(',')) {
            directives.note(directive);
        }
        directives
    }

    fn note(&mut self, directive: &str) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "private" => self.no_store = true,
            "no-cache" => self.no_cache = true,
            "max-age" => self.max_age = Some(delta_seconds(value)),
            "s-maxage" => self.shared_max_age = Some(delta_seconds(value)),
            _ => {}
        }
    }

    fn lifetime(&self) -> Option<Duration> {
        self.shared_max_age.or(self.max_age)
    }
}

/// A number of seconds; one that cannot be read makes the answer stale (RFC 9111 §4.2.1).
fn delta_seconds(value: &str) -> Duration {
    Duration::from_secs(value.trim().trim_matches('"').parse().unwrap_or(0))
}

/// A date that cannot be read, such as "0", lies in the past (RFC 9111 §5.3).
fn expires_in(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    headers.get(EXPIRES)?;
    let expires = date(headers, EXPIRES).unwrap_or(SystemTime::UNIX_EPOCH);
    let sent = date(headers, DATE).unwrap_or(now);
    Some(expires.duration_since(sent).unwrap_or_default())
}

fn age(headers: &HeaderMap) -> Duration {
    headers.get(AGE).and_then(|age| age.to_str().ok()).map_or(Duration::ZERO, delta_seconds)
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}
