//! Names with addresses: From, To, Contact, Route and Record-Route (RFC 3261 §20.10).

use std::fmt;
use std::str::FromStr;

use super::text::{Parameters, find_outside, quote, unquote};
use super::uri::{Uri, UriError};

/// A display name, a URI and parameters: `"Alice" <sip:alice@example.com>;tag=1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameAddr {
    /// The display name without quotes.
    pub display: Option<String>,
    /// The URI.
    pub uri: Uri,
    /// What follows the URI, such as `tag` and `expires`.
    pub parameters: Parameters,
}

impl NameAddr {
    /// Makes an address without a display name and parameters.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, parameters: Parameters::default() }
    }

    /// Adds a display name.
    pub fn named(mut self, display: &str) -> NameAddr {
        self.display = Some(display.to_owned());
        self
    }

    /// Returns the `tag` parameter.
    pub fn tag(&self) -> Option<&str> {
        self.parameters.value("tag")
    }

    /// Adds the `tag` parameter.
    pub(super) fn tagged(mut self, tag: &str) -> NameAddr {
        self.parameters.set("tag", Some(tag));
        self
    }
}

impl FromStr for NameAddr {
    type Err = UriError;

    fn from_str(text: &str) -> Result<NameAddr, UriError> {
        let text = text.trim();
        let Some(open) = find_outside(text, '<') else { return parse_addr_spec(text) };
        let (uri, rest) = text[open + 1..].split_once('>').ok_or(UriError::Syntax)?;
        let parameters = rest.trim_start().strip_prefix(';').unwrap_or("");
        Ok(NameAddr {
            display: Some(unquote(text[..open].trim())).filter(|name| !name.is_empty()),
            uri: uri.trim().parse()?,
            parameters: Parameters::parse(parameters),
        })
    }
}

/// Reads a bare URI. Parameters after it belong to the header field, not to the URI (RFC 3261 §20.10).
fn parse_addr_spec(text: &str) -> Result<NameAddr, UriError> {
    let (uri, parameters) = text.split_once(';').unwrap_or((text, ""));
    Ok(NameAddr { display: None, uri: uri.trim().parse()?, parameters: Parameters::parse(parameters) })
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.parameters)
    }
}
