//! The task that owns the SIP endpoint: it feeds it datagrams, chunks of connections and time, sends what comes out,
//! and carries events between phones and the workers that own their conversations.

mod connections;
mod dialling;
mod lookup;
mod outcome;
mod phone;
mod receiving;
mod referring;
mod registrations;
mod trunk_addresses;

use crate::config::{SipConfig, User};
use crate::directory::Directory;
use crate::engine::{new_guid, new_secret};
use crate::worker::{Fact, LegEvent, Moved, WorkerHandle};
use call::{CallId, ConversationId, HangUpCause, Identity, ParticipantId, ReferProgress};
use connections::{Chunk, Connections};
use dialling::{Dialling, Step, Target};
use edge::sdp::FirstOffers;
use edge::sip::{
    self, Credentials, Destination, DialogKey, Endpoint, Event, Flow, RegistrationKey, Replaces, Status, Transport,
};
use fastrand::Rng;
use lookup::Dns;
pub(crate) use outcome::better;
use phone::Phone;
use receiving::Caller;
use registrations::Registrations;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use trunk_addresses::TrunkAddresses;

/// The largest UDP datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// How often UDP and TCP are bound to a free port before giving up on finding one that is free for both.
const BIND_ATTEMPTS_MAX: usize = 20;

/// How many bans the log tells in each [`BANS_TOLD_WINDOW`]; all of them are counted. An office under attack sees a few.
const BANS_TOLD_MAX: u32 = 60;

/// The span over which told bans are counted.
const BANS_TOLD_WINDOW: Duration = Duration::from_secs(60);

/// Names a leg across threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LegAddress {
    pub(crate) worker: usize,
    pub(crate) conversation: ConversationId,
    pub(crate) participant: ParticipantId,
}

/// What a worker wants of SIP.
#[derive(Debug)]
pub(crate) enum SipCommand {
    /// Call somebody with one of these offers; every phone of a user rings.
    Dial {
        leg: LegAddress,
        identity: Identity,
        offers: FirstOffers,
        ring_timeout: Option<Duration>,
        /// The dialog whose place the call is to take.
        replaces: Option<Replaces>,
    },
    /// Have the worker `owner` give the person of a call away, who is to become the leg `to`.
    Fetch { from: CallId, owner: usize, to: LegAddress },
    /// That leg has left its old conversation, or it is not to be had. What is said of it goes to `to` from now on.
    Move { to: LegAddress, released: Option<(LegAddress, Box<Moved>)> },
    /// What was said of a leg that had just moved.
    Forward { leg: LegAddress, event: LegEvent },
    /// Tell a phone how its REFER goes on.
    TellReferrer { leg: LegAddress, progress: ReferProgress },
    /// From the loop to itself: what was looked up for a call is at these addresses, or nowhere.
    Found { dialog: DialogKey, destinations: Vec<Destination> },
    /// The same of the registrar of a trunk.
    FoundRegistrar { key: RegistrationKey, destinations: Vec<Destination> },
    /// The same of a trunk, which may call from there.
    FoundTrunk { trunk: usize, destinations: Vec<Destination> },
    /// Let who calls hear that it rings.
    Ring { leg: LegAddress },
    /// Take the call of who calls, with this answer to its offer.
    Answer { leg: LegAddress, answer: String },
    /// Refuse a call of which nobody has been told.
    Refuse { leg: LegAddress, status: Status },
    /// A browser has taken the call: its phones stop ringing.
    AnsweredElsewhere { leg: LegAddress },
    /// End it, in whatever state it is.
    HangUp { leg: LegAddress, cause: HangUpCause },
    /// Answer what [`LegEvent::Offered`] or [`LegEvent::OfferWanted`] brought; `None` means "not acceptable".
    AnswerOffer { leg: LegAddress, answer: Option<String> },
    /// Answer what [`LegEvent::OfferedEarly`] brought; `None` means "not acceptable".
    AnswerEarlyOffer { dialog: DialogKey, answer: Option<String> },
    /// Ask the phone whether it is still there.
    Probe { leg: LegAddress },
}

/// The way to the SIP loop. Not bounded by a number: a leg has at most one of each command under way, and of probes one
/// for each time that it was silent for long.
#[derive(Clone, Debug)]
pub(crate) struct SipCommands(mpsc::UnboundedSender<SipCommand>);

