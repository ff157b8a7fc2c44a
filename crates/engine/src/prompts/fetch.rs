//! One GET for a prompt: with a deadline, a size limit, and every redirect checked like the first URI.

use std::error::Error;
use std::net::IpAddr;
use std::time::SystemTime;

use reqwest::header::{ACCEPT_ENCODING, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION};
use reqwest::{Client, ClientBuilder, Response, StatusCode, redirect, retry};
use tokio::time::timeout;
use url::Host;

use super::address::{AddressRule, ResolveError, Resolver};
use super::freshness::{Freshness, Validators};
use super::uri::PromptUri;
use super::{DownloadError, Limits};

/// What is reserved for a file before its first byte, whatever its `Content-Length` promises: a lie costs no memory.
const RESERVED_BYTES_MAX: usize = 1024 * 1024;

/// Fetches prompts.
pub(super) struct Fetcher {
    client: Client,
    rule: AddressRule,
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
    pub(super) fn new(rule: AddressRule, limits: &Limits) -> Self {
        Self { client: client(&rule, limits), rule, limits: limits.clone() }
    }

    /// Fetches a prompt, or learns that what is kept of it (`known`) still holds.
    ///
    /// # Errors
    ///
    /// All of [`DownloadError`] but `Busy` and `Abandoned`.
    pub(super) async fn fetch(&self, uri: &PromptUri, known: Option<&Validators>) -> Result<Fetched, DownloadError> {
        let limit = self.limits.fetch;
        let late = |_| DownloadError::Timeout { origin: uri.origin(), limit };
        timeout(limit, self.follow(uri, known)).await.map_err(late)?
    }

    async fn follow(&self, uri: &PromptUri, known: Option<&Validators>) -> Result<Fetched, DownloadError> {
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

    async fn ask(&self, uri: &PromptUri, known: Option<&Validators>) -> Result<Response, DownloadError> {
        self.check_literal_address(uri)?;
        let mut request = self.client.get(uri.url().clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(etag) = known.and_then(|known| known.etag.as_ref()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        if let Some(last_modified) = known.and_then(|known| known.last_modified.as_ref()) {
            request = request.header(IF_MODIFIED_SINCE, last_modified);
        }
        request.send().await.map_err(|error| self.explain(uri, &error))
    }

    /// A host that is an address in digits never reaches the [`Resolver`].
    fn check_literal_address(&self, uri: &PromptUri) -> Result<(), DownloadError> {
        let address = match uri.host() {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
        };
        match self.rule.allows(address) {
            true => Ok(()),
            false => Err(DownloadError::NotPublic { host: uri.host().to_string() }),
        }
    }

    async fn receive(
        &self,
        uri: &PromptUri,
        mut response: Response,
        path: Freshness,
    ) -> Result<Fetched, DownloadError> {
        let limit_bytes = self.limits.file_bytes;
        let announced = response.content_length().map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced > limit_bytes {
            return Err(DownloadError::TooLarge { limit_bytes });
        }
        let freshness = Freshness::of_file(response.headers(), SystemTime::now()).and(path);
        let validators = Validators::of(uri, response.headers());
        let mut bytes = Vec::with_capacity(announced.min(RESERVED_BYTES_MAX));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(uri, &error))? {
            if bytes.len() + chunk.len() > limit_bytes {
                return Err(DownloadError::TooLarge { limit_bytes });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Fetched::File { bytes, freshness, validators })
    }

    fn explain(&self, uri: &PromptUri, error: &reqwest::Error) -> DownloadError {
        let origin = uri.origin();
        let host = || uri.host().to_string();
        match causes(error).find_map(|cause| cause.downcast_ref::<ResolveError>()) {
            Some(ResolveError::Unknown) => return DownloadError::Unresolved { host: host() },
            Some(ResolveError::NotPublic) => return DownloadError::NotPublic { host: host() },
            None => {}
        }
        if error.is_connect() && error.is_timeout() {
            return DownloadError::ConnectTimeout { origin, limit: self.limits.connect };
        }
        // The innermost cause: the outer ones repeat the whole URI.
        let cause = causes(error).last().map_or_else(String::new, |cause| cause.to_string());
        match error.is_connect() {
            true => DownloadError::Connect { origin, cause },
            false => DownloadError::Interrupted { origin, cause },
        }
    }
}

/// A client without proxies: behind one, the address that is checked would not be the one that is asked.
fn client(rule: &AddressRule, limits: &Limits) -> Client {
    let builder = || -> ClientBuilder {
        Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .dns_resolver(Resolver { rule: rule.clone() })
            .connect_timeout(limits.connect)
            .user_agent("Fermata")
    };
    builder().build().unwrap_or_else(|error| {
        tracing::warn!(%error, "this machine has no CA certificates: prompts are fetched over http, not over https");
        builder().tls_certs_only([]).build().expect("a client that trusts nobody needs nothing of the machine")
    })
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn redirected(uri: &PromptUri, response: &Response) -> Result<PromptUri, DownloadError> {
    let nowhere = || DownloadError::Redirect { origin: uri.origin(), status: response.status() };
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    uri.join(location.ok_or_else(nowhere)?)
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
