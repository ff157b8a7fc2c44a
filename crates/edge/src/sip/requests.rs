//! What a user agent server does with a request before it knows what it is for (RFC 3261 §8.2).

use std::sync::Arc;
use std::time::Instant;

use super::body::{Description, SDP_TYPE};
use super::dialog::DialogId;
use super::endpoint::Endpoint;
use super::event::{DialogKey, Event};
use super::flow::Flow;
use super::header::Name;
use super::message::{Request, Response};
use super::method::Method;
use super::random::{hex, hmac_sha256};
use super::received::{Received, bad_request};
use super::session::Phase;
use super::status::Status;
use super::transaction::{Arrival, ClientEvent, Purpose, ServerId};
use super::uri::Uri;

/// What a peer is told to wait when we are full, in seconds. Less keeps us full, more keeps callers away when there is
/// room again.
const RETRY_AFTER_S: u32 = 5;

/// The longest pause a peer is told after a second INVITE came before the first was answered (RFC 3261 §14.2), seconds.
const REINVITE_PAUSE_S: u64 = 10;

impl Endpoint {
    pub(super) fn receive_request(&mut self, request: Request, flow: Flow, now: Instant) {
        let received = match Received::new(request.clone(), flow) {
            Ok(received) => Arc::new(received),
            Err(error) => {
                if request.method != Method::Ack
                    && self.guard.lets_in(flow, false, self.registrar.user_of(flow, now).is_some(), now)
                    && let Some((via, response)) = bad_request(&request, flow, error)
                {
                    self.transactions.send(via.response_destination(flow), response.to_bytes());
                }
                return;
            }
        };
        if received.request.method == Method::Ack {
            return self.receive_any_ack(&received, now);
        }
        if !self.lets_in(&received, now) {
            return;
        }
        match self.transactions.receive_request(Arc::clone(&received), now) {
            Arrival::New(server) => self.inspect(server, &received, now),
            Arrival::Merged(server) => self.respond(server, Status::LOOP_DETECTED, now),
            Arrival::Full => self.refuse_statelessly(&received),
            Arrival::Retransmission => {}
        }
    }

    fn receive_any_ack(&mut self, ack: &Received, now: Instant) {
        if self.transactions.receive_ack(ack, now) {
            return;
        }
        if let Some(key) = self.dialogs.get(&DialogId::of(ack)).copied() {
            self.receive_ack(key, ack, now);
        }
    }

    /// Refuses what we can't serve (RFC 3261 §8.2.1 to §8.2.3), then finds out what the request is for.
    fn inspect(&mut self, server: ServerId, received: &Arc<Received>, now: Instant) {
        let request = &received.request;
        match &request.method {
            Method::Cancel => return self.receive_cancel(server, received, now),
            Method::Other(_) => return self.respond_allow(server, Status::NOT_IMPLEMENTED, now),
            method if !self.config.allows(method) => {
                return self.respond_allow(server, Status::METHOD_NOT_ALLOWED, now);
            }
            Method::Invite
            | Method::Ack
            | Method::Bye
            | Method::Options
            | Method::Register
            | Method::Info
            | Method::Prack
            | Method::Update
            | Method::Refer
            | Method::Notify
            | Method::Subscribe
            | Method::Message
            | Method::Publish => {}
        }
        if !matches!(request.uri, Uri::Sip(_)) {
            return self.respond(server, Status::UNSUPPORTED_URI_SCHEME, now);
        }
        let unknown = self.unknown_options(request);
        if !unknown.is_empty() {
            return self.respond_unsupported(server, &unknown, now);
        }
        let describes = matches!(request.method, Method::Invite | Method::Update);
        if describes && request.description() == Description::Unsupported {
            return self.respond_with(server, Status::UNSUPPORTED_MEDIA_TYPE, now, |response| {
                response.headers.push(Name::Accept, SDP_TYPE);
            });
        }
        if request.method == Method::Invite && !accepts_sdp(request) {
            return self.respond(server, Status::NOT_ACCEPTABLE, now);
        }
        match received.to.tag() {
            Some(_) => self.receive_in_dialog(server, received, now),
            None => self.receive_out_of_dialog(server, received, now),
        }
    }