impl SipCommands {
    pub(crate) fn send(&self, command: SipCommand) {
        // The loop ends only with the program.
        let _ = self.0.send(command);
    }
}

/// The loop before it runs.
pub(crate) struct SipLoop {
    endpoint: Endpoint,
    udp: UdpSocket,
    local: SocketAddr,
    connections: Connections,
    chunks: mpsc::Receiver<Chunk>,
    commands: mpsc::UnboundedReceiver<SipCommand>,
    /// For names that are looked up. Weak: the loop ends when nobody else can command.
    own_commands: mpsc::WeakUnboundedSender<SipCommand>,
    dialling: Dialling,
    registrations: Registrations,
    trunk_addresses: TrunkAddresses,
    dns: Dns,
    /// Decides between servers that are as good as each other.
    chance: Rng,
    workers: Arc<[WorkerHandle]>,
    /// Since when, and how many bans the log has told.
    bans_told: (Instant, u32),
}

impl SipLoop {
    /// Binds UDP and TCP to the same port.
    pub(crate) async fn bind(config: &SipConfig) -> io::Result<(Self, SipCommands)> {
        let (udp, tcp) = bind_both(config.listen).await?;
        let local = udp.local_addr()?;
        let (sender, commands) = mpsc::unbounded_channel();
        let (connections, chunks) = Connections::new(tcp, config.tls.as_ref()).await?;
        let trunk_addresses = TrunkAddresses::new(&config.trunks);
        let mut endpoint = endpoint_config(config, local, connections.tls_address());
        endpoint.trunks = trunk_addresses.all();
        let sip_loop = Self {
            endpoint: Endpoint::new(endpoint, new_secret()),
            udp,
            local,
            connections,
            chunks,
            commands,
            own_commands: sender.downgrade(),
            dialling: Dialling::new(Directory::new(config), config, local),
            registrations: Registrations::new(&config.trunks),
            trunk_addresses,
            dns: Dns::new(&config.name_servers, local, config.tls.is_some())?,
            chance: Rng::with_seed(new_guid() as u64),
            workers: Arc::new([]),
            bans_told: (Instant::now(), 0),
        };
        Ok((sip_loop, SipCommands(sender)))
    }

    pub(crate) fn local_address(&self) -> SocketAddr {
        self.local
    }

    pub(crate) fn tls_address(&self) -> Option<SocketAddr> {
        self.connections.tls_address()
    }

    /// Runs until nobody can command any more and every phone knows that its call is over.
    pub(crate) async fn run(mut self, workers: Arc<[WorkerHandle]>) {
        self.workers = workers;
        let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
        let mut commanded = true;
        self.find_trunks();
        self.drain().await;
        while commanded || self.endpoint.dialog_count() > 0 {
            let deadline = self.endpoint.deadline();
            tokio::select! {
                received = self.udp.recv_from(&mut datagram) => {
                    if let Ok((length, remote)) = received {
                        let flow = Flow { transport: Transport::Udp, local: self.local, remote };
                        self.endpoint.receive(flow, &datagram[..length], Instant::now());
                    }
                }
                Some(chunk) = self.chunks.recv() => self.take_chunk(chunk),
                accepted = self.connections.accept() => self.connections.serve(accepted),
                command = self.commands.recv(), if commanded => match command {
                    Some(command) => self.take_command(command),
                    None => {
                        commanded = false;
                        self.registrations.leave(&mut self.endpoint, Instant::now());
                    }
                },
                () = sleep_until(deadline) => self.endpoint.expire(Instant::now()),
            }
            self.drain().await;
        }
    }

    fn take_chunk(&mut self, chunk: Chunk) {
        match chunk {
            Chunk::Bytes { flow, bytes } => self.endpoint.receive(flow, &bytes, Instant::now()),
            Chunk::Closed(ended) => {
                if self.connections.ended(ended) {
                    self.endpoint.closed(ended.flow, Instant::now());
                }
            }
            Chunk::Unreachable(ended) => {
                self.connections.ended(ended);
                let Flow { transport, remote, .. } = ended.flow;
                self.endpoint.unreachable(Destination::Address { transport, remote }, Instant::now());
            }
        }
    }

