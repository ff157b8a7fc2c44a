//! One conversation whole: the rules ([`Conversation`]), the sound ([`Mixer`]) and the legs. The one place where they
//! meet. No I/O, no clock: a conversation with all its sound runs in a test in virtual time.
//!
//! Whoever owns a session calls one of its verbs and then drains [`Session::poll_output`]. After each
//! [`Session::tick`], when its datagrams have been handed to the network, comes [`Session::flushed`]: only then are
//! facts like "the music has started" true.

mod browsers;
mod caller;
mod handshakes;
mod liveness;
mod look;
mod moving;
mod music;
mod referral;
mod renegotiation;
mod ringing;
mod tones;

use crate::browsers::RingEnd;
use crate::chronicle::Operator;
use crate::keypad::{self, Keypad};
use crate::leg::{Leg, LegRandom};
use crate::live::WallClock;
use browsers::BrowserLeg;
use call::{
    Accepted, CallId, Command, Conversation, Effect, Event, HangUpCause, Hears, Identity, LeaveCause, Notice,
    OperationId, ParticipantId, Prompt, ReferProgress, Refusal, ResultInfo, Unreached,
};
pub(crate) use caller::Caller;
use edge::demux::{self, claims};
use edge::sdp::{FirstOffers, Keying, LocalSrtp};
use edge::sip::{DialogKey, Replaces, Transport};
use edge::webrtc::{self, Transmit};
pub(crate) use look::Memory;
use media::{Codec, DtmfEvent, LedgerLimits, LegId, Mixer, NtpTime, Outgoing, OutgoingKind, Received, RtpError};
pub(crate) use moving::MovedLeg;
use music::Music;
use ringing::Ringing;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tones::Sending;

/// A conversation that runs.
pub(crate) struct Session {
    conversation: Conversation,
    mixer: Mixer,
    /// Who is to be called and has no sockets yet.
    dialing: HashSet<ParticipantId>,
    /// Those at phones.
    legs: HashMap<ParticipantId, Leg>,
    /// Those in browsers.
    browsers: HashMap<ParticipantId, BrowserLeg>,
    /// Those who are called in browsers, too.
    ringing: HashMap<ParticipantId, Ringing>,
    by_leg: HashMap<LegId, ParticipantId>,
    music: BTreeMap<ParticipantId, Music>,
    /// The answers to the offers of those who call and whose calls are not taken.
    unanswered: HashMap<ParticipantId, String>,
    /// Who is being referred to, and the dialog whose place its call is to take.
    replacing: Option<(ParticipantId, Replaces)>,
    /// What was last ordered for each leg.
    routes: HashMap<ParticipantId, call::Route>,
    /// Whether an application wants to know of keys.
    listens_for_tones: bool,
    keypads: HashMap<ParticipantId, Keypad>,
    sending: Vec<Sending>,
    /// What becomes true when the datagrams of the tick are out.
    awaiting_flush: Vec<Event>,
    outputs: VecDeque<Output>,
    legs_made: u64,
    /// Where SRTP is put on and taken off, one packet at a time.
    scratch: Vec<u8>,
    /// How long nothing may come from a phone until it is asked whether it is there.
    probe_after: Option<Duration>,
    memory: Memory,
}

/// How a session is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// How long nothing may come from a phone until it is asked whether it is there.
    pub(crate) probe_after: Option<Duration>,
    /// Whether it is written down what people are given to hear.
    pub(crate) ledgers: Option<LedgerLimits>,
    /// Which time of day it is.
    pub(crate) clock: WallClock,
}

