//! Where an application wants its notifications: the `callbackUri` of a call.

use engine::outgoing::{HttpUri, Rule, UriError};

/// Is an absolute URI that notifications are posted to. Graph demands https; on a developer's machine http to the
/// machine itself is as safe and needs no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackUri(HttpUri);

impl CallbackUri {
    /// Longest URI that is accepted, in bytes. Every call keeps one; real ones are below 200.
    const BYTES_MAX: usize = 2048;

    /// Reads a URI as the rule allows it. What its name leads to is found out when there is something to tell.
    ///
    /// # Errors
    ///
    /// [`UriError`].
    pub fn parse(text: &str, rule: &Rule) -> Result<CallbackUri, UriError> {
        if text.len() > Self::BYTES_MAX {
            return Err(UriError::TooLong { limit_bytes: Self::BYTES_MAX });
        }
        rule.parse(text).map(CallbackUri)
    }

    /// Returns the URI as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}
