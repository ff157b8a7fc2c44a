//! What other threads ask of a worker, and what they tell it.

use super::legs::LegSockets;
use super::settle::Asked;
use super::{BrowserWish, Fact, Job, LegEvent, Owned, Running};
use crate::change::{Attachment, Outcome, Reply, Withdrawn};
use crate::keypad::Way;
use crate::prompts::CallScope;
use crate::session::Session;
use crate::tick::SLOTS;
use call::{
    Accepted, CallId, Command, Conversation, ConversationId, IncomingCall, NewCall, OperationId, OperationStatus,
    ParticipantId, Refusal, ResultInfo,
};
use edge::sip::Status;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Jobs that are done between two looks at the clock, so that a flood of them does not hold up a tick.
const JOBS_AT_ONCE_MAX: usize = 64;

impl Running {
    pub(super) fn serve_queues(&mut self) {
        self.send_unsent();
        let mut served = 0;
        while served < JOBS_AT_ONCE_MAX
            && let Ok(fact) = self.facts.try_recv()
        {
            self.take_fact(fact);
            served += 1;
        }
        while served < JOBS_AT_ONCE_MAX
            && let Ok(job) = self.commands.try_recv()
        {
            self.take_job(job);
            served += 1;
        }
        if served == JOBS_AT_ONCE_MAX {
            // There may be more: look again after the packets and ticks of this round.
            self.handle.wake();
        }
    }

    fn take_job(&mut self, job: Job) {
        let now = Instant::now();
        match job {
            // Dropping the reply answers "busy".
            Job::Create { .. } | Job::Execute { .. } if !self.unsent.is_empty() => {}
            Job::Receive { conversation, call: IncomingCall { caller: newcomer, .. }, .. }
            | Job::Replace { conversation, by: newcomer, .. }
                if !self.unsent.is_empty() =>
            {
                self.refuse(conversation, newcomer.participant, Status::SERVICE_UNAVAILABLE);
            }
            Job::Create { conversation, call, reply } => self.create(conversation, call, reply, now),
            Job::Execute { call, command, attachment, reply } => self.execute(call, command, attachment, reply, now),
            Job::Receive { conversation, call, offer } => self.receive_call(conversation, call, &offer, now),
            Job::Replace { conversation, participant, by, offer } => {
                self.receive_replacement(conversation, participant, by, &offer, now);
            }
            Job::Look(question) => self.answer(question),
            Job::AnswerInBrowser { .. } if !self.unsent.is_empty() => {}
            Job::AnswerInBrowser { call, browser, reply } => self.answer_in_browser(call, browser, reply, now),
            Job::ReconnectBrowser { leg, browser, reply } => self.reconnect_browser(leg, browser, reply, now),
            Job::RenegotiateBrowser { leg, offer, reply } => self.renegotiate_browser(leg, &offer, reply, now),
            Job::Shutdown { done } => {
                let result = ResultInfo::new(500, 9001, "The server was shut down.");
                for conversation in self.owned.keys().copied().collect::<Vec<_>>() {
                    self.with_session(conversation, |session| session.abort(&result, now));
                    self.settle(conversation, None);
                }
                self.stopped = true;
                drop(done);
            }
        }
    }

    fn execute(&mut self, call: CallId, command: Command, attachment: Attachment, reply: Reply, now: Instant) {
        let Some(conversation) = self.by_call.get(&call).copied() else {
            // Whoever asked may have gone.
            let _ = reply.send(Err(Outcome::Refused(Refusal::CallNotFound)));
            return;
        };
        let takes_call = takes_call(&command);
        let Attachment { note, prefetch, operator } = attachment;
        match self.with_session(conversation, |session| session.execute(call, command, operator, now)) {
            Some(Ok(accepted)) => {
                let withdrawn = match takes_call {
                    true => Some(Withdrawn::Conversation),
                    false => running_operation(&accepted).map(Withdrawn::Operation),
                };
                let _within = self.worker.runtime.enter();
                self.worker.prompts.prefetch(CallScope::new(conversation.as_u128()), prefetch);
                self.settle(conversation, Some(Asked { accepted: Some((accepted, reply)), note, withdrawn }));
            }
            Some(Err(refusal)) => drop(reply.send(Err(Outcome::Refused(refusal)))),
            // The conversation has met a bug; dropping the reply answers "busy".
            None => {}
        }
    }

    fn create(&mut self, id: ConversationId, call: NewCall, reply: Reply, now: Instant) {
        let call_id = call.id;
        let conversation = Conversation::create(id, self.worker.config.policy, call, now);
        let session = Session::new(conversation, self.session_settings(now));
        self.own(id, call_id, session, HashMap::new());
        let (accepted, withdrawn) = (Some((Accepted::Done, reply)), Some(Withdrawn::Conversation));
        self.settle(id, Some(Asked { accepted, note: None, withdrawn }));
    }

