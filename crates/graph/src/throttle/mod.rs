//! How much one application, or one stranger, may ask for; what is beyond it is answered 429 with `Retry-After`.
//!
//! Graph's own limits are per application: requests a second, calls at a time, calls a month (graph-calls.md 4.6). Ours
//! beside them are per address: requests without a good token, and token requests that fail. Memory is bounded by the
//! configured applications and by a table of fixed size: nothing grows with the number of strangers.

mod bucket;
mod calls;
mod client_address;

pub(crate) use calls::{CallQuota, Month};
pub(crate) use client_address::ClientAddress;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use bucket::{Bucket, Rate};
use uuid::Uuid;

use crate::directory::AppId;

/// Buckets for strangers, of 8 bytes each. Two addresses share one with a chance of one in so many; then the failures of
/// the one count for the other.
const STRANGER_BUCKETS: usize = 1 << 14;

/// Sets the limits; `None` is none.
#[derive(Debug, Clone, Default)]
pub struct Throttling {
    /// Requests that an application or a person may make each second.
    pub requests_per_second: Option<NonZeroU32>,
    /// Calls that an application may have at a time.
    pub concurrent_calls: Option<NonZeroU32>,
    /// Calls that an application may make in a calendar month, UTC.
    pub calls_per_month: Option<NonZeroU32>,
    /// Requests to the API that an address may make each second without a good token.
    pub unauthenticated_per_second: Option<NonZeroU32>,
    /// Token requests of one application that may fail each minute from one address.
    pub failed_token_requests_per_minute: Option<NonZeroU32>,
    /// Sign-ins of people that may fail each minute from one address.
    pub failed_sign_ins_per_minute: Option<NonZeroU32>,
    /// Addresses of reverse proxies, whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
}

/// Counts what is asked, and says when it is too much.
#[derive(Debug)]
pub(crate) struct Throttle {
    start: Instant,
    requests: Option<Rate>,
    unauthenticated: Option<Rate>,
    failed_tokens: Option<Rate>,
    failed_sign_ins: Option<Rate>,
    /// By the ids of applications and users.
    known: HashMap<Uuid, Bucket>,
    strangers: Strangers,
    proxies: Vec<IpAddr>,
    pub(crate) calls: CallQuota,
}

/// Says which limit was exceeded, and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded {
    pub(crate) limit: Limit,
    /// Whole seconds, at least one.
    pub(crate) retry_after: Duration,
}

/// Names a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    Requests,
    ConcurrentCalls,
    CallsPerMonth,
    Unauthenticated,
    FailedTokens,
    FailedSignIns,
}

impl Exceeded {
    /// Counts it, too: every limit that is exceeded is answered.
    fn new(limit: Limit, wait: Duration) -> Exceeded {
        metrics::counter!("fermata_throttled_total", "limit" => limit.name()).increment(1);
        let whole_s = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Exceeded { limit, retry_after: Duration::from_secs(whole_s.max(1)) }
    }
}

impl Limit {
    /// Returns the key of the configuration that sets the limit.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Limit::Requests => "requests_per_second",
            Limit::ConcurrentCalls => "concurrent_calls",
            Limit::CallsPerMonth => "calls_per_month",
            Limit::Unauthenticated => "unauthenticated_per_second",
            Limit::FailedTokens => "failed_token_requests_per_minute",
            Limit::FailedSignIns => "failed_sign_ins_per_minute",
        }
    }
}

impl Throttle {
    /// Starts with full buckets for the applications and users of these ids; `calls` knows what was placed before.
    pub(crate) fn new(limits: &Throttling, known: impl Iterator<Item = Uuid>, calls: CallQuota) -> Throttle {
        let per = |time, count: Option<NonZeroU32>| count.map(|count| Rate::new(count, time));
        Throttle {
            start: Instant::now(),
            requests: per(Duration::from_secs(1), limits.requests_per_second),
            unauthenticated: per(Duration::from_secs(1), limits.unauthenticated_per_second),
            failed_tokens: per(Duration::from_mins(1), limits.failed_token_requests_per_minute),
            failed_sign_ins: per(Duration::from_mins(1), limits.failed_sign_ins_per_minute),
            known: known.map(|id| (id, Bucket::default())).collect(),
            strangers: Strangers::new(),
            proxies: limits.proxies.clone(),
            calls,
        }
    }

    /// Counts a request of the application or user of this id.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if it has made too many.
    pub(crate) fn request(&self, id: Uuid) -> Result<(), Exceeded> {
        let (Some(rate), Some(bucket)) = (self.requests, self.known.get(&id)) else { return Ok(()) };
        bucket.take(rate, self.start.elapsed()).map_err(|wait| Exceeded::new(Limit::Requests, wait))
    }

    /// Counts a request that had no good token.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if its address has made too many.
    pub(crate) fn unauthenticated(&self, client: ClientAddress) -> Result<(), Exceeded> {
        let Some(rate) = self.unauthenticated else { return Ok(()) };
        let bucket = self.strangers.bucket((Limit::Unauthenticated, client));
        bucket.take(rate, self.start.elapsed()).map_err(|wait| Exceeded::new(Limit::Unauthenticated, wait))
    }