/// What a session wants of its owner.
#[derive(Debug)]
pub(crate) enum Output {
    /// Make sockets for a leg and call [`Session::leg_opened`], or [`Session::unreached`].
    OpenLeg {
        participant: ParticipantId,
        identity: Identity,
        ring_timeout: Option<Duration>,
        /// The dialog whose place the call is to take.
        replaces: Option<Replaces>,
    },
    /// Have the person of another call come here, and call [`Session::arrive`], or [`Session::unreached`].
    Fetch { participant: ParticipantId, from: CallId },
    /// Tell a phone how its REFER goes on.
    TellReferrer { participant: ParticipantId, progress: ReferProgress },
    /// Hang up, and close the sockets.
    CloseLeg { participant: ParticipantId, cause: HangUpCause },
    /// Nobody is to be called in browsers any more: this is why.
    StopRinging { participant: ParticipantId, end: RingEnd },
    /// A browser has the call: its phones fall silent, and the sockets are of no use.
    StopPhones { participant: ParticipantId },
    /// Send this.
    SendToBrowser { participant: ParticipantId, transmit: Transmit },
    /// Take the call of somebody who calls, with this answer to its offer; then [`Session::confirmed`].
    AnswerCall { participant: ParticipantId, answer: String },
    /// Answer what came with [`Session::offered`] or [`Session::offer_wanted`]: with a description, or with "not
    /// acceptable".
    AnswerOffer { participant: ParticipantId, answer: Option<String> },
    /// Answer what came with [`Session::offered_early`] in this dialog.
    AnswerEarlyOffer { dialog: DialogKey, answer: Option<String> },
    /// Ask the phone whether it is still there; end the leg with [`Session::left`] if it is not.
    Probe { participant: ParticipantId },
    /// Get a prompt for a leg and call [`Session::prompt_loaded`].
    LoadPrompt { participant: ParticipantId, operation: OperationId, prompt: Prompt, codec: Codec },
    /// Send this now, between two ticks.
    Transmit { participant: ParticipantId, destination: SocketAddr, by_rtcp: bool, bytes: Vec<u8> },
    /// Tell an application.
    Notify(Notice),
    /// Nothing is left; drop the session.
    Close,
}

/// One datagram on its way out.
#[derive(Debug)]
pub(crate) struct Datagram<'a> {
    pub(crate) participant: ParticipantId,
    pub(crate) destination: SocketAddr,
    /// By which socket.
    pub(crate) exit: Exit,
    pub(crate) bytes: &'a [u8],
}

/// By which socket a datagram goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The leg's own for RTP.
    Rtp,
    /// The leg's own for RTCP.
    Rtcp,
    /// The one that all browsers share.
    Browser(webrtc::Transport),
}

impl Session {
    pub(crate) fn new(conversation: Conversation, settings: Settings) -> Self {
        let Settings { probe_after, ledgers, clock } = settings;
        let mixer = Mixer::new();
        let mut session = Self {
            conversation,
            mixer: match ledgers {
                Some(limits) => mixer.with_ledgers(limits),
                None => mixer,
            },
            dialing: HashSet::new(),
            legs: HashMap::new(),
            browsers: HashMap::new(),
            ringing: HashMap::new(),
            by_leg: HashMap::new(),
            music: BTreeMap::new(),
            unanswered: HashMap::new(),
            replacing: None,
            routes: HashMap::new(),
            listens_for_tones: false,
            keypads: HashMap::new(),
            sending: Vec::new(),
            awaiting_flush: Vec::new(),
            outputs: VecDeque::new(),
            legs_made: 0,
            scratch: Vec::new(),
            probe_after,
            memory: Memory::new(ledgers, clock),
        };
        session.carry_out(clock.start());
        session
    }

    /// The next thing that is wanted. To be drained after each verb.
    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Carries out a wish: the application's, or that of an operator in its place.
    pub(crate) fn execute(
        &mut self,
        call: CallId,
        command: Command,
        operator: Option<Operator>,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        let wish = self.memory.chronicle.wish(call, &command, operator);
        let outcome = self.conversation.execute(call, command, now);
        self.memory.chronicle.judged(wish, &outcome, now);
        self.carry_out(now);
        outcome
    }

    fn observe(&mut self, event: Event, now: Instant) {
        self.memory.chronicle.happened(&event, now);
        self.conversation.observe(event, now);
        self.carry_out(now);
    }

    /// An operation could not be stored: its application was told "no".
    pub(crate) fn not_recorded(&mut self, operation: OperationId, now: Instant) {
        self.observe(Event::NotRecorded { operation }, now);
    }

    /// Ends everything at once.
    pub(crate) fn abort(&mut self, result: &ResultInfo, now: Instant) {
        self.conversation.abort(result);
        self.carry_out(now);
    }

