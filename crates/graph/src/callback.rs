//! Where an application wants its notifications: the `callbackUri` of a call.

use std::net::IpAddr;

use url::{Host, Url};

/// Says how much the server trusts its surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A developer's machine: loopback needs no encryption.
    Dev,
    /// A network with strangers on it.
    Production,
}

/// Is an absolute URI that notifications are posted to. Graph demands https; on a developer's machine http to the
/// machine itself is as safe and needs no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallbackUri(Url);

/// Says why a `callbackUri` is not taken, as a clause that follows the member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallbackUriError {
    #[error("must be an absolute https URI")]
    NotHttps,
    #[error("must be an absolute https URI, or http to this machine's loopback address")]
    NotLoopback,
    #[error("must not hold a user name or a password")]
    Credentials,
    #[error("is longer than {} bytes", CallbackUri::BYTES_MAX)]
    TooLong,
}

impl CallbackUri {
    /// Longest URI that is accepted, in bytes. Every call keeps one; real ones are below 200.
    pub(crate) const BYTES_MAX: usize = 2048;

    /// Reads a URI as the profile allows it.
    pub(crate) fn parse(text: &str, profile: Profile) -> Result<CallbackUri, CallbackUriError> {
        if text.len() > Self::BYTES_MAX {
            return Err(CallbackUriError::TooLong);
        }
        let refusal = match profile {
            Profile::Dev => CallbackUriError::NotLoopback,
            Profile::Production => CallbackUriError::NotHttps,
        };
        let url = Url::parse(text).map_err(|_| refusal)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(CallbackUriError::Credentials);
        }
        match url.scheme() {
            "https" => Ok(CallbackUri(url)),
            "http" if profile == Profile::Dev && is_loopback(&url) => Ok(CallbackUri(url)),
            _ => Err(refusal),
        }
    }

    /// Returns the URI as text.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, profile: Profile, expected: Result<(), CallbackUriError>) {
        assert_eq!(CallbackUri::parse(text, profile).map(|_| ()), expected, "{text}");
    }

    #[test]
    fn https_is_always_taken() {
        check("https://bot.example/cb", Profile::Production, Ok(()));
        check("https://bot.example/cb", Profile::Dev, Ok(()));
    }

    #[test]
    fn http_is_taken_to_loopback_in_dev_only() {
        for text in ["http://127.0.0.1:9/cb", "http://localhost/cb", "http://[::1]:9/cb", "http://127.1/cb"] {
            check(text, Profile::Dev, Ok(()));
            check(text, Profile::Production, Err(CallbackUriError::NotHttps));
        }
        check("http://bot.example/cb", Profile::Dev, Err(CallbackUriError::NotLoopback));
    }

    #[test]
    fn what_is_no_callback_is_refused() {
        check("/cb", Profile::Production, Err(CallbackUriError::NotHttps));
        check("ftp://bot.example/cb", Profile::Dev, Err(CallbackUriError::NotLoopback));
        check("https://user:pw@bot.example/cb", Profile::Dev, Err(CallbackUriError::Credentials));
        check(&format!("https://bot.example/{}", "a".repeat(2048)), Profile::Dev, Err(CallbackUriError::TooLong));
    }
}
