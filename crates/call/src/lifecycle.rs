//! A call from its request to its end, and the conversation's end when nobody is left.
//!
//! ```text
//!                      first person answers (peer-to-peer),
//!               place  at once (group)                       DELETE
//!   (none) ──────────► establishing ──────────► established ────────► terminating ──► terminated
//!                           │                        │  the last person has gone, keep-alive lapsed  ▲
//!                           └── nobody reached ──────┴───────────────────────────────────────────────┘
//! ```
//!
//! A call that comes in begins before that: see `incoming.rs`; one may end by being given to somebody: see `transfer.rs`. An application's call is its leg only: when it ends, a
//! group goes on without it as long as two people are in.

use crate::conversation::Conversation;
use crate::roster::{Participant, Role};
use crate::timer::Timer;
use crate::{
    Accepted, CallId, Change, Direction, Effect, HangUpCause, Identity, LeaveCause, NewCall, Notice, ParticipantId,
    Peer, Refusal, ResultInfo, Unreached,
};
use std::time::{Duration, Instant};

/// A call whose application has not called `keepAlive` for so long ends with 408/8537 (Graph, `call: keepAlive`).
pub const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(45 * 60);

/// Whether a call has one target or is a conversation of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// One target: the call ends when it leaves.
    PeerToPeer,
    /// Several, with a roster.
    Group,
}

/// Graph's `callState`, as far as calls here have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Somebody calls, and the application has not decided.
    Incoming,
    /// On the way to others.
    Redirecting,
    /// Being set up.
    Establishing,
    /// Up.
    Established,
    /// Up, and somebody else is called who is to have it.
    Transferring,
    /// Somebody else has it.
    TransferAccepted,
    /// Being ended by its application.
    Terminating,
    /// Over.
    Terminated,
}

/// One application's leg in the conversation.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) kind: CallKind,
    pub(crate) participant: ParticipantId,
    pub(crate) state: CallState,
    /// How many tones it was told of; `None` if it has not subscribed.
    pub(crate) tones: Option<u64>,
    /// Whether anybody ever answered; decides which end reason is true.
    joined_once: bool,
    /// Why the last one who was called did not answer.
    unreached: Option<Unreached>,
}

impl Call {
    pub(crate) fn new(id: CallId, kind: CallKind, participant: ParticipantId, state: CallState) -> Self {
        Self { id, kind, participant, state, tones: None, joined_once: false, unreached: None }
    }
}

impl Conversation {
    pub(crate) fn live_call(&self, id: CallId) -> Result<&Call, Refusal> {
        self.calls.iter().find(|c| c.id == id).ok_or(Refusal::CallNotFound)
    }

    pub(crate) fn established_call(&self, id: CallId) -> Result<&Call, Refusal> {
        let call = self.live_call(id)?;
        if call.state == CallState::Established { Ok(call) } else { Err(Refusal::CallNotEstablished) }
    }

    /// A group always has a roster; of a peer-to-peer call the operator decides.
    pub(crate) fn has_roster(&self, call: &Call) -> bool {
        call.kind == CallKind::Group || self.policy.peer == Peer::Participant
    }

    pub(crate) fn place_call(&mut self, new: NewCall, now: Instant) {
        let NewCall { id, participant, application, kind, targets } = new;
        self.add_call(Call::new(id, kind, participant, CallState::Establishing), application, now);
        self.tell_call(id, false);
        if kind == CallKind::Group {
            self.establish(id);
        }
        for target in targets {
            self.dial(target, now);
        }
    }

    pub(crate) fn add_call(&mut self, call: Call, application: Identity, now: Instant) {
        self.timers.set(Timer::KeepAlive(call.id), now + KEEP_ALIVE_TIMEOUT);
        self.roster.add(Participant::application(call.participant, application, call.id));
        self.calls.push(call);
    }

    /// The call is up: tells so, then the roster, then that audio flows, each by itself (graph-calls 3.2).
    fn establish(&mut self, id: CallId) {
        self.set_state(id, CallState::Established);
        self.tell_call(id, false);
        self.tell_roster();
        self.tell_call(id, true);
    }

