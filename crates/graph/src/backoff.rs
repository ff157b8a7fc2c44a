//! What becomes of a notice after a try, and when the next one is.

use std::time::Duration;

use http::StatusCode;
use uuid::Uuid;

use crate::notify::Answer;
use crate::store::Outcome;

/// Waits before the second, third, … try. The first three end within the 30 s for which Microsoft's SDK waits for an
/// operation; then longer, because an application that is down for minutes is down for hours.
const RETRY_WAITS: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
    Duration::from_hours(1),
];

/// Longest wait that an application may ask for by `Retry-After`: as long as the longest of our own. What comes after the
/// notice waits with it.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// Is how far a notice has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// Tries since it was put into the outbox, this one too.
    pub(crate) tries: u32,
    /// How long it has been in the outbox.
    pub(crate) age: Duration,
    /// How long it is tried.
    pub(crate) give_up_after: Duration,
}

/// Decides what becomes of a notice after an answer at `now_ms`.
pub(crate) fn outcome(answer: &Answer, progress: Progress, now_ms: i64) -> Outcome {
    let asked = match answer {
        Answer::Received(_) => return Outcome::Delivered,
        Answer::Rejected(status, _) if !is_passing(*status) => return Outcome::Dead,
        Answer::Rejected(_, retry_after) => retry_after.unwrap_or_default().min(RETRY_AFTER_MAX),
        Answer::Unreached(_) => Duration::ZERO,
    };
    if progress.age > progress.give_up_after {
        return Outcome::Dead;
    }
    // Never before it was asked for, and never more often than without having been asked.
    let wait = jittered(wait_after(progress.tries).max(asked));
    Outcome::Retry(now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)))
}

/// Tells trouble that passes from a clear no. A 410, too, is a no to this notice only: Standard Webhooks would stop all
/// others, but a callback belongs to one call, which has few left, and one of them says that the call has ended.
fn is_passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS) || status.is_server_error()
}

fn wait_after(tries: u32) -> Duration {
    let at = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    RETRY_WAITS[at.min(RETRY_WAITS.len() - 1)]
}

/// Spreads a wait by up to a quarter, so that calls that failed together are not tried together.
fn jittered(wait: Duration) -> Duration {
    let [byte, ..] = Uuid::new_v4().into_bytes();
    wait + wait * u32::from(byte) / (4 * 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn decide(answer: &Answer, tries: u32, age: Duration) -> Outcome {
        outcome(answer, Progress { tries, age, give_up_after: DAY }, 1000)
    }

    fn rejected(status: u16, retry_after_s: Option<u64>) -> Answer {
        let status = StatusCode::from_u16(status).expect("a status");
        Answer::Rejected(status, retry_after_s.map(Duration::from_secs))
    }

    #[track_caller]
    fn check_wait(answer: &Answer, tries: u32, least_s: i64) {
        let Outcome::Retry(at_ms) = decide(answer, tries, Duration::ZERO) else { panic!("it is tried again") };
        let wait_ms = at_ms - 1000;
        assert!(least_s * 1000 <= wait_ms && wait_ms < least_s * 1250, "{wait_ms}");
    }

    #[test]
    fn what_was_received_is_done() {
        for status in [StatusCode::OK, StatusCode::ACCEPTED, StatusCode::NO_CONTENT] {
            assert_eq!(decide(&Answer::Received(status), 1, Duration::ZERO), Outcome::Delivered);
        }
    }

    #[test]
    fn trouble_is_tried_again_with_growing_waits() {
        let down = Answer::Unreached("no connection");
        for (tries, wait_s) in [(1, 1), (2, 3), (3, 10), (4, 30), (8, 3600), (1000, 3600)] {
            check_wait(&down, tries, wait_s);
        }
        for status in [408, 429, 500, 503] {
            check_wait(&rejected(status, None), 1, 1);
        }
    }

    #[test]
    fn who_asks_to_wait_is_waited_for_up_to_an_hour() {
        for (asked_s, tries, wait_s) in [(7, 1, 7), (0, 1, 1), (7, 4, 30), (7200, 1, 3600), (u64::MAX, 1, 3600)] {
            check_wait(&rejected(503, Some(asked_s)), tries, wait_s);
        }
    }

    #[test]
    fn a_clear_no_and_old_age_end_it() {
        for status in [302, 400, 401, 403, 404, 410] {
            assert_eq!(decide(&rejected(status, Some(5)), 1, Duration::ZERO), Outcome::Dead);
        }
        let old = DAY + Duration::from_secs(1);
        assert_eq!(decide(&Answer::Unreached("no connection"), 30, old), Outcome::Dead);
    }
}
