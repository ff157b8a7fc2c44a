//! Where prompts are decoded and encoded: beside the async runtime, a few at a time.

use std::num::NonZero;
use std::thread;

use tokio::sync::Semaphore;

use super::FormatError;

/// Bounds how many cores prompts may take from the media workers, whose ticks cannot wait.
pub(super) struct CodingSlots(Semaphore);

impl CodingSlots {
    /// Half of the cores, and at least one. More would make many new prompts ready sooner and ticks late.
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self(Semaphore::new((cores / 2).max(1)))
    }

    /// Runs a job when it is its turn.
    ///
    /// # Errors
    ///
    /// [`FormatError::Undecodable`] when the job panics: files are foreign, and decoders are large.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, FormatError> {
        let _slot = self.0.acquire().await.expect("the slots are never closed");
        tokio::task::spawn_blocking(job).await.map_err(|_| FormatError::Undecodable)
    }
}
