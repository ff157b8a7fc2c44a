//! Client transactions: INVITE (RFC 3261 §17.1.1 with RFC 6026 §8.4) and the others (RFC 3261 §17.1.2).
//!
//! ```text
//!            1xx            300-699 (ACK)
//!  Calling ───────► Proceeding ───────► Completed ──D──► gone     INVITE
//!     │ B             │ 2xx
//!     ▼               ▼
//!   given up        Accepted ──M──► gone
//!
//!            1xx            200-699
//!  Calling ───────► Proceeding ───────► Completed ──K──► gone     others (Calling is "Trying" in the RFC)
//! ```

use std::time::{Duration, Instant};

use super::super::dialog::acknowledge_failure;
use super::super::event::{DialogKey, RegistrationKey};
use super::super::flow::{Destination, Flow};
use super::super::header::Name;
use super::super::message::{CSeq, Request, Response};
use super::super::method::Method;
use super::super::name_addr::NameAddr;
use super::super::status::Status;
use super::super::via::Via;
use super::{Timer, Transactions};

/// The most forks of one INVITE that are answered; more are left to time out. A user with ten phones behind a forking
/// proxy gives ten.
const FORKS_MAX: usize = 16;

/// Timer D with an unreliable transport: at least 32 s (RFC 3261 §17.1.1.2).
const TIMER_D: Duration = Duration::from_secs(32);

/// Names a client transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) struct ClientId(u64);

/// What a request was sent for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Purpose {
    /// To call.
    Invite(DialogKey),
    /// To change the session, or to refresh it.
    Offer(DialogKey),
    /// To learn whether the peer is still there.
    Probe(DialogKey),
    /// To end the dialog.
    Bye(DialogKey),
    /// To tell something inside the dialog.
    Info(DialogKey),
    /// To ask the peer to call somebody.
    Refer(DialogKey),
    /// To tell the peer how what it has asked for goes on.
    Notify(DialogKey),
    /// To register or unregister.
    Register(RegistrationKey),
    /// To withdraw an INVITE, or to end a fork that we do not want: nobody waits for the answer.
    Orphan,
}

/// What came of a request.
#[derive(Debug)]
pub(in super::super) struct ClientEvent {
    pub(in super::super) id: ClientId,
    pub(in super::super) purpose: Purpose,
    pub(in super::super) response: Response,
}

impl ClientEvent {
    /// A request that timed out counts as answered with 408 (RFC 3261 §8.1.3.1).
    pub(super) fn timeout(id: ClientId, purpose: Purpose) -> ClientEvent {
        let response = Response::new(Status::REQUEST_TIMEOUT);
        ClientEvent { id, purpose, response }
    }

    /// A request that could not be sent counts as answered with 503 (RFC 3261 §8.1.3.1).
    pub(in super::super) fn unreachable(id: ClientId, purpose: Purpose) -> ClientEvent {
        let response = Response::new(Status::SERVICE_UNAVAILABLE);
        ClientEvent { id, purpose, response }
    }

    /// Tells whether the 503 was made here: the peer itself would have sent header fields.
    pub(in super::super) fn is_unreachable(&self) -> bool {
        self.response.status == Status::SERVICE_UNAVAILABLE && self.response.headers.is_empty()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
}

/// One client transaction.
pub(super) struct Client {
    pub(super) request: Request,
    branch: String,
    pub(super) destination: Destination,
    bytes: Vec<u8>,
    purpose: Purpose,
    state: State,
    interval: Duration,
    /// The ACK of a failure, sent again with each retransmission of it.
    failure_ack: Vec<u8>,
    /// The ACK of each 2xx by its To tag. The dialog made it; it is kept here so that a retransmitted 2xx is still
    /// acknowledged when the dialog has ended.
    acks: Vec<(String, Destination, Vec<u8>)>,
}

impl Client {
    fn is_invite(&self) -> bool {
        self.request.method == Method::Invite
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }
}

impl Transactions {
    /// Sends a request in a new transaction. The request has no Via yet.
    pub(in super::super) fn start(
        &mut self,
        mut request: Request,
        destination: Destination,
        purpose: Purpose,
        now: Instant,
    ) -> ClientId {
        let via = self.via(destination.transport());
        request.headers.push_first(Name::Via, &via);
        self.start_with(request, via, destination, purpose, now)
    }

