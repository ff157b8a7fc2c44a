//! A thread that owns conversations: it reads the clock, the sockets and its queues, and ticks.
//!
//! Between ticks it sleeps until a packet, a job or the next deadline comes. Nothing else touches what it owns, so
//! there is no lock on the way of a packet.

mod browsers;
mod commands;
mod deadlines;
mod handle;
mod legs;
mod look;
mod moving;
mod prompt;
mod receiving;
mod settle;

pub(crate) use handle::{Busy, WorkerHandle};
pub(crate) use look::Question;

use crate::alarm::Alarm;
use crate::browsers::{Arrival, Bells, BrowserError, Call, PortHandle};
use crate::change::{Attachment, Change, Reply, Withdrawn};
use crate::config::Config;
use crate::engine::{CallTable, new_secret};
use crate::leg::EarlyOffer;
use crate::prompts::{PromptFailure, Prompts};
use crate::rtp_ports::RtpPorts;
use crate::session::{Exit, Session};
use crate::sip_loop::{LegAddress, SipCommands};
use crate::tick::{SLOTS, TickClock};
use call::{
    CallId, Command, ConversationId, Identity, IncomingCall, Invitation, LeaveCause, NewCall, OperationId,
    ParticipantId, Unreached,
};
use deadlines::Deadlines;
use edge::dtls::Certificate;
use edge::sdp::{Keying, LocalSrtp};
use edge::sip::{DialogKey, Replaces, Transport};
use edge::srtp::KeySource;
use edge::webrtc::Browser;
use legs::{LegSockets, Socket};
use look::Remembered;
use media::{Codec, Key, Loop, NtpTime};
use mio::{Events, Poll, Token, Waker};
pub(crate) use moving::Moved;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::oneshot;

/// Commands that wait for a worker. A full queue refuses the command, and the application is told to come back.
const COMMANDS_WAITING_MAX: usize = 1024;

/// Datagrams of browsers that wait for a worker: 20 ms of 500 browsers. What does not fit is lost, as a network may lose it.
const ARRIVALS_WAITING_MAX: usize = 1024;

/// How long a worker that is otherwise idle waits before it offers its changes to a full recorder again.
const UNSENT_PAUSE: Duration = Duration::from_millis(5);

/// Packets that are read from one socket at a time. 20 ms bring one; what is left of a flood is read when the next packet
/// comes.
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
    pub(crate) bells: Bells,
    /// There if browsers are served.
    pub(crate) browser_port: Option<PortHandle>,
    /// Who the server is in handshakes.
    pub(crate) certificate: Certificate,
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
        attachment: Attachment,
        reply: Reply,
    },
    /// Somebody calls an application.
    Receive {
        conversation: ConversationId,
        call: IncomingCall,
        offer: CallerOffer,
    },
    /// Somebody calls to take the place of a participant.
    Replace {
        conversation: ConversationId,
        participant: ParticipantId,
        by: Invitation,
        offer: CallerOffer,
    },
    /// Somebody looks at what there is.
    Look(Question),
    /// Somebody who is called has answered in a browser; whether it is in time is told back.
    AnswerInBrowser {
        call: Call,
        browser: Box<Browser>,
        reply: oneshot::Sender<bool>,
    },
    /// A page goes on with a leg in another session; whether there still is one is told back.
    ReconnectBrowser {
        leg: LegAddress,
        browser: Box<Browser>,
        reply: oneshot::Sender<bool>,
    },
    /// A browser offers another description; the answer is told back.
    RenegotiateBrowser {
        leg: LegAddress,
        offer: String,
        reply: oneshot::Sender<Result<String, BrowserError>>,
    },
    /// Ends every conversation and the worker; `done` is dropped when that is told.
    Shutdown {
        done: Reply,
    },
}

