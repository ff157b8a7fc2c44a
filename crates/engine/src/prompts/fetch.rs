//! One GET for a prompt: with a deadline, a size limit, and every redirect checked like the first URI.

use std::time::SystemTime;

use reqwest::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION};
use reqwest::{Method, Response, StatusCode};
use tokio::time::timeout;

use super::freshness::{Freshness, Validators};
use super::{DownloadError, Limits};
use crate::outgoing::{Client, HttpUri, RequestError, Rule};

/// What is reserved for a file before its first byte, whatever its `Content-Length` promises: a lie costs no memory.
const RESERVED_BYTES_MAX: usize = 1024 * 1024;

/// Fetches prompts.
pub(super) struct Fetcher {
    client: Client,
    limits: Limits,
}

/// What a fetch brought.
pub(super) enum Fetched {
    /// The file.
    File { bytes: Vec<u8>, freshness: Freshness, validators: Option<Validators> },
    /// What is kept still holds; with what the origin says anew about how long, if it says anything.
    NotModified { freshness: Option<Freshness> },
}

impl Fetcher {
    pub(super) fn new(rule: Rule, limits: &Limits) -> Self {
        Self { client: Client::new(rule, limits.connect), limits: limits.clone() }
    }

    /// Fetches a prompt, or learns that what is kept of it (`known`) still holds.
    ///
    /// # Errors
    ///
    /// All of [`DownloadError`] but `Busy` and `Abandoned`.
    pub(super) async fn fetch(&self, uri: &HttpUri, known: Option<&Validators>) -> Result<Fetched, DownloadError> {
        let limit = self.limits.fetch;
        let late = |_| DownloadError::Timeout { origin: uri.origin(), limit };
        timeout(limit, self.follow(uri, known)).await.map_err(late)?
    }

    async fn follow(&self, uri: &HttpUri, known: Option<&Validators>) -> Result<Fetched, DownloadError> {
        let mut uri = uri.clone();
        let mut path = Freshness::unlimited();
        for _ in 0..=self.limits.redirects {
            let known = known.filter(|known| known.uri == uri);
            let response = self.ask(&uri, known).await?;
            let now = SystemTime::now();
            match response.status() {
                StatusCode::OK => return self.receive(&uri, response, path).await,
                StatusCode::NOT_MODIFIED if known.is_some() => {
                    let freshness = Freshness::explicit(response.headers(), now).map(|said| said.and(path));
                    return Ok(Fetched::NotModified { freshness });
                }
                status if is_redirect(status) => {
                    path = path.and(Freshness::of_redirect(status, response.headers(), now));
                    uri = redirected(&uri, &response)?;
                }
                status => return Err(DownloadError::Status { origin: uri.origin(), status }),
            }
        }
        Err(DownloadError::TooManyRedirects { limit: self.limits.redirects })
    }

    async fn ask(&self, uri: &HttpUri, known: Option<&Validators>) -> Result<Response, DownloadError> {
        let mut request = self.client.request(Method::GET, uri)?.header(ACCEPT_ENCODING, "identity");
        if let Some(etag) = known.and_then(|known| known.etag.as_ref()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = known.and_then(|known| known.last_modified.as_ref()) {
            request = request.header(IF_MODIFIED_SINCE, last_modified);
        }
        Ok(request.send().await.map_err(|error| RequestError::of(uri, &error))?)
    }

    async fn receive(&self, uri: &HttpUri, mut response: Response, path: Freshness) -> Result<Fetched, DownloadError> {
        let limit_bytes = self.limits.file_bytes;
        let announced = response.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced > limit_bytes {
            return Err(DownloadError::TooLarge { limit_bytes });
        }
        let freshness = Freshness::of_file(response.headers(), SystemTime::now()).and(path);
        let validators = Validators::of(uri, response.headers());
        let mut bytes = Vec::with_capacity(announced.min(RESERVED_BYTES_MAX));
        while let Some(chunk) = response.chunk().await.map_err(|error| RequestError::of(uri, &error))? {
            if bytes.len() + chunk.len() > limit_bytes {
                return Err(DownloadError::TooLarge { limit_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Fetched::File { bytes, freshness, validators })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirected(uri: &HttpUri, response: &Response) -> Result<HttpUri, DownloadError> {
    let nowhere = || DownloadError::Redirect { origin: uri.origin(), status: response.status() };
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    Ok(uri.join(location.ok_or_else(nowhere)?)?)
}
