//! A command that repeats one whose operation still runs: it is answered with that operation, and nothing happens.
//!
//! SDKs send a request again, with the same body, when they did not see its answer (clients.md 3). What they repeat is
//! known by the application's own mark: the same call, the same kind of operation on the same people, the same client
//! context. A mark that the server made up is of one request only, so it never repeats. What has ended repeats nothing: the
//! command is judged anew. Operations that complete at once need no rule: doing them twice is doing them once.

use crate::conversation::Conversation;
use crate::hold_music::Hold;
use crate::invite::Invite;
use crate::tone::Sending;
use crate::{Accepted, Operation, Refusal};

impl Conversation {
    /// Lets `begin` begin the operation that is asked for, unless it runs already.
    pub(crate) fn unless_repeated(
        &mut self,
        asked: Operation,
        begin: impl FnOnce(&mut Self, Operation) -> Result<Accepted, Refusal>,
    ) -> Result<Accepted, Refusal> {
        let first = self.running_operations().find(|first| is_repeated_by(first, &asked)).cloned();
        match first {
            Some(first) => Ok(Accepted::Repeated(first)),
            None => begin(self, asked),
        }
    }

    fn running_operations(&self) -> impl Iterator<Item = &Operation> {
        let of_holds = self.holds.iter().flat_map(Hold::operations);
        let of_tones = self.sending.iter().map(Sending::operation);
        of_holds.chain(self.invites.iter().map(Invite::operation)).chain(of_tones)
    }
}

fn is_repeated_by(first: &Operation, asked: &Operation) -> bool {
    first.call == asked.call && first.kind == asked.kind && first.client_context == asked.client_context
}
