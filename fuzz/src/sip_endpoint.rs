//! An endpoint in the middle of its work: whatever peers send and the owner does, its own messages can be read, each
//! call ends once, and left alone it forgets everything.
//!
//! The bytes are a script of steps: a verb, a length of two bytes, and the text of the step. The text may name what the
//! peer has seen of the endpoint (`{via}`, `{from}`, `{to}`, `{id}`, `{cseq}` of its last request, `{tag}` of its last
//! response), so that the fuzzer gets into dialogs without guessing random numbers.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use edge::sip::{
    Config, Credentials, DialogKey, Endpoint, Event, Flow, Headers, Invite, Message, Name, NameAddr, Status, Transport,
    Uri,
};

/// Longer than any timer, registrations included.
const LONG: Duration = Duration::from_secs(4 * 3600);

/// Steps run of one script: enough for a call with everything, few enough to be quick.
const STEPS_MAX: usize = 64;

struct World {
    endpoint: Endpoint,
    now: Instant,
    local: SocketAddr,
    remote: SocketAddr,
    /// The call the owner deals with: the last one it heard of.
    current: DialogKey,
    next_outgoing: u64,
    ended: HashSet<DialogKey>,
    seen: Seen,
}

/// What the peer knows of the endpoint.
#[derive(Default)]
struct Seen {
    via: String,
    from: String,
    to: String,
    id: String,
    cseq: String,
    tag: String,
}

pub(crate) fn run(bytes: &[u8]) {
    let mut world = World::new();
    let mut rest = bytes;
    for _ in 0..STEPS_MAX {
        let [verb, high, low, after @ ..] = rest else { break };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (text, after) = after.split_at(length.min(after.len()));
        world.step(*verb, text);
        world.drain();
        rest = after;
    }
    world.leave_alone();
}

impl World {
    fn new() -> World {
        let local: SocketAddr = "192.0.2.1:5060".parse().expect("an address");
        let mut config = Config::new(local);
        config.session_expires = Some(Duration::from_secs(1800));
        config.users = vec![Credentials { user: "alice".to_owned(), password: "secret".to_owned() }];
        World {
            endpoint: Endpoint::new(config, [1; 32]),
            now: Instant::now(),
            local,
            remote: "192.0.2.9:5070".parse().expect("an address"),
            current: DialogKey(0),
            next_outgoing: 1,
            ended: HashSet::new(),
            seen: Seen::default(),
        }
    }

    fn step(&mut self, verb: u8, text: &[u8]) {
        let (dialog, now) = (self.current, self.now);
        match verb % 18 {
            0 | 1 => self.endpoint.receive(self.flow(Transport::Udp), &self.seen.fill(text), now),
            2 => self.endpoint.receive(self.flow(Transport::Tcp), &self.seen.fill(text), now),
            3 => self.endpoint.closed(self.flow(Transport::Tcp), now),
            4 => self.pass(Duration::from_millis(text.len() as u64 * 250)),
            5 => self.invite(b"v=0\r\n"),
            6 => self.endpoint.ring(dialog, now),
            7 => self.endpoint.accept(dialog, text.to_vec(), now),
            8 => self.endpoint.answer_offer(dialog, Ok(text.to_vec()), now),
            9 => self.endpoint.hang_up(dialog, now),
            10 => self.endpoint.reject(dialog, Status::BUSY_HERE, now),
            // Refused in a dialog that is not up: the owner's matter.
            11 => drop(self.endpoint.reinvite(dialog, text.to_vec(), now)),
            12 => drop(self.endpoint.update(dialog, text.to_vec(), now)),
            13 => self.endpoint.probe(dialog, now),
            15 => self.endpoint.answer_referral(dialog, Ok(()), now),
            16 => {
                let code = 100 + text.first().map_or(0, |byte| u16::from(*byte));
                self.endpoint.notify_referral(dialog, Status::new(code).expect("from 100 to 355"), now);
            }
            17 => {
                let Ok(Uri::Sip(target)) = "sip:carol@192.0.2.3".parse() else { unreachable!("it is a SIP URI") };
                let replaces = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                self.endpoint.refer(dialog, &target, replaces.as_ref(), now);
            }
            _ => self.invite(b""),
        }
    }