    /// Sends the CANCEL of an INVITE that still waits (RFC 3261 §9.1).
    pub(in super::super) fn cancel(&mut self, invite: ClientId, reason: Option<&str>, now: Instant) {
        let Some(client) = self.clients.get(&invite).filter(|client| client.is_waiting()) else { return };
        let destination = client.destination;
        let (Some(mut request), Some(via)) = (cancel_of(&client.request), top_via(&client.request)) else { return };
        if let Some(reason) = reason {
            request.headers.push(Name::Reason, reason);
        }
        self.start_with(request, via, destination, Purpose::Orphan, now);
    }

    fn start_with(
        &mut self,
        request: Request,
        via: Via,
        destination: Destination,
        purpose: Purpose,
        now: Instant,
    ) -> ClientId {
        let id = ClientId(self.new_id());
        let (bytes, branch) = (request.to_bytes(), via.branch().to_owned());
        self.client_index.insert((branch.clone(), request.method.clone()), id);
        self.send(destination, bytes.clone());
        let client = Client {
            request,
            branch,
            destination,
            bytes,
            purpose,
            state: State::Calling,
            interval: self.timing.t1,
            failure_ack: Vec::new(),
            acks: Vec::new(),
        };
        self.start_timers(id, &client, now);
        self.clients.insert(id, client);
        id
    }

    fn start_timers(&mut self, id: ClientId, client: &Client, now: Instant) {
        let (resend, give_up) = match client.is_invite() {
            true => (Timer::A(id), Timer::B(id)),
            false => (Timer::E(id), Timer::F(id)),
        };
        self.timers.set(give_up, now + self.timing.patience());
        if !client.destination.transport().is_reliable() {
            self.timers.set(resend, now + self.timing.t1);
        }
    }

    /// Takes a response in. Returns what the dialog or registration has to know.
    pub(in super::super) fn receive_response(&mut self, response: Response, now: Instant) -> Option<ClientEvent> {
        let via: Via = response.headers.list(&Name::Via).next()?.parse().ok()?;
        let cseq: CSeq = response.headers.first(&Name::CSeq)?.parse().ok()?;
        let id = *self.client_index.get(&(via.branch().to_owned(), cseq.method))?;
        let is_news = match self.clients[&id].is_invite() {
            true => self.advance_invite(id, &response, now),
            false => self.advance_other(id, &response, now),
        };
        let purpose = self.clients.get(&id)?.purpose;
        is_news.then_some(ClientEvent { id, purpose, response })
    }

    fn advance_invite(&mut self, id: ClientId, response: &Response, now: Instant) -> bool {
        let Some(client) = self.clients.get_mut(&id) else { return false };
        match client.state {
            State::Calling | State::Proceeding if response.status.is_provisional() => {
                client.state = State::Proceeding;
                self.timers.clear(Timer::A(id));
                self.timers.clear(Timer::B(id));
                true
            }
            State::Calling | State::Proceeding if response.status.is_success() => {
                self.finish(id, State::Accepted, Timer::M(id), now + self.timing.patience());
                true
            }
            State::Calling | State::Proceeding => {
                client.failure_ack = acknowledge_failure(&client.request, response).to_bytes();
                let linger = if client.destination.transport().is_reliable() { Duration::ZERO } else { TIMER_D };
                self.finish(id, State::Completed, Timer::D(id), now + linger);
                self.resend_failure_ack(id);
                true
            }
            State::Accepted if response.status.is_success() => !self.resend_ack(id, response),
            State::Completed if !response.status.is_provisional() => {
                self.resend_failure_ack(id);
                false
            }
            State::Accepted | State::Completed => false,
        }
    }

    fn advance_other(&mut self, id: ClientId, response: &Response, now: Instant) -> bool {
        let Some(client) = self.clients.get_mut(&id) else { return false };
        match client.state {
            State::Calling | State::Proceeding if response.status.is_provisional() => {
                // From now on timer E runs at T2 (RFC 3261 §17.1.2.2); a timer that was set earlier runs out first.
                client.state = State::Proceeding;
                client.interval = self.timing.t2;
                true
            }
            State::Calling | State::Proceeding => {
                let is_reliable = client.destination.transport().is_reliable();
                let linger = if is_reliable { Duration::ZERO } else { self.timing.t4 };
                self.finish(id, State::Completed, Timer::K(id), now + linger);
                true
            }
            State::Completed | State::Accepted => false,
        }
    }

    /// Stops all timers and waits for stragglers.
    fn finish(&mut self, id: ClientId, state: State, linger: Timer, until: Instant) {
        self.clear_client_timers(id);
        self.timers.set(linger, until);
        if let Some(client) = self.clients.get_mut(&id) {
            client.state = state;
        }
    }

    fn resend_failure_ack(&mut self, id: ClientId) {
        let client = &self.clients[&id];
        self.send(client.destination, client.failure_ack.clone());
    }