    pub(crate) fn answered(&mut self, participant: ParticipantId, now: Instant) {
        let Some(person) = self.roster.find(participant) else { return };
        if person.role != Role::Ringing {
            return;
        }
        person.role = Role::Joined;
        self.timers.cancel(Timer::Ring(participant));
        self.reroute(participant);
        self.calls.iter_mut().for_each(|c| c.joined_once = true);
        self.redirect_answered(participant, now);
        self.transfer_answered(participant);
        self.replacement_answered(participant);
        let waiting = self.calls.iter().filter(|c| c.state == CallState::Establishing);
        for call in waiting.map(|c| c.id).collect::<Vec<_>>() {
            self.establish(call);
        }
        self.invite_settled(participant, None);
        self.make_group();
        self.tell_roster();
    }

    /// Two people and an application are a group: an invited person makes one of a peer-to-peer call.
    fn make_group(&mut self) {
        if self.roster.joined_count() > 1 {
            self.calls.iter_mut().for_each(|c| c.kind = CallKind::Group);
        }
    }

    pub(crate) fn unreached(&mut self, participant: ParticipantId, cause: Unreached) {
        let Some(person) = self.roster.find(participant) else { return };
        if person.role != Role::Ringing {
            return;
        }
        self.roster.remove(participant);
        self.timers.cancel(Timer::Ring(participant));
        self.calls.iter_mut().for_each(|c| c.unreached = Some(cause));
        self.invite_settled(participant, Some(cause));
        self.redirect_unreached(participant, cause);
        self.transfer_unreached(participant, cause);
        self.replacement_unreached(participant, cause);
        self.end_if_empty();
    }

    pub(crate) fn ring_timed_out(&mut self, participant: ParticipantId) {
        self.order(Effect::HangUp { participant, cause: HangUpCause::NoAnswer });
        self.unreached(participant, Unreached::NoAnswer);
    }

    pub(crate) fn left(&mut self, participant: ParticipantId, cause: LeaveCause) {
        let Ok(person) = self.roster.person(participant) else { return };
        let id = person.id;
        if self.is_being_replaced(id) {
            self.take_out(id);
            return self.tell_roster();
        }
        self.take_out(id);
        let peer_calls = self.calls.iter().filter(|c| c.kind == CallKind::PeerToPeer).map(|c| c.id);
        for call in peer_calls.collect::<Vec<_>>() {
            self.terminate(call, peer_left(cause));
        }
        self.tell_roster();
        self.end_if_empty();
    }

    /// Takes a person out of everything; what it was part of ends.
    pub(crate) fn take_out(&mut self, participant: ParticipantId) {
        self.roster.remove(participant);
        self.replacement_unreached(participant, Unreached::NoAnswer);
        self.end_hold_of_leaver(participant);
        self.stop_tones_to(participant);
    }

    pub(crate) fn direction_changed(&mut self, participant: ParticipantId, direction: Direction) {
        let Ok(person) = self.roster.person(participant) else { return };
        person.direction = direction;
        person.layers.remote_hold = !direction.receives();
        self.reroute(participant);
        self.tell_roster();
    }

    pub(crate) fn keep_alive(&mut self, call: CallId, now: Instant) -> Accepted {
        self.timers.set(Timer::KeepAlive(call), now + KEEP_ALIVE_TIMEOUT);
        Accepted::Done
    }

    pub(crate) fn keep_alive_timed_out(&mut self, call: CallId) {
        self.terminate(call, ResultInfo::new(408, 8537, "The call was not kept alive by its application."));
        self.tell_roster();
        self.end_if_empty();
    }

    pub(crate) fn hang_up(&mut self, call: CallId) -> Accepted {
        self.set_state(call, CallState::Terminating);
        self.tell_call(call, false);
        self.terminate(call, ResultInfo::new(200, 7000, "The call was ended by its application."));
        self.tell_roster();
        self.end_if_empty();
        Accepted::Done
    }

    /// Ends everything at once: every call with `result`, every leg, every operation.
    pub fn abort(&mut self, result: &ResultInfo) {
        while let Some(call) = self.calls.first() {
            let id = call.id;
            self.terminate(id, result.clone());
        }
        self.hang_up_everybody();
        self.close();
    }

    /// Ends a call: its operations first, then itself. After this nothing more is told of it.
    pub(crate) fn terminate(&mut self, id: CallId, result: ResultInfo) {
        let Some(at) = self.calls.iter().position(|c| c.id == id) else { return };
        self.end_invites_of_call(id);
        self.end_holds_of_call(id);
        self.end_tones_of_call(id);
        self.end_decision(id);
        self.end_transfer(id);
        self.timers.cancel(Timer::KeepAlive(id));
        let call = self.calls.remove(at);
        self.roster.remove(call.participant);
        self.unsubscribe(call.tones.is_some());
        let (state, change) = (CallState::Terminated, Change::Deleted);
        self.notify(Notice::Call { call: id, change, state, audio_active: false, result: Some(result) });
        if call.kind == CallKind::PeerToPeer {
            self.hang_up_everybody();
        }
    }

