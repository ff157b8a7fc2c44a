//! Transactions: a request, its retransmissions, its responses (RFC 3261 §17, RFC 6026).
//!
//! This file holds the tables and finds the transaction of a message. The two state machines of clients are in
//! [`client`], those of servers in [`server`].

mod client;
mod server;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;

pub(super) use client::{ClientEvent, ClientId, Purpose};
pub(super) use server::{Arrival, ServerId};

use super::config::{Config, Timing};
use super::event::DialogKey;
use super::flow::{Destination, Transmit, Transport};
use super::message::Request;
use super::method::Method;
use super::random::Random;
use super::received::Received;
use super::timers::Timers;
use super::uri::HostPort;
use super::via::{MAGIC_COOKIE, Via};

/// The timers of RFC 3261 §17 and RFC 6026 by their letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// INVITE request is sent again.
    A(ClientId),
    /// INVITE is given up.
    B(ClientId),
    /// Waits for retransmissions of a failure.
    D(ClientId),
    /// Other request is sent again.
    E(ClientId),
    /// Other request is given up.
    F(ClientId),
    /// Waits for retransmissions of a final response.
    K(ClientId),
    /// Waits for retransmissions of a 2xx, and for those of other forks.
    M(ClientId),
    /// INVITE has no response yet: 100 is sent (RFC 3261 §17.2.1, 200 ms).
    Trying(ServerId),
    /// Failure of an INVITE is sent again.
    G(ServerId),
    /// ACK is given up.
    H(ServerId),
    /// Waits for retransmissions of the ACK.
    I(ServerId),
    /// Waits for retransmissions of a request.
    J(ServerId),
    /// Waits for retransmissions of an INVITE that was answered with 2xx.
    L(ServerId),
}

/// All transactions, their deadlines, and what they want to send.
pub(super) struct Transactions {
    timing: Timing,
    udp: HostPort,
    tcp: HostPort,
    tls: HostPort,
    servers_max: usize,
    random: Random,
    timers: Timers<Timer>,
    transmits: VecDeque<Transmit>,
    clients: HashMap<ClientId, client::Client>,
    client_index: HashMap<(String, Method), ClientId>,
    servers: HashMap<ServerId, server::Server>,
    server_index: HashMap<server::Match, ServerId>,
    merge_index: HashMap<server::Merge, ServerId>,
    last_id: u64,
}

impl Transactions {
    pub(super) fn new(config: &Config, random: Random) -> Transactions {
        Transactions {
            timing: config.timing,
            udp: config.udp.clone(),
            tcp: config.tcp.clone(),
            tls: config.tls.clone(),
            servers_max: config.limits.transactions,
            random,
            timers: Timers::new(),
            transmits: VecDeque::new(),
            clients: HashMap::new(),
            client_index: HashMap::new(),
            servers: HashMap::new(),
            server_index: HashMap::new(),
            merge_index: HashMap::new(),
            last_id: 0,
        }
    }

    /// Sends bytes outside any transaction.
    pub(super) fn send(&mut self, destination: Destination, bytes: Vec<u8>) {
        self.transmits.push_back(Transmit { destination, bytes });
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Tells whether no transaction lives.
    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.servers.is_empty() && self.timers.is_empty()
    }

    /// Runs one timer that is due. `Some(Some(event))` is a request that was given up.
    pub(super) fn expire_one(&mut self, now: Instant) -> Option<Option<ClientEvent>> {
        let timer = self.timers.pop_due(now)?;
        Some(match timer {
            Timer::A(id) | Timer::E(id) => {
                self.retransmit_request(id, now);
                None
            }
            Timer::B(id) | Timer::F(id) => self.give_up(id, ClientEvent::timeout),
            Timer::D(id) | Timer::K(id) | Timer::M(id) => {
                self.remove_client(id);
                None
            }
            Timer::Trying(id) => {
                self.send_trying(id);
                None
            }
            Timer::G(id) => {
                self.retransmit_failure(id, now);
                None
            }
            Timer::H(id) | Timer::I(id) | Timer::J(id) | Timer::L(id) => {
                self.remove_server(id);
                None
            }
        })
    }

    /// Makes a Via with a new branch for a request that goes to this destination.
    pub(super) fn via(&mut self, transport: Transport) -> Via {
        let sent_by = match transport {
            Transport::Udp => self.udp.clone(),
            Transport::Tcp => self.tcp.clone(),
            Transport::Tls => self.tls.clone(),
        };
        Via::new(transport, sent_by, &format!("{MAGIC_COOKIE}{}", self.random.token()))
    }

    /// Returns the request of a server transaction that still lives.
    pub(super) fn received(&self, id: ServerId) -> Option<Arc<Received>> {
        self.servers.get(&id).map(|server| Arc::clone(&server.received))
    }

    /// Returns the request of a client transaction that still lives, and where it went.
    pub(super) fn sent(&self, id: ClientId) -> Option<(&Request, Destination)> {
        self.clients.get(&id).map(|client| (&client.request, client.destination))
    }

    /// Notes whose INVITE a server transaction is, so that a CANCEL finds it.
    pub(super) fn set_owner(&mut self, id: ServerId, owner: DialogKey) {
        if let Some(server) = self.servers.get_mut(&id) {
            server.owner = Some(owner);
        }
    }

    fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}
