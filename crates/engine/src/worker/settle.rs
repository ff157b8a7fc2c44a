//! After each step of a session: doing what it wants, and passing on what is to be recorded.

use super::Running;
use crate::change::{Change, Reply, Withdrawal, Withdrawn};
use crate::prompts::CallScope;
use crate::session::Output;
use crate::sip_loop::{LegAddress, SipCommand};
use call::{Accepted, ConversationId, Notice, ParticipantId};
use tokio::sync::mpsc::error::TrySendError;

/// A command that was accepted: what it gave, whom to answer, and what is undone if it cannot be stored.
pub(super) struct Asked {
    pub(super) accepted: Accepted,
    pub(super) reply: Reply,
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
                Output::OpenLeg { participant, identity } => self.open_leg(conversation, participant, identity),
                Output::CloseLeg { participant } => self.close_leg(conversation, participant),
                Output::AnswerOffer { participant, answer } => {
                    let leg = self.address(conversation, participant);
                    self.worker.sip.send(SipCommand::AnswerOffer { leg, answer });
                }
                Output::Probe { participant } => {
                    metrics::counter!("fermata_phones_probed_total").increment(1);
                    self.worker.sip.send(SipCommand::Probe { leg: self.address(conversation, participant) });
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
        if over {
            self.drop_conversation(conversation);
        }
    }

    fn change(&self, conversation: ConversationId, asked: Option<Asked>, notices: Vec<Notice>) -> Change {
        let Some(Asked { accepted, reply, withdrawn }) = asked else {
            return Change { conversation, accepted: None, notices, reply: None, withdrawal: None };
        };
        let withdrawal = withdrawn.map(|of| Withdrawal { worker: self.handle.clone(), of });
        Change { conversation, accepted: Some(accepted), notices, reply: Some(reply), withdrawal }
    }

    fn pass_on(&mut self, change: Change) {
        for notice in &change.notices {
            if let Notice::Call { call, result: Some(_), .. } = notice {
                self.by_call.remove(call);
                self.worker.calls.lock().expect("nothing panics while it holds the table of calls").remove(call);
            }
        }
        self.unsent.push_back(change);
        self.send_unsent();
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
        for participant in owned.legs.into_keys() {
            self.worker.sip.send(SipCommand::HangUp { leg: self.address(conversation, participant) });
        }
        self.slots[owned.slot].retain(|id| *id != conversation);
        self.sockets.retain(|_, socket| socket.conversation != conversation);
        self.by_call.retain(|_, id| *id != conversation);
        self.worker.prompts.forget(CallScope::new(conversation.as_u128()));
        self.handle.count_conversations(self.owned.len());
    }

    pub(super) fn address(&self, conversation: ConversationId, participant: ParticipantId) -> LegAddress {
        LegAddress { worker: self.worker.index, conversation, participant }
    }
}
