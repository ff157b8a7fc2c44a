//! Session timers: both sides know within a bound that the other is still there, also when nobody sends RTP (RFC 4028).
//!
//! ```text
//!              agreed in a 2xx             half of it over: we refresh, or the peer does
//!   (none) ───────────────────► running ◄───────────────────────────────────────────────┐
//!                                  │                                                      │
//!                                  ├──────────────────────────────────────────────────────┘
//!                                  │ nearly over and nobody has
//!                                  ▼
//!                                 BYE
//! ```
//!
//! A refresh is an UPDATE without a description, or for a peer that takes none, a re-INVITE with the description sent
//! last, version and all, so that it changes nothing.

use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::event::{DialogKey, EndCause};
use super::header::{Headers, Name};
use super::message::{Request, Response};
use super::method::Method;
use super::received::Received;
use super::session::{Offering, Phase, SessionTimer};
use super::status::Status;
use super::text::Parameters;
use super::transaction::ServerId;

/// The option tag of session timers.
pub(super) const OPTION: &str = "timer";

/// The longest session interval that a 422 may make us ask for: a day. More would keep dead calls for longer than anybody
/// talks.
const INTERVAL_MAX: Duration = Duration::from_hours(24);

/// The shortest interval there is, whatever the configuration says: none at all would keep us refreshing for ever.
const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// How long before the end of the interval the BYE is sent, at most (RFC 4028 §10).
const MARGIN_MAX: Duration = Duration::from_secs(32);

/// How often a refresh that was refused is tried within an interval.
const TRIES_PER_INTERVAL: u32 = 8;

/// Who refreshes the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refresher {
    Us,
    Peer,
}

/// A session interval in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Interval {
    length: Duration,
    refresher: Refresher,
}

/// A Session-Expires header field (RFC 4028 §4).
struct SessionExpires {
    length: Duration,
    /// The value of its `refresher`: `uac` or `uas`.
    refresher: Option<String>,
}

impl SessionExpires {
    fn of(headers: &Headers) -> Option<SessionExpires> {
        let value = headers.first(&Name::SessionExpires)?;
        let (_, parameters) = value.split_once(';').unwrap_or((value, ""));
        let refresher = Parameters::parse(parameters).value("refresher").map(str::to_ascii_lowercase);
        let length = Duration::from_secs(headers.number(&Name::SessionExpires)?.into());
        Some(SessionExpires { length, refresher })
    }
}

impl Endpoint {
    /// Asks for a session interval in a request that can refresh the session: the one in force, else the one wished for.
    pub(super) fn ask_for_interval(&self, key: DialogKey, request: &mut Request) {
        let session = self.sessions.get(&key);
        let wished = session.and_then(|session| session.interval_wished).or(self.config.session_expires);
        let in_force = session.and_then(|session| session.interval);
        let value = match (in_force, wished) {
            (Some(Interval { length, refresher: Refresher::Us }), _) => format!("{};refresher=uac", length.as_secs()),
            (Some(Interval { length, refresher: Refresher::Peer }), _) => format!("{};refresher=uas", length.as_secs()),
            (None, Some(length)) => length.as_secs().to_string(),
            (None, None) => return,
        };
        request.headers.set(Name::SessionExpires, value);
        request.headers.set(Name::MinSe, self.config.session_expires_min.as_secs());
    }

    /// Takes a 422 in. Returns whether asking once more, for the longer interval that it wants, can help.
    pub(super) fn is_interval_raised(&mut self, key: DialogKey, response: &Response) -> bool {
        if response.status != Status::SESSION_INTERVAL_TOO_SMALL {
            return false;
        }
        let wanted = response.headers.number(&Name::MinSe).map(|min_s| Duration::from_secs(min_s.into()));
        let Some(session) = self.sessions.get_mut(&key) else { return false };
        let asked = session.interval_wished.or(self.config.session_expires).unwrap_or_default();
        let Some(raised) = wanted.filter(|wanted| *wanted > asked && *wanted <= INTERVAL_MAX) else { return false };
        session.interval_wished = Some(raised);
        // What was in force is what the peer finds too short now.
        session.interval =
            session.interval.map(|interval| Interval { length: raised.max(interval.length), ..interval });
        true
    }

    /// Takes in what a 2xx of the peer says of the interval. Without a word of it there is none (RFC 4028 §7.2).
    pub(super) fn note_interval(&mut self, key: DialogKey, response: &Response, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        session.note_allowed(&response.headers);
        session.interval = SessionExpires::of(&response.headers).map(|expires| Interval {
            length: expires.length.max(self.config.session_expires_min).max(INTERVAL_MIN),
            refresher: match expires.refresher.as_deref() {
                Some("uas") => Refresher::Peer,
                Some(_) | None => Refresher::Us,
            },
        });
        self.run_interval(key, now);
    }

