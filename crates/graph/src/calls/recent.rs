//! Remembers who asked for which call, so that a request that comes again does not ring everybody twice.
//!
//! A call has no client context. What a client keeps over its repetitions is the header `client-request-id`, and it counts
//! them in `Retry-Attempt` (clients.md 2 and 3). A repetition waits for the first request while that is being carried out,
//! is answered as that was, and is carried out itself if that failed or was never seen.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use http::HeaderName;
use http::request::Parts;
use tokio::sync::OnceCell;

use crate::api::Api;
use crate::directory::{AppId, TenantId};
use crate::request::RequestIds;
use crate::wire::call::Call;

const RETRY_ATTEMPT: HeaderName = HeaderName::from_static("retry-attempt");

/// How long a call is remembered. SDKs repeat three times and wait at most 180 s before each; more would only fill memory.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Calls that are remembered at a time, about 2 KiB each. Beyond it the oldest is forgotten, and repeating its request
/// would call again.
const REMEMBERED_MAX: usize = 10_000;

/// Is a call as its creation was answered, once it is known. Whoever fills it first is the one who calls.
pub(crate) type Answered = Arc<OnceCell<Call>>;

/// Is what a client says about which try this is.
#[derive(Debug)]
pub(crate) struct Attempt {
    client_request_id: Option<String>,
    is_repetition: bool,
}

impl FromRequestParts<Api> for Attempt {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Attempt, Infallible> {
        let ids = parts.extensions.get::<RequestIds>().expect("the outermost layer names every request");
        let number = parts.headers.get(RETRY_ATTEMPT).and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok());
        Ok(Attempt {
            client_request_id: ids.given().map(str::to_owned),
            is_repetition: number.is_some_and(|number| number > 0),
        })
    }
}

/// Remembers the calls of the last minutes.
#[derive(Debug, Default)]
pub(crate) struct RecentCalls(Mutex<Recent>);

#[derive(Debug, Default)]
struct Recent {
    answered: HashMap<Mark, Answered>,
    /// When each was remembered. A mark that was used for several calls is in here as often, and forgotten with the first.
    oldest_first: VecDeque<(Instant, Mark)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Mark {
    app: AppId,
    tenant: TenantId,
    client_request_id: String,
}

impl RecentCalls {
    /// Finds the place of the answer that a try shares with those before it. A first try gets one of its own.
    pub(crate) fn answered(&self, app: AppId, tenant: TenantId, attempt: Attempt, now: Instant) -> Answered {
        let Some(client_request_id) = attempt.client_request_id else { return Answered::default() };
        let mark = Mark { app, tenant, client_request_id };
        let mut recent = self.0.lock().expect("nothing panics while it holds the recent calls");
        recent.forget_old(now);
        match recent.answered.get(&mark) {
            Some(answered) if attempt.is_repetition => Arc::clone(answered),
            Some(_) | None => recent.remember(mark, now),
        }
    }
}

impl Recent {
    fn remember(&mut self, mark: Mark, now: Instant) -> Answered {
        let answered = Answered::default();
        self.answered.insert(mark.clone(), Arc::clone(&answered));
        self.oldest_first.push_back((now, mark));
        answered
    }

    /// Makes room for one more.
    fn forget_old(&mut self, now: Instant) {
        while let Some((since, mark)) = self.oldest_first.front() {
            if self.oldest_first.len() < REMEMBERED_MAX && now.duration_since(*since) < REMEMBERED {
                return;
            }
            self.answered.remove(mark);
            self.oldest_first.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const TENANT: TenantId = TenantId(Uuid::nil());

    fn app(number: u128) -> AppId {
        AppId(Uuid::from_u128(number))
    }

    fn attempt(client_request_id: Option<&str>, number: u32) -> Attempt {
        Attempt { client_request_id: client_request_id.map(str::to_owned), is_repetition: number > 0 }
    }

    #[test]
    fn only_a_repetition_of_the_same_request_shares_its_answer() {
        let (recent, start) = (RecentCalls::default(), Instant::now());
        let ask = |app, id, number, after| recent.answered(self::app(app), TENANT, attempt(id, number), start + after);
        let first = ask(1, Some("a"), 0, Duration::ZERO);
        assert!(Arc::ptr_eq(&first, &ask(1, Some("a"), 1, Duration::from_secs(1))));
        assert!(!Arc::ptr_eq(&first, &ask(2, Some("a"), 1, Duration::ZERO)), "another application");
        assert!(!Arc::ptr_eq(&first, &ask(1, Some("b"), 1, Duration::ZERO)), "another request");
        assert!(!Arc::ptr_eq(&first, &ask(1, None, 1, Duration::ZERO)), "a request without a name");
        assert!(!Arc::ptr_eq(&first, &ask(1, Some("a"), 1, REMEMBERED)), "too late");
    }

    #[test]
    fn a_first_try_under_a_used_name_is_a_call_of_its_own() {
        let (recent, now) = (RecentCalls::default(), Instant::now());
        let first = recent.answered(app(1), TENANT, attempt(Some("a"), 0), now);
        let second = recent.answered(app(1), TENANT, attempt(Some("a"), 0), now);
        assert!(!Arc::ptr_eq(&first, &second));
        assert!(Arc::ptr_eq(&second, &recent.answered(app(1), TENANT, attempt(Some("a"), 1), now)));
    }

    #[test]
    fn memory_is_bounded() {
        let (recent, now) = (RecentCalls::default(), Instant::now());
        for number in 0..=REMEMBERED_MAX {
            recent.answered(app(1), TENANT, attempt(Some(&number.to_string()), 0), now);
        }
        let recent = recent.0.lock().expect("nothing panicked");
        assert_eq!((recent.answered.len(), recent.oldest_first.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
    }
}
