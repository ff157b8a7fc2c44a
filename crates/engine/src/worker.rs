//! A thread that owns conversations: it reads the clock, the sockets and its queues, and ticks.
//!
//! Between ticks it sleeps until a packet, a job or the next deadline comes. Nothing else touches what it owns, so
//! there is no lock on the way of a packet.

use crate::alarm::Alarm;
use crate::change::{Change, Outcome, Reply};
use crate::config::Config;
use crate::engine::CallTable;
use crate::leg::LegRandom;
use crate::prompts::{CallScope, PromptFailure, PromptSource, Prompts};
use crate::rtp_ports::{RtpPorts, RtpSockets};
use crate::session::{Datagram, Output, Session};
use crate::sip_loop::{LegAddress, SipCommand, SipCommands};
use crate::tick::{SLOTS, TickClock, TickCounters, TickStatistics};
use call::{
    Accepted, CallId, Command, Conversation, ConversationId, Identity, LeaveCause, NewCall, Notice, OperationId,
    ParticipantId, Prompt, ResultInfo, Unreached,
};
use media::{Codec, Loop, NtpTime, TransmitStart};
use mio::{Events, Interest, Poll, Token, Waker};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Instant, SystemTime};

/// Commands that wait for a worker. A full queue refuses the command, and the application is told to come back.
const COMMANDS_WAITING_MAX: usize = 1024;

/// Jobs that are done between two looks at the clock, so that a flood of them does not hold up a tick.
const JOBS_AT_ONCE_MAX: usize = 64;

/// Packets that are read from one socket at a time; the rest wait for the next round. 20 ms bring one.
const PACKETS_AT_ONCE_MAX: usize = 32;

/// The largest datagram that is read whole: an Ethernet frame's worth. RTP of ours is below 300 bytes.
const DATAGRAM_BYTES_MAX: usize = 1500;

const WAKER: Token = Token(usize::MAX);
const ALARM: Token = Token(usize::MAX - 1);

/// What a worker is started with.
pub(crate) struct Worker {
    pub(crate) index: usize,
    pub(crate) config: Config,
    pub(crate) changes: tokio::sync::mpsc::Sender<Change>,
    pub(crate) sip: SipCommands,
    pub(crate) prompts: Prompts,
    pub(crate) calls: CallTable,
    pub(crate) runtime: tokio::runtime::Handle,
}

/// A command for a worker. It can be refused when too many wait.
#[derive(Debug)]
pub(crate) enum Job {
    Create {
        conversation: ConversationId,
        call: NewCall,
        reply: Reply,
    },
    Execute {
        call: CallId,
        command: Command,
        reply: Reply,
    },
    /// Ends every conversation; `done` is dropped when that is told.
    Shutdown {
        done: Reply,
    },
}

/// A fact for a worker. It is never refused; there are only as many as there are legs and prompts under way.
pub(crate) enum Fact {
    Leg { conversation: ConversationId, participant: ParticipantId, event: LegEvent },
    Prompt { conversation: ConversationId, participant: ParticipantId, operation: OperationId, track: Track },
}

type Track = Result<(Codec, Arc<Loop>), PromptFailure>;

/// What SIP says of a leg.
#[derive(Debug)]
pub(crate) enum LegEvent {
    Answered { description: Vec<u8> },
    Unreached(Unreached),
    Offered { description: Vec<u8> },
    Left(LeaveCause),
}

/// The way to a worker. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WorkerHandle {
    commands: mpsc::SyncSender<Job>,
    facts: mpsc::Sender<Fact>,
    waker: Arc<Waker>,
    ticks: TickCounters,
    conversations: Arc<AtomicUsize>,
}

impl WorkerHandle {
    /// Puts a command into the worker's queue, or gives it back if the queue is full.
    pub(crate) fn send(&self, job: Job) -> Result<(), Job> {
        self.commands.try_send(job).map_err(|error| match error {
            mpsc::TrySendError::Full(job) | mpsc::TrySendError::Disconnected(job) => job,
        })?;
        self.wake();
        Ok(())
    }

