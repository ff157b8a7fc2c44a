//! Load that does not wait for the server: each request has a time at which it is due, however long those before it take.
//!
//! Who sends the next request when the last one is answered leaves out of the figures what would have waited behind a
//! slow one ("coordinated omission"). Here the time of an answer counts from when its request was due.

use std::thread;
use std::time::{Duration, Instant};

/// Calls `begin` with the number of each request and the time at which it is due, at that time: `count` times, `rate_hz` a
/// second. It must not wait for anything.
pub(super) fn keep(rate_hz: u32, count: u32, begin: impl Fn(u32, Instant)) {
    let pause = Duration::from_secs(1) / rate_hz;
    let start = Instant::now() + pause;
    for n in 0..count {
        let due = start + pause * n;
        // A thread of its own wakes within some ten microseconds; the runtime's timers count in milliseconds.
        thread::sleep(due.saturating_duration_since(Instant::now()));
        begin(n, due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn requests_are_due_at_even_times_however_late_they_begin() {
        let due = RefCell::new(Vec::new());
        keep(1000, 5, |n, at| {
            assert!(at <= Instant::now(), "{n} begins early");
            due.borrow_mut().push(at);
            thread::sleep(Duration::from_millis(2));
        });
        let due = due.into_inner();
        assert!(due.windows(2).all(|pair| pair[1] - pair[0] == Duration::from_millis(1)), "{due:?}");
        assert_eq!(due.len(), 5);
    }
}
