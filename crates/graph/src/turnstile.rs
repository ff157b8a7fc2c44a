//! How many requests to applications are under way at a time, so that neither we nor they drown, and so that those who do
//! not answer take no turn from those who do.
//!
//! Each callback has turns of its own. All callbacks together share two lanes: first tries are in one, repetitions in the
//! other. However many callbacks are dead, they fill only the lane of repetitions once they have failed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use url::{Position, Url};

/// Requests to one callback at a time; each call has one at most. Fewer would hold up a bot with many calls, more would
/// let a slow one take everything.
const REQUESTS_PER_CALLBACK_MAX: usize = 32;

/// Requests at a time in each of the two lanes. Each holds a socket for up to 10 s; a process may have 1024 by default.
const REQUESTS_PER_LANE_MAX: usize = 256;

/// Lets requests through.
#[derive(Debug)]
pub(crate) struct Turnstile {
    callbacks: Mutex<HashMap<String, Arc<Semaphore>>>,
    first_tries: Arc<Semaphore>,
    repetitions: Arc<Semaphore>,
}

/// Is the leave to make one request; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _callback: OwnedSemaphorePermit,
    _lane: OwnedSemaphorePermit,
}

impl Turnstile {
    pub(crate) fn new() -> Turnstile {
        let lane = || Arc::new(Semaphore::new(REQUESTS_PER_LANE_MAX));
        Turnstile { callbacks: Mutex::default(), first_tries: lane(), repetitions: lane() }
    }

    /// Waits for a turn. Nobody waits for ever, because a request ends by its own timeout.
    pub(crate) async fn turn(&self, callback: &str, is_first_try: bool) -> Turn {
        let lane = if is_first_try { &self.first_tries } else { &self.repetitions };
        let callback = self.callback(callback).acquire_owned().await;
        let lane = Arc::clone(lane).acquire_owned().await;
        let open = "nobody closes a turnstile";
        Turn { _callback: callback.expect(open), _lane: lane.expect(open) }
    }

    /// Returns the turns of a callback, which is known by everything before its query: that may be another in each call.
    /// Callbacks that nobody waits for are forgotten.
    fn callback(&self, uri: &str) -> Arc<Semaphore> {
        let name = Url::parse(uri).map_or_else(|_| uri.to_owned(), |url| url[..Position::AfterPath].to_owned());
        let mut callbacks = self.callbacks.lock().expect("nothing panics while it holds the callbacks");
        callbacks.retain(|_, turns| Arc::strong_count(turns) > 1);
        Arc::clone(callbacks.entry(name).or_insert_with(|| Arc::new(Semaphore::new(REQUESTS_PER_CALLBACK_MAX))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Takes so many turns, at as many callbacks or all at the same one.
    async fn take(turnstile: &Turnstile, path: &str, is_first_try: bool, count: usize) -> Vec<Turn> {
        let mut turns = Vec::new();
        for n in 0..count {
            let uri = format!("https://bot.example/{path}").replace("{n}", &n.to_string());
            turns.push(turnstile.turn(&uri, is_first_try).await);
        }
        turns
    }

    /// Tells whether there is a turn at once.
    async fn has_turn(turnstile: &Turnstile, uri: &str, is_first_try: bool) -> bool {
        tokio::time::timeout(Duration::ZERO, turnstile.turn(uri, is_first_try)).await.is_ok()
    }

    #[tokio::test]
    async fn a_callback_that_has_all_its_turns_stops_only_itself() {
        let turnstile = Turnstile::new();
        let taken = take(&turnstile, "slow?call={n}", true, REQUESTS_PER_CALLBACK_MAX).await;
        assert!(!has_turn(&turnstile, "https://bot.example/slow?call=x", true).await);
        assert!(has_turn(&turnstile, "https://bot.example/quick", true).await, "another one of the same host");
        drop(taken);
        assert!(has_turn(&turnstile, "https://bot.example/slow", true).await);
    }

    #[tokio::test]
    async fn those_who_have_failed_take_no_turn_of_a_first_try() {
        let turnstile = Turnstile::new();
        let _taken = take(&turnstile, "dead/{n}", false, REQUESTS_PER_LANE_MAX).await;
        assert!(!has_turn(&turnstile, "https://bot.example/dead/x", false).await);
        assert!(has_turn(&turnstile, "https://bot.example/live", true).await);
    }

    #[tokio::test]
    async fn callbacks_are_forgotten() {
        let turnstile = Turnstile::new();
        drop(take(&turnstile, "{n}", true, 100).await);
        let _turn = turnstile.turn("https://bot.example/", true).await;
        assert_eq!(turnstile.callbacks.lock().expect("nobody panicked").len(), 1);
    }
}
