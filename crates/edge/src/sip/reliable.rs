//! Reliable provisional responses, as the callee: our 180 is sent again until the caller has confirmed it with PRACK
//! (RFC 3262 §3).

use std::time::{Duration, Instant};

use super::body::Description;
use super::endpoint::Endpoint;
use super::event::DialogKey;
use super::header::Name;
use super::message::{Request, Response};
use super::method::Method;
use super::prack::OPTION;
use super::received::Received;
use super::session::{Session, SessionTimer};
use super::status::Status;
use super::transaction::ServerId;

/// How a caller wants to be told that it rings.
pub(super) enum Alerting {
    /// By a response that may get lost.
    Plain,
    /// By one that it confirms.
    Reliable,
    /// Not at all. It takes none but reliable responses, and the first one would have to bring our offer (RFC 3262 §5),
    /// which is not made before the call is taken.
    None,
}

impl Alerting {
    pub(super) fn of(invite: &Request) -> Alerting {
        let is_listed = |name| invite.headers.list(&name).any(|option| option.eq_ignore_ascii_case(OPTION));
        let (is_required, is_supported) = (is_listed(Name::Require), is_listed(Name::Supported));
        match invite.description() != Description::None {
            true if is_required || is_supported => Alerting::Reliable,
            false if is_required => Alerting::None,
            true | false => Alerting::Plain,
        }
    }
}

/// Our reliable 180.
pub(super) struct Ringing {
    rseq: u32,
    /// How long until it is sent again.
    interval: Duration,
    /// When it is given up.
    until: Instant,
    is_confirmed: bool,
}

impl Endpoint {
    /// Sends a 180 until it is confirmed. One is enough, however often the owner says that it rings.
    pub(super) fn ring_reliably(&mut self, key: DialogKey, server: ServerId, mut response: Response, now: Instant) {
        let (rseq, timing) = (1 + self.random.below(RSEQ_FIRST_MAX), self.config.timing);
        let rseq = u32::try_from(rseq).expect("it is below 2^31");
        let Some(session) = self.sessions.get_mut(&key).filter(|session| session.ringing.is_none()) else { return };
        let until = now + timing.patience();
        session.ringing = Some(Ringing { rseq, interval: timing.t1, until, is_confirmed: false });
        response.headers.push(Name::Require, OPTION);
        response.headers.push(Name::RSeq, rseq);
        self.transactions.respond(server, &response, now);
        self.session_timers.set(SessionTimer::Ringing(key), now + timing.t1);
    }

    /// Sends our 180 again. A caller that confirms none for 64 × T1 is gone, or will not hear our answer either.
    pub(super) fn resend_ringing(&mut self, key: DialogKey, now: Instant) {
        let Some(server) = self.invited(key) else { return };
        let Some(Session { ringing: Some(ringing), .. }) = self.sessions.get_mut(&key) else { return };
        if now >= ringing.until {
            return self.reject(key, Status::SERVER_TIMEOUT, now);
        }
        ringing.interval *= 2;
        let next = (now + ringing.interval).min(ringing.until);
        self.session_timers.set(SessionTimer::Ringing(key), next);
        self.transactions.resend_response(server);
    }

    /// Takes the PRACK of our 180 in, also when we have answered meanwhile. Our 180 had no answer, so there is nothing that
    /// an offer here could change (RFC 3262 §5).
    pub(super) fn receive_prack(&mut self, key: DialogKey, server: ServerId, received: &Received, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let waiting = session.ringing.as_mut().filter(|ringing| ringing.is_meant_by(&received.request));
        let Some(ringing) = waiting else { return self.respond(server, Status::CALL_DOES_NOT_EXIST, now) };
        ringing.is_confirmed = true;
        self.session_timers.clear(SessionTimer::Ringing(key));
        match received.request.description() {
            Description::None => self.respond(server, Status::OK, now),
            Description::Sdp(_) | Description::Unsupported => self.respond(server, Status::NOT_ACCEPTABLE_HERE, now),
        }
    }
}

impl Ringing {
    /// Whether a PRACK confirms it, and is the first that does. There is one INVITE that it can be about.
    fn is_meant_by(&self, prack: &Request) -> bool {
        let words = prack.headers.first(&Name::RAck).unwrap_or("").split_ascii_whitespace();
        let [rseq, _cseq, method] = words.collect::<Vec<_>>()[..] else { return false };
        !self.is_confirmed && rseq.parse() == Ok(self.rseq) && method == Method::Invite.as_str()
    }
}

/// The greatest number that a first reliable response may have (RFC 3262 §3).
const RSEQ_FIRST_MAX: u64 = (1 << 31) - 1;
