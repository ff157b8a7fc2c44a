//! Server transactions: INVITE (RFC 3261 §17.2.1 with RFC 6026 §8.7) and the others (RFC 3261 §17.2.2).
//!
//! ```text
//!               300-699              ACK
//!  Proceeding ───────────► Completed ────► Confirmed ──I──► gone     INVITE
//!     │ 2xx                   │ H
//!     ▼                       ▼
//!  Accepted ──L──► gone     gone
//!
//!               200-699
//!  Proceeding ───────────► Completed ──J──► gone                     others (Proceeding is "Trying" before a response)
//! ```

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::event::DialogKey;
use super::super::flow::Destination;
use super::super::message::Response;
use super::super::method::Method;
use super::super::received::Received;
use super::super::status::Status;
use super::super::via::MAGIC_COOKIE;
use super::{Timer, Transactions};

/// How long an INVITE may be without a response before we say 100 (RFC 3261 §17.2.1).
const TRYING_DELAY: Duration = Duration::from_millis(200);

/// Names a server transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) struct ServerId(u64);

/// What a retransmission has in common with the request (RFC 3261 §17.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Match {
    branch: String,
    sent_by: String,
    method: Method,
}

/// What a request has in common with a copy of it that took another way (RFC 3261 §8.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Merge {
    call_id: String,
    from_tag: String,
    cseq: u32,
    method: Method,
}

/// What an arriving request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Arrival {
    /// A new request, to be answered.
    New(ServerId),
    /// A retransmission; it is taken care of.
    Retransmission,
    /// A copy of a request that came another way: to be refused with 482.
    Merged(ServerId),
    /// One more than we keep state for.
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Proceeding,
    Completed,
    Confirmed,
    Accepted,
}

/// One server transaction.
pub(super) struct Server {
    pub(super) received: Arc<Received>,
    /// The dialog whose INVITE this is.
    pub(super) owner: Option<DialogKey>,
    tag: String,
    state: State,
    response: Option<Vec<u8>>,
    interval: Duration,
}

impl Match {
    /// An ACK and a CANCEL match as if they were the INVITE.
    fn of(received: &Received, method: Method) -> Match {
        let via = &received.via;
        let branch = match via.branch() {
            branch if branch.starts_with(MAGIC_COOKIE) && branch != MAGIC_COOKIE => branch.to_owned(),
            // A peer of RFC 2543, or one that forgot the rest: the branch means nothing (§17.2.3), so these stand for it.
            _ => format!("{}|{:?}|{}", received.call_id, received.from.tag(), received.cseq.number),
        };
        Match { branch, sent_by: via.sent_by.to_string(), method }
    }
}

impl Merge {
    fn of(received: &Received) -> Merge {
        Merge {
            call_id: received.call_id.clone(),
            from_tag: received.from.tag().unwrap_or("").to_owned(),
            cseq: received.cseq.number,
            method: received.request.method.clone(),
        }
    }
}

impl Transactions {
    /// Takes a request other than ACK in.
    pub(in super::super) fn receive_request(&mut self, received: Arc<Received>, now: Instant) -> Arrival {
        let found = Match::of(&received, received.request.method.clone());
        if let Some(id) = self.server_index.get(&found).copied() {
            self.resend_response(id);
            return Arrival::Retransmission;
        }
        if self.servers.len() >= self.servers_max {
            return Arrival::Full;
        }
        let is_merged = received.to.tag().is_none() && self.merge_index.contains_key(&Merge::of(&received));
        let id = self.add_server(found, received, now);
        if is_merged { Arrival::Merged(id) } else { Arrival::New(id) }
    }

    fn add_server(&mut self, found: Match, received: Arc<Received>, now: Instant) -> ServerId {
        let id = ServerId(self.new_id());
        if received.request.method == Method::Invite {
            self.timers.set(Timer::Trying(id), now + TRYING_DELAY);
        }
        self.server_index.insert(found, id);
        self.merge_index.entry(Merge::of(&received)).or_insert(id);
        let server = Server {
            received,
            owner: None,
            tag: self.random.token(),
            state: State::Proceeding,
            response: None,
            interval: self.timing.t1,
        };
        self.servers.insert(id, server);
        id
    }

