//! Forgets calls that ended long ago, so that the database does not grow for ever.

use std::time::Duration;

use chrono::Utc;

use crate::store::{Batch, Store, Write};

/// How long an ended call is kept for those who ask what happened. Less would be gone after a weekend, more costs about
/// 10 KiB of disk per call.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// Pause between two looks. Each look forgets a bounded number of calls, more of them than a server can make meanwhile.
const PAUSE: Duration = Duration::from_mins(1);

/// Looks for what is old, until the task is stopped.
pub(crate) async fn forget_old_calls(store: Store) {
    let mut looks = tokio::time::interval(PAUSE);
    loop {
        looks.tick().await;
        store.submit(Batch::silent(Write::ForgetBefore(oldest_kept_ms(Utc::now().timestamp_millis())))).await;
    }
}

fn oldest_kept_ms(now_ms: i64) -> i64 {
    now_ms - i64::try_from(KEPT.as_millis()).expect("a week is few milliseconds")
}
