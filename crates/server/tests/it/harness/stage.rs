//! One test at a time may judge sound by the clock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held while phones are listened to. Two conversations at once on a machine with two cores would measure each other.
pub(crate) struct Stage(#[expect(dead_code, reason = "what counts is that it is held")] MutexGuard<'static, ()>);

/// Waits until nobody else is on the stage.
pub(crate) fn stage() -> Stage {
    static STAGE: Mutex<()> = Mutex::new(());
    // A test that failed on the stage leaves nothing behind there.
    Stage(STAGE.lock().unwrap_or_else(PoisonError::into_inner))
}