    /// Ends what has lost its point: calls without anybody to talk to, and people without anybody at all.
    pub(crate) fn end_if_empty(&mut self) {
        let (joined, ringing) = (self.roster.joined_count(), self.roster.ringing_count());
        if joined == 0 && ringing == 0 {
            while let Some(call) = self.calls.first() {
                let (id, result) = (call.id, nobody_left(call));
                self.terminate(id, result);
            }
        }
        if self.calls.is_empty() {
            self.stop_calling();
            if joined < 2 {
                self.hang_up_everybody();
                self.close();
            }
        }
    }

    /// Without an application nobody has an interest in those who have not answered yet.
    fn stop_calling(&mut self) {
        for participant in self.roster.people() {
            if self.roster.person(participant).is_err() {
                self.end_leg(participant);
            }
        }
    }

    fn hang_up_everybody(&mut self) {
        for participant in self.roster.people() {
            self.end_leg(participant);
        }
    }

    pub(crate) fn end_leg(&mut self, participant: ParticipantId) {
        self.timers.cancel(Timer::Ring(participant));
        self.order(Effect::HangUp { participant, cause: HangUpCause::CallEnded });
        self.take_out(participant);
    }

    pub(crate) fn set_state(&mut self, id: CallId, state: CallState) {
        let call = self.calls.iter_mut().find(|c| c.id == id);
        call.expect("a rule changes the state of live calls only").state = state;
    }

    pub(crate) fn tell_call(&mut self, id: CallId, audio_active: bool) {
        let Some(call) = self.calls.iter().find(|c| c.id == id) else { return };
        let state = call.state;
        self.notify(Notice::Call { call: id, change: Change::Updated, state, audio_active, result: None });
    }
}

/// The end reasons of a call's last moment (graph-calls 4.4).
fn nobody_left(call: &Call) -> ResultInfo {
    match (call.kind, call.joined_once, call.unreached) {
        (_, true, _) => ResultInfo::new(200, 5002, "All other participants have left."),
        (CallKind::PeerToPeer, false, Some(cause)) => unreached_result(cause),
        (CallKind::PeerToPeer | CallKind::Group, false, _) => {
            ResultInfo::new(200, 5013, "Nobody else joined the call.")
        }
    }
}

fn peer_left(cause: LeaveCause) -> ResultInfo {
    match cause {
        LeaveCause::HungUp => ResultInfo::new(200, 4521, "The call was ended by the other side."),
        LeaveCause::ConnectionLost => ResultInfo::new(410, 301_005, "The media connection to the other side was lost."),
        LeaveCause::NotSecured => ResultInfo::new(410, 301_005, "The media connection could not be secured anew."),
    }
}

/// Why somebody could not be reached, in the numbers of graph-calls 4.3 and 4.4.
pub(crate) fn unreached_result(cause: Unreached) -> ResultInfo {
    match cause {
        Unreached::NoEndpoint => ResultInfo::new(480, 10_037, "No phone is registered for the callee."),
        Unreached::Forbidden => ResultInfo::new(403, 10_199, "Calling this address is not allowed."),
        Unreached::Busy => ResultInfo::new(486, 8539, "The callee is busy."),
        Unreached::Declined => ResultInfo::new(603, 8538, "The callee declined the call."),
        Unreached::NoAnswer => ResultInfo::new(408, 10_057, "The callee did not answer."),
        Unreached::NotAcceptable => ResultInfo::new(488, 10_076, "The callee offers no audio that can be used."),
        Unreached::NotReleased => ResultInfo::new(404, 8522, "The call to be replaced is not one with one person."),
        Unreached::Withdrawn => ResultInfo::new(487, 8542, "The caller has given up."),
        Unreached::NotConfirmed => ResultInfo::new(408, 1106, "The caller has not confirmed that it was answered."),
        Unreached::NotConnected => {
            ResultInfo::new(410, 301_005, "The callee answered, but no sound could get through.")
        }
        Unreached::NotSecured => ResultInfo::new(410, 301_005, "The media connection could not be secured."),
        Unreached::Status(status) => {
            ResultInfo::new(status, 10_076, format!("The callee could not be reached: SIP status {status}."))
        }
    }
}