/// What somebody who calls brings along.
#[derive(Debug)]
pub(crate) struct CallerOffer {
    /// Its SDP offer; empty if it wants ours.
    pub(crate) description: Vec<u8>,
    /// Whether keys of SRTP may stand in our description.
    pub(crate) may_tell_keys: bool,
    /// How it is signalled.
    pub(crate) transport: Option<Transport>,
}

/// A fact for a worker. It is never refused; there are only as many as there are legs and prompts under way.
pub(crate) enum Fact {
    Leg {
        conversation: ConversationId,
        participant: ParticipantId,
        event: LegEvent,
    },
    /// The person of a call is wanted in another conversation, as this leg.
    Wanted {
        call: CallId,
        to: LegAddress,
    },
    /// Somebody has come from another conversation.
    Arrived {
        conversation: ConversationId,
        participant: ParticipantId,
        moved: Box<Moved>,
    },
    Browser {
        conversation: ConversationId,
        participant: ParticipantId,
        wish: BrowserWish,
    },
    NotRecorded {
        conversation: ConversationId,
        of: Withdrawn,
    },
    Prompt {
        conversation: ConversationId,
        participant: ParticipantId,
        operation: OperationId,
        track: Track,
    },
}

/// What somebody wants who is called, or is, in a browser.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BrowserWish {
    Decline,
    Leave,
}

type Track = Result<(Codec, Arc<Loop>), PromptFailure>;

/// What SIP says of a leg.
///
/// `may_tell_keys`: whether keys of SRTP may stand in our description.
#[derive(Debug)]
pub(crate) enum LegEvent {
    Answered {
        description: Vec<u8>,
        may_tell_keys: bool,
        /// Which of our first offers it answers.
        offered: Option<Keying>,
        /// How the phone is signalled.
        transport: Option<Transport>,
    },
    /// Who called has confirmed that it was answered.
    Confirmed,
    Unreached(Unreached),
    Offered {
        description: Vec<u8>,
        may_tell_keys: bool,
    },
    /// It has not taken the call yet, and offers this in this dialog.
    OfferedEarly {
        dialog: DialogKey,
        early: EarlyOffer,
    },
    /// It has taken the call, and had offered this before.
    OfferedBefore {
        description: Vec<u8>,
    },
    OfferWanted {
        may_tell_keys: bool,
    },
    OfferAnswered {
        description: Vec<u8>,
    },
    Refreshed {
        description: Vec<u8>,
    },
    /// It has pressed a key, and said so by SIP.
    Pressed(Key),
    /// It asks by REFER that somebody be called in its place.
    Referred {
        target: Invitation,
        replaces: Option<Replaces>,
    },
    /// What SIP says of it goes to where it has moved from now on.
    Moved,
    Left(LeaveCause),
}

impl Worker {
    /// Whether and how a new leg of `identity` is encrypted, with keys of its own.
    fn srtp_with(&self, identity: &Identity) -> LocalSrtp {
        self.config.sip.srtp.with(identity, &self.certificate, KeySource::new(new_secret()))
    }

