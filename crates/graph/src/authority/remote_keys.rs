//! Fetches the keys of a foreign issuer: bounded in time and size, one fetch at a time, without redirects.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use reqwest::redirect;
use serde::Deserialize;
use url::Url;

use super::foreign_issuer::KeySource;
use super::key_cache::{KeyCache, Keys, Lookup, VerifyingKey, read_keys};

/// How long a connection to an issuer may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one document may take. The request that waits for it is given up by its client soon after.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest document that is read, in bytes. Entra ID's keys take some 20 KiB.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// Is the keys of one issuer.
pub(crate) struct RemoteKeys {
    source: KeySource,
    client: reqwest::Client,
    cache: Mutex<KeyCache>,
    /// Is held while keys are fetched; who waits for it looks again before it fetches itself.
    flight: Arc<tokio::sync::Mutex<()>>,
}

/// Says why there is no key to check a token with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyFault {
    /// The issuer has no key of that name, or none that we would use.
    Unknown,
    /// The issuer could not be asked.
    Unreachable,
}

/// Says why keys could not be fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("the request failed: {0}")]
    Request(#[from] reqwest::Error),
    #[error("the document is longer than {DOCUMENT_BYTES_MAX} bytes")]
    TooLong,
    #[error("the document cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the discovery document is of another issuer")]
    AnotherIssuer,
    #[error("the discovery document leads to an unsafe URL")]
    UnsafeUrl,
}

/// Is what is read of a discovery document.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl RemoteKeys {
    pub(crate) fn new(source: KeySource, client: reqwest::Client) -> RemoteKeys {
        RemoteKeys { source, client, cache: Mutex::default(), flight: Arc::default() }
    }

    /// Makes the client for all issuers.
    ///
    /// # Errors
    ///
    /// [`reqwest::Error`] if the TLS side cannot be set up.
    pub(crate) fn client() -> Result<reqwest::Client, reqwest::Error> {
        let client = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(FETCH_TIMEOUT);
        // A redirect could lead from a checked URL to any other.
        client.redirect(redirect::Policy::none()).build()
    }

    /// Finds a key by its name, fetching the issuer's keys if it is time.
    pub(crate) async fn find(self: &Arc<Self>, kid: &str) -> Result<Arc<VerifyingKey>, KeyFault> {
        match self.lookup(kid) {
            Lookup::Found(key) => return Ok(key),
            Lookup::Stale(key) => {
                tokio::spawn(Arc::clone(self).refresh(kid.to_owned()));
                return Ok(key);
            }
            Lookup::Unknown => return Err(KeyFault::Unknown),
            Lookup::Unreachable => return Err(KeyFault::Unreachable),
            Lookup::Fetch => {}
        }
        // A task of its own: a stranger who hangs up must not cut off the fetch for all.
        let refreshed = tokio::spawn(Arc::clone(self).refresh(kid.to_owned())).await;
        refreshed.map_err(|_| KeyFault::Unreachable)?;
        match self.lookup(kid) {
            Lookup::Found(key) | Lookup::Stale(key) => Ok(key),
            Lookup::Unknown => Err(KeyFault::Unknown),
            Lookup::Fetch | Lookup::Unreachable => Err(KeyFault::Unreachable),
        }
    }

    fn lookup(&self, kid: &str) -> Lookup {
        self.cache().lookup(kid, Instant::now())
    }

    async fn refresh(self: Arc<Self>, kid: String) {
        let _flight = self.flight.lock().await;
        // Whoever was first has fetched for all who waited.
        if !matches!(self.lookup(&kid), Lookup::Fetch | Lookup::Stale(_)) {
            return;
        }
        self.cache().begin(Instant::now());
        let keys = self.fetch().await;
        if let Err(error) = &keys {
            tracing::warn!(%error, source = %self.source.url(), "an issuer's keys could not be fetched");
        }
        self.cache().end(keys.ok(), Instant::now());
    }

    fn cache(&self) -> MutexGuard<'_, KeyCache> {
        self.cache.lock().expect("nothing panics while it holds the keys")
    }

    async fn fetch(&self) -> Result<Keys, FetchError> {
        Ok(read_keys(&self.fetch_jwks().await?)?)
    }

    async fn fetch_jwks(&self) -> Result<Vec<u8>, FetchError> {
        match &self.source {
            KeySource::Jwks(url) => self.get(url.clone()).await,
            KeySource::Discovery { document, issuer } => {
                let found: Discovery = serde_json::from_slice(&self.get(document.clone()).await?)?;
                // OpenID Connect Discovery 1.0, section 4.3: otherwise one issuer could speak for another.
                if found.issuer != *issuer {
                    return Err(FetchError::AnotherIssuer);
                }
                let url = KeySource::follow(document, &found.jwks_uri).map_err(|_| FetchError::UnsafeUrl)?;
                self.get(url).await
            }
        }
    }

    async fn get(&self, url: Url) -> Result<Vec<u8>, FetchError> {
        let mut response = self.client.get(url).send().await?.error_for_status()?;
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if document.len() + chunk.len() > DOCUMENT_BYTES_MAX {
                return Err(FetchError::TooLong);
            }
            document.extend_from_slice(&chunk);
        }
        Ok(document)
    }
}

impl KeySource {
    fn url(&self) -> &Url {
        match self {
            KeySource::Jwks(url) => url,
            KeySource::Discovery { document, .. } => document,
        }
    }
}