    fn flow(&self, transport: Transport) -> Flow {
        Flow { transport, local: self.local, remote: self.remote }
    }

    fn invite(&mut self, offer: &[u8]) {
        self.current = DialogKey(self.next_outgoing);
        self.next_outgoing += 1;
        let invite = Invite {
            target: "sip:peer@192.0.2.9:5070".parse().expect("a URI"),
            destination: None,
            from: NameAddr::new("sip:us@192.0.2.1".parse().expect("a URI")),
            to: None,
            asserted: None,
            offer: offer.to_vec(),
            credentials: Some(Credentials { user: "us".to_owned(), password: "secret".to_owned() }),
            ring_timeout: Duration::from_secs(60),
            silence_max: None,
            replaces: None,
        };
        self.endpoint.invite(self.current, invite, self.now);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(deadline) = self.endpoint.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.endpoint.expire(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            if transmit.bytes != b"\r\n" {
                let message = Message::parse(&transmit.bytes).expect("what we send can be read");
                self.seen.take(&message);
            }
        }
        while let Some(event) = self.endpoint.poll_event() {
            self.take_event(&event);
        }
    }

    fn take_event(&mut self, event: &Event) {
        match event {
            Event::Incoming { dialog, .. }
            | Event::Offered { dialog, .. }
            | Event::OfferWanted { dialog }
            | Event::Referred { dialog, .. } => {
                self.current = *dialog;
            }
            Event::Failed { dialog, .. } | Event::Redirected { dialog, .. } | Event::Ended { dialog, .. } => {
                assert!(self.ended.insert(*dialog), "a call ends once");
            }
            _ => {}
        }
    }

    /// The owner hangs up whatever there is, the peer says nothing more.
    fn leave_alone(mut self) {
        for number in 0..self.next_outgoing {
            self.endpoint.hang_up(DialogKey(number), self.now);
        }
        for number in 0..STEPS_MAX as u64 {
            self.endpoint.hang_up(DialogKey(DialogKey::INCOMING.0 + number), self.now);
        }
        self.drain();
        self.endpoint.closed(self.flow(Transport::Tcp), self.now);
        self.pass(LONG);
        assert!(self.endpoint.is_idle(), "nothing is kept for ever");
        let (outgoing, ended) = (1..self.next_outgoing)
            .map(DialogKey)
            .fold((0, 0), |(all, ended), dialog| (all + 1, ended + usize::from(self.ended.contains(&dialog))));
        assert_eq!(outgoing, ended, "every call that we made has ended");
    }
}

impl Seen {
    fn take(&mut self, message: &Message) {
        match message {
            Message::Request(request) => {
                self.via = field(&request.headers, &Name::Via);
                self.from = field(&request.headers, &Name::From);
                self.to = field(&request.headers, &Name::To);
                self.id = field(&request.headers, &Name::CallId);
                self.cseq = field(&request.headers, &Name::CSeq);
            }
            Message::Response(response) => {
                let to = field(&response.headers, &Name::To).parse().ok();
                self.tag = to.and_then(|to: NameAddr| to.tag().map(str::to_owned)).unwrap_or_default();
            }
        }
    }

    fn fill(&self, text: &[u8]) -> Vec<u8> {
        let names = [
            ("{via}", &self.via),
            ("{from}", &self.from),
            ("{to}", &self.to),
            ("{id}", &self.id),
            ("{cseq}", &self.cseq),
            ("{tag}", &self.tag),
        ];
        // Byte by byte, since the text need not be UTF-8.
        let mut filled = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            match names.iter().find(|(name, _)| rest.starts_with(name.as_bytes())) {
                Some((name, value)) => {
                    filled.extend_from_slice(value.as_bytes());
                    rest = &rest[name.len()..];
                }
                None => {
                    filled.push(*first);
                    rest = after;
                }
            }
        }
        filled
    }
}

fn field(headers: &Headers, name: &Name) -> String {
    headers.first(name).unwrap_or_default().to_owned()
}