    fn receive_out_of_dialog(&mut self, server: ServerId, received: &Arc<Received>, now: Instant) {
        match received.request.method {
            Method::Invite => self.receive_invite(server, received, now),
            Method::Options => self.respond_options(server, now),
            Method::Register => self.receive_register(server, received, now),
            Method::Ack
            | Method::Cancel
            | Method::Bye
            | Method::Info
            | Method::Prack
            | Method::Update
            | Method::Refer
            | Method::Notify
            | Method::Subscribe
            | Method::Message
            | Method::Publish
            | Method::Other(_) => self.respond(server, Status::CALL_DOES_NOT_EXIST, now),
        }
    }

    fn receive_in_dialog(&mut self, server: ServerId, received: &Arc<Received>, now: Instant) {
        let id = DialogId::of(received);
        let Some(key) = self.dialogs.get(&id).copied() else {
            return self.respond(server, Status::CALL_DOES_NOT_EXIST, now);
        };
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let is_early = session.dialog.is_none();
        let is_in_order = session.dialog_mut(&id).is_some_and(|dialog| dialog.observe_cseq(received.cseq.number));
        if !is_in_order {
            return self.respond(server, Status::SERVER_INTERNAL_ERROR, now);
        }
        let is_ending = matches!(session.phase, Phase::Ending);
        match received.request.method {
            Method::Options => self.respond_options(server, now),
            Method::Update if !is_ending => self.receive_update(key, server, received, now),
            Method::Prack if !is_ending => self.receive_prack(key, server, received, now),
            // A callee that does not want the call refuses it rather than hangs up (RFC 3261 §15).
            Method::Bye if !is_early => self.receive_bye(key, server, now),
            Method::Invite if !is_ending && !is_early => self.receive_reinvite(key, server, received, now),
            Method::Refer if !is_ending && !is_early => self.receive_refer(key, server, received, now),
            Method::Notify if !is_ending && !is_early => self.receive_notify(key, server, received, now),
            Method::Info if !is_ending && !is_early => self.receive_info(key, server, received, now),
            Method::Ack
            | Method::Bye
            | Method::Cancel
            | Method::Invite
            | Method::Info
            | Method::Register
            | Method::Prack
            | Method::Update
            | Method::Refer
            | Method::Notify
            | Method::Subscribe
            | Method::Message
            | Method::Publish
            | Method::Other(_) => self.respond(server, Status::CALL_DOES_NOT_EXIST, now),
        }
    }

    fn receive_info(&mut self, dialog: DialogKey, server: ServerId, received: &Received, now: Instant) {
        self.respond(server, Status::OK, now);
        let content_type = content_type(&received.request);
        self.events.push_back(Event::Info { dialog, content_type, body: received.request.body.clone() });
    }

    /// Sends an INFO inside the dialog, such as a DTMF digit. Does nothing when the dialog is not established.
    pub fn info(&mut self, dialog: DialogKey, content_type: &str, body: Vec<u8>, now: Instant) {
        let Some(session) = self.sessions.get_mut(&dialog) else { return };
        let (Phase::Established, Some(state)) = (&session.phase, &mut session.dialog) else { return };
        let mut info = state.request(Method::Info);
        session.authorizer.sign(&mut info);
        info.headers.push(Name::ContentType, content_type);
        info.body = body;
        self.transactions.start(info, state.destination(), Purpose::Info(dialog), now);
    }

    pub(super) fn receive_info_response(&mut self, key: DialogKey, outcome: &ClientEvent, now: Instant) {
        self.end_if_gone(key, outcome.response.status, now);
    }

