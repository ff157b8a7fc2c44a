//! Fetches the keys of a foreign issuer: bounded in time and size, one fetch at a time, without redirects.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use engine::outgoing::{Client, HttpUri, PlainHttp, RequestError, UriError};
use http::{Method, StatusCode};
use serde::Deserialize;

use super::foreign_issuer::KeySource;
use super::key_cache::{KeyCache, Keys, Lookup, VerifyingKey, read_keys};

/// How long a connection to an issuer may take.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one document may take. The request that waits for it is given up by its client soon after.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest document that is read, in bytes. Entra ID's keys take some 20 KiB.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;

/// Is the keys of one issuer.
pub(crate) struct RemoteKeys {
    source: KeySource,
    client: Client,
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
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error("the answer was {0}")]
    Status(StatusCode),
    #[error("the document is longer than {DOCUMENT_BYTES_MAX} bytes")]
    TooLong,
    #[error("the document cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the discovery document is of another issuer")]
    AnotherIssuer,
    #[error("the discovery document leads to an unsafe URI: jwks_uri {0}")]
    Unsafe(#[from] UriError),
}

/// Is what is read of a discovery document.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl RemoteKeys {
    pub(crate) fn new(source: KeySource, client: Client) -> RemoteKeys {
        RemoteKeys { source, client, cache: Mutex::default(), flight: Arc::default() }
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
            tracing::warn!(%error, source = self.source.uri().origin(), "an issuer's keys could not be fetched");
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
            KeySource::Jwks(uri) => self.get(uri).await,
            KeySource::Discovery { document, issuer } => {
                let found: Discovery = serde_json::from_slice(&self.get(document).await?)?;
                // OpenID Connect Discovery 1.0, section 4.3: otherwise one issuer could speak for another.
                if found.issuer != *issuer {
                    return Err(FetchError::AnotherIssuer);
                }
                self.get(&follow(document, &found.jwks_uri)?).await
            }
        }
    }

    async fn get(&self, uri: &HttpUri) -> Result<Vec<u8>, FetchError> {
        let broken = |error| RequestError::of(uri, &error);
        let request = self.client.request(Method::GET, uri).map_err(RequestError::from)?.timeout(FETCH_TIMEOUT);
        let mut response = request.send().await.map_err(broken)?;
        // Nor is a redirect followed: an issuer says by its document where its keys are.
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if document.len() + chunk.len() > DOCUMENT_BYTES_MAX {
                return Err(FetchError::TooLong);
            }
            document.extend_from_slice(&chunk);
        }
        Ok(document)
    }
}

/// Reads the `jwks_uri` of a discovery document: it must be as safe as the document was. Whether it may be asked at all
/// is the client's to say.
fn follow(document: &HttpUri, jwks_uri: &str) -> Result<HttpUri, UriError> {
    let uri = HttpUri::parse(jwks_uri)?;
    match document.is_https() && !uri.is_https() {
        true => Err(UriError::NotHttps { plain_http: PlainHttp::Nowhere }),
        false => Ok(uri),
    }
}

impl KeySource {
    fn uri(&self) -> &HttpUri {
        match self {
            KeySource::Jwks(uri) => uri,
            KeySource::Discovery { document, .. } => document,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_came_by_https_does_not_lead_to_http() {
        let document = HttpUri::parse("https://idp.example/.well-known/openid-configuration").expect("a URI");
        assert!(follow(&document, "https://keys.example/jwks").is_ok());
        assert!(follow(&document, "http://127.0.0.1/jwks").is_err());
    }
}
