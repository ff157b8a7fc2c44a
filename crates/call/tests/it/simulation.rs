//! Random wishes and facts in virtual time, facts lost among them. What must hold after every step:
//!
//! * at most one participant is held;
//! * whoever is held is ordered neither to hear the conversation nor to be heard;
//! * every operation that was accepted as running ends exactly once, and nothing else ends;
//! * a refusal changes nothing;
//! * what runs is not begun again under the same client context: it is answered with, and nothing changes;
//! * every call is told established at most once and ends exactly once, and nothing is told of it after that.
//!
//! A failure prints its seed.

use call::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

const SEEDS: u64 = 3_000;
const STEPS: u32 = 150;

#[test]
fn the_invariants_hold_whatever_happens() {
    for seed in 0..SEEDS {
        let outcome = std::panic::catch_unwind(|| Simulation::new(seed).run());
        assert!(outcome.is_ok(), "seed {seed}");
    }
}

/// What the world knows: kept only from what was ordered and told, never from the state of the rules.
struct Simulation {
    random: Random,
    now: Instant,
    conversation: Conversation,
    call: CallId,
    bot: ParticipantId,
    ids: u128,
    routes: BTreeMap<ParticipantId, Route>,
    ringing: BTreeSet<ParticipantId>,
    joined: BTreeSet<ParticipantId>,
    /// Whose call was ordered to be answered, and who has not confirmed it.
    answering: BTreeSet<ParticipantId>,
    /// Whether the application has decided about an incoming call.
    is_decided: bool,
    is_incoming: bool,
    /// Whether it was told that somebody calls.
    is_offered: bool,
    /// Who is held by an accepted start that was not undone: told only by commands and endings.
    held: BTreeMap<ParticipantId, OperationId>,
    phone_holds: BTreeSet<ParticipantId>,
    muted: BTreeSet<ParticipantId>,
    running: BTreeMap<OperationId, Operation>,
    loading: Vec<OperationId>,
    starting: Vec<OperationId>,
    stopping: Vec<OperationId>,
    sending: Vec<OperationId>,
    /// Who calls to take somebody's place, until it is answered or refused.
    replacing: Option<ParticipantId>,
    /// Whose phone waits for how its REFER ends.
    referring: BTreeSet<ParticipantId>,
    listens: bool,
    /// How many tones it was told of.
    tones: u64,
    ended: bool,
    closed: bool,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let now = Instant::now();
        let (call, bot) = (CallId::new(1), ParticipantId::new(2));
        let kind = if random.one_in(5) { CallKind::PeerToPeer } else { CallKind::Group };
        let count = if kind == CallKind::Group { 3 } else { 1 };
        let target = |n: u128| Invitation::new(ParticipantId::new(100 + n), Identity::user(n.to_string(), None));
        let policy = Policy {
            peer: if random.one_in(2) { Peer::Participant } else { Peer::NotAddressable },
            on_prompt_failure: if random.one_in(2) { OnPromptFailure::Fail } else { OnPromptFailure::DefaultMusic },
            holds: Holds::OneAtATime,
        };
        let is_incoming = random.one_in(4);
        let new = NewCall {
            id: call,
            participant: bot,
            application: Identity::application("app", None),
            kind,
            targets: (0..count).map(target).collect(),
        };
        let mut simulation = Self {
            random,
            now,
            conversation: begin(is_incoming, policy, new, now),
            call,
            bot,
            ids: 1_000,
            routes: BTreeMap::new(),
            // A caller is as one who rings.
            ringing: if is_incoming { BTreeSet::from([ParticipantId::new(100)]) } else { BTreeSet::new() },
            joined: BTreeSet::new(),
            answering: BTreeSet::new(),
            is_decided: !is_incoming,
            is_incoming,
            is_offered: false,
            held: BTreeMap::new(),
            phone_holds: BTreeSet::new(),
            muted: BTreeSet::new(),
            running: BTreeMap::new(),
            loading: Vec::new(),
            starting: Vec::new(),
            stopping: Vec::new(),
            sending: Vec::new(),
            replacing: None,
            referring: BTreeSet::new(),
            listens: false,
            tones: 0,
            ended: false,
            closed: false,
        };
        simulation.drain();
        simulation
    }

    fn run(mut self) {
        for _ in 0..STEPS {
            self.step();
            self.check();
        }
        // Nothing but time from here on: everything must come to its end by itself.
        self.wait(Duration::from_secs(120));
        assert!(self.running.is_empty(), "never ended: {:?}", self.running);
        self.wait(KEEP_ALIVE_TIMEOUT);
        assert!(self.ended, "the call was never told to be over");
        for participant in self.joined.clone() {
            self.fact(Event::Left { participant, cause: LeaveCause::HungUp });
        }
        assert!(self.closed && self.conversation.is_closed(), "the conversation never closed");
        assert_eq!(self.conversation.deadline(), None, "a deadline is left behind");
    }

    fn step(&mut self) {
        if !self.is_decided && self.random.one_in(8) {
            return self.decide();
        }
        match self.random.below(16) {
            0..=3 => self.wish_hold(),
            4..=5 => self.wish_unhold(),
            6 => self.wish_other(),
            7..=8 => self.answer_or_not(),
            9 => self.leave(),
            10 => self.phone_hold(),
            11 => self.hand_on(),
            12 if self.random.one_in(3) => self.press(),
            12..=14 => self.media_fact(),
            _ => {
                let milliseconds = self.random.below(2_000);
                self.wait(Duration::from_millis(milliseconds));
            }
        }
    }

    /// About a call that comes in, and at times about one that does not any more.
    fn decide(&mut self) {
        let command = match self.random.below(4) {
            0 => Command::Reject { reason: RejectReason::Busy },
            1 => {
                let targets = (0..2).map(|n| {
                    let identity = Identity::user(format!("target {n}"), None);
                    Invitation::new(ParticipantId::new(self.id()), identity)
                });
                let targets = targets.collect();
                Command::Redirect { targets, timeout: Duration::from_secs(15 + self.random.below(75)) }
            }
            _ => Command::Answer,
        };
        self.is_decided = self.wish(command) && !self.random.one_in(10);
    }

    fn wish_hold(&mut self) {
        let (participant, operation) = (self.anybody(), OperationId::new(self.id()));
        let uri = "http://prompts.example/a.wav".to_owned();
        let prompt = if self.random.one_in(2) { Prompt::BuiltIn } else { Prompt::Media { uri, resource_id: None } };
        let client_context = self.context();
        let command = Command::StartHoldMusic { operation, client_context, participant, prompt };
        if self.wish(command) {
            assert!(self.held.is_empty(), "a second hold was accepted");
            self.held.insert(participant, operation);
        }
    }

    fn wish_unhold(&mut self) {
        let (participant, operation) = (self.anybody(), OperationId::new(self.id()));
        let client_context = self.context();
        self.wish(Command::StopHoldMusic { operation, client_context, participant });
    }

    fn wish_other(&mut self) {
        let (participant, operation, client_context) = (self.anybody(), OperationId::new(self.id()), self.context());
        match self.random.below(15) {
            13 => {
                let identity = Identity::user(self.random.below(6).to_string(), None);
                let target = Invitation::new(ParticipantId::new(self.id()), identity);
                let replaces = self.random.one_in(3).then(|| CallId::new(7));
                self.wish(Command::Transfer { target: Invitation { replaces, ..target } });
            }
            14 => {
                let accepted = self.wish(Command::UnmuteParticipant { operation, client_context, participant });
                self.muted.retain(|muted| !accepted || *muted != participant);
            }
            10 => drop(self.wish(Command::SubscribeToTone { operation, client_context })),
            11..=12 => {
                let (tones, pause) = (vec![Tone::Star; 3], Duration::from_millis(self.random.below(500)));
                self.wish(Command::SendDtmfTones { operation, client_context, tones, pause });
            }
            0..=3 => {
                let accepted = self.wish(Command::MuteParticipant { operation, client_context, participant });
                self.muted.extend(accepted.then_some(participant));
            }
            4..=6 => {
                let new = ParticipantId::new(self.id());
                let identity = Identity::user(self.random.below(6).to_string(), None);
                let invitations = vec![Invitation::new(new, identity)];
                self.wish(Command::Invite { operation, client_context, invitations });
            }
            7 => drop(self.wish(Command::RemoveParticipant { participant })),
            8 => drop(self.wish(Command::KeepAlive)),
            _ if self.random.one_in(4) => drop(self.wish(Command::HangUp)),
            _ => {}
        }
    }

    /// Utters a wish. A refusal and a repetition must change nothing: no effect, no other deadline.
    fn wish(&mut self, command: Command) -> bool {
        let before = format!("{:?}", self.conversation);
        match self.conversation.execute(self.call, command, self.now) {
            Ok(Accepted::Repeated(operation)) => {
                assert_eq!(self.running.get(&operation.id), Some(&operation), "a repetition is answered with another");
                assert_eq!(before, format!("{:?}", self.conversation), "a repetition has changed something");
                false
            }
            Ok(accepted) => {
                if let Accepted::Operation(operation) = accepted
                    && operation.status == OperationStatus::Running
                {
                    let id = operation.id;
                    let twin = self.running.values().find(|first| is_same(first, &operation));
                    assert_eq!(twin, None, "the same was begun twice");
                    self.running.insert(id, operation);
                    self.drain();
                    if self.random.one_in(20) {
                        self.fact(Event::NotRecorded { operation: id });
                        return false;
                    }
                }
                self.drain();
                true
            }
            Err(_) => {
                assert_eq!(before, format!("{:?}", self.conversation), "a refusal has changed something");
                false
            }
        }
    }

    fn answer_or_not(&mut self) {
        let Some(participant) = self.random.pick(&self.ringing) else { return };
        let is_caller = participant == ParticipantId::new(100) && self.is_incoming;
        if is_caller && !self.answering.contains(&participant) {
            if self.random.one_in(30) {
                self.ringing.remove(&participant);
                self.fact(Event::Unreached { participant, cause: Unreached::Withdrawn });
            }
            return;
        }
        if self.random.one_in(3) {
            self.ringing.remove(&participant);
            self.fact(Event::Unreached { participant, cause: Unreached::Declined });
        } else {
            self.ringing.remove(&participant);
            self.joined.insert(participant);
            self.fact(Event::Answered { participant });
        }
    }

    fn leave(&mut self) {
        let Some(participant) = self.random.pick(&self.joined) else { return };
        if self.random.one_in(2) {
            self.forget(participant);
            self.fact(Event::Left { participant, cause: LeaveCause::HungUp });
        }
    }

    fn press(&mut self) {
        if let Some(participant) = self.random.pick(&self.joined) {
            self.fact(Event::TonePressed { participant, tone: Tone::Pound });
        }
    }

    /// A phone refers us to somebody, or somebody calls to take its place. Nobody takes the place of who is held.
    fn hand_on(&mut self) {
        let Some(participant) = self.random.pick(&self.joined) else { return };
        let identity = Identity::user(self.random.below(9).to_string(), None);
        let other = Invitation::new(ParticipantId::new(self.id()), identity);
        let is_held = self.held.contains_key(&participant);
        let ringing = self.ringing.len();
        if self.random.one_in(2) {
            self.fact(Event::Referred { participant, target: other });
            assert!(!is_held || self.ringing.len() == ringing, "a held phone had somebody called");
            return;
        }
        self.replacing = Some(other.participant);
        self.fact(Event::ReplacementCalled { participant, by: other });
        assert!(!is_held || self.replacing.is_none() && self.ringing.len() == ringing, "a held phone was replaced");
        assert!(self.replacing.take().is_none(), "who calls is answered or refused");
    }

    /// What a phone is told of its REFER: accepted or not, and how it ended, once.
    fn told_referrer(&mut self, participant: ParticipantId, progress: ReferProgress) {
        match progress {
            ReferProgress::Accepted => assert!(self.referring.insert(participant), "it refers twice at a time"),
            ReferProgress::Refused => {}
            ReferProgress::Succeeded | ReferProgress::Failed(_) => assert!(self.referring.remove(&participant)),
        }
    }

    fn phone_hold(&mut self) {
        let Some(participant) = self.random.pick(&self.joined) else { return };
        let directions = [Direction::SendReceive, Direction::SendOnly, Direction::ReceiveOnly, Direction::Inactive];
        let direction = directions[self.random.below(4) as usize];
        match direction.receives() {
            true => self.phone_holds.remove(&participant),
            false => self.phone_holds.insert(participant),
        };
        self.fact(Event::DirectionChanged { participant, direction });
    }

    /// The media side answers an order; one fact in eight gets lost.
    fn media_fact(&mut self) {
        let lost = self.random.one_in(8);
        let event = match self.random.below(4) {
            3 => self.sending.pop().map(|operation| Event::TonesSent { operation }),
            0 => self.loading.pop().map(|operation| {
                if self.random.one_in(3) {
                    let failure = PromptFailure { kind: PromptFailureKind::Format, message: "no".to_owned() };
                    return Event::PromptFailed { operation, failure };
                }
                Event::PromptLoaded { operation }
            }),
            1 => self.starting.pop().map(|operation| Event::MusicStarted { operation }),
            _ => self.stopping.pop().map(|operation| Event::MusicStopped { operation }),
        };
        if let Some(event) = event.filter(|_| !lost) {
            self.fact(event);
        }
    }

    fn fact(&mut self, event: Event) {
        self.conversation.observe(event, self.now);
        self.drain();
    }

    /// Lets time pass, from deadline to deadline as an owner would.
    fn wait(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(deadline) = self.conversation.deadline().filter(|deadline| *deadline <= until) {
            self.now = deadline;
            self.conversation.expire(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn drain(&mut self) {
        while let Some(effect) = self.conversation.poll_effect() {
            assert!(!self.closed, "after Close: {effect:?}");
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Dial { participant, .. } | Effect::Fetch { participant, .. } => {
                self.ringing.insert(participant);
            }
            Effect::TellReferrer { participant, progress } => self.told_referrer(participant, progress),
            Effect::TakeCall { participant } => {
                self.ringing.extend(self.replacing.take_if(|replacing| *replacing == participant));
                assert!(self.ringing.contains(&participant), "only who calls is answered");
                assert!(self.answering.insert(participant), "a call is answered once");
            }
            Effect::HangUp { participant, .. } => self.forget(participant),
            Effect::Route { participant, route } => drop(self.routes.insert(participant, route)),
            Effect::LoadPrompt { operation, .. } => self.loading.push(operation),
            Effect::PlayHoldMusic { operation, .. } => self.starting.push(operation),
            Effect::StopHoldMusic { operation, participant } => {
                self.held.remove(&participant);
                self.stopping.push(operation);
            }
            Effect::DropHoldMusic { participant } => drop(self.held.remove(&participant)),
            Effect::ListenForTones { on } => assert_ne!(on, std::mem::replace(&mut self.listens, on)),
            Effect::SendTones { operation, participants, .. } => {
                for participant in participants {
                    let route = self.routes.get(&participant).map(|route| route.hears);
                    assert_eq!(route, Some(Hears::Conversation), "tones for {participant}, who does not hear them");
                }
                self.sending.push(operation);
            }
            Effect::DropTones { operation } => self.sending.retain(|sending| *sending != operation),
            Effect::Notify(notice) => self.hear(notice),
            Effect::Close => self.closed = true,
        }
    }

    fn hear(&mut self, notice: Notice) {
        assert!(!self.ended, "told after the end of the call: {notice:?}");
        match notice {
            Notice::OperationEnded(operation) => {
                let before = self.running.remove(&operation.id).expect("only what runs can end, and only once");
                assert_eq!(before.client_context, operation.client_context);
                assert_ne!(operation.status, OperationStatus::Running);
                assert_eq!(operation.status == OperationStatus::Failed, operation.result.is_some());
                if let (OperationKind::StopHoldMusic { participant }, OperationStatus::Failed) =
                    (operation.kind, operation.status)
                    && self.joined.contains(&participant)
                    && operation.result.is_some_and(|r| [9001, 9002].contains(&r.subcode))
                {
                    self.held.insert(participant, operation.id);
                }
            }
            Notice::Call { state: CallState::Terminated, change, result, .. } => {
                assert_eq!(change, Change::Deleted);
                assert!(result.is_some());
                assert!(self.running.is_empty(), "the call ends before its operations: {:?}", self.running);
                self.ended = true;
            }
            Notice::Call { state, change, result, .. } => {
                assert_eq!(change, Change::Updated);
                // The reason why a call was not transferred.
                assert!(result.is_none() || state == CallState::Established);
            }
            Notice::Tone { sequence, .. } => {
                assert!(self.listens, "nobody has subscribed");
                self.tones += 1;
                assert_eq!(sequence, self.tones);
            }
            Notice::Incoming { .. } => {
                assert!(self.is_incoming && !self.is_offered, "a call comes in once, and first");
                self.is_offered = true;
            }
            Notice::Roster { entries, .. } => {
                assert!(entries.iter().any(|entry| entry.participant == self.bot));
            }
        }
    }

    fn forget(&mut self, participant: ParticipantId) {
        self.replacing.take_if(|replacing| *replacing == participant);
        self.referring.remove(&participant);
        self.ringing.remove(&participant);
        self.joined.remove(&participant);
        self.held.remove(&participant);
        self.phone_holds.remove(&participant);
        self.muted.remove(&participant);
    }

    /// The promise: who is held is apart from the others, in both directions; who is not gets what its layers give.
    fn check(&self) {
        assert!(self.held.len() <= 1);
        for participant in &self.joined {
            let layers = Layers {
                hold_music: self.held.contains_key(participant),
                remote_hold: self.phone_holds.contains(participant),
                muted: self.muted.contains(participant),
            };
            let route = self.routes.get(participant).copied();
            assert_eq!(route, Some(layers.route()), "{participant} with {layers:?}");
        }
    }

    fn anybody(&mut self) -> ParticipantId {
        let everybody = self.joined.iter().chain(&self.ringing).chain([&self.bot]).copied().collect();
        self.random.pick(&everybody).unwrap_or(self.bot)
    }

    /// One of few marks, so that commands repeat others.
    fn context(&mut self) -> ClientContext {
        ClientContext::new(format!("context {}", self.random.below(3))).unwrap()
    }

    fn id(&mut self) -> u128 {
        self.ids += 1;
        self.ids
    }
}

fn is_same(first: &Operation, second: &Operation) -> bool {
    first.kind == second.kind && first.client_context == second.client_context
}

/// Places the call, or has its first target call instead.
fn begin(is_incoming: bool, policy: Policy, new: NewCall, now: Instant) -> Conversation {
    let id = ConversationId::new(3);
    if !is_incoming {
        return Conversation::create(id, policy, new, now);
    }
    let NewCall { id: call, participant, application, targets, .. } = new;
    let caller = targets.into_iter().next().unwrap();
    Conversation::receive(id, policy, IncomingCall { id: call, participant, application, caller }, now)
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick(&mut self, from: &BTreeSet<ParticipantId>) -> Option<ParticipantId> {
        let count = u64::try_from(from.len()).unwrap();
        from.iter().nth(self.below(count.max(1)) as usize).copied()
    }
}