    /// Sends the ACK of a 2xx and remembers it for the retransmissions of this 2xx.
    pub(in super::super) fn acknowledge(&mut self, id: ClientId, tag: &str, destination: Destination, ack: Vec<u8>) {
        self.send(destination, ack.clone());
        if let Some(client) = self.clients.get_mut(&id) {
            client.acks.push((tag.to_owned(), destination, ack));
        }
    }

    /// Answers a 2xx that was acknowledged before. Returns false for one that the dialog has to see.
    fn resend_ack(&mut self, id: ClientId, response: &Response) -> bool {
        let client = &self.clients[&id];
        let to = response.headers.first(&Name::To).and_then(|to| to.parse::<NameAddr>().ok());
        let tag = to.as_ref().and_then(NameAddr::tag).unwrap_or("");
        let known = client.acks.iter().find(|(known, ..)| known == tag);
        let Some((_, destination, ack)) = known else { return client.acks.len() >= FORKS_MAX };
        let (destination, ack) = (*destination, ack.clone());
        self.send(destination, ack);
        true
    }

    pub(super) fn retransmit_request(&mut self, id: ClientId, now: Instant) {
        let (t2, Some(client)) = (self.timing.t2, self.clients.get_mut(&id)) else { return };
        let timer = match (client.is_invite(), client.state) {
            (true, _) => {
                client.interval *= 2;
                Timer::A(id)
            }
            (false, State::Proceeding) => Timer::E(id),
            (false, _) => {
                client.interval = (client.interval * 2).min(t2);
                Timer::E(id)
            }
        };
        let (destination, bytes, interval) = (client.destination, client.bytes.clone(), client.interval);
        self.send(destination, bytes);
        self.timers.set(timer, now + interval);
    }

    /// Ends a transaction that has no final response.
    pub(super) fn give_up(
        &mut self,
        id: ClientId,
        outcome: impl FnOnce(ClientId, Purpose) -> ClientEvent,
    ) -> Option<ClientEvent> {
        let client = self.clients.get(&id).filter(|client| client.is_waiting())?;
        let event = outcome(id, client.purpose);
        self.remove_client(id);
        Some(event)
    }

    /// Ends an INVITE whose CANCEL brought no final response (RFC 3261 §9.1).
    pub(in super::super) fn abandon(&mut self, id: ClientId) {
        self.remove_client(id);
    }

    /// Ends the transactions that wait for an answer from a peer that can't be reached.
    pub(in super::super) fn lose(&mut self, is_lost: impl Fn(&Destination) -> bool) -> Vec<ClientEvent> {
        let waiting = self.clients.iter().filter(|(_, client)| client.is_waiting() && is_lost(&client.destination));
        let mut lost: Vec<ClientId> = waiting.map(|(id, _)| *id).collect();
        lost.sort();
        lost.into_iter().filter_map(|id| self.give_up(id, ClientEvent::unreachable)).collect()
    }

    /// Tells whether the destination is this TCP connection, or an address that it leads to.
    pub(in super::super) fn leads_over(destination: &Destination, flow: Flow) -> bool {
        match destination {
            Destination::Flow(other) => *other == flow,
            Destination::Address { transport, remote } => {
                transport.is_reliable() && *transport == flow.transport && *remote == flow.remote
            }
        }
    }

    pub(super) fn remove_client(&mut self, id: ClientId) {
        self.clear_client_timers(id);
        if let Some(client) = self.clients.remove(&id) {
            self.client_index.remove(&(client.branch, client.request.method));
        }
    }

    fn clear_client_timers(&mut self, id: ClientId) {
        use Timer::{A, B, D, E, F, K, M};
        for timer in [A(id), B(id), D(id), E(id), F(id), K(id), M(id)] {
            self.timers.clear(timer);
        }
    }
}

fn top_via(request: &Request) -> Option<Via> {
    request.headers.first(&Name::Via)?.parse().ok()
}

/// Makes the CANCEL: as the INVITE, with its one Via and its Route (RFC 3261 §9.1).
fn cancel_of(invite: &Request) -> Option<Request> {
    let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
    let cseq: CSeq = invite.headers.first(&Name::CSeq)?.parse().ok()?;
    for name in [Name::Via, Name::Route, Name::MaxForwards, Name::From, Name::To, Name::CallId] {
        for value in invite.headers.all(&name) {
            cancel.headers.push(name.clone(), value);
        }
    }
    cancel.headers.push(Name::CSeq, CSeq { number: cseq.number, method: Method::Cancel });
    Some(cancel)
}
