//! The thread of a crowd: one SIP endpoint for all phones, a socket for each, one clock.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use edge::sip::{DialogKey, Endpoint, Event, Status, Transport, Uri};
use media::Loop;
use mio::{Events, Interest, Poll, Token, Waker};

use super::member::Member;
use super::schedule::Schedule;
use super::{CrowdConfig, Shared};
use crate::random::seed;
use crate::sockets::{SIP, SipSockets};
use crate::speaker::encode;

/// The token of the n-th phone's socket is this plus n. SIP is spoken over UDP only, so nothing else has tokens there.
const FIRST_PHONE: usize = 16;

const WAKER: Token = Token(1);

/// How many sockets can tell at once that they are ready; the others tell in the next turn.
const EVENTS_PER_TURN: usize = 1024;

/// The longest datagram that is read whole, in bytes: an Ethernet frame's. Sound takes below 300.
const DATAGRAM_MAX_BYTES: usize = 1500;

/// A crowd's thread, with everything it owns.
pub(super) struct Agent {
    shared: Arc<Shared>,
    endpoint: Endpoint,
    sockets: SipSockets,
    members: Vec<Member>,
    /// Which phone has which call.
    calls: HashMap<DialogKey, usize>,
    schedule: Schedule,
    poll: Poll,
    datagram: Vec<u8>,
}

/// Returns the user part of the n-th phone's address.
pub(super) fn user(n: usize) -> String {
    format!("p{n}")
}

fn phone_of(uri: &Uri) -> Option<usize> {
    uri.user()?.strip_prefix('p')?.parse().ok()
}

impl Agent {
    /// Opens the sockets. The thread is not running yet; the waker tells it to look whether it is to end.
    pub(super) fn new(config: CrowdConfig, shared: Arc<Shared>) -> io::Result<(Agent, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let sockets = SipSockets::open(Transport::Udp, config.listen, None, poll.registry().try_clone()?)?;
        let mut members = open_members(&config)?;
        for (n, member) in members.iter_mut().enumerate() {
            poll.registry().register(&mut member.rtp, Token(FIRST_PHONE + n), Interest::READABLE)?;
        }
        let settings =
            edge::sip::Config { user_agent: "Fermata crowd".to_owned(), ..edge::sip::Config::new(sockets.local()) };
        let agent = Agent {
            shared,
            endpoint: Endpoint::new(settings, seed()),
            sockets,
            schedule: Schedule::new(members.len(), Instant::now()),
            members,
            calls: HashMap::new(),
            poll,
            datagram: vec![0; DATAGRAM_MAX_BYTES],
        };
        Ok((agent, waker))
    }

    /// Returns the SIP address.
    pub(super) fn sip(&self) -> SocketAddr {
        self.sockets.local()
    }

    /// Runs the phones until they are switched off.
    pub(super) fn run(mut self) {
        let mut ready = Events::with_capacity(EVENTS_PER_TURN);
        while !self.shared.lock().is_off {
            let wait = self.deadline().saturating_duration_since(Instant::now());
            // An interrupted wait is a turn without events; any other failure would be a programming error.
            let _ = self.poll.poll(&mut ready, Some(wait));
            // RTP first: its times of arrival are what the phones are for.
            self.receive(&ready);
            if ready.iter().any(|event| event.token() == SIP) {
                self.sockets.ready(SIP, &mut self.endpoint);
            }
            self.meet_deadlines();
            self.hang_up();
            self.settle();
        }
    }

    fn deadline(&self) -> Instant {
        let turn = self.schedule.deadline();
        self.endpoint.deadline().map_or(turn, |deadline| deadline.min(turn))
    }

    fn receive(&mut self, ready: &Events) {
        let mut state = self.shared.lock();
        let mut is_news = false;
        for event in ready {
            let Some(n) = event.token().0.checked_sub(FIRST_PHONE) else { continue };
            if let Some(member) = self.members.get_mut(n) {
                is_news |= member.receive(n, &mut self.datagram, &mut state.observation);
            }
        }
        if is_news {
            self.shared.changed.notify_all();
        }
    }

