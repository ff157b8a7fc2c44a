//! What is kept, for people who look.

use std::time::{Duration, SystemTime};

use media::Codec;
use tokio::time::Instant;

use super::Prompts;
use super::prompt::{About, Prompt};
use super::shelf::Source;

/// A prompt that is kept. Its URI may be a secret: it is for the operator's eyes, not for a log.
#[derive(Clone, Debug)]
pub struct KeptPrompt {
    /// Where it came from; `None` of the built-in music.
    pub uri: Option<String>,
    /// What it is.
    pub about: About,
    /// The memory that it takes, in bytes.
    pub memory_bytes: usize,
    /// The codecs in which it is ready to be sent.
    pub ready: Vec<Codec>,
    /// When its origin was last asked.
    pub fetched: Option<SystemTime>,
    /// Until when it is played without asking again.
    pub fresh_until: Option<SystemTime>,
}

impl Prompts {
    /// Lists what is kept, last used first; the built-in music comes before all.
    pub fn kept(&self) -> Vec<KeptPrompt> {
        let built_in = self.inner.default_music.get().map(|prompt| kept(prompt, None));
        let state = self.inner.lock();
        let listed = state.shelf.list().into_iter();
        let of_files =
            listed.flat_map(|(prompt, sources)| sources.into_iter().map(|source| kept(prompt, Some(source))));
        built_in.into_iter().chain(of_files).collect()
    }
}

fn kept(prompt: &Prompt, source: Option<Source<'_>>) -> KeptPrompt {
    let freshness = source.and_then(|(_, freshness)| freshness);
    KeptPrompt {
        uri: source.map(|(uri, _)| uri.as_str().to_owned()),
        about: prompt.about.clone(),
        memory_bytes: prompt.size_bytes(),
        ready: prompt.ready_codecs(),
        fetched: freshness.map(|(until, lifetime)| time_of_day(until) - lifetime),
        fresh_until: freshness.map(|(until, _)| time_of_day(until)),
    }
}

fn time_of_day(at: Instant) -> SystemTime {
    let (now, time) = (Instant::now(), SystemTime::now());
    match at.checked_duration_since(now) {
        Some(ahead) => time + ahead,
        None => time - now.duration_since(at).min(LONG_AGO),
    }
}

/// Nothing is kept that was fetched longer ago and is still known; a time before 1970 would be none.
const LONG_AGO: Duration = Duration::from_secs(365 * 24 * 3600);