    /// Tells the worker a fact.
    pub(crate) fn tell(&self, fact: Fact) {
        // A worker that has ended has nobody left to tell.
        let _ = self.facts.send(fact);
        self.wake();
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "a media worker cannot be woken");
        }
    }

    pub(crate) fn tick_statistics(&self) -> TickStatistics {
        self.ticks.read()
    }

    pub(crate) fn conversations(&self) -> usize {
        self.conversations.load(Ordering::Relaxed)
    }
}

impl Worker {
    /// Starts the thread.
    pub(crate) fn start(self) -> io::Result<WorkerHandle> {
        let poll = Poll::new()?;
        let (commands, commands_out) = mpsc::sync_channel(COMMANDS_WAITING_MAX);
        let (facts, facts_out) = mpsc::channel();
        let handle = WorkerHandle {
            commands,
            facts,
            waker: Arc::new(Waker::new(poll.registry(), WAKER)?),
            ticks: TickCounters::default(),
            conversations: Arc::default(),
        };
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let ports = RtpPorts::new(&self.config.rtp, self.index, self.config.workers);
        let name = format!("media-{}", self.index);
        let running = Running {
            handle: handle.clone(),
            commands: commands_out,
            facts: facts_out,
            poll,
            alarm,
            ports,
            clock: TickClock::new(Instant::now()),
            slots: Default::default(),
            owned: HashMap::new(),
            by_call: HashMap::new(),
            sockets: HashMap::new(),
            next_token: 0,
            unsent: VecDeque::new(),
            worker: self,
        };
        thread::Builder::new().name(name).spawn(move || running.run())?;
        Ok(handle)
    }
}

/// The state of the thread.
struct Running {
    worker: Worker,
    handle: WorkerHandle,
    commands: mpsc::Receiver<Job>,
    facts: mpsc::Receiver<Fact>,
    poll: Poll,
    alarm: Alarm,
    ports: RtpPorts,
    clock: TickClock,
    slots: [Vec<ConversationId>; SLOTS],
    owned: HashMap<ConversationId, Owned>,
    by_call: HashMap<CallId, ConversationId>,
    sockets: HashMap<Token, Socket>,
    next_token: usize,
    /// Changes that did not fit into the recorder's queue. While there are any, commands are refused.
    unsent: VecDeque<Change>,
}

/// A conversation and its sockets.
struct Owned {
    session: Session,
    slot: usize,
    legs: HashMap<ParticipantId, LegSockets>,
}

#[derive(Debug)]
struct LegSockets {
    sockets: RtpSockets,
    rtp: Token,
    rtcp: Token,
}

/// Whose a socket is.
#[derive(Clone, Copy, Debug)]
struct Socket {
    conversation: ConversationId,
    participant: ParticipantId,
    is_rtcp: bool,
}

