//! One download per URI, however many wait for it.
//!
//! ```text
//!            ┌ a flight is under way: wait for it
//!  obtain ───┼ the shelf has it fresh: take it
//!            └ neither: start a flight ─► fetch ─► decode ─► keep ─► land: all who wait get the outcome
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{SemaphorePermit, watch};
use tokio::time::{Instant, timeout};

use super::fetch::Fetched;
use super::prompt::Prompt;
use super::shelf::Stale;
use super::{DownloadError, Inner, Limits, PromptFailure, State};
use crate::outgoing::HttpUri;

pub(super) type Outcome = Result<Arc<Prompt>, PromptFailure>;

/// A download under way: `None` until it lands.
type Flight = watch::Receiver<Option<Outcome>>;

/// The downloads under way.
#[derive(Default)]
pub(super) struct Flights(HashMap<HttpUri, Flight>);

impl Inner {
    /// The prompt of a URI: kept and fresh, or fetched.
    pub(super) async fn obtain(self: &Arc<Self>, uri: &HttpUri) -> Outcome {
        let mut flight = match self.board(uri)? {
            Boarding::Kept(prompt) => return Ok(prompt),
            Boarding::Flight(flight) => flight,
        };
        match flight.wait_for(Option::is_some).await {
            Ok(outcome) => outcome.clone().expect("it was waited for"),
            Err(_) => Err(DownloadError::Abandoned.into()),
        }
    }

    /// A flight fills the shelf before it leaves the list, and both are looked at under one lock here: so nobody fetches
    /// what another has just fetched.
    fn board(self: &Arc<Self>, uri: &HttpUri) -> Result<Boarding, DownloadError> {
        let mut state = self.lock();
        if let Some(flight) = state.flights.0.get(uri) {
            return Ok(Boarding::Flight(flight.clone()));
        }
        if let Some(prompt) = state.shelf.fresh(uri, Instant::now()) {
            return Ok(Boarding::Kept(prompt));
        }
        let limit = self.policy.limits.flights;
        if state.flights.0.len() >= limit {
            return Err(DownloadError::Busy { limit });
        }
        Ok(Boarding::Flight(self.depart(&mut state, uri)))
    }

    /// A task of its own, because the one who asked first may stop waiting while others do not.
    fn depart(self: &Arc<Self>, state: &mut State, uri: &HttpUri) -> Flight {
        let (landing, flight) = watch::channel(None);
        state.flights.0.insert(uri.clone(), flight.clone());
        let stale = state.shelf.stale(uri);
        let arrival = Arrival { inner: Arc::clone(self), uri: uri.clone() };
        tokio::spawn(async move {
            let outcome = arrival.inner.fetch(&arrival.uri, stale).await;
            // First off the list: who asks after a failure gets a new try, not the old answer.
            drop(arrival);
            landing.send_replace(Some(outcome));
        });
        flight
    }

    async fn fetch(&self, uri: &HttpUri, stale: Option<Stale>) -> Outcome {
        let _turn = self.turn().await?;
        let asked = Instant::now();
        let fetched = self.fetcher.fetch(uri, stale.as_ref().map(|stale| &stale.validators)).await?;
        let (prompt, freshness, validators) = match (fetched, stale) {
            (Fetched::File { bytes, freshness, validators }, _) => (self.decode(bytes).await?, freshness, validators),
            (Fetched::NotModified { freshness }, Some(stale)) => {
                (stale.prompt, freshness.unwrap_or(stale.freshness), Some(stale.validators))
            }
            (Fetched::NotModified { .. }, None) => unreachable!("only a question with validators is answered so"),
        };
        self.lock().shelf.keep(uri, &prompt, freshness, validators, asked);
        Ok(prompt)
    }

    /// Held until the file is decoded: it bounds the files in memory, not only the connections.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, DownloadError> {
        let Limits { downloads: limit, fetch, .. } = self.policy.limits;
        let turn = timeout(fetch, self.downloads.acquire()).await.map_err(|_| DownloadError::Busy { limit })?;
        Ok(turn.expect("the downloads are never closed"))
    }

    async fn decode(&self, bytes: Vec<u8>) -> Outcome {
        let (rule, limits) = (self.policy.format, self.policy.limits.clone());
        let prompt = self.coding.run(move || Prompt::decode(&bytes, rule, &limits)).await??;
        Ok(Arc::new(prompt))
    }
}

enum Boarding {
    Kept(Arc<Prompt>),
    Flight(Flight),
}

/// Takes a flight off the list when its task ends, in whatever way.
struct Arrival {
    inner: Arc<Inner>,
    uri: HttpUri,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.inner.lock().flights.0.remove(&self.uri);
    }
}