    /// The sockets of a leg are there. Returns the offers of which one is to be sent; `None` if nobody wants the leg any
    /// more.
    pub(crate) fn leg_opened(
        &mut self,
        participant: ParticipantId,
        address: SocketAddr,
        random: LegRandom,
        srtp: LocalSrtp,
    ) -> Option<FirstOffers> {
        if !self.dialing.remove(&participant) {
            return None;
        }
        let mut leg = Leg::new(self.new_leg_id(), address, random, srtp);
        let offers = leg.first_offers();
        self.legs.insert(participant, leg);
        Some(offers)
    }

    /// Which of the first offers the phone got that answers.
    pub(crate) fn sent_first(&mut self, participant: ParticipantId, keying: Option<Keying>) {
        if let Some(leg) = self.legs.get_mut(&participant) {
            leg.sent_first(keying);
        }
    }

    /// How a leg is signalled: whether keys may be told in its next description.
    pub(crate) fn let_keys_be_told(&mut self, participant: ParticipantId, may_tell_keys: bool) {
        if let Some(leg) = self.legs.get_mut(&participant) {
            leg.let_keys_be_told(may_tell_keys);
        }
    }

    /// How the phone of a leg is signalled.
    pub(crate) fn signalled_over(&mut self, participant: ParticipantId, transport: Option<Transport>) {
        if let Some(leg) = self.legs.get_mut(&participant) {
            leg.transport = transport;
        }
    }

    /// The phone has answered with a description.
    pub(crate) fn answered(&mut self, participant: ParticipantId, answer: &[u8], now: Instant) {
        let Some(leg) = self.legs.get_mut(&participant) else { return };
        match leg.accept(answer, now) {
            Ok(negotiated) => {
                leg.is_confirmed = true;
                let silent = media::Route { hears: media::Hears::Silence, heard: false };
                self.mixer.add_leg(leg.id, negotiated.format, leg.transmit, silent);
                self.by_leg.insert(leg.id, participant);
                self.memory.ledgers.leg_added(leg.id, participant);
                self.stop_ringing(participant, RingEnd::AnsweredElsewhere);
                self.enter(participant, now);
            }
            Err(error) => {
                tracing::info!(%participant, %error, "the phone's answer cannot be used");
                self.close_leg(participant, HangUpCause::CallEnded);
                self.observe(Event::Unreached { participant, cause: Unreached::NotAcceptable }, now);
            }
        }
    }

    /// Nothing rings any more.
    fn give_up(&mut self, participant: ParticipantId, cause: Unreached, now: Instant) {
        self.close_leg(participant, HangUpCause::CallEnded);
        self.observe(Event::Unreached { participant, cause }, now);
    }

    pub(crate) fn left(&mut self, participant: ParticipantId, cause: LeaveCause, now: Instant) {
        self.close_leg(participant, HangUpCause::CallEnded);
        self.observe(Event::Left { participant, cause }, now);
    }

    /// Takes one RTP packet, or RTCP on the RTP port, in.
    pub(crate) fn receive_rtp(&mut self, participant: ParticipantId, from: SocketAddr, packet: &[u8], now: Instant) {
        let Self { legs, mixer, scratch, .. } = self;
        let Some(leg) = legs.get_mut(&participant) else { return };
        if claims(packet) == demux::Datagram::Dtls {
            return self.receive_handshake(participant, false, from, packet, now);
        }
        let Some(packet) = leg.unprotect(false, packet, scratch) else { return };
        let parsed = media::rtp::Packet::parse(packet);
        if matches!(parsed, Err(RtpError::Rtcp { .. })) {
            return take_rtcp(mixer, leg, from, packet, now);
        }
        if leg.admits(from, parsed.ok().map(|packet| packet.payload_type), now) {
            // What is wrong with a packet is counted by the mixer; there is nobody to tell.
            let received = mixer.receive(leg.id, packet, now);
            if let Ok(Received::Event(DtmfEvent::Pressed { key })) = received {
                self.key_pressed(participant, key, keypad::Way::Event, now);
            }
        }
    }

