//! How many calls an application may have at a time and in a month.
//!
//! What is live is known in memory only, because no call outlives the process. What was placed in the month is counted in
//! the database with each call, and read when the server starts.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use call::CallId;
use chrono::{DateTime, Datelike, Utc};

use super::{Exceeded, Limit, Throttling};
use crate::directory::AppId;

/// How long an application that has too many calls is told to wait. Graph documents nothing; a call ends within minutes,
/// and SDKs give up at 180 s (clients.md 3).
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Is a calendar month, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Month {
    year: i32,
    month: u32,
}

impl Month {
    pub(crate) fn of(time: DateTime<Utc>) -> Month {
        Month { year: time.year(), month: time.month() }
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// Counts the calls of each application.
#[derive(Debug)]
pub(crate) struct CallQuota {
    at_a_time: Option<NonZeroU32>,
    a_month: Option<NonZeroU32>,
    apps: Mutex<HashMap<AppId, Calls>>,
}

#[derive(Debug, Default)]
struct Calls {
    live: HashSet<CallId>,
    placed: Option<(Month, u32)>,
}

impl CallQuota {
    /// Starts with what was placed in the month before the server was started.
    pub(crate) fn new(limits: &Throttling, placed: Vec<(AppId, Month, u32)>) -> CallQuota {
        let calls = |(app, month, count)| (app, Calls { live: HashSet::new(), placed: Some((month, count)) });
        CallQuota {
            at_a_time: limits.concurrent_calls,
            a_month: limits.calls_per_month,
            apps: Mutex::new(placed.into_iter().map(calls).collect()),
        }
    }

    /// Counts a call that is about to be placed.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] if there are too many; it is not counted then.
    pub(crate) fn place(&self, app: AppId, call: CallId, now: DateTime<Utc>) -> Result<(), Exceeded> {
        let mut apps = self.apps();
        let calls = apps.entry(app).or_default();
        let month = Month::of(now);
        let placed = calls.placed_in(month);
        if self.at_a_time.is_some_and(|limit| calls.live.len() >= limit.get() as usize) {
            return Err(Exceeded::new(Limit::ConcurrentCalls, RETRY_AFTER));
        }
        if self.a_month.is_some_and(|limit| placed >= limit.get()) {
            return Err(Exceeded::new(Limit::CallsPerMonth, RETRY_AFTER));
        }
        calls.live.insert(call);
        calls.placed = Some((month, placed.saturating_add(1)));
        Ok(())
    }

    /// Takes back a call that could not be placed.
    pub(crate) fn withdraw(&self, app: AppId, call: CallId) {
        let mut apps = self.apps();
        let calls = apps.entry(app).or_default();
        calls.live.remove(&call);
        calls.placed = calls.placed.map(|(month, count)| (month, count.saturating_sub(1)));
    }

    /// Makes room for another: a call is over.
    pub(crate) fn ended(&self, call: CallId) {
        for calls in self.apps().values_mut() {
            calls.live.remove(&call);
        }
    }

    fn apps(&self) -> MutexGuard<'_, HashMap<AppId, Calls>> {
        self.apps.lock().expect("nothing panics while it holds the counts of calls")
    }
}

impl Calls {
    fn placed_in(&self, month: Month) -> u32 {
        self.placed.filter(|(of, _)| *of == month).map_or(0, |(_, count)| count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const APP: AppId = AppId(Uuid::from_u128(1));
    const OTHER: AppId = AppId(Uuid::from_u128(2));

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    fn limits(at_a_time: u32, a_month: u32) -> Throttling {
        Throttling {
            concurrent_calls: NonZeroU32::new(at_a_time),
            calls_per_month: NonZeroU32::new(a_month),
            ..Throttling::default()
        }
    }

    fn refused(result: Result<(), Exceeded>) -> Option<Limit> {
        result.err().map(|exceeded| exceeded.limit)
    }

    #[test]
    fn a_call_that_ends_makes_room_for_another() {
        let quota = CallQuota::new(&limits(2, 0), Vec::new());
        let place = |app, call| refused(quota.place(app, CallId::new(call), time("2026-11-30T23:59:59Z")));
        assert_eq!([place(APP, 1), place(APP, 2), place(APP, 3)], [None, None, Some(Limit::ConcurrentCalls)]);
        assert_eq!(place(OTHER, 4), None);
        quota.ended(CallId::new(1));
        assert_eq!([place(APP, 5), place(APP, 6)], [None, Some(Limit::ConcurrentCalls)]);
        quota.withdraw(APP, CallId::new(5));
        assert_eq!(place(APP, 7), None);
    }

    #[test]
    fn a_month_begins_anew_and_counts_what_was_before_the_start() {
        let november = Month::of(time("2026-11-01T00:00:00Z"));
        let quota = CallQuota::new(&limits(0, 3), vec![(APP, november, 2)]);
        let place = |call, at| refused(quota.place(APP, CallId::new(call), time(at)));
        assert_eq!(place(1, "2026-11-30T23:59:59Z"), None);
        assert_eq!(place(2, "2026-11-30T23:59:59Z"), Some(Limit::CallsPerMonth));
        assert_eq!(place(3, "2026-12-01T00:00:00Z"), None);
        assert_eq!(november.to_string(), "2026-11");
    }
}
