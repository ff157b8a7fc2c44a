//! Forgets calls that ended long ago, so that the database does not grow for ever.

use std::time::Duration;

use chrono::Utc;

use crate::store::{Batch, Store, Write};

/// Pause between two looks. Each look forgets a bounded number of calls, more of them than a server can make meanwhile.
const PAUSE: Duration = Duration::from_mins(1);

/// Forgets calls with all that was told of them when they have been over for as long as they are `kept`, until the task
/// is stopped.
pub(crate) async fn forget_old_calls(store: Store, kept: Duration) {
    let mut looks = tokio::time::interval(PAUSE);
    loop {
        looks.tick().await;
        store.submit(Batch::silent(Write::ForgetBefore(oldest_kept_ms(Utc::now().timestamp_millis(), kept)))).await;
    }
}

fn oldest_kept_ms(now_ms: i64, kept: Duration) -> i64 {
    now_ms.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX))
}