    pub(super) fn own(
        &mut self,
        id: ConversationId,
        call: CallId,
        session: Session,
        legs: HashMap<ParticipantId, LegSockets>,
    ) {
        let slot = (0..SLOTS).min_by_key(|slot| self.slots[*slot].len()).expect("there are slots");
        self.slots[slot].push(id);
        self.owned.insert(id, Owned { session, slot, legs, deadline: None });
        self.by_call.insert(call, id);
        self.handle.count_conversations(self.owned.len());
    }

    fn take_fact(&mut self, fact: Fact) {
        let now = Instant::now();
        let conversation = match fact {
            // Its phones were cancelled; what they said before they heard that is too late.
            Fact::Leg { conversation, participant, .. } if self.is_in_browser(conversation, participant) => return,
            Fact::Leg { conversation, participant, event } => {
                let Some(event) = self.unless_moved(self.address(conversation, participant), event) else { return };
                self.with_session(conversation, |session| match event {
                    LegEvent::Answered { description, may_tell_keys, offered, transport } => {
                        session.signalled_over(participant, transport);
                        session.let_keys_be_told(participant, may_tell_keys);
                        session.sent_first(participant, offered);
                        session.answered(participant, &description, now);
                    }
                    LegEvent::Confirmed => session.confirmed(participant, now),
                    LegEvent::Unreached(cause) => session.unreached(participant, cause, now),
                    LegEvent::Offered { description, may_tell_keys } => {
                        session.let_keys_be_told(participant, may_tell_keys);
                        session.offered(participant, &description, now);
                    }
                    LegEvent::OfferedEarly { dialog, early } => session.offered_early(participant, dialog, &early),
                    LegEvent::OfferedBefore { description } => session.offered_before(participant, &description, now),
                    LegEvent::OfferWanted { may_tell_keys } => {
                        session.let_keys_be_told(participant, may_tell_keys);
                        session.offer_wanted(participant);
                    }
                    LegEvent::OfferAnswered { description } => session.offer_answered(participant, &description, now),
                    LegEvent::Refreshed { description } => session.refreshed(participant, &description, now),
                    LegEvent::Pressed(key) => session.key_pressed(participant, key, Way::Info, now),
                    LegEvent::Referred { target, replaces } => session.referred(participant, target, replaces, now),
                    LegEvent::Left(cause) => session.left(participant, cause, now),
                    // Its conversation was over before: there is nothing to be sent on.
                    LegEvent::Moved => {}
                });
                conversation
            }
            Fact::Browser { conversation, participant, wish } => {
                self.with_session(conversation, |session| match wish {
                    BrowserWish::Decline => session.declined_in_browser(participant, now),
                    BrowserWish::Leave => session.left_in_browser(participant, now),
                });
                conversation
            }
            Fact::Wanted { call, to } => return self.give_away(call, to),
            Fact::Arrived { conversation, participant, moved } => {
                self.arrive(conversation, participant, *moved);
                conversation
            }
            Fact::NotRecorded { conversation, of } => {
                self.with_session(conversation, |session| match of {
                    Withdrawn::Operation(operation) => session.not_recorded(operation, now),
                    Withdrawn::Conversation => session.abort(&not_recorded(), now),
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

    /// Runs `work` on a conversation. A panic in it ends that conversation and nothing else.
    pub(super) fn with_session<T>(
        &mut self,
        conversation: ConversationId,
        work: impl FnOnce(&mut Session) -> T,
    ) -> Option<T> {
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
    pub(super) fn abort(&mut self, conversation: ConversationId) {
        metrics::counter!("fermata_conversations_aborted_total").increment(1);
        tracing::error!(%conversation, "a conversation has met a bug and is ended");
        let Some(owned) = self.owned.get_mut(&conversation) else { return };
        let result = ResultInfo::new(500, 9999, "The server met an internal error in this conversation.");
        match catch_unwind(AssertUnwindSafe(|| owned.session.abort(&result, Instant::now()))) {
            Ok(()) => self.settle(conversation, None),
            Err(_) => self.drop_conversation(conversation),
        }
    }
}

fn running_operation(accepted: &Accepted) -> Option<OperationId> {
    match accepted {
        Accepted::Operation(operation) if operation.status == OperationStatus::Running => Some(operation.id),
        // What a repeated command did not begin is not undone with it.
        Accepted::Operation(_) | Accepted::Repeated(_) | Accepted::Done => None,
    }
}

/// Whether a command takes a call on: if it cannot be stored, the call must not go on as if it had been taken.
fn takes_call(command: &Command) -> bool {
    matches!(command, Command::Answer | Command::Redirect { .. })
}

/// Why a call ends that could not be stored when it was placed.
fn not_recorded() -> ResultInfo {
    ResultInfo::new(503, 9001, "The call could not be stored and was withdrawn.")
}
