//! The ledger of a call's notifications, below `/fermata/v1/calls/{id}/notifications`: what was told, what the
//! application answered, and how it is told once more. Ours, not Graph's; one file per operation.
//!
//! It can be read and used after the call has ended, as long as the call is kept (`[notifications]` in the
//! configuration).

mod get;
mod list;
mod redeliver;

pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use redeliver::{redeliver, redeliver_dead};

use call::CallId;

use crate::api::{Api, call_id};
use crate::auth::{ANY_CALL_ROLE, Caller};
use crate::error::Failure;

/// Reads the call of a path; others' calls, and calls that are no longer kept, do not exist for the caller.
async fn own_call(api: &Api, caller: &Caller, segment: &str) -> Result<CallId, Failure> {
    caller.require(ANY_CALL_ROLE)?;
    let call = call_id(segment)?;
    match api.store.owns_call(caller.app, caller.tenant, call).await? {
        true => Ok(call),
        false => Err(Failure::call_not_found()),
    }
}

/// Reads the number of a notification in a path. What is no number names none.
fn sequence(segment: &str) -> Result<i64, Failure> {
    segment.parse().map_err(|_| Failure::notification_not_found())
}
