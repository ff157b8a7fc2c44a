//! An operation whose acceptance could not be stored. Its application was told "no", so it must not have an effect; it
//! ends as failed all the same, and that is told when the store is back.

use crate::conversation::Conversation;
use crate::{OperationId, ResultInfo};

impl Conversation {
    /// Undoes a running operation. One that has ended meanwhile has been told so.
    pub(crate) fn withdraw(&mut self, operation: OperationId) {
        let result = ResultInfo::new(503, 9001, "The operation could not be stored and was withdrawn.");
        if !self.withdraw_from_hold(operation, &result) && !self.give_tones_up(operation, result.clone()) {
            self.withdraw_invite(operation, result);
        }
    }
}
