//! Wakes a poll at a point in time, to the microsecond where the system can: `epoll` alone counts in milliseconds.

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// A Linux timer file descriptor that is part of a poll.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: OwnedFd,
    set_to: Option<Instant>,
}

impl Alarm {
    /// Makes an alarm that wakes the poll of `registry`.
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { timer, set_to: None })
    }

    /// Sets the alarm to `deadline`, or to never. Returns the timeout that the poll is to be given.
    pub(crate) fn set(&mut self, deadline: Option<Instant>) -> Option<Duration> {
        let wait = deadline?.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Some(Duration::ZERO);
        }
        if self.set_to == deadline {
            return None;
        }
        let it_value = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        match timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once) {
            Ok(_) => {
                self.set_to = deadline;
                None
            }
            // Coarser, and still right.
            Err(_) => Some(wait),
        }
    }

    /// Takes note that the alarm has gone off, if it has. To be called after each poll.
    pub(crate) fn clear(&mut self) {
        let mut expirations = [0; 8];
        if rustix::io::read(&self.timer, &mut expirations).is_ok() {
            self.set_to = None;
        }
    }
}