    /// Refuses a request that wants a shorter interval than we do, if its sender knows what that means (RFC 4028 §9).
    pub(super) fn is_interval_too_brief(&mut self, server: ServerId, received: &Received, now: Instant) -> bool {
        let headers = &received.request.headers;
        let is_brief = SessionExpires::of(headers)
            .is_some_and(|expires| expires.length < self.config.session_expires_min)
            && supports(headers, OPTION);
        if is_brief {
            let min_s = self.config.session_expires_min.as_secs();
            self.respond_with(server, Status::SESSION_INTERVAL_TOO_SMALL, now, |response| {
                response.headers.push(Name::MinSe, min_s);
            });
        }
        is_brief
    }

    /// Agrees on an interval in our 2xx (RFC 4028 §9, table 2). Where the peer leaves the choice to us, we refresh: so we
    /// learn by ourselves that it is gone.
    pub(super) fn answer_interval(
        &mut self,
        key: DialogKey,
        received: &Received,
        response: &mut Response,
        now: Instant,
    ) {
        let headers = &received.request.headers;
        let peer_knows = supports(headers, OPTION);
        let asked = SessionExpires::of(headers);
        let wished = self.config.session_expires.filter(|_| peer_knows);
        let length = asked.as_ref().map(|expires| expires.length).or(wished);
        let least_s = headers.number(&Name::MinSe).unwrap_or_default();
        let least = self.config.session_expires_min.max(Duration::from_secs(least_s.into())).max(INTERVAL_MIN);
        let refresher = match asked.and_then(|expires| expires.refresher).as_deref() {
            Some("uac") if peer_knows => Refresher::Peer,
            Some(_) | None => Refresher::Us,
        };
        let interval = length.map(|length| Interval { length: length.max(least), refresher });
        if let Some(Interval { length, refresher }) = interval {
            let name = if refresher == Refresher::Us { "uas" } else { "uac" };
            response.headers.push(Name::SessionExpires, format!("{};refresher={name}", length.as_secs()));
            if peer_knows {
                response.headers.push(Name::Require, OPTION);
            }
        }
        if let Some(session) = self.sessions.get_mut(&key) {
            session.interval = interval;
        }
        self.run_interval(key, now);
    }

    fn run_interval(&mut self, key: DialogKey, now: Instant) {
        self.session_timers.clear(SessionTimer::Refresh(key));
        self.session_timers.clear(SessionTimer::Expiry(key));
        let Some(Interval { length, refresher }) = self.sessions.get(&key).and_then(|session| session.interval) else {
            return;
        };
        if refresher == Refresher::Us {
            self.session_timers.set(SessionTimer::Refresh(key), now + length / 2);
        }
        self.session_timers.set(SessionTimer::Expiry(key), now + length - MARGIN_MAX.min(length / 3));
    }

    /// Half of the interval is over, and it is on us to refresh.
    pub(super) fn refresh_session(&mut self, key: DialogKey, now: Instant) {
        let session = self.sessions.get_mut(&key).filter(|session| matches!(session.phase, Phase::Established));
        let Some(session) = session else { return };
        if session.offering.is_some() || session.is_inviting() {
            // Whatever is under way refreshes as well.
            return self.refresh_later(key, now);
        }
        session.offering = Some(match session.takes_update {
            true => Offering::refresh(Method::Update, Vec::new()),
            false => Offering::refresh(Method::Invite, session.description.clone()),
        });
        self.send_offering(key, now);
    }

    /// The peer refused a refresh, perhaps for its method only.
    pub(super) fn refresh_refused(&mut self, key: DialogKey, refused: &Offering, now: Instant) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.takes_update &= refused.method != Method::Update;
        }
        self.refresh_later(key, now);
    }

    /// Tries again before the interval is over.
    pub(super) fn refresh_later(&mut self, key: DialogKey, now: Instant) {
        if let Some(Interval { length, .. }) = self.sessions.get(&key).and_then(|session| session.interval) {
            self.session_timers.set(SessionTimer::Refresh(key), now + length / TRIES_PER_INTERVAL);
        }
    }

    /// Nobody has refreshed the session in time (RFC 4028 §10).
    pub(super) fn let_expire(&mut self, key: DialogKey, now: Instant) {
        if self.sessions.get(&key).is_some_and(|session| matches!(session.phase, Phase::Established)) {
            self.tell_end(key, EndCause::Timeout);
            self.say_bye(key, now);
        }
    }
}

/// Tells whether the sender knows an extension, by what it supports or requires.
pub(super) fn supports(headers: &Headers, option: &str) -> bool {
    [Name::Supported, Name::Require]
        .iter()
        .any(|name| headers.list(name).any(|known| known.eq_ignore_ascii_case(option)))
}