    /// Answers OPTIONS as an INVITE would be answered, without ringing anybody (RFC 3261 §11.2).
    fn respond_options(&mut self, server: ServerId, now: Instant) {
        let (allow, supported) = (self.config.allow(), self.config.supported());
        self.respond_with(server, Status::OK, now, |response| {
            response.headers.push(Name::Allow, allow);
            response.headers.push(Name::Accept, SDP_TYPE);
            response.headers.push(Name::Supported, supported);
        });
    }

    fn unknown_options(&self, request: &Request) -> String {
        let is_unknown = |option: &&str| !self.config.supports(option);
        request.headers.list(&Name::Require).filter(is_unknown).collect::<Vec<_>>().join(", ")
    }

    fn respond_unsupported(&mut self, server: ServerId, options: &str, now: Instant) {
        self.respond_with(server, Status::BAD_EXTENSION, now, |response| {
            response.headers.push(Name::Unsupported, options);
        });
    }

    fn respond_allow(&mut self, server: ServerId, status: Status, now: Instant) {
        let allow = self.config.allow();
        self.respond_with(server, status, now, |response| response.headers.push(Name::Allow, allow));
    }

    /// Says why in a Warning that people can read (RFC 3261 §20.43, code 399).
    pub(super) fn respond_warning(&mut self, server: ServerId, status: Status, text: &str, now: Instant) {
        let warning = format!("399 {} \"{text}\"", self.config.udp);
        self.respond_with(server, status, now, |response| response.headers.push(Name::Warning, warning));
    }

    pub(super) fn respond_busy(&mut self, server: ServerId, now: Instant) {
        self.respond_with(server, Status::SERVICE_UNAVAILABLE, now, |response| {
            response.headers.push(Name::RetryAfter, RETRY_AFTER_S);
        });
    }

    pub(super) fn respond_later(&mut self, server: ServerId, now: Instant) {
        let pause_s = self.random.below(REINVITE_PAUSE_S + 1);
        self.respond_with(server, Status::SERVER_INTERNAL_ERROR, now, |response| {
            response.headers.push(Name::RetryAfter, pause_s);
        });
    }

    pub(super) fn respond(&mut self, server: ServerId, status: Status, now: Instant) {
        self.respond_with(server, status, now, |_| {});
    }

    /// Sends a response, unless the request has its final response already.
    pub(super) fn respond_with(
        &mut self,
        server: ServerId,
        status: Status,
        now: Instant,
        add: impl FnOnce(&mut Response),
    ) {
        let Some(mut response) = self.transactions.response(server, status) else { return };
        response.headers.push(Name::Server, &self.config.user_agent);
        add(&mut response);
        self.transactions.respond(server, &response, now);
    }

    /// Answers 503 without keeping anything. The tag is the same for each copy of the request (RFC 3261 §8.2.7).
    fn refuse_statelessly(&mut self, received: &Received) {
        let parts = [received.call_id.as_bytes(), received.via.branch().as_bytes()];
        let tag = hex(&hmac_sha256(&self.tag_key, &parts)[..8]);
        let mut response = received.response(Status::SERVICE_UNAVAILABLE, &tag);
        response.headers.push(Name::RetryAfter, RETRY_AFTER_S);
        self.transactions.send(received.via.response_destination(received.flow), response.to_bytes());
    }
}

/// Tells whether the sender of a request can read session descriptions; without an Accept it can (RFC 3261 §20.1).
fn accepts_sdp(request: &Request) -> bool {
    let mut ranges = request.headers.list(&Name::Accept).map(|range| range.split(';').next().unwrap_or("").trim());
    let is_sdp = |range: &str| [SDP_TYPE, "application/*", "*/*"].iter().any(|ours| range.eq_ignore_ascii_case(ours));
    request.headers.first(&Name::Accept).is_none() || ranges.any(is_sdp)
}

/// Returns the Content-Type in lower case and without parameters; empty when there is none.
pub(super) fn content_type(request: &Request) -> String {
    let value = request.headers.first(&Name::ContentType).unwrap_or("");
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}
