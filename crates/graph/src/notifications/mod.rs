//! The ledger of a call's notifications, below `/fermata/v1/calls/{id}/notifications`: what was told, what the
//! application answered, and how it is told once more. Ours, not Graph's; one file per operation. For the application whose
//! call it is, and for people at the console.
//!
//! It can be read and used after the call has ended, as long as the call is kept (`[notifications]` in the
//! configuration).

mod get;
mod list;
mod redeliver;

pub(crate) use get::get;
pub(crate) use list::list;
pub(crate) use redeliver::{redeliver, redeliver_dead};

use crate::error::Failure;

/// Reads the number of a notification in a path. What is no number names none.
fn sequence(segment: &str) -> Result<i64, Failure> {
    segment.parse().map_err(|_| Failure::notification_not_found())
}
