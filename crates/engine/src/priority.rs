//! Asks the system to run a media thread before others.
//!
//! On a loaded machine an ordinary thread wakes up to 50 ms late, one with a real-time policy within 1 ms. Where it is
//! not allowed the thread runs as it is; the lateness is in the metrics either way.

use thread_priority::{
    RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// The lowest half of the real-time range: before everything ordinary, behind the system's own threads.
const PRIORITY: u8 = 10;

/// Raises the calling thread.
pub(crate) fn raise() {
    let priority = ThreadPriorityValue::try_from(PRIORITY).expect("it is between 1 and 99");
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    let raised = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(priority), policy);
    match raised {
        Ok(()) => tracing::info!("the media thread has real-time priority"),
        Err(error) => tracing::info!(?error, "the media thread has no real-time priority (CAP_SYS_NICE allows it)"),
    }
}
