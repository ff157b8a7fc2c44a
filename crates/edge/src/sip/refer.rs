//! REFER: one side of a call asks the other to call somebody, and is told how that went (RFC 3515), both roles.
//!
//! ```text
//!  referrer                      referred
//!     │ REFER, Refer-To ──────────► │ Event::Referred
//!     │ ◄─────────────────────  202 │ answer_referral
//!     │ ◄── NOTIFY, SIP/2.0 100 ─── │
//!     │ ◄── NOTIFY, SIP/2.0 200 ─── │ notify_referral: the last one
//!     ▼ Event::ReferProgress
//! ```
//!
//! One REFER of each side at a time; it needs a call that is up.

use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::event::{DialogKey, Event};
use super::header::Name;
use super::method::Method;
use super::name_addr::NameAddr;
use super::received::Received;
use super::replaces::Replaces;
use super::session::{Phase, SessionTimer};
use super::status::Status;
use super::transaction::{ClientEvent, Purpose, ServerId};
use super::uri::{SipUri, Uri, escape, unescape};

/// How long our owner may take to say whether it does as it was asked. No person is asked.
const REFERRAL_TIMEOUT: Duration = Duration::from_secs(20);

/// What a NOTIFY says about (RFC 3515 §2.4.4).
const PACKAGE: &str = "refer";

/// How long we go on telling, in seconds: longer than anybody rings.
const SUBSCRIPTION_S: u32 = 180;

const SIPFRAG: &str = "message/sipfrag";

/// What the peer has asked with a REFER.
#[derive(Debug)]
pub(super) struct Referral {
    /// The request, until it is answered.
    server: Option<ServerId>,
    /// Tells this REFER from others in the dialog: its CSeq (RFC 3515 §2.4.6).
    id: u32,
    /// Whether the peer wants to be told how it goes on; else `Refer-Sub: false` (RFC 4488).
    is_subscribed: bool,
}

impl Endpoint {
    /// Takes a REFER in.
    pub(super) fn receive_refer(&mut self, key: DialogKey, server: ServerId, received: &Received, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.referral.is_some() {
            return self.respond(server, Status::REQUEST_PENDING, now);
        }
        let (target, replaces) = match refer_to(received) {
            Ok(target) => target,
            Err(reason) => return self.respond_warning(server, Status::BAD_REQUEST, reason, now),
        };
        let refuses = |value: &str| value.trim().eq_ignore_ascii_case("false");
        let is_subscribed = !received.request.headers.first(&Name::ReferSub).is_some_and(refuses);
        session.referral = Some(Referral { server: Some(server), id: received.cseq.number, is_subscribed });
        self.transactions.set_owner(server, key);
        self.session_timers.set(SessionTimer::Referral(key), now + REFERRAL_TIMEOUT);
        self.events.push_back(Event::Referred { dialog: key, target, replaces });
    }

    /// Answers [`Event::Referred`]: with "we do", after which [`Endpoint::notify_referral`] says how it went, or with a
    /// status. Does nothing when the peer has gone.
    pub fn answer_referral(&mut self, dialog: DialogKey, answer: Result<(), Status>, now: Instant) {
        self.session_timers.clear(SessionTimer::Referral(dialog));
        let Some(referral) = self.sessions.get_mut(&dialog).and_then(|session| session.referral.as_mut()) else {
            return;
        };
        let Some(server) = referral.server.take() else { return };
        let is_subscribed = referral.is_subscribed;
        match answer {
            Ok(()) => {
                self.respond_with(server, Status::ACCEPTED, now, |response| {
                    if !is_subscribed {
                        response.headers.push(Name::ReferSub, "false");
                    }
                });
                self.notify_referral(dialog, Status::TRYING, now);
            }
            Err(status) => {
                self.respond(server, super::incoming::refusal(status), now);
                self.forget_referral(dialog);
            }
        }
    }

