//! A thousand holds, resumes, unholds and mutes in random order, each said in a random way: after every step everybody
//! hears exactly what the layers add up to.

use super::*;
use call::Refusal;

/// How many conversations there are, each with another seed, and how many steps each takes.
const CONVERSATIONS: u64 = 20;
const STEPS: u64 = 50;

/// The codecs whose encoders cost next to nothing; Opus has its own tests.
const CHEAP: [Codec; 3] = [Codec::Pcmu, Codec::G722, Codec::Pcma];

/// How a phone can describe its sound, and what it then does: whether it listens and whether it may be heard.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    Both,
    SendOnly,
    RecvOnly,
    Inactive,
    ZeroAddress,
    PortZero,
}

/// In which message its description comes.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// In an offer of its own.
    Offer,
    /// In the answer to an offer that it has asked for.
    Answer,
}

impl Spelling {
    const ALL: [Spelling; 6] = [
        Spelling::Both,
        Spelling::SendOnly,
        Spelling::RecvOnly,
        Spelling::Inactive,
        Spelling::ZeroAddress,
        Spelling::PortZero,
    ];

    fn direction(self) -> sdp::Direction {
        match self {
            Spelling::Both | Spelling::ZeroAddress => sdp::Direction::SendRecv,
            Spelling::SendOnly => sdp::Direction::SendOnly,
            Spelling::RecvOnly => sdp::Direction::RecvOnly,
            Spelling::Inactive | Spelling::PortZero => sdp::Direction::Inactive,
        }
    }

    fn listens(self) -> bool {
        matches!(self, Spelling::Both | Spelling::RecvOnly)
    }

    fn is_heard(self) -> bool {
        matches!(self, Spelling::Both)
    }

    /// Writes what `sdp` never writes.
    fn write(self, description: &str, port: u16) -> String {
        match self {
            Spelling::Both | Spelling::SendOnly | Spelling::RecvOnly | Spelling::Inactive => description.to_owned(),
            Spelling::ZeroAddress => description.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0"),
            Spelling::PortZero => description.replace(&format!("m=audio {port} "), "m=audio 0 "),
        }
    }
}

/// What lies over each phone, as the test knows it.
struct Truth {
    phones: [Spelling; 3],
    held: Option<usize>,
    muted: [bool; 3],
}

impl Truth {
    fn hears(&self, listener: usize) -> Vec<usize> {
        if !self.phones[listener].listens() {
            return Vec::new();
        }
        if self.held == Some(listener) {
            return vec![MUSIC_OF_1];
        }
        (0..3).filter(|speaker| *speaker != listener && self.is_heard(*speaker)).collect()
    }

    fn is_heard(&self, speaker: usize) -> bool {
        self.phones[speaker].is_heard() && self.held != Some(speaker) && !self.muted[speaker]
    }
}

impl Stage {
    fn says(&mut self, n: usize, spelling: Spelling, way: Way) {
        let phone = &mut self.phones[n];
        let (participant, port) = (phone.participant, phone.address.port());
        phone.negotiation.wish(spelling.direction());
        match way {
            Way::Offer => {
                let offer = spelling.write(&phone.negotiation.offer(), port);
                self.session.offered(participant, offer.as_bytes(), self.now);
                let answer = self.drain().expect("a good offer is answered");
                assert!(!answer.contains("0.0.0.0"), "{answer}");
                self.phones[n].negotiation.accept_answer(answer.as_bytes()).expect("our own answer is good");
            }
            Way::Answer => {
                self.session.offer_wanted(participant);
                let offer = self.drain().expect("who asks is offered");
                assert!(offer.contains("a=sendrecv\r\n"), "our offer is never narrowed: {offer}");
                let negotiation = &mut self.phones[n].negotiation;
                let (answer, _) = negotiation.answer(offer.as_bytes()).expect("our own offer is good");
                let answer = spelling.write(&answer, port);
                self.session.offer_answered(participant, answer.as_bytes(), self.now);
                self.drain();
            }
        }
    }

