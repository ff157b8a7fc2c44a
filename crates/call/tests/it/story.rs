//! Plays a story: one wish or fact a line; what comes of it is written below the line.
//!
//! ```text
//! group alice bob          a bot places a group call, everybody answers
//! incoming alice           alice calls a bot
//! transfer consulted bob   bob is in another call of the bot; `release` is what happens in that other call
//! alice refers to bob      REFER; `bob replaces alice`: an INVITE with Replaces
//! hold alice               startHoldMusic, operation 1 (they are counted)
//! loaded 1                 facts: loaded, broken, unreadable, started, stopped, sent, unrecorded + operation
//! send 1 2                 sendDtmfTones, by event codes; and as a fact: alice presses 10
//! alice holds              facts: answers, is busy, gives up, leaves, holds, resumes
//! wait 5                   seconds pass
//! again hold alice         the same with the client context of the last wish; else each wish has its own
//! ```
//!
//! What stands above a line `---` is played without being written down.

use call::*;
use expect_test::Expect;
use std::fmt::Write;
use std::time::{Duration, Instant};

const CALL: CallId = CallId::new(0xca11);
const OTHER_CALL: CallId = CallId::new(0xca12);
const BOT: ParticipantId = ParticipantId::new(0xb07);

/// Plays `script` and compares what came of it.
pub(crate) fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Story::new(Policy::default()).play(script));
}

/// Plays `script` under another policy.
pub(crate) fn check_with(policy: Policy, script: &str, expected: Expect) {
    expected.assert_eq(&Story::new(policy).play(script));
}

struct Story {
    policy: Policy,
    now: Instant,
    conversation: Option<Conversation>,
    names: Vec<String>,
    operations: u128,
    /// Whether a wish has the client context of the one before.
    again: bool,
    context: String,
    written: String,
}

impl Story {
    fn new(policy: Policy) -> Self {
        Self {
            policy,
            now: Instant::now(),
            conversation: None,
            names: Vec::new(),
            operations: 0,
            again: false,
            context: String::new(),
            written: String::new(),
        }
    }

