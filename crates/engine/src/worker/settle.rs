//! After each step of a session: doing what it wants, and passing on what is to be recorded.

use super::Running;
use super::legs::send;
use crate::change::{Change, Reply, Withdrawal, Withdrawn};
use crate::prompts::CallScope;
use crate::session::{Datagram, Exit, Output};
use crate::sip_loop::{LegAddress, SipCommand};
use call::{Accepted, CallId, CallState, ConversationId, HangUpCause, Notice, ParticipantId};
use std::collections::HashMap;
use std::sync::MutexGuard;
use tokio::sync::mpsc::error::TrySendError;

/// What somebody asked for and has got: what it gave and whom to answer, what is stored with it, and what is undone if
/// it cannot be stored. Nobody waits for an answer when a call comes in.
pub(super) struct Asked {
    pub(super) accepted: Option<(Accepted, Reply)>,
    pub(super) note: Option<String>,
    pub(super) withdrawn: Option<Withdrawn>,
}

impl Running {
    /// Does what a session wants, and passes on what is to be recorded.
    pub(super) fn settle(&mut self, conversation: ConversationId, asked: Option<Asked>) {
        let mut notices = Vec::new();
        let mut over = false;
        while let Some(output) = self.owned.get_mut(&conversation).and_then(|owned| owned.session.poll_output()) {
            match output {
                Output::Notify(notice) => notices.push(notice),
                Output::OpenLeg { participant, identity, ring_timeout, replaces } => {
                    self.open_leg(conversation, participant, identity, ring_timeout, replaces);
                }
                Output::Fetch { participant, from } => self.fetch(conversation, participant, from),
                Output::TellReferrer { participant, progress } => {
                    let leg = self.address(conversation, participant);
                    self.worker.sip.send(SipCommand::TellReferrer { leg, progress });
                }
                Output::StopRinging { participant, end } => self.worker.bells.stop(participant, end),
                Output::StopPhones { participant } => self.stop_phones(conversation, participant),
                Output::SendToBrowser { participant, transmit } => {
                    self.send_to_browser(self.address(conversation, participant), &transmit);
                }
                Output::CloseLeg { participant, cause } => self.close_leg(conversation, participant, cause),
                Output::AnswerCall { participant, answer } => {
                    let leg = self.address(conversation, participant);
                    self.worker.sip.send(SipCommand::Answer { leg, answer });
                }
                Output::AnswerOffer { participant, answer } => {
                    let leg = self.address(conversation, participant);
                    self.worker.sip.send(SipCommand::AnswerOffer { leg, answer });
                }
                Output::AnswerEarlyOffer { dialog, answer } => {
                    self.worker.sip.send(SipCommand::AnswerEarlyOffer { dialog, answer });
                }
                Output::Probe { participant } => {
                    metrics::counter!("fermata_phones_probed_total").increment(1);
                    self.worker.sip.send(SipCommand::Probe { leg: self.address(conversation, participant) });
                }
                Output::Transmit { participant, destination, by_rtcp, bytes } => {
                    let exit = if by_rtcp { Exit::Rtcp } else { Exit::Rtp };
                    let datagram = Datagram { participant, destination, exit, bytes: &bytes };
                    self.owned.get(&conversation).iter().for_each(|owned| send(&owned.legs, &datagram, by_rtcp));
                }
                Output::LoadPrompt { participant, operation, prompt, codec } => {
                    self.load_prompt(conversation, participant, operation, prompt, codec);
                }
                Output::Close => over = true,
            }
        }
        if asked.is_some() || !notices.is_empty() {
            self.pass_on(self.change(conversation, asked, notices));
        }
        match over {
            true => self.drop_conversation(conversation),
            false => self.note_deadline(conversation),
        }
    }

    fn change(&self, conversation: ConversationId, asked: Option<Asked>, notices: Vec<Notice>) -> Change {
        let Some(Asked { accepted, note, withdrawn }) = asked else {
            return Change { conversation, accepted: None, note: None, notices, reply: None, withdrawal: None };
        };
        let (accepted, reply) = accepted.unzip();
        let withdrawal = withdrawn.map(|of| Withdrawal { worker: self.handle.clone(), of });
        Change { conversation, accepted, note, notices, reply, withdrawal }
    }

    fn pass_on(&mut self, change: Change) {
        for notice in &change.notices {
            if let Notice::Call { call, state: CallState::Terminated, .. } = notice {
                self.by_call.remove(call);
                self.table().remove(call);
            }
        }
        self.unsent.push_back(change);
        self.send_unsent();
    }

    pub(super) fn table(&self) -> MutexGuard<'_, HashMap<CallId, usize>> {
        self.worker.calls.lock().expect("nothing panics while it holds the table of calls")
    }

    pub(super) fn send_unsent(&mut self) {
        while let Some(change) = self.unsent.pop_front() {
            match self.worker.changes.try_send(change) {
                Ok(()) => {}
                Err(TrySendError::Full(change)) => {
                    self.unsent.push_front(change);
                    return;
                }
                Err(TrySendError::Closed(change)) => change.not_recorded(),
            }
        }
    }

    pub(super) fn drop_conversation(&mut self, conversation: ConversationId) {
        let Some(owned) = self.owned.remove(&conversation) else { return };
        for participant in owned.session.in_browsers() {
            self.forget_browser(self.address(conversation, participant));
        }
        self.deadlines.change(conversation, owned.deadline, None);
        for participant in owned.legs.into_keys() {
            let (leg, cause) = (self.address(conversation, participant), HangUpCause::CallEnded);
            self.worker.sip.send(SipCommand::HangUp { leg, cause });
        }
        self.slots[owned.slot].retain(|id| *id != conversation);
        self.sockets.retain(|_, socket| socket.conversation != conversation);
        self.by_call.retain(|_, id| *id != conversation);
        self.worker.prompts.forget(CallScope::new(conversation.as_u128()));
        self.handle.count_conversations(self.owned.len());
        self.remembered.push(conversation, owned.session.into_memory());
    }

    pub(super) fn address(&self, conversation: ConversationId, participant: ParticipantId) -> LegAddress {
        LegAddress { worker: self.worker.index, conversation, participant }
    }
}