impl Running {
    fn run(mut self) {
        crate::priority::raise();
        let mut events = Events::with_capacity(1024);
        loop {
            let deadline = self.clock.next_deadline(|slot| !self.slots[slot].is_empty());
            let timeout = self.alarm.set(deadline);
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return tracing::error!(%error, "a media worker cannot wait for packets and ends"),
            }
            for event in &events {
                if let Some(socket) = self.sockets.get(&event.token()) {
                    self.receive(*socket);
                }
            }
            self.alarm.clear();
            self.serve_queues();
            self.serve_ticks();
            if self.handle_is_last() {
                return;
            }
        }
    }

    /// Whether nobody can send anything any more: the engine has been dropped.
    fn handle_is_last(&self) -> bool {
        Arc::strong_count(&self.handle.waker) == 1 && self.owned.is_empty()
    }

    fn receive(&mut self, socket: Socket) {
        let Some(owned) = self.owned.get_mut(&socket.conversation) else { return };
        let Some(leg) = owned.legs.get(&socket.participant) else { return };
        let udp = if socket.is_rtcp { &leg.sockets.rtcp } else { &leg.sockets.rtp };
        let mut packet = [0; DATAGRAM_BYTES_MAX];
        let now = Instant::now();
        for _ in 0..PACKETS_AT_ONCE_MAX {
            let Ok((length, from)) = udp.recv_from(&mut packet) else { return };
            let bytes = &packet[..length];
            let session = &mut owned.session;
            let result = catch_unwind(AssertUnwindSafe(|| match socket.is_rtcp {
                true => session.receive_rtcp(socket.participant, from, bytes, now),
                false => session.receive_rtp(socket.participant, from, bytes, now),
            }));
            if result.is_err() {
                return self.abort(socket.conversation);
            }
        }
    }

    fn serve_queues(&mut self) {
        self.send_unsent();
        for _ in 0..JOBS_AT_ONCE_MAX {
            let Ok(fact) = self.facts.try_recv() else { break };
            self.take_fact(fact);
        }
        for _ in 0..JOBS_AT_ONCE_MAX {
            let Ok(job) = self.commands.try_recv() else { return };
            self.take_job(job);
        }
        // There may be more: look again after the packets and ticks of this round.
        self.handle.wake();
    }

    fn take_job(&mut self, job: Job) {
        let now = Instant::now();
        match job {
            // Dropping the reply answers "busy".
            Job::Create { .. } | Job::Execute { .. } if !self.unsent.is_empty() => {}
            Job::Create { conversation, call, reply } => self.create(conversation, call, reply, now),
            Job::Execute { call, command, reply } => {
                let Some(conversation) = self.by_call.get(&call).copied() else {
                    let _ = reply.send(Err(Outcome::Refused(call::Refusal::CallNotFound)));
                    return;
                };
                let result = self.with_session(conversation, |session| session.execute(call, command, now));
                match result {
                    Some(Ok(accepted)) => self.settle(conversation, Some((accepted, reply))),
                    Some(Err(refusal)) => drop(reply.send(Err(Outcome::Refused(refusal)))),
                    None => {}
                }
            }
            Job::Shutdown { done } => {
                let result = ResultInfo::new(500, 9001, "The server was shut down.");
                for conversation in self.owned.keys().copied().collect::<Vec<_>>() {
                    self.with_session(conversation, |session| session.abort(&result));
                    self.settle(conversation, None);
                }
                drop(done);
            }
        }
    }

    fn create(&mut self, id: ConversationId, call: NewCall, reply: Reply, now: Instant) {
        let call_id = call.id;
        let conversation = Conversation::create(id, self.worker.config.policy, call, now);
        let slot = (0..SLOTS).min_by_key(|slot| self.slots[*slot].len()).expect("there are slots");
        self.slots[slot].push(id);
        self.owned.insert(id, Owned { session: Session::new(conversation), slot, legs: HashMap::new() });
        self.by_call.insert(call_id, id);
        self.handle.conversations.store(self.owned.len(), Ordering::Relaxed);
        self.settle(id, Some((Accepted::Done, reply)));
    }

    fn take_fact(&mut self, fact: Fact) {
        let now = Instant::now();
        let conversation = match fact {
            Fact::Leg { conversation, participant, event } => {
                self.with_session(conversation, |session| match event {
                    LegEvent::Answered { description } => session.answered(participant, &description, now),
                    LegEvent::Unreached(cause) => session.unreached(participant, cause, now),
                    LegEvent::Offered { description } => session.offered(participant, &description, now),
                    LegEvent::Left(cause) => session.left(participant, cause, now),
                });
                conversation
            }
            Fact::Prompt { conversation, participant, operation, track } => {
                self.with_session(conversation, |s| s.prompt_loaded(participant, operation, track, now));
                conversation
            }
        };
        self.settle(conversation, None);
    }

    /// Ticks every conversation that is due.
    fn serve_ticks(&mut self) {
        while let Some((slot, due)) = self.clock.take_due(Instant::now()) {
            for at in (0..self.slots[slot].len()).rev() {
                let conversation = self.slots[slot][at];
                self.handle.ticks.count(due.elapsed());
                self.tick(conversation, due);
            }
        }
    }

    fn tick(&mut self, conversation: ConversationId, due: Instant) {
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        let Owned { session, legs, .. } = owned;
        let result = catch_unwind(AssertUnwindSafe(|| {
            session.tick(due, wall_clock(), &mut |datagram| send(legs, &datagram));
            session.flushed(due);
        }));
        match result {
            Ok(()) => self.settle(conversation, None),
            Err(_) => self.abort(conversation),
        }
    }

    /// Runs `work` on a conversation. A panic in it ends that conversation and nothing else.
    fn with_session<T>(&mut self, conversation: ConversationId, work: impl FnOnce(&mut Session) -> T) -> Option<T> {
        let owned = self.owned.get_mut(&conversation)?;
        match catch_unwind(AssertUnwindSafe(|| work(&mut owned.session))) {
            Ok(value) => Some(value),
            Err(_) => {
                self.abort(conversation);
                None
            }
        }
    }

    /// A bug has been met in a conversation: ends it in good order if the rules still can, else drops it.
    fn abort(&mut self, conversation: ConversationId) {
        metrics::counter!("fermata_conversations_aborted_total").increment(1);
        tracing::error!(%conversation, "a conversation has met a bug and is ended");
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        let result = ResultInfo::new(500, 9999, "The server met an internal error in this conversation.");
        match catch_unwind(AssertUnwindSafe(|| owned.session.abort(&result))) {
            Ok(()) => self.settle(conversation, None),
            Err(_) => self.drop_conversation(conversation),
        }
    }

    /// Does what a session wants, and passes on what is to be recorded.
    fn settle(&mut self, conversation: ConversationId, asked: Option<(Accepted, Reply)>) {
        let mut notices = Vec::new();
        let mut over = false;
        while let Some(output) = self.owned.get_mut(&conversation).and_then(|owned| owned.session.poll_output()) {
            match output {
                Output::Notify(notice) => notices.push(notice),
                Output::OpenLeg { participant, identity } => self.open_leg(conversation, participant, identity),
                Output::CloseLeg { participant } => self.close_leg(conversation, participant),
                Output::AnswerOffer { participant, answer } => {
                    let leg = self.address(conversation, participant);
                    self.worker.sip.send(SipCommand::AnswerOffer { leg, answer });
                }
                Output::LoadPrompt { participant, operation, prompt, codec } => {
                    self.load_prompt(conversation, participant, operation, prompt, codec);
                }
                Output::Close => over = true,
            }
        }
        if asked.is_some() || !notices.is_empty() {
            let (accepted, reply) = asked.unzip();
            self.pass_on(Change { conversation, accepted, notices, reply });
        }
        if over {
            self.drop_conversation(conversation);
        }
    }

    fn pass_on(&mut self, change: Change) {
        for notice in &change.notices {
            if let Notice::Call { call, result: Some(_), .. } = notice {
                self.by_call.remove(call);
                self.worker.calls.lock().expect("nothing panics while it holds the table of calls").remove(call);
            }
        }
        self.unsent.push_back(change);
        self.send_unsent();
    }

    fn send_unsent(&mut self) {
        while let Some(change) = self.unsent.pop_front() {
            match self.worker.changes.try_send(change) {
                Ok(()) => {}
                Err(tokio::sync::mpsc::error::TrySendError::Full(change)) => {
                    self.unsent.push_front(change);
                    return;
                }
                Err(tokio::sync::mpsc::error::TrySendError::Closed(change)) => change.not_recorded(),
            }
        }
    }

    fn drop_conversation(&mut self, conversation: ConversationId) {
        let Some(owned) = self.owned.remove(&conversation) else { return };
        for participant in owned.legs.into_keys() {
            self.worker.sip.send(SipCommand::HangUp { leg: self.address(conversation, participant) });
        }
        self.slots[owned.slot].retain(|id| *id != conversation);
        self.sockets.retain(|_, socket| socket.conversation != conversation);
        self.by_call.retain(|_, id| *id != conversation);
        self.worker.prompts.forget(CallScope::new(conversation.as_u128()));
        self.handle.conversations.store(self.owned.len(), Ordering::Relaxed);
    }

    fn open_leg(&mut self, conversation: ConversationId, participant: ParticipantId, identity: Identity) {
        let now = Instant::now();
        let opened = self.open_sockets(conversation, participant);
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        match opened {
            Ok(sockets) => {
                let address = SocketAddr::new(self.worker.config.rtp.address, sockets.sockets.port);
                let Some(offer) = owned.session.leg_opened(participant, address, random()) else { return };
                owned.legs.insert(participant, sockets);
                let leg = self.address(conversation, participant);
                self.worker.sip.send(SipCommand::Dial { leg, identity, offer });
            }
            Err(error) => {
                tracing::error!(%error, "no RTP port for a leg");
                owned.session.unreached(participant, Unreached::Status(503), now);
            }
        }
    }

    fn open_sockets(&mut self, conversation: ConversationId, participant: ParticipantId) -> io::Result<LegSockets> {
        let mut sockets = self.ports.bind()?;
        let (rtp, rtcp) = (Token(self.next_token), Token(self.next_token + 1));
        self.next_token += 2;
        self.poll.registry().register(&mut sockets.rtp, rtp, Interest::READABLE)?;
        self.poll.registry().register(&mut sockets.rtcp, rtcp, Interest::READABLE)?;
        for (token, is_rtcp) in [(rtp, false), (rtcp, true)] {
            self.sockets.insert(token, Socket { conversation, participant, is_rtcp });
        }
        Ok(LegSockets { sockets, rtp, rtcp })
    }

    fn close_leg(&mut self, conversation: ConversationId, participant: ParticipantId) {
        let leg = self.owned.get_mut(&conversation).and_then(|owned| owned.legs.remove(&participant));
        let Some(leg) = leg else { return };
        self.sockets.remove(&leg.rtp);
        self.sockets.remove(&leg.rtcp);
        self.worker.sip.send(SipCommand::HangUp { leg: self.address(conversation, participant) });
    }

    fn load_prompt(
        &mut self,
        conversation: ConversationId,
        participant: ParticipantId,
        operation: OperationId,
        prompt: Prompt,
        codec: Codec,
    ) {
        let (prompts, handle) = (self.worker.prompts.clone(), self.handle.clone());
        let scope = CallScope::new(conversation.as_u128());
        if let Some(track) = cached(&prompts, scope, &prompt, codec) {
            handle.tell(Fact::Prompt { conversation, participant, operation, track: Ok((codec, track)) });
            return;
        }
        self.worker.runtime.spawn(async move {
            let track = load(&prompts, scope, &prompt, codec).await.map(|track| (codec, track));
            handle.tell(Fact::Prompt { conversation, participant, operation, track });
        });
    }

    fn address(&self, conversation: ConversationId, participant: ParticipantId) -> LegAddress {
        LegAddress { worker: self.worker.index, conversation, participant }
    }
}