    /// Tells the peer how its REFER goes on; a final status is the last that it is told.
    pub fn notify_referral(&mut self, dialog: DialogKey, status: Status, now: Instant) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        let is_up = matches!(session.phase, Phase::Established);
        let (Some(referral), Some(state)) = (&session.referral, &mut session.dialog) else { return };
        if referral.is_subscribed && is_up {
            let mut notify = state.request(Method::Notify);
            let state_of_subscription = match status.is_provisional() {
                true => format!("active;expires={SUBSCRIPTION_S}"),
                false => "terminated;reason=noresource".to_owned(),
            };
            notify.headers.push(Name::Event, format!("{PACKAGE};id={}", referral.id));
            notify.headers.push(Name::SubscriptionState, state_of_subscription);
            notify.headers.push(Name::ContentType, format!("{SIPFRAG};version=2.0"));
            notify.body = format!("SIP/2.0 {} {}\r\n", status.code(), status.reason()).into_bytes();
            session.authorizer.sign(&mut notify);
            self.transactions.start(notify, state.destination(), Purpose::Notify(dialog), now);
        }
        if !status.is_provisional() {
            self.forget_referral(dialog);
        }
    }

    /// A peer that does not want to know is told no more.
    pub(super) fn receive_notify_response(&mut self, key: DialogKey, outcome: &ClientEvent) {
        let status = outcome.response.status;
        let refuses = !status.is_provisional() && !status.is_success();
        if let Some(referral) = self.sessions.get_mut(&key).and_then(|session| session.referral.as_mut()) {
            referral.is_subscribed &= !refuses;
        }
    }

    /// Our owner said nothing.
    pub(super) fn answer_referral_late(&mut self, key: DialogKey, now: Instant) {
        self.answer_referral(key, Err(Status::SERVER_TIMEOUT), now);
    }

    fn forget_referral(&mut self, key: DialogKey) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.referral = None;
        }
    }

    /// Asks the peer to call somebody, in the place of `replaces` if that is given. [`Event::ReferProgress`] tells how it
    /// goes on.
    ///
    /// Does nothing when the call is not up, or the peer is asked already.
    pub fn refer(&mut self, dialog: DialogKey, target: &SipUri, replaces: Option<&Replaces>, now: Instant) {
        let Some(session) = self.sessions.get_mut(&dialog).filter(|session| !session.is_referring) else { return };
        let (Phase::Established, Some(state)) = (&session.phase, &mut session.dialog) else { return };
        let mut refer = state.request(Method::Refer);
        let headers = replaces.map(|replaces| format!("Replaces={}", escape_header(&replaces.to_string())));
        let target = Uri::Sip(SipUri { headers, ..target.clone() });
        refer.headers.push(Name::ReferTo, NameAddr::new(target));
        session.authorizer.sign(&mut refer);
        session.is_referring = true;
        self.transactions.start(refer, state.destination(), Purpose::Refer(dialog), now);
    }

    pub(super) fn receive_refer_response(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        let status = outcome.response.status;
        if status.is_provisional() || status.is_success() || self.end_if_gone(key, status, now) {
            return;
        }
        self.tell_refer_progress(key, status);
    }

    /// Takes a NOTIFY in. Only one about a REFER of ours is expected (RFC 6665 §4.1.3: 481 otherwise).
    pub(super) fn receive_notify(&mut self, key: DialogKey, server: ServerId, received: &Received, now: Instant) {
        let package = received.request.headers.first(&Name::Event).unwrap_or_default();
        let is_refer = package.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(PACKAGE));
        let is_expected = self.sessions.get(&key).is_some_and(|session| session.is_referring);
        if !is_refer || !is_expected {
            return self.respond(server, Status::CALL_DOES_NOT_EXIST, now);
        }
        let Some(status) = status_of(&received.request.body) else {
            return self.respond_warning(server, Status::BAD_REQUEST, "the body is no SIP fragment", now);
        };
        self.respond(server, Status::OK, now);
        self.tell_refer_progress(key, status);
    }

    fn tell_refer_progress(&mut self, key: DialogKey, status: Status) {
        if let Some(session) = self.sessions.get_mut(&key) {
            session.is_referring = status.is_provisional();
            self.events.push_back(Event::ReferProgress { dialog: key, status });
        }
    }
}

/// Reads whom a REFER names: exactly one, to be called with INVITE (RFC 3515 §2.1). Of the header fields that it wants in
/// that INVITE only `Replaces` is taken.
fn refer_to(received: &Received) -> Result<(SipUri, Option<Replaces>), &'static str> {
    let mut fields = received.request.headers.all(&Name::ReferTo);
    let (Some(field), None) = (fields.next(), fields.next()) else { return Err("one Refer-To is wanted") };
    let address: NameAddr = field.parse().map_err(|_| "Refer-To is no address")?;
    let Uri::Sip(uri) = address.uri else { return Err("Refer-To is no SIP URI") };
    if uri.parameters.value("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
        return Err("only INVITE is sent for a REFER");
    }
    let mut parameters = uri.parameters.clone();
    parameters.remove("method");
    let replaces = match uri.headers.as_deref().and_then(replaces_of) {
        Some(text) => Some(text.parse().map_err(|_| "Replaces in Refer-To names no dialog")?),
        None => None,
    };
    Ok((SipUri { parameters, headers: None, ..uri }, replaces))
}

fn replaces_of(headers: &str) -> Option<String> {
    let mut fields = headers.split('&').filter_map(|field| field.split_once('='));
    fields.find(|(name, _)| name.eq_ignore_ascii_case("Replaces")).map(|(_, value)| unescape(value))
}

/// Escapes what may not stand in a header of a URI (RFC 3261 §25.1, `hvalue`).
fn escape_header(value: &str) -> String {
    escape(value, b"-_.!~*'()[]/?:+$")
}

/// Reads the status line of a SIP fragment (RFC 3420).
fn status_of(body: &[u8]) -> Option<Status> {
    let line = std::str::from_utf8(body).ok()?.lines().next()?;
    let code = line.strip_prefix("SIP/2.0 ")?.split(' ').next()?;
    Status::new(code.parse().ok()?)
}