    fn take_command(&mut self, command: SipCommand) {
        let now = Instant::now();
        match command {
            SipCommand::Dial { leg, identity, offers, ring_timeout, replaces } => {
                let target = Target { identity, ring_timeout, replaces };
                if let Some(step) = self.dialling.dial(&mut self.endpoint, leg, target, &offers, now) {
                    self.tell(step);
                }
            }
            SipCommand::Fetch { from: call, owner, to } => self.workers[owner].tell(Fact::Wanted { call, to }),
            SipCommand::Move { to, released } => self.move_leg(to, released),
            SipCommand::Forward { leg, event } => self.tell(Step { leg, event }),
            SipCommand::TellReferrer { leg, progress } => self.tell_referrer(leg, progress, now),
            SipCommand::Found { dialog, destinations } => {
                if let Some(step) = self.dialling.found(&mut self.endpoint, dialog, destinations, now) {
                    self.tell(step);
                }
            }
            SipCommand::FoundRegistrar { key, destinations } => {
                let name = self.registrations.found(&mut self.endpoint, key, destinations, now);
                self.expect_name(name);
            }
            SipCommand::FoundTrunk { trunk, destinations } => self.found_trunk(trunk, &destinations, now),
            SipCommand::Ring { leg } => self.dialling.callers.ring(&mut self.endpoint, leg, now),
            SipCommand::Answer { leg, answer } => self.dialling.callers.answer(&mut self.endpoint, leg, answer, now),
            SipCommand::Refuse { leg, status } => self.dialling.callers.refuse(&mut self.endpoint, leg, status, now),
            SipCommand::AnsweredElsewhere { leg } => self.dialling.answered_elsewhere(&mut self.endpoint, leg, now),
            SipCommand::HangUp { leg, cause } => self.dialling.hang_up(&mut self.endpoint, leg, cause, now),
            SipCommand::AnswerOffer { leg, answer } => {
                if let Some(dialog) = self.dialling.answered_dialog(leg) {
                    self.endpoint.answer_offer(dialog, acceptable(answer), now);
                }
            }
            SipCommand::AnswerEarlyOffer { dialog, answer } => {
                self.endpoint.answer_early_offer(dialog, acceptable(answer), now);
            }
            SipCommand::Probe { leg } => {
                if let Some(dialog) = self.dialling.answered_dialog(leg) {
                    self.endpoint.probe(dialog, now);
                }
            }
        }
    }

