//! Each client assertion is good once: whoever reads one in a log or on a wire cannot use it again (RFC 7523, section 3,
//! rule 7).

use std::collections::HashMap;
use std::sync::Mutex;

/// Assertions that are remembered at a time, some 50 bytes each. Only what an application has signed takes a place, and
/// each lives for minutes: at 200 token requests a second this is eight of them.
const REMEMBERED_MAX: usize = 100_000;

/// How often what has expired is forgotten, in seconds.
const SWEEP_INTERVAL_S: i64 = 60;

/// Is an assertion's mark: a hash of who made it and what it calls itself.
pub(crate) type Mark = [u8; 32];

/// Remembers the assertions that were used, until they would have expired. A restart forgets them.
#[derive(Debug, Default)]
pub(crate) struct Replays(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    until: HashMap<Mark, i64>,
    sweep_at: i64,
}

/// Says why an assertion is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplayError {
    /// It was used before.
    Again,
    /// No more can be remembered. It is refused, because it could be a replay.
    Full,
}

impl Replays {
    /// Takes note of an assertion that is good until `expires`; times are seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] if it must not be used.
    pub(crate) fn first_use(&self, mark: Mark, expires: i64, now: i64) -> Result<(), ReplayError> {
        let mut seen = self.0.lock().expect("nothing panics while it holds the marks");
        if now >= seen.sweep_at {
            seen.until.retain(|_, until| *until > now);
            seen.sweep_at = now + SWEEP_INTERVAL_S;
        }
        if seen.until.contains_key(&mark) {
            return Err(ReplayError::Again);
        }
        if seen.until.len() >= REMEMBERED_MAX {
            return Err(ReplayError::Full);
        }
        seen.until.insert(mark, expires);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_good_once_and_forgotten_when_it_would_have_expired() {
        let replays = Replays::default();
        assert_eq!(replays.first_use([1; 32], 600, 0), Ok(()));
        assert_eq!(replays.first_use([2; 32], 600, 0), Ok(()));
        assert_eq!(replays.first_use([1; 32], 600, 599), Err(ReplayError::Again));
        assert_eq!(replays.first_use([1; 32], 1200, 700), Ok(()));
        assert_eq!(replays.0.lock().expect("the marks").until.len(), 1);
    }

    #[test]
    fn what_cannot_be_remembered_is_refused() {
        let replays = Replays::default();
        let mark = |number: usize| {
            let mut mark = [0; 32];
            mark[..8].copy_from_slice(&number.to_be_bytes());
            mark
        };
        for number in 0..REMEMBERED_MAX {
            replays.first_use(mark(number), 600, 0).expect("there is place");
        }
        assert_eq!(replays.first_use(mark(REMEMBERED_MAX), 600, 59), Err(ReplayError::Full));
        assert_eq!(replays.first_use(mark(REMEMBERED_MAX), 1200, 661), Ok(()));
    }
}
