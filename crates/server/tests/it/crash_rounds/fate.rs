//! When the server dies: at the n-th time that something happens, or a little later.

use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::watch;

/// The longest pause between the moment and the kill. What follows a moment (a commit, an answer, a delivery) takes a few
/// milliseconds each, the tick 20.
const PAUSE_MAX_US: u64 = 30_000;

/// Something that happens between two steps of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// A request is sent.
    Sent,
    /// A request was answered with a 2xx.
    Answered,
    /// A notification has come and is not answered yet.
    Told,
    /// A prompt is asked for.
    Fetched,
    /// A SIP message has come to the phone that never answers.
    Invited,
}

/// The end of one server.
pub(super) struct Fate {
    moment: Moment,
    nth: u32,
    pause: Duration,
    /// How often the moment has been there.
    count: Mutex<u32>,
    come: Condvar,
    struck: watch::Sender<bool>,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(killed {:?} after {:?} no. {})", self.pause, self.moment, self.nth)
    }
}

impl Fate {
    /// Chooses the moment; the same one for the same seed.
    pub(super) fn new(seed: u64) -> Fate {
        let mut random = Rng::with_seed(seed);
        // So many come within about a second.
        let (moment, nth_max) = match random.u8(..8) {
            0 | 1 => (Moment::Sent, 80),
            2 | 3 => (Moment::Answered, 60),
            4 | 5 => (Moment::Told, 80),
            6 => (Moment::Fetched, 8),
            _ => (Moment::Invited, 4),
        };
        let pause_us = if random.bool() { random.u64(..PAUSE_MAX_US) } else { 0 };
        Fate {
            moment,
            nth: random.u32(1..=nth_max),
            pause: Duration::from_micros(pause_us),
            count: Mutex::default(),
            come: Condvar::new(),
            struck: watch::Sender::new(false),
        }
    }

    /// Takes in that something happens, and says whether it is what the server dies of.
    pub(super) fn happens(&self, moment: Moment) -> bool {
        if moment != self.moment {
            return false;
        }
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        self.come.notify_all();
        *count == self.nth
    }

    /// Waits for the moment, but not for ever, and for the pause after it.
    pub(super) fn wait(&self, longest: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let is_early = |count: &mut u32| *count < self.nth;
        drop(self.come.wait_timeout_while(count, longest, is_early).unwrap_or_else(PoisonError::into_inner));
        thread::sleep(self.pause);
    }

    /// Says that the server is dead.
    pub(super) fn strike(&self) {
        self.struck.send_replace(true);
    }

    pub(super) fn is_struck(&self) -> bool {
        *self.struck.borrow()
    }

    /// Waits until the server is dead.
    pub(super) async fn struck(&self) {
        // The sender is in here.
        let _ = self.struck.subscribe().wait_for(|struck| *struck).await;
    }
}
