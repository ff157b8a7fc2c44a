//! What a conversation tells the outside.

use crate::chronicle::Operator;
use crate::prompts::PromptSource;
use crate::worker::{Fact, WorkerHandle};
use call::{Accepted, ConversationId, Notice, OperationId, Refusal};
use tokio::sync::oneshot;

/// One step of a conversation: what was accepted, and what is to be told of it.
///
/// Whoever receives it stores it, all in one transaction, and then calls [`Change::recorded`] or
/// [`Change::not_recorded`]: the application is answered after that and not before. Changes of one conversation
/// arrive in their order.
#[derive(Debug)]
pub struct Change {
    /// Which conversation.
    pub conversation: ConversationId,
    /// The command that was accepted, if a command caused this; its operation is to be stored.
    pub accepted: Option<Accepted>,
    /// The note of the [`Attachment`] that came with the command.
    pub note: Option<String>,
    /// What is to be told, in this order.
    pub notices: Vec<Notice>,
    pub(crate) reply: Option<Reply>,
    pub(crate) withdrawal: Option<Withdrawal>,
}

/// What comes with a command and is nothing for the rules.
#[derive(Debug, Default)]
pub struct Attachment {
    /// What is to be stored if the command is accepted. It comes back as [`Change::note`], unread.
    pub note: Option<String>,
    /// Prompts to be fetched ahead of need if the command is accepted.
    pub prefetch: Vec<PromptSource>,
    /// The person at the console whose wish it is, if it is not the application's own.
    pub operator: Option<Operator>,
}

/// What is to be undone if the change cannot be stored, and whose it is.
#[derive(Debug)]
pub(crate) struct Withdrawal {
    pub(crate) worker: WorkerHandle,
    pub(crate) of: Withdrawn,
}

/// What the application is told not to have got.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Withdrawn {
    /// A call that it has placed or taken, or that somebody makes to it.
    Conversation,
    /// An operation that runs.
    Operation(OperationId),
}

/// The way back to the request that waits.
pub(crate) type Reply = oneshot::Sender<Result<Accepted, Outcome>>;

/// Why a command was not carried out, as far as the worker and the recorder know.
#[derive(Debug)]
pub(crate) enum Outcome {
    Refused(Refusal),
    NotRecorded,
}

/// The change could not be stored, so the application must not be told that it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRecorded;

impl Change {
    /// Says that the change is safe: the request that caused it is answered.
    pub fn recorded(self) {
        if let (Some(reply), Some(accepted)) = (self.reply, self.accepted) {
            // The asker may have gone; then nobody needs the answer.
            let _ = reply.send(Ok(accepted));
        }
    }

    /// Says that the change could not be stored now: the request that caused it fails, and what it began is undone.
    ///
    /// The notices stay true and are to be stored later; what is undone becomes a change of its own.
    pub fn not_recorded(self) {
        if let Some(reply) = self.reply {
            let _ = reply.send(Err(Outcome::NotRecorded));
        }
        if let Some(Withdrawal { worker, of }) = self.withdrawal {
            worker.tell(Fact::NotRecorded { conversation: self.conversation, of });
        }
    }
}
