//! The book of the bots: what they asked for, what was answered, and what they were told.

use std::fmt::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::harness::{Answer, Notice};

/// Everything since the first round.
#[derive(Debug, Default)]
pub(super) struct Book {
    pages: Mutex<Pages>,
    grown: Condvar,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Pages {
    pub(super) requests: Vec<Request>,
    pub(super) told: Vec<Told>,
}

/// A request of a bot. Its number goes with it, as the call's callback or the operation's `clientContext`.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) number: usize,
    pub(super) asked: Asked,
    /// The call that it is about; none for one that makes a call.
    pub(super) call: Option<String>,
    pub(super) sent: Instant,
    pub(super) outcome: Outcome,
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Call,
    Hold,
    Unhold,
    Invite,
    Mute { participant: String },
    Remove,
    KeepAlive,
    HangUp,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing yet.
    Open,
    /// A 2xx, with the id in it if there is one.
    Accepted { id: Option<String>, at: Instant },
    /// Any other answer.
    Refused { status: u16 },
    /// The connection broke.
    Lost { at: Instant },
}

/// A notification, and the number of the request that made its call.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) of: usize,
    pub(super) notice: Notice,
}

impl Book {
    /// Enters a request before it is sent, and returns its number.
    pub(super) fn ask(&self, asked: Asked, call: Option<&str>) -> usize {
        let mut pages = self.lock();
        let number = pages.requests.len();
        let (call, sent) = (call.map(str::to_owned), Instant::now());
        pages.requests.push(Request { number, asked, call, sent, outcome: Outcome::Open });
        number
    }

    /// Enters what came back.
    pub(super) fn answer(&self, number: usize, answer: Option<&Answer>) {
        let outcome = match answer {
            None => Outcome::Lost { at: Instant::now() },
            Some(Answer { status: 200..300, body, arrived, .. }) => {
                Outcome::Accepted { id: body["id"].as_str().map(str::to_owned), at: *arrived }
            }
            Some(Answer { status, .. }) => Outcome::Refused { status: *status },
        };
        self.lock().requests[number].outcome = outcome;
    }

    /// Enters what a bot was told.
    pub(super) fn tell(&self, told: Told) {
        self.lock().told.push(told);
        self.wake();
    }

    /// Lets everybody who waits look again.
    pub(super) fn wake(&self) {
        self.grown.notify_all();
    }

    /// Waits until a condition holds, which is looked at whenever something is told. Returns whether it does.
    pub(super) fn wait_until(&self, patience: Duration, mut holds: impl FnMut(&Pages) -> bool) -> bool {
        let waiting = self.grown.wait_timeout_while(self.lock(), patience, |pages| !holds(pages));
        !waiting.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Pages) -> T) -> T {
        read(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    /// Returns what belongs to the requests from a number on.
    pub(super) fn since(&self, number: usize) -> Pages {
        let told = self.told.iter().filter(|told| told.of >= number).cloned().collect();
        Pages { requests: self.requests[number..].to_vec(), told }
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        self.told.iter().map(|told| told.notice.clone()).collect()
    }

    /// Returns everything that was asked and told of a call (of all calls if there is none), one line each.
    pub(super) fn timeline(&self, call: Option<&str>, killed: Instant) -> String {
        let is_of = |other: Option<&str>| call.is_none() || other == call;
        let requests = self.requests.iter().filter(|request| is_of(request.about()));
        let told = self.told.iter().filter(|told| is_of(told.call()));
        let mut lines: Vec<(Instant, String)> = vec![(killed, "the server is killed".to_owned())];
        lines.extend(requests.map(|request| (request.sent, format!("{request:?}"))));
        lines.extend(told.map(|told| (told.notice.arrived, told.line())));
        lines.sort();
        let begin = lines[0].0;
        let mut text = String::new();
        for (at, line) in lines {
            // A string takes everything.
            let _ = writeln!(text, "{:8.3} s  {line}", (at - begin).as_secs_f64());
        }
        text
    }
}

impl Request {
    /// Returns the id that was answered.
    pub(super) fn accepted_id(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Accepted { id, .. } => id.as_deref(),
            Outcome::Open | Outcome::Refused { .. } | Outcome::Lost { .. } => None,
        }
    }

    /// Tells whether its operation ends by a notification.
    pub(super) fn is_operation(&self) -> bool {
        match self.asked {
            Asked::Hold | Asked::Unhold | Asked::Invite => true,
            Asked::Call | Asked::Mute { .. } | Asked::Remove | Asked::KeepAlive | Asked::HangUp => false,
        }
    }

    fn about(&self) -> Option<&str> {
        self.call.as_deref().or(self.accepted_id())
    }
}

impl Told {
    /// Returns the id of the call that it is about.
    pub(super) fn call(&self) -> Option<&str> {
        let path = self.notice.value()["resourceUrl"].as_str()?.strip_prefix("/communications/calls/")?;
        path.split('/').next()
    }

    fn line(&self) -> String {
        let Notice { message_id, .. } = &self.notice;
        format!("told {message_id} {}", self.notice.value())
    }
}