    /// Takes an ACK in. Returns whether it was that of a failure; any other belongs to a dialog.
    pub(in super::super) fn receive_ack(&mut self, received: &Received, now: Instant) -> bool {
        let Some(id) = self.server_index.get(&Match::of(received, Method::Invite)).copied() else { return false };
        let Some(server) = self.servers.get_mut(&id) else { return false };
        match server.state {
            State::Completed => {
                server.state = State::Confirmed;
                let is_reliable = server.received.flow.transport.is_reliable();
                let linger = if is_reliable { Duration::ZERO } else { self.timing.t4 };
                self.clear_server_timers(id);
                self.timers.set(Timer::I(id), now + linger);
                true
            }
            State::Confirmed => true,
            State::Proceeding | State::Accepted => false,
        }
    }

    /// Returns the INVITE that a CANCEL means.
    pub(in super::super) fn invite_of(&self, cancel: &Received) -> Option<(ServerId, Option<DialogKey>)> {
        let id = *self.server_index.get(&Match::of(cancel, Method::Invite))?;
        Some((id, self.servers.get(&id)?.owner))
    }

    /// Starts a response. `None` when the transaction is gone or has its final response.
    pub(in super::super) fn response(&self, id: ServerId, status: Status) -> Option<Response> {
        let server = self.servers.get(&id).filter(|server| server.state == State::Proceeding)?;
        Some(server.received.response(status, &server.tag))
    }

    /// Returns the tag that our responses carry in To.
    pub(in super::super) fn tag(&self, id: ServerId) -> Option<&str> {
        self.servers.get(&id).map(|server| server.tag.as_str())
    }

    /// Sends a response and moves on. Nothing happens after a final response.
    pub(in super::super) fn respond(&mut self, id: ServerId, response: &Response, now: Instant) {
        let server = self.servers.get_mut(&id).filter(|server| server.state == State::Proceeding);
        let Some(server) = server else { return };
        server.response = Some(response.to_bytes());
        self.timers.clear(Timer::Trying(id));
        if !response.status.is_provisional() {
            self.conclude(id, response.status, now);
        }
        self.resend_response(id);
    }

    fn conclude(&mut self, id: ServerId, status: Status, now: Instant) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        let is_reliable = server.received.flow.transport.is_reliable();
        let patience = self.timing.patience();
        if server.received.request.method != Method::Invite {
            server.state = State::Completed;
            let linger = if is_reliable { Duration::ZERO } else { patience };
            self.timers.set(Timer::J(id), now + linger);
        } else if status.is_success() {
            server.state = State::Accepted;
            self.timers.set(Timer::L(id), now + patience);
        } else {
            server.state = State::Completed;
            self.timers.set(Timer::H(id), now + patience);
            if !is_reliable {
                self.timers.set(Timer::G(id), now + self.timing.t1);
            }
        }
    }

    /// Sends the last response again, if there is one.
    pub(in super::super) fn resend_response(&mut self, id: ServerId) {
        let Some(server) = self.servers.get(&id) else { return };
        let destination = response_destination(&server.received);
        if let Some(bytes) = server.response.clone().filter(|_| server.state != State::Confirmed) {
            self.send(destination, bytes);
        }
    }

    pub(super) fn send_trying(&mut self, id: ServerId) {
        let Some(server) = self.servers.get_mut(&id) else { return };
        if server.response.is_none() {
            server.response = Some(server.received.response(Status::TRYING, &server.tag).to_bytes());
            self.resend_response(id);
        }
    }

    pub(super) fn retransmit_failure(&mut self, id: ServerId, now: Instant) {
        let (t2, Some(server)) = (self.timing.t2, self.servers.get_mut(&id)) else { return };
        server.interval = (server.interval * 2).min(t2);
        let next = now + server.interval;
        self.timers.set(Timer::G(id), next);
        self.resend_response(id);
    }

    pub(super) fn remove_server(&mut self, id: ServerId) {
        self.clear_server_timers(id);
        let Some(server) = self.servers.remove(&id) else { return };
        let (received, method) = (&server.received, server.received.request.method.clone());
        self.server_index.remove(&Match::of(received, method));
        let merge = Merge::of(received);
        if self.merge_index.get(&merge) == Some(&id) {
            self.merge_index.remove(&merge);
        }
    }

    fn clear_server_timers(&mut self, id: ServerId) {
        use Timer::{G, H, I, J, L, Trying};
        for timer in [Trying(id), G(id), H(id), I(id), J(id), L(id)] {
            self.timers.clear(timer);
        }
    }
}

fn response_destination(received: &Received) -> Destination {
    received.via.response_destination(received.flow)
}