    /// An offer that cannot be accepted, and an answer of no use.
    fn talks_nonsense(&mut self, n: usize) {
        self.session.offered(id(n), b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=image 9 udptl t38\r\n", self.now);
        assert_eq!(self.drain(), None);
        self.session.offer_wanted(id(n));
        self.drain();
        self.session.offer_answered(id(n), b"", self.now);
        self.drain();
    }

    /// Holds or takes off hold; both may be refused. Returns whether it was done.
    fn tries(&mut self, command: Command) -> bool {
        match self.session.execute(CALL, command, None, self.now) {
            Ok(_) => {
                self.drain();
                true
            }
            Err(Refusal::AnotherOnHold { .. } | Refusal::AlreadyOnHold | Refusal::NotOnHold) => false,
            Err(refusal) => panic!("{refusal:?}"),
        }
    }
}

/// Takes a random step and says what it was.
fn step(stage: &mut Stage, truth: &mut Truth, random: &mut Random, muting: bool) -> String {
    let n = random.below(3);
    stage.operations += 1;
    let (operation, client_context, participant) = (OperationId::new(stage.operations), context(), id(n));
    match random.below(10) {
        0..=4 => {
            let (spelling, way) = (Spelling::ALL[random.below(6)], [Way::Offer, Way::Answer][random.below(2)]);
            stage.says(n, spelling, way);
            truth.phones[n] = spelling;
            format!("phone {n} says {spelling:?} in an {way:?}")
        }
        5 | 6 => {
            stage.operation = operation;
            let prompt = Prompt::BuiltIn;
            let is_free = truth.held.is_none();
            let is_done = stage.tries(Command::StartHoldMusic { operation, client_context, participant, prompt });
            assert_eq!(is_done, is_free);
            if is_done {
                stage.load_music(n);
                truth.held = Some(n);
            }
            format!("the bot holds {n}: {is_done}")
        }
        7 | 8 => {
            let is_done = stage.tries(Command::StopHoldMusic { operation, client_context, participant });
            assert_eq!(is_done, truth.held == Some(n));
            truth.held = truth.held.filter(|held| *held != n);
            format!("the bot takes {n} off hold: {is_done}")
        }
        _ if muting => {
            stage.tries(Command::MuteParticipant { operation, client_context, participant });
            truth.muted[n] = true;
            format!("the bot mutes {n}")
        }
        _ => {
            stage.talks_nonsense(n);
            format!("phone {n} talks nonsense")
        }
    }
}

#[test]
fn a_thousand_holds_in_random_order_leave_everybody_with_what_the_layers_say() {
    for seed in 1..=CONVERSATIONS {
        let mut random = Random(seed);
        let [first, second, third] = [(); 3].map(|()| CHEAP[random.below(3)]);
        let mut stage = Stage::with(first, second, third);
        let mut truth = Truth { phones: [Spelling::Both; 3], held: None, muted: [false; 3] };
        stage.run_ms(200);
        let mut story = String::new();
        for number in 0..STEPS {
            // A mute lasts: Graph has nothing that undoes it.
            let done = step(&mut stage, &mut truth, &mut random, number > STEPS / 2);
            story = format!("seed {seed}, step {number}: {done}");
            stage.run_ms(120);
            stage.forget_what_was_heard();
            stage.run_ms(100);
            let hears = [0, 1, 2].map(|listener| truth.hears(listener));
            stage.expect(&story, [&hears[0], &hears[1], &hears[2]]);
            for (n, phone) in stage.phones.iter().enumerate() {
                let packets = if truth.phones[n].listens() { 5 } else { 0 };
                assert_eq!(phone.packets, packets, "{story}: phone {n}");
            }
        }
        assert!(stage.ended.iter().all(|(_, status)| *status == call::OperationStatus::Completed), "{story}");
    }
}

/// SplitMix64: small, seeded, the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
