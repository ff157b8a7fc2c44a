//! Prompts: audio that a bot names by URI, fetched, decoded, encoded and kept.
//!
//! A prompt is downloaded once, decoded once, and encoded once per codec, however many participants hear it:
//!
//! ```text
//!  load ─► by resourceId? ─► by URI, fresh? ─► one flight per URI ─► fetch ─► decode ─► Prompt ─► Loop per codec
//!          (for the call)    (HTTP's rules)    (others wait)         (bounded) (bounded)
//! ```
//!
//! URIs come from bots, so a fetch trusts nothing: not the address ([`crate::outgoing`]), not the length, not the pace, not
//! the name of the file. A failure is a sentence that a bot's developer can act on, without the URI's secrets.

mod coding;
mod failure;
mod fetch;
mod flight;
mod freshness;
mod limits;
mod look;
mod preflight;
mod prompt;
mod shelf;

use std::sync::{Arc, Mutex, MutexGuard};

use media::{Codec, Loop};
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

pub use self::failure::{DownloadError, FormatError, PromptFailure};
pub use self::limits::Limits;
pub use self::look::KeptPrompt;
pub use self::preflight::Preflight;
pub use self::prompt::{About, FormatRule};

use self::coding::CodingSlots;
use self::fetch::Fetcher;
use self::flight::Flights;
use self::prompt::Prompt;
use self::shelf::Shelf;
use crate::outgoing::{HttpUri, Rule};

/// What is encoded ahead of need, because nobody knows yet what the phones will speak.
const ALL_CODECS: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus];

/// The call within which a `resourceId` has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallScope(u128);

impl CallScope {
    /// The scope of the call with this id.
    pub const fn new(call: u128) -> Self {
        Self(call)
    }
}

/// Where a prompt is found: Graph's `mediaInfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptSource {
    /// An absolute `http` or `https` URI.
    pub uri: String,
    /// The name under which the call keeps what it fetched. The first URI that came with it stays in force.
    pub resource_id: Option<String>,
}

/// What prompts are allowed to be and to cost.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Which audio files are played.
    pub format: FormatRule,
    /// Which hosts are asked.
    pub outgoing: Rule,
    /// How much and how long.
    pub limits: Limits,
}

/// The prompts of all calls. Cheap to clone; the clones share what is kept.
#[derive(Clone)]
pub struct Prompts {
    inner: Arc<Inner>,
}

struct Inner {
    policy: Policy,
    fetcher: Fetcher,
    downloads: Semaphore,
    coding: CodingSlots,
    default_music: OnceCell<Arc<Prompt>>,
    state: Mutex<State>,
}

struct State {
    shelf: Shelf,
    flights: Flights,
}

impl Prompts {
    /// Starts with nothing kept and nothing fetched.
    pub fn new(policy: Policy) -> Self {
        let state = State { shelf: Shelf::new(&policy.limits), flights: Flights::default() };
        Self {
            inner: Arc::new(Inner {
                fetcher: Fetcher::new(policy.outgoing.clone(), &policy.limits),
                downloads: Semaphore::new(policy.limits.downloads),
                coding: CodingSlots::new(),
                default_music: OnceCell::new(),
                state: Mutex::new(state),
                policy,
            }),
        }
    }

    /// Loads a prompt, from what is kept or from its URI, ready to be sent in `codec`.
    ///
    /// Must run inside a tokio runtime. What was begun is finished and kept even if the caller stops waiting.
    ///
    /// # Errors
    ///
    /// [`PromptFailure::Download`] when the bytes cannot be had, [`PromptFailure::Format`] when they are not audio that
    /// the [`FormatRule`] accepts.
    pub async fn load(
        &self,
        scope: CallScope,
        source: &PromptSource,
        codec: Codec,
    ) -> Result<Arc<Loop>, PromptFailure> {
        let prompt = self.load_prompt(scope, source).await?;
        Ok(prompt.encoded(codec, &self.inner.coding).await?)
    }

    /// Finds a prompt that can be played at once: kept, still fresh, and already encoded in `codec`.
    pub fn cached(&self, scope: CallScope, source: &PromptSource, codec: Codec) -> Option<Arc<Loop>> {
        let named = HttpUri::parse(&source.uri).ok()?;
        let id = source.resource_id.as_deref();
        let kept = self.inner.lock().shelf.find(scope, id, &named, Instant::now());
        kept?.ready(codec)
    }

    /// Loads prompts ahead of need, for every codec: a call's `preFetchMedia`.
    ///
    /// Returns at once. A failure is not reported: the prompt is fetched again when it is played, and fails then.
    /// Sources beyond [`Limits::prefetch_count`] are left until they are played.
    pub fn prefetch(&self, scope: CallScope, sources: Vec<PromptSource>) {
        for source in sources.into_iter().take(self.inner.policy.limits.prefetch_count) {
            let prompts = self.clone();
            tokio::spawn(async move {
                if prompts.prepare(scope, &source).await.is_err() {
                    tracing::debug!("a prompt could not be fetched ahead of need, and will be tried when it is played");
                }
            });
        }
    }

    /// Forgets what a call kept under its `resourceId`s, once the call has ended and loads nothing any more.
    pub fn forget(&self, scope: CallScope) {
        self.inner.lock().shelf.forget(scope);
    }

    /// The built-in music, ready to be sent in `codec`.
    pub async fn default_music(&self, codec: Codec) -> Arc<Loop> {
        let prompt = self.inner.default_prompt().await;
        prompt.encoded(codec, &self.inner.coding).await.expect("the built-in music can be encoded in every codec")
    }

    /// The built-in music, if it is already encoded in `codec`.
    pub fn default_music_cached(&self, codec: Codec) -> Option<Arc<Loop>> {
        self.inner.default_music.get()?.ready(codec)
    }

    /// Encodes the built-in music for all codecs in the background, so that the first hold need not wait for it.
    pub fn warm_up(&self) {
        let prompts = self.clone();
        tokio::spawn(async move {
            for codec in ALL_CODECS {
                prompts.default_music(codec).await;
            }
        });
    }

    async fn prepare(&self, scope: CallScope, source: &PromptSource) -> Result<(), PromptFailure> {
        let prompt = self.load_prompt(scope, source).await?;
        for codec in ALL_CODECS {
            prompt.encoded(codec, &self.inner.coding).await?;
        }
        Ok(())
    }

    async fn load_prompt(&self, scope: CallScope, source: &PromptSource) -> Result<Arc<Prompt>, PromptFailure> {
        let named = HttpUri::parse(&source.uri).map_err(DownloadError::from)?;
        let Some(id) = &source.resource_id else {
            return self.inner.obtain(&named).await;
        };
        let uri = match self.inner.lock().shelf.claim(scope, id, named) {
            shelf::Claim::Kept(prompt) => return Ok(prompt),
            shelf::Claim::From(uri) => uri,
        };
        let outcome = self.inner.obtain(&uri).await;
        self.inner.lock().shelf.settle(scope, id, &uri, outcome.as_ref().ok());
        outcome
    }
}

impl Inner {
    async fn default_prompt(&self) -> &Arc<Prompt> {
        let compose = async || {
            let prompt = self.coding.run(|| Prompt::new(media::hold_music(), None)).await;
            Arc::new(prompt.expect("the built-in music is composed without a panic"))
        };
        self.default_music.get_or_init(compose).await
    }

    /// Held for a few map look-ups, never across an await.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the lock")
    }
}