    fn play(mut self, script: &str) -> String {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line == "---" {
                self.written.clear();
                continue;
            }
            writeln!(self.written, "{line}").unwrap();
            let words: Vec<_> = line.split_whitespace().collect();
            self.step(&words);
            self.write_effects();
        }
        self.written
    }

    fn step(&mut self, words: &[&str]) {
        match *words {
            ["group", ref names @ ..] => {
                self.place(CallKind::Group, names);
                names.iter().for_each(|name| self.fact(name, "answers"));
            }
            ["ringing", "group", ref names @ ..] => self.place(CallKind::Group, names),
            ["peer", name] => self.place(CallKind::PeerToPeer, &[name]),
            ["incoming", name] => self.receive(name),
            ["answer"] => self.wish(Command::Answer),
            ["reject"] => self.wish(Command::Reject { reason: RejectReason::None }),
            ["reject", "busy"] => self.wish(Command::Reject { reason: RejectReason::Busy }),
            ["redirect", seconds, ref names @ ..] => {
                let targets = self.invitations(names);
                let timeout = Duration::from_secs(seconds.parse().unwrap());
                self.wish(Command::Redirect { targets, timeout });
            }
            ["wait", seconds] => {
                self.now += Duration::from_secs(seconds.parse().unwrap());
                let now = self.now;
                self.conversation().expire(now);
            }
            ["hold", name] => self.hold(name, Prompt::BuiltIn),
            ["hold", name, uri] => self.hold(name, Prompt::Media { uri: uri.to_owned(), resource_id: None }),
            ["unhold", name] => {
                let (operation, client_context, participant) = (self.operation(), self.context(), self.id(name));
                self.wish(Command::StopHoldMusic { operation, client_context, participant });
            }
            ["mute", name] => {
                let (operation, client_context, participant) = (self.operation(), self.context(), self.id(name));
                self.wish(Command::MuteParticipant { operation, client_context, participant });
            }
            ["unmute", name] => {
                let (operation, client_context, participant) = (self.operation(), self.context(), self.id(name));
                self.wish(Command::UnmuteParticipant { operation, client_context, participant });
            }
            ["mute"] => {
                let (operation, client_context) = (self.operation(), self.context());
                self.wish(Command::Mute { operation, client_context });
            }
            ["unmute"] => {
                let (operation, client_context) = (self.operation(), self.context());
                self.wish(Command::Unmute { operation, client_context });
            }
            ["invite", ref names @ ..] => {
                let (operation, client_context) = (self.operation(), self.context());
                let invitations = self.invitations(names);
                self.wish(Command::Invite { operation, client_context, invitations });
            }
            ["remove", name] => {
                let participant = self.id(name);
                self.wish(Command::RemoveParticipant { participant });
            }
            ["transfer", name] => {
                let [target] = <[_; 1]>::try_from(self.invitations(&[name])).unwrap();
                self.wish(Command::Transfer { target });
            }
            ["transfer", "consulted", name] => {
                let [target] = <[_; 1]>::try_from(self.invitations(&[name])).unwrap();
                self.wish(Command::Transfer { target: Invitation { replaces: Some(OTHER_CALL), ..target } });
            }
            ["release"] => match self.conversation().release_person(CALL) {
                Ok((participant, _)) => writeln!(self.written, "  = {}", self.name(participant)).unwrap(),
                Err(refusal) => writeln!(self.written, "  refused: {refusal:?}").unwrap(),
            },
            [name, "refers", "to", target] => {
                let (participant, now) = (self.id(name), self.now);
                let [target] = <[_; 1]>::try_from(self.invitations(&[target])).unwrap();
                self.conversation().observe(Event::Referred { participant, target }, now);
            }
            [name, "replaces", predecessor] => {
                let (participant, now) = (self.id(predecessor), self.now);
                let [by] = <[_; 1]>::try_from(self.invitations(&[name])).unwrap();
                self.conversation().observe(Event::ReplacementCalled { participant, by }, now);
            }
            ["subscribe"] => {
                let (operation, client_context) = (self.operation(), self.context());
                self.wish(Command::SubscribeToTone { operation, client_context });
            }
            ["send", ref tones @ ..] => {
                let (operation, client_context) = (self.operation(), self.context());
                let tones = tones.iter().map(|tone| Tone::ALL[tone.parse::<usize>().unwrap()]).collect();
                self.wish(Command::SendDtmfTones { operation, client_context, tones, pause: Duration::ZERO });
            }
            [name, "presses", key] => {
                let (participant, tone) = (self.id(name), Tone::ALL[key.parse::<usize>().unwrap()]);
                let now = self.now;
                self.conversation().observe(Event::TonePressed { participant, tone }, now);
            }
            ["keep", "alive"] => self.wish(Command::KeepAlive),
            ["hang", "up"] => self.wish(Command::HangUp),
            ["again", ref wish @ ..] => {
                self.again = true;
                self.step(wish);
                self.again = false;
            }
            [
                about @ ("loaded" | "broken" | "unreadable" | "started" | "stopped" | "sent" | "unrecorded"),
                operation,
            ] => {
                self.operation_fact(about, OperationId::new(operation.parse().unwrap()));
            }
            [name, ref verb @ ..] => self.fact(name, &verb.join(" ")),
            [] => unreachable!("empty lines are left out"),
        }
    }

    fn place(&mut self, kind: CallKind, names: &[&str]) {
        let targets = self.invitations(names);
        let application = Identity::application("app", None);
        let call = NewCall { id: CALL, participant: BOT, application, kind, targets };
        self.conversation = Some(Conversation::create(ConversationId::new(1), self.policy, call, self.now));
    }

    fn receive(&mut self, name: &str) {
        let [caller] = <[_; 1]>::try_from(self.invitations(&[name])).unwrap();
        let application = Identity::application("app", None);
        let call = IncomingCall { id: CALL, participant: BOT, application, caller };
        self.conversation = Some(Conversation::receive(ConversationId::new(1), self.policy, call, self.now));
    }

    /// Everybody gets the number of its place among the names; who is named again gets a new one.
    fn invitations(&mut self, names: &[&str]) -> Vec<Invitation> {
        let of_name = |name: &&str| {
            self.names.push(name.to_string());
            let participant = ParticipantId::new(self.names.len() as u128);
            Invitation::new(participant, Identity::user(*name, None))
        };
        names.iter().map(of_name).collect()
    }

    fn id(&self, name: &str) -> ParticipantId {
        if name == "bot" {
            return BOT;
        }
        let place = self.names.iter().rposition(|n| n == name).map_or(0xdead, |at| at + 1);
        ParticipantId::new(place as u128)
    }

    fn name(&self, id: ParticipantId) -> String {
        if id == BOT { "bot".to_owned() } else { self.names[id.as_u128() as usize - 1].clone() }
    }

    fn hold(&mut self, name: &str, prompt: Prompt) {
        let (operation, client_context, participant) = (self.operation(), self.context(), self.id(name));
        self.wish(Command::StartHoldMusic { operation, client_context, participant, prompt });
    }

    fn operation(&mut self) -> OperationId {
        self.operations += 1;
        if !self.again {
            self.context = format!("context {}", self.operations);
        }
        OperationId::new(self.operations)
    }

    fn context(&self) -> ClientContext {
        ClientContext::new(&*self.context).unwrap()
    }

    fn wish(&mut self, command: Command) {
        let now = self.now;
        match self.conversation().execute(CALL, command, now) {
            Ok(Accepted::Operation(o)) => writeln!(self.written, "  = {} {:?}", o.id.as_u128(), o.status).unwrap(),
            Ok(Accepted::Repeated(o)) => {
                writeln!(self.written, "  = {} again, {:?}", o.id.as_u128(), o.status).unwrap();
            }
            Ok(Accepted::Done) => writeln!(self.written, "  = done").unwrap(),
            Err(Refusal::AnotherOnHold { held }) => {
                writeln!(self.written, "  refused: {} is on hold", self.name(held)).unwrap();
            }
            Err(Refusal::AlreadyInCall { participant }) => {
                writeln!(self.written, "  refused: {} is in the call", self.name(participant)).unwrap();
            }
            Err(refusal) => writeln!(self.written, "  refused: {refusal:?}").unwrap(),
        }
    }

    fn fact(&mut self, name: &str, verb: &str) {
        let participant = self.id(name);
        let direction = |direction| Event::DirectionChanged { participant, direction };
        let event = match verb {
            "answers" => Event::Answered { participant },
            "is not released" => Event::Unreached { participant, cause: Unreached::NotReleased },
            "arrives" => Event::Arrived { participant, identity: Identity::user(name, None) },
            "is busy" => Event::Unreached { participant, cause: Unreached::Busy },
            "has no phone" => Event::Unreached { participant, cause: Unreached::NoEndpoint },
            "gives up" => Event::Unreached { participant, cause: Unreached::Withdrawn },
            "does not confirm" => Event::Unreached { participant, cause: Unreached::NotConfirmed },
            "leaves" => Event::Left { participant, cause: LeaveCause::HungUp },
            "holds" => direction(Direction::SendOnly),
            "holds inactive" => direction(Direction::Inactive),
            "only listens" => direction(Direction::ReceiveOnly),
            "resumes" => direction(Direction::SendReceive),
            _ => panic!("the story says {verb:?}"),
        };
        let now = self.now;
        self.conversation().observe(event, now);
    }

    fn operation_fact(&mut self, about: &str, operation: OperationId) {
        let failed = |kind, message: &str| {
            let failure = PromptFailure { kind, message: message.to_owned() };
            Event::PromptFailed { operation, failure }
        };
        let event = match about {
            "loaded" => Event::PromptLoaded { operation },
            "broken" => failed(PromptFailureKind::Download, "404"),
            "unreadable" => failed(PromptFailureKind::Format, "an HTML page"),
            "started" => Event::MusicStarted { operation },
            "sent" => Event::TonesSent { operation },
            "unrecorded" => Event::NotRecorded { operation },
            _ => Event::MusicStopped { operation },
        };
        let now = self.now;
        self.conversation().observe(event, now);
    }

    fn conversation(&mut self) -> &mut Conversation {
        self.conversation.as_mut().expect("a story begins with a call")
    }

    fn write_effects(&mut self) {
        while let Some(effect) = self.conversation().poll_effect() {
            let line = self.effect(effect);
            writeln!(self.written, "  {line}").unwrap();
        }
    }

    fn effect(&self, effect: Effect) -> String {
        match effect {
            Effect::Dial { participant, ring_timeout: None, .. } => format!("dial {}", self.name(participant)),
            Effect::Dial { participant, ring_timeout: Some(time), .. } => {
                format!("dial {} for {} s", self.name(participant), time.as_secs())
            }
            Effect::Fetch { participant, .. } => format!("fetch {}", self.name(participant)),
            Effect::TellReferrer { participant, progress } => format!("tell {}: {progress:?}", self.name(participant)),
            Effect::TakeCall { participant } => format!("answer {}", self.name(participant)),
            Effect::HangUp { participant, cause } => format!("hang up {}: {cause:?}", self.name(participant)),
            Effect::Route { participant, route } => {
                let heard = if route.heard { "heard" } else { "not heard" };
                format!("{} hears {:?}, is {heard}", self.name(participant), route.hears)
            }
            Effect::LoadPrompt { operation, prompt, .. } => match prompt {
                Prompt::BuiltIn => format!("load built-in music for {}", operation.as_u128()),
                Prompt::Media { uri, .. } => format!("load {uri} for {}", operation.as_u128()),
            },
            Effect::PlayHoldMusic { operation, participant } => {
                format!("play {} to {}", operation.as_u128(), self.name(participant))
            }
            Effect::StopHoldMusic { participant, .. } => format!("stop music of {}", self.name(participant)),
            Effect::DropHoldMusic { participant } => format!("drop music of {}", self.name(participant)),
            Effect::ListenForTones { on } => format!("listen for tones: {on}"),
            Effect::SendTones { operation, participants, tones, .. } => {
                let names: Vec<_> = participants.iter().map(|p| self.name(*p)).collect();
                format!("send {tones:?} for {} to {}", operation.as_u128(), names.join(", "))
            }
            Effect::DropTones { operation } => format!("drop tones of {}", operation.as_u128()),
            Effect::Notify(notice) => self.notice(notice),
            Effect::Close => "close".to_owned(),
        }
    }

    fn notice(&self, notice: Notice) -> String {
        match notice {
            Notice::Incoming { caller_participant, .. } => {
                format!("tell: call Created, Incoming from {}", self.name(caller_participant))
            }
            Notice::Call { change, state, audio_active, result, .. } => {
                let audio = if audio_active { ", audio active" } else { "" };
                let result = result.map_or(String::new(), |r| format!(", {}/{}", r.code, r.subcode));
                format!("tell: call {change:?}, {state:?}{audio}{result}")
            }
            Notice::Roster { sequence, entries, .. } => {
                let entries: Vec<_> = entries.iter().map(|entry| self.entry(entry)).collect();
                format!("tell: roster {sequence}: {}", entries.join(", "))
            }
            Notice::Tone { sequence, tone, .. } => format!("tell: tone {sequence}: {tone:?}"),
            Notice::OperationEnded(operation) if is_cancelled(&operation) => {
                format!("tell: operation {} {:?}, cancelled", operation.id.as_u128(), operation.status)
            }
            Notice::OperationEnded(operation) => {
                let result = operation.result.map_or(String::new(), |r| format!(", {}/{}", r.code, r.subcode));
                format!("tell: operation {} {:?}{result}", operation.id.as_u128(), operation.status)
            }
        }
    }

    fn entry(&self, entry: &RosterEntry) -> String {
        let mut text = self.name(entry.participant);
        if entry.direction != Direction::SendReceive {
            write!(text, " {:?}", entry.direction).unwrap();
        }
        if entry.muted {
            text.push_str(" muted");
        }
        text
    }
}

fn is_cancelled(operation: &Operation) -> bool {
    matches!(operation.kind, OperationKind::SendDtmfTones { is_cancelled: true, .. })
}
