//! The URI of an outgoing request, as far as its text alone can be judged.

use thiserror::Error;
use url::{Host, Url};

use super::rule::PlainHttp;

/// Is an absolute `http` or `https` URI with a host and without a user, and without a fragment, which is never sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HttpUri(Url);

/// Says why a URI is not asked, as a clause that follows the name of the member or key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UriError {
    /// A relative one, one of another scheme, or no URI at all.
    #[error("must be an absolute http or https URI")]
    NotHttp,
    /// A URI of unreasonable length.
    #[error("is longer than {limit_bytes} bytes")]
    TooLong {
        /// The longest that is accepted.
        limit_bytes: usize,
    },
    /// A line break, another control character, or a backslash.
    #[error("must not hold a control character or a backslash")]
    Characters,
    /// A part before `@`. What is meant for a log or a person to read as the host may stand there.
    #[error("must not hold a user name or a password")]
    Credentials,
    /// `http` where it is not safe.
    #[error("must be an absolute https URI{}", match .plain_http {
        PlainHttp::ToLoopback => ", or http to this machine's loopback address",
        PlainHttp::Anywhere | PlainHttp::Nowhere => "",
    })]
    NotHttps {
        /// Where `http` would be.
        plain_http: PlainHttp,
    },
    /// A port of another protocol.
    #[error("has the port {port}, to which this server sends no requests")]
    Port {
        /// The port, also if the scheme implies it.
        port: u16,
    },
    /// The host is inside somebody's network. The address is not told: it would map that network for whoever asks.
    #[error("has the host '{host}' with an address that is not public, and this server asks public ones only")]
    NotPublic {
        /// The host as the URI names it.
        host: String,
    },
    /// The host is on the operator's list.
    #[error("has the host '{host}', which this server must not ask")]
    Denied {
        /// The host as the URI names it.
        host: String,
    },
}

impl HttpUri {
    /// Longest URI that is accepted, in bytes: longer than any signed one of the large storage services (about 2 KB).
    /// Browsers and proxies stop here (RFC 9110, section 4.1). It bounds the keys of what is kept.
    pub const BYTES_MAX: usize = 8 * 1024;

    /// Reads a URI.
    ///
    /// # Errors
    ///
    /// [`UriError`], of those that need no [`Rule`](super::Rule).
    pub fn parse(text: &str) -> Result<HttpUri, UriError> {
        check_text(text)?;
        accept(Url::parse(text).map_err(|_| UriError::NotHttp)?)
    }

    /// Reads the target of a redirect, which may be relative to this URI.
    ///
    /// # Errors
    ///
    /// As [`HttpUri::parse`].
    pub fn join(&self, location: &str) -> Result<HttpUri, UriError> {
        check_text(location)?;
        accept(self.0.join(location).map_err(|_| UriError::NotHttp)?)
    }

    /// Returns the URI as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns scheme, host and port: all of the URI that a message may show. Path and query may hold secrets.
    #[must_use]
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Says whether it is asked over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// The host, with every odd notation of an IP address (`0x7f.1`, `2130706433`) already normalised.
    pub(super) fn host(&self) -> Host<&str> {
        self.0.host().expect("an http or https URL has a host")
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port_or_known_default().expect("http and https have a default port")
    }
}

/// The parser would take line breaks out and turn backslashes round; then we would ask for something else than what
/// stands there, and whoever checked it before us checked something else.
fn check_text(text: &str) -> Result<(), UriError> {
    if text.len() > HttpUri::BYTES_MAX {
        return Err(UriError::TooLong { limit_bytes: HttpUri::BYTES_MAX });
    }
    match text.contains(|character: char| character.is_control() || character == '\\') {
        true => Err(UriError::Characters),
        false => Ok(()),
    }
}

fn accept(mut url: Url) -> Result<HttpUri, UriError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(UriError::NotHttp);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UriError::Credentials);
    }
    url.set_fragment(None);
    Ok(HttpUri(url))
}