    fn meet_deadlines(&mut self) {
        let now = Instant::now();
        if self.endpoint.deadline().is_some_and(|deadline| deadline <= now) {
            self.endpoint.expire(now);
        }
        let mut sent = 0;
        while let Some(turn) = self.schedule.take_due(now) {
            let member = self.members.get_mut(turn.phone);
            sent += u64::from(member.is_some_and(|member| member.speak(turn.late)));
        }
        if sent > 0 {
            self.shared.lock().observation.traffic.sent += sent;
        }
    }

    /// Ends the calls of those who were told to hang up.
    fn hang_up(&mut self) {
        let hanging_up = std::mem::take(&mut self.shared.lock().hanging_up);
        for n in hanging_up {
            if let Some(dialog) = self.members.get(n).and_then(Member::dialog) {
                self.endpoint.hang_up(dialog, Instant::now());
            }
        }
    }

    /// Drains the endpoint: its news may make more messages, and a message that cannot be sent may make news.
    fn settle(&mut self) {
        loop {
            if let Some(transmit) = self.endpoint.poll_transmit() {
                self.sockets.send(&transmit, &mut self.endpoint);
            } else if let Some(event) = self.endpoint.poll_event() {
                self.take_news(event, Instant::now());
            } else {
                return;
            }
        }
    }

    fn take_news(&mut self, event: Event, now: Instant) {
        match event {
            Event::Incoming { dialog, to, body, .. } => self.answer(dialog, &to, &body, now),
            // A call of the crowd stays as it began.
            Event::Offered { dialog, .. } | Event::OfferWanted { dialog } => {
                self.endpoint.answer_offer(dialog, Err(Status::NOT_ACCEPTABLE_HERE), now);
            }
            Event::Ended { dialog, .. } => self.end(dialog),
            // Of calls that the crowd never makes, and of what only a registrar and a gateway need.
            Event::Ringing { .. }
            | Event::Answered { .. }
            | Event::OfferedEarly { .. }
            | Event::OfferedBefore { .. }
            | Event::Failed { .. }
            | Event::Redirected { .. }
            | Event::OfferAnswered { .. }
            | Event::Refreshed { .. }
            | Event::OfferRefused { .. }
            | Event::Confirmed { .. }
            | Event::Referred { .. }
            | Event::ReferProgress { .. }
            | Event::Info { .. }
            | Event::Registered { .. }
            | Event::Unregistered { .. }
            | Event::RegistrationChanged { .. }
            | Event::Disconnect { .. } => {}
        }
    }

    fn answer(&mut self, dialog: DialogKey, to: &Uri, offer: &[u8], now: Instant) {
        let member = phone_of(to).and_then(|n| Some((n, self.members.get_mut(n)?)));
        let Some((n, member)) = member else {
            return self.endpoint.reject(dialog, Status::NOT_FOUND, now);
        };
        if member.dialog().is_some() {
            return self.endpoint.reject(dialog, Status::BUSY_HERE, now);
        }
        match member.answer(dialog, offer) {
            Ok(answer) => {
                self.calls.insert(dialog, n);
                self.endpoint.accept(dialog, answer, now);
            }
            Err(_) => self.endpoint.reject(dialog, Status::NOT_ACCEPTABLE_HERE, now),
        }
    }

    fn end(&mut self, dialog: DialogKey) {
        let Some(n) = self.calls.remove(&dialog) else { return };
        if self.members[n].end(dialog) {
            self.shared.lock().observation.reached -= 1;
            self.shared.changed.notify_all();
        }
    }
}

fn open_members(config: &CrowdConfig) -> io::Result<Vec<Member>> {
    let voices: Vec<Arc<Loop>> = config.says.iter().map(|speech| Arc::new(encode(speech, config.codec))).collect();
    let voice_of = |n: usize| Arc::clone(&voices[n % voices.len()]);
    (0..config.phones).map(|n| Member::new(config, voice_of(n))).collect()
}