    /// Takes one RTCP packet in.
    pub(crate) fn receive_rtcp(&mut self, participant: ParticipantId, from: SocketAddr, packet: &[u8], now: Instant) {
        let Self { legs, mixer, scratch, .. } = self;
        let Some(leg) = legs.get_mut(&participant) else { return };
        if claims(packet) == demux::Datagram::Dtls {
            return self.receive_handshake(participant, true, from, packet, now);
        }
        let Some(packet) = leg.unprotect(true, packet, scratch) else { return };
        take_rtcp(mixer, leg, from, packet, now);
    }

    /// Runs the deadlines of the rules and one tick of the sound. `sink` gets what is to be sent.
    pub(crate) fn tick(&mut self, now: Instant, wall_clock: NtpTime, sink: &mut impl FnMut(Datagram<'_>)) {
        self.conversation.expire(now);
        self.carry_out(now);
        let Self { mixer, legs, browsers, by_leg, music, awaiting_flush, scratch, .. } = self;
        mixer.tick(now, wall_clock, &mut |outgoing: Outgoing<'_>| {
            let Some(participant) = by_leg.get(&outgoing.leg).copied() else { return };
            let music_begins = match (legs.get_mut(&participant), browsers.get_mut(&participant)) {
                (Some(leg), _) => send_to_phone(participant, leg, &outgoing, scratch, sink) && outgoing.first_of_music,
                (None, Some(leg)) => leg.send(participant, &outgoing, now, sink),
                (None, None) => false,
            };
            if music_begins && let Some(music) = music.get_mut(&participant) {
                awaiting_flush.extend(music.started());
            }
        });
        self.feel_pulses(now, sink);
        self.tend_browsers(now, sink);
        self.expire_ringing(now);
        let Self { music, routes, awaiting_flush, .. } = self;
        for (participant, music) in music {
            let listens = routes.get(participant).is_some_and(|route| route.hears != Hears::Nothing);
            awaiting_flush.extend(if listens { None } else { music.started() });
            awaiting_flush.extend(music.stopped());
        }
        self.note_sent_tones();
        self.tell_heard_keys(now);
    }

    /// The datagrams of the last tick have been handed to the network.
    pub(crate) fn flushed(&mut self, now: Instant) {
        for event in std::mem::take(&mut self.awaiting_flush) {
            if let Event::MusicStopped { operation } = event {
                self.music.retain(|_, music| !music.is_stopping(operation));
            }
            self.observe(event, now);
        }
    }

    /// Carries out what the rules have ordered.
    fn carry_out(&mut self, now: Instant) {
        while let Some(effect) = self.conversation.poll_effect() {
            self.memory.chronicle.ordered(&effect, now);
            match effect {
                Effect::Dial { participant, identity, ring_timeout } => {
                    self.dialing.insert(participant);
                    let replaces = self.replacing.take_if(|(who, _)| *who == participant).map(|(_, replaces)| replaces);
                    self.outputs.push_back(Output::OpenLeg { participant, identity, ring_timeout, replaces });
                }
                Effect::Fetch { participant, from } => {
                    self.dialing.insert(participant);
                    self.outputs.push_back(Output::Fetch { participant, from });
                }
                Effect::TellReferrer { participant, progress } => {
                    self.outputs.push_back(Output::TellReferrer { participant, progress });
                }
                Effect::TakeCall { participant } => self.answer_call(participant),
                Effect::HangUp { participant, cause } => self.close_leg(participant, cause),
                Effect::Route { participant, route } => {
                    self.routes.insert(participant, route);
                    self.apply_route(participant);
                }
                Effect::LoadPrompt { operation, participant, prompt } => {
                    self.music.insert(participant, Music::loading(operation, prompt.clone()));
                    self.want_prompt(participant, operation, prompt);
                }
                Effect::PlayHoldMusic { participant, operation: _ } => self.play(participant),
                Effect::StopHoldMusic { operation, participant } => self.stop(participant, operation),
                Effect::DropHoldMusic { participant } => {
                    self.music.remove(&participant);
                }
                Effect::ListenForTones { on } => self.listen_for_tones(on),
                Effect::SendTones { operation, participants, tones, pause } => {
                    self.send_tones(operation, &participants, &tones, pause);
                }
                Effect::DropTones { operation } => self.drop_tones(operation),
                Effect::Notify(notice) => self.outputs.push_back(Output::Notify(notice)),
                Effect::Close => self.outputs.push_back(Output::Close),
            }
        }
        self.memory.chronicle.compare(&self.conversation, now);
    }