fn send(legs: &HashMap<ParticipantId, LegSockets>, datagram: &Datagram<'_>) {
    let Some(leg) = legs.get(&datagram.participant) else { return };
    let socket = if datagram.by_rtcp { &leg.sockets.rtcp } else { &leg.sockets.rtp };
    if let Err(error) = socket.send_to(datagram.bytes, datagram.destination) {
        // A full buffer or an unreachable port loses one packet, as a network may.
        metrics::counter!("fermata_rtp_unsent_total").increment(1);
        tracing::trace!(kind = ?error.kind(), "an RTP packet could not be sent");
    }
}

fn cached(prompts: &Prompts, scope: CallScope, prompt: &Prompt, codec: Codec) -> Option<Arc<Loop>> {
    match prompt {
        Prompt::BuiltIn => prompts.default_music_cached(codec),
        Prompt::Media { uri, resource_id } => prompts.cached(scope, &source(uri, resource_id), codec),
    }
}

async fn load(prompts: &Prompts, scope: CallScope, prompt: &Prompt, codec: Codec) -> Result<Arc<Loop>, PromptFailure> {
    match prompt {
        Prompt::BuiltIn => Ok(prompts.default_music(codec).await),
        Prompt::Media { uri, resource_id } => prompts.load(scope, &source(uri, resource_id), codec).await,
    }
}

fn source(uri: &str, resource_id: &Option<String>) -> PromptSource {
    PromptSource { uri: uri.to_owned(), resource_id: resource_id.clone() }
}

fn random() -> LegRandom {
    let bits = crate::engine::new_guid();
    let transmit = TransmitStart { ssrc: bits as u32, sequence: (bits >> 32) as u16, timestamp: (bits >> 80) as u32 };
    // Positive in 64 bits: some phones read it as a signed number.
    LegRandom { transmit, session_id: ((bits >> 64) as u64) >> 2 }
}

fn wall_clock() -> NtpTime {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    NtpTime::from_unix(since_1970)
}
