//! The URI of a prompt: absolute, http or https, with a host.

use url::{Host, Url};

use super::DownloadError;

/// Longer than any signed URI of the large storage services (about 2 KB). It bounds the keys of what is kept.
const URI_BYTES_MAX: usize = 8192;

/// A URI that may be fetched, as far as its text goes; its address is checked when it is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PromptUri(Url);

impl PromptUri {
    /// # Errors
    ///
    /// [`DownloadError::Uri`] and [`DownloadError::Scheme`].
    pub(super) fn parse(text: &str) -> Result<Self, DownloadError> {
        if text.len() > URI_BYTES_MAX {
            return Err(DownloadError::UriTooLong { limit_bytes: URI_BYTES_MAX });
        }
        Self::accept(Url::parse(text).map_err(DownloadError::Uri)?)
    }

    /// The target of a redirect, which may be relative to this URI.
    ///
    /// # Errors
    ///
    /// As [`PromptUri::parse`].
    pub(super) fn join(&self, location: &str) -> Result<Self, DownloadError> {
        if location.len() > URI_BYTES_MAX {
            return Err(DownloadError::UriTooLong { limit_bytes: URI_BYTES_MAX });
        }
        Self::accept(self.0.join(location).map_err(DownloadError::Uri)?)
    }

    fn accept(mut url: Url) -> Result<Self, DownloadError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(DownloadError::Scheme { scheme: url.scheme().to_owned() });
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// The host, with every odd notation of an IP address (`0x7f.1`, `2130706433`) already normalised.
    pub(super) fn host(&self) -> Host<&str> {
        self.0.host().expect("an http or https URL has a host")
    }

    /// Scheme, host and port: all of the URI that a message may show. Path, query and user may hold secrets.
    pub(super) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}