    fn close_leg(&mut self, participant: ParticipantId, cause: HangUpCause) {
        self.dialing.remove(&participant);
        self.unanswered.remove(&participant);
        self.forget_sound_of(participant);
        if let Some(leg) = self.legs.remove(&participant) {
            self.by_leg.remove(&leg.id);
            self.memory.ledgers.leg_removed(participant, self.mixer.remove_leg(leg.id));
        }
        self.stop_ringing(participant, RingEnd::Over);
        self.close_browser(participant);
        self.outputs.push_back(Output::CloseLeg { participant, cause });
    }

    fn new_leg_id(&mut self) -> LegId {
        self.legs_made += 1;
        LegId(self.legs_made)
    }

    fn forget_sound_of(&mut self, participant: ParticipantId) {
        self.routes.remove(&participant);
        self.music.remove(&participant);
        self.keypads.remove(&participant);
    }

    /// The mixer's name of a leg that is up, at a phone or in a browser.
    fn leg_up(&self, participant: ParticipantId) -> Option<LegId> {
        let phone = self.legs.get(&participant).map(|leg| leg.id);
        let leg = phone.or_else(|| self.browsers.get(&participant).map(|leg| leg.id));
        leg.filter(|leg| self.by_leg.contains_key(leg))
    }

    fn codec(&self, participant: ParticipantId) -> Option<Codec> {
        match self.legs.get(&participant) {
            Some(leg) => leg.codec(),
            None => self.browsers.contains_key(&participant).then_some(Codec::Opus),
        }
    }

    /// Gives the mixer what the rules have ordered, with the music in place of the word.
    fn apply_route(&mut self, participant: ParticipantId) {
        let Some(leg) = self.leg_up(participant) else { return };
        let Some(route) = self.routes.get(&participant) else { return };
        let is_shut = self.legs.get(&participant).is_some_and(|leg| !leg.is_open);
        let hears = match route.hears {
            Hears::Nothing => media::Hears::Nothing,
            // What would be made now could not be sent, and the first packet of the music would be gone.
            Hears::Conversation | Hears::HoldMusic if is_shut => media::Hears::Nothing,
            Hears::Conversation => media::Hears::Conversation,
            Hears::HoldMusic => match self.music.get(&participant).and_then(Music::playing) {
                Some(track) => media::Hears::Music(Arc::clone(track)),
                None => media::Hears::Silence,
            },
        };
        self.mixer.set_route(leg, media::Route { hears, heard: route.heard });
        self.listen_to(participant);
    }
}

fn take_rtcp(mixer: &mut Mixer, leg: &mut Leg, from: SocketAddr, packet: &[u8], now: Instant) {
    if leg.admits_rtcp(from, now) {
        let _ = mixer.receive_rtcp(leg.id, packet, now);
    }
}

/// Sends a packet of the mixer's to a phone, if there is an address and a key to send it under. Returns whether it did.
fn send_to_phone(
    participant: ParticipantId,
    leg: &mut Leg,
    outgoing: &Outgoing<'_>,
    scratch: &mut Vec<u8>,
    sink: &mut impl FnMut(Datagram<'_>),
) -> bool {
    let Some((destination, exit)) = destination(leg, outgoing.kind) else { return false };
    let Some(bytes) = leg.protect(exit == Exit::Rtcp, outgoing.bytes, scratch) else { return false };
    sink(Datagram { participant, destination, exit, bytes });
    true
}

fn destination(leg: &Leg, kind: OutgoingKind) -> Option<(SocketAddr, Exit)> {
    match kind {
        OutgoingKind::Rtp => leg.rtp_destination().map(|to| (to, Exit::Rtp)),
        OutgoingKind::Rtcp => {
            leg.rtcp_destination().map(|(to, by_rtp_socket)| (to, if by_rtp_socket { Exit::Rtp } else { Exit::Rtcp }))
        }
    }
}

#[cfg(test)]
mod tests;