    /// Starts the thread.
    pub(crate) fn start(self) -> io::Result<WorkerHandle> {
        let poll = Poll::new()?;
        let (commands, commands_out) = mpsc::sync_channel(COMMANDS_WAITING_MAX);
        let (facts, facts_out) = mpsc::channel();
        let (arrivals, arrivals_out) = mpsc::sync_channel(ARRIVALS_WAITING_MAX);
        let handle = WorkerHandle::new(commands, facts, arrivals, Waker::new(poll.registry(), WAKER)?);
        let alarm = Alarm::new(poll.registry(), ALARM)?;
        let ports = RtpPorts::new(&self.config.rtp, self.index, self.config.workers);
        let name = format!("media-{}", self.index);
        let running = Running {
            handle: handle.clone(),
            commands: commands_out,
            facts: facts_out,
            arrivals: arrivals_out,
            poll,
            alarm,
            ports,
            clock: TickClock::new(Instant::now()),
            deadlines: Deadlines::default(),
            slots: Default::default(),
            owned: HashMap::new(),
            by_call: HashMap::new(),
            sockets: HashMap::new(),
            next_token: 0,
            unsent: VecDeque::new(),
            remembered: Remembered::default(),
            moved: HashMap::new(),
            stopped: false,
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
    arrivals: mpsc::Receiver<Arrival>,
    poll: Poll,
    alarm: Alarm,
    ports: RtpPorts,
    clock: TickClock,
    deadlines: Deadlines,
    slots: [Vec<ConversationId>; SLOTS],
    owned: HashMap<ConversationId, Owned>,
    by_call: HashMap<CallId, ConversationId>,
    sockets: HashMap<Token, Socket>,
    next_token: usize,
    /// Changes that did not fit into the recorder's queue. While there are any, commands are refused.
    unsent: VecDeque<Change>,
    /// Conversations that are over.
    remembered: Remembered,
    /// Where legs have moved of which SIP may still speak under their old names.
    moved: HashMap<LegAddress, LegAddress>,
    /// Whether the engine has been shut down.
    stopped: bool,
}

/// A conversation and its sockets.
struct Owned {
    session: Session,
    slot: usize,
    legs: HashMap<ParticipantId, LegSockets>,
    /// When it wants to be woken between two ticks, as far as its worker knows.
    deadline: Option<Instant>,
}

impl Running {
    fn run(mut self) {
        crate::priority::raise();
        let mut events = Events::with_capacity(1024);
        while !self.stopped || !self.unsent.is_empty() {
            let tick = self.clock.next_deadline(|slot| !self.slots[slot].is_empty());
            let deadline = tick.into_iter().chain(self.deadlines.next()).min();
            let mut timeout = self.alarm.set(deadline);
            if !self.unsent.is_empty() {
                // Nobody wakes us when the recorder has room again.
                timeout = Some(timeout.map_or(UNSENT_PAUSE, |timeout| timeout.min(UNSENT_PAUSE)));
            }
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
            self.serve_arrivals();
            self.serve_queues();
            self.serve_deadlines();
            self.serve_ticks();
        }
    }

    fn receive(&mut self, socket: Socket) {
        let Some(owned) = self.owned.get_mut(&socket.conversation) else { return };
        let Some(leg) = owned.legs.get(&socket.participant) else { return };
        let udp = if socket.is_rtcp { &leg.sockets.rtcp } else { &leg.sockets.rtp };
        let mut packet = [0; DATAGRAM_BYTES_MAX];
        let now = Instant::now();
        for _ in 0..PACKETS_AT_ONCE_MAX {
            let Ok((length, from)) = udp.recv_from(&mut packet) else { break };
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
        self.settle(socket.conversation, None);
    }

    /// Ticks every conversation that is due.
    fn serve_ticks(&mut self) {
        while let Some((slot, due)) = self.clock.take_due(Instant::now()) {
            for at in (0..self.slots[slot].len()).rev() {
                let conversation = self.slots[slot][at];
                self.handle.count_tick(due.elapsed());
                self.tick(conversation, due);
            }
        }
    }

    fn tick(&mut self, conversation: ConversationId, due: Instant) {
        let (worker, port) = (self.worker.index, &self.worker.browser_port);
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        let Owned { session, legs, .. } = owned;
        let result = catch_unwind(AssertUnwindSafe(|| {
            session.tick(due, wall_clock(), &mut |datagram| match datagram.exit {
                Exit::Rtp => legs::send(legs, &datagram, false),
                Exit::Rtcp => legs::send(legs, &datagram, true),
                Exit::Browser(transport) => {
                    let leg = LegAddress { worker, conversation, participant: datagram.participant };
                    browsers::send(port, leg, transport, &datagram);
                }
            });
            session.flushed(due);
        }));
        match result {
            Ok(()) => self.settle(conversation, None),
            Err(_) => self.abort(conversation),
        }
    }
}

fn wall_clock() -> NtpTime {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    NtpTime::from_unix(since_1970)
}