    /// Lets a token request be judged, unless too many have failed. `app` is the known application that it names.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if so; a right secret does not help then, or trying would tell which is right.
    pub(crate) fn token_request(&self, client: ClientAddress, app: Option<AppId>) -> Result<(), Exceeded> {
        let Some(rate) = self.failed_tokens else { return Ok(()) };
        let wait = self.strangers.bucket((Limit::FailedTokens, client, app)).wait(rate, self.start.elapsed());
        wait.map_or(Ok(()), |wait| Err(Exceeded::new(Limit::FailedTokens, wait)))
    }

    /// Counts a token request that has failed.
    pub(crate) fn token_request_failed(&self, client: ClientAddress, app: Option<AppId>) {
        if let Some(rate) = self.failed_tokens {
            self.strangers.bucket((Limit::FailedTokens, client, app)).charge(rate, self.start.elapsed());
        }
    }

    /// Lets somebody try to sign in, unless too many tries from the address have failed. They count whoever they name:
    /// else one password could be tried with every name.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if so; a right password does not help then.
    pub(crate) fn sign_in(&self, client: ClientAddress) -> Result<(), Exceeded> {
        let Some(rate) = self.failed_sign_ins else { return Ok(()) };
        let wait = self.strangers.bucket((Limit::FailedSignIns, client)).wait(rate, self.start.elapsed());
        wait.map_or(Ok(()), |wait| Err(Exceeded::new(Limit::FailedSignIns, wait)))
    }

    /// Counts a sign-in that has failed.
    pub(crate) fn sign_in_failed(&self, client: ClientAddress) {
        if let Some(rate) = self.failed_sign_ins {
            self.strangers.bucket((Limit::FailedSignIns, client)).charge(rate, self.start.elapsed());
        }
    }
}

/// Is a table of buckets of a fixed size. Where a key lies is random in each process, so that nobody can aim at another.
#[derive(Debug)]
struct Strangers {
    buckets: Box<[Bucket]>,
    hasher: RandomState,
}

impl Strangers {
    fn new() -> Strangers {
        Strangers { buckets: (0..STRANGER_BUCKETS).map(|_| Bucket::default()).collect(), hasher: RandomState::new() }
    }

    fn bucket(&self, key: impl Hash) -> &Bucket {
        let hash = self.hasher.hash_one(key);
        &self.buckets[usize::try_from(hash % STRANGER_BUCKETS as u64).expect("the table has fewer buckets")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: AppId = AppId(Uuid::from_u128(1));
    const OTHER: AppId = AppId(Uuid::from_u128(2));

    fn throttle(limits: &Throttling) -> Throttle {
        Throttle::new(limits, [APP.0, OTHER.0].into_iter(), CallQuota::new(limits, Vec::new()))
    }

    fn client(text: &str) -> ClientAddress {
        ClientAddress::new(text.parse().expect("an address"))
    }

    #[test]
    fn each_application_has_a_limit_of_its_own() {
        let throttle = throttle(&Throttling { requests_per_second: NonZeroU32::new(1), ..Throttling::default() });
        assert_eq!(throttle.request(APP.0), Ok(()));
        let exceeded = Exceeded { limit: Limit::Requests, retry_after: Duration::from_secs(1) };
        assert_eq!(throttle.request(APP.0), Err(exceeded));
        assert_eq!(throttle.request(OTHER.0), Ok(()));
    }

    #[test]
    fn failures_count_for_an_application_at_an_address() {
        let limits = Throttling { failed_token_requests_per_minute: NonZeroU32::new(2), ..Throttling::default() };
        let throttle = throttle(&limits);
        let [here, there] = ["192.0.2.1", "192.0.2.2"].map(client);
        for _ in 0..2 {
            assert_eq!(throttle.token_request(here, Some(APP)), Ok(()));
            throttle.token_request_failed(here, Some(APP));
        }
        let refused = throttle.token_request(here, Some(APP)).expect_err("two have failed");
        assert!(refused.retry_after <= Duration::from_secs(30), "{refused:?}");
        for (client, app) in [(there, Some(APP)), (here, Some(OTHER)), (here, None)] {
            assert_eq!(throttle.token_request(client, app), Ok(()), "{client:?} {app:?}");
        }
    }

    #[test]
    fn sign_ins_that_fail_count_for_an_address_whoever_they_name() {
        let limits = Throttling { failed_sign_ins_per_minute: NonZeroU32::new(2), ..Throttling::default() };
        let throttle = throttle(&limits);
        let [here, there] = ["192.0.2.1", "192.0.2.2"].map(client);
        for _ in 0..2 {
            assert_eq!(throttle.sign_in(here), Ok(()));
            throttle.sign_in_failed(here);
        }
        assert_eq!(throttle.sign_in(here).expect_err("two have failed").limit, Limit::FailedSignIns);
        assert_eq!(throttle.sign_in(there), Ok(()));
    }

    #[test]
    fn without_limits_nothing_is_refused() {
        let throttle = throttle(&Throttling::default());
        for _ in 0..10_000 {
            throttle.token_request_failed(client("::1"), None);
            let all = [
                throttle.request(APP.0),
                throttle.unauthenticated(client("::1")),
                throttle.token_request(client("::1"), None),
            ];
            assert_eq!(all, [Ok(()); 3]);
        }
    }
}