    /// Finds out in the background where somebody is called, after a while. What is found comes as a command.
    fn find(
        &mut self,
        phone: Phone,
        delay: Duration,
        max: usize,
        found: impl FnOnce(Vec<Destination>) -> SipCommand + Send + 'static,
    ) {
        let (own, dns, chance) = (self.own_commands.clone(), self.dns.clone(), self.chance.fork());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let command = found(phone.find(&dns, chance, max).await);
            if let Some(own) = own.upgrade() {
                SipCommands(own).send(command);
            }
        });
    }

    fn expect_name(&mut self, name: Option<(SocketAddr, ServerName<'static>)>) {
        if let Some((remote, name)) = name {
            self.connections.expect_name(remote, name);
        }
    }

    /// Sends what the endpoint wants sent and deals with what it has to say, until it is quiet.
    async fn drain(&mut self) {
        loop {
            for (remote, name) in self.dialling.take_names() {
                self.connections.expect_name(remote, name);
            }
            for (dialog, phone) in self.dialling.take_lookups() {
                let found = move |destinations| SipCommand::Found { dialog, destinations };
                self.find(phone, Duration::ZERO, lookup::TRIED_MAX, found);
            }
            for (key, delay, registrar) in self.registrations.take_lookups() {
                let found = move |destinations| SipCommand::FoundRegistrar { key, destinations };
                self.find(registrar, delay, lookup::TRIED_MAX, found);
            }
            while let Some(transmit) = self.endpoint.poll_transmit() {
                self.transmit(transmit).await;
            }
            let Some(event) = self.endpoint.poll_event() else { break };
            self.take_event(event);
        }
        self.tell_bans();
    }

    fn tell_bans(&mut self) {
        while let Some(ban) = self.endpoint.poll_ban() {
            metrics::counter!("fermata_sip_bans_total").increment(1);
            if !self.may_tell_ban() {
                continue;
            }
            let (address, seconds) = (ban.address, ban.duration.as_secs());
            match ban.is_proven {
                true => tracing::warn!(%address, seconds, "a SIP address is shut out: too many failures"),
                false => tracing::warn!(%address, seconds, "a SIP address may only register: too many failures"),
            }
        }
        let dropped = self.endpoint.take_dropped();
        if dropped > 0 {
            metrics::counter!("fermata_sip_requests_dropped_total").increment(dropped);
        }
    }

    /// A flood of forged addresses is not to fill the log.
    fn may_tell_ban(&mut self) -> bool {
        let (since, told) = &mut self.bans_told;
        if since.elapsed() >= BANS_TOLD_WINDOW {
            (*since, *told) = (Instant::now(), 0);
        }
        *told += 1;
        *told <= BANS_TOLD_MAX
    }

    async fn transmit(&mut self, transmit: sip::Transmit) {
        match transmit.destination.transport() {
            Transport::Udp => {
                if let Err(error) = self.udp.send_to(&transmit.bytes, transmit.destination.remote()).await {
                    tracing::debug!(kind = ?error.kind(), "a SIP datagram could not be sent; it will be repeated");
                }
            }
            Transport::Tcp | Transport::Tls => match transmit.destination {
                Destination::Flow(flow) => self.connections.send(flow, transmit.bytes),
                Destination::Address { transport, remote } => {
                    self.connections.send_to(transport, remote, transmit.bytes);
                }
            },
        }
    }

    fn take_event(&mut self, event: Event) {
        if let Event::Disconnect { flow } = event {
            self.connections.forget(flow);
        }
        if let Event::Incoming { dialog, user, from, to, body, replaces } = event {
            let caller = Caller { user, from };
            return match replaces {
                Some(replaced) => self.receive_replacement(dialog, &caller, replaced, body),
                None => self.receive_call(dialog, &caller, &to, body),
            };
        }
        if let Event::Referred { dialog, target, replaces } = event {
            return self.receive_referral(dialog, target, replaces);
        }
        if let Event::RegistrationChanged { registration, state } = event {
            let name = self.registrations.changed(&mut self.endpoint, registration, state, Instant::now());
            self.expect_name(name);
        }
        if let Some(step) = self.dialling.take_event(&mut self.endpoint, event, Instant::now()) {
            self.tell(step);
        }
    }

    fn tell(&self, step: Step) {
        let Step { leg: LegAddress { worker, conversation, participant }, event } = step;
        self.workers[worker].tell(Fact::Leg { conversation, participant, event });
    }
}

fn acceptable(answer: Option<String>) -> Result<Vec<u8>, Status> {
    answer.map(String::into_bytes).ok_or(Status::NOT_ACCEPTABLE_HERE)
}

fn endpoint_config(config: &SipConfig, local: SocketAddr, tls: Option<SocketAddr>) -> sip::Config {
    let credentials = |user: &User| Credentials { user: user.name.clone(), password: user.password.clone() };
    let mut endpoint = sip::Config::new(local);
    endpoint.tls = tls.unwrap_or(local).into();
    endpoint.realm.clone_from(&config.domain);
    endpoint.users = config.users.iter().map(credentials).collect();
    endpoint.incoming = match config.applications.iter().any(|application| !application.addresses.is_empty()) {
        true => sip::Incoming::Authenticate { trusted: config.trusted.clone() },
        false => sip::Incoming::Refuse,
    };
    endpoint.algorithms.clone_from(&config.digest);
    endpoint.guard.clone_from(&config.guard);
    endpoint.reach = reach(config);
    endpoint.session_expires = config.session_expires;
    endpoint.session_expires_min = config.session_expires_min;
    endpoint
}

/// A call goes on only where it might have been dialled. Hosts that are listed by name are followed to the address that
/// was called.
fn reach(config: &SipConfig) -> sip::Reach {
    let listed = config.dial.hosts.iter().filter_map(|host| host.parse().ok());
    sip::Reach::Only { loopback: config.dial.loopback, addresses: listed.collect() }
}

async fn bind_both(listen: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut attempts = 0;
    loop {
        let udp = UdpSocket::bind(listen).await?;
        attempts += 1;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            // A free port was asked for, and this one is free for UDP only.
            Err(error) if listen.port() == 0 && attempts < BIND_ATTEMPTS_MAX => {
                tracing::debug!(%error, "another port is tried for SIP");
            }
            Err(error) => return Err(error),
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
