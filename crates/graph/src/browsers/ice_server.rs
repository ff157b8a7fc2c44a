//! Servers that help browsers to find a path, STUN and TURN: pages are told of them in `Link` headers (RFC 9725, section
//! 4.6), both when a browser opens and when it answers.
//!
//! Credentials for TURN are best made for each user and for a while, from a secret that the TURN server knows, too: what a
//! page has been told is then worthless tomorrow (draft-uberti-behave-turn-rest; coturn's `use-auth-secret`).

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use http::HeaderValue;
use sha1::Sha1;

/// How long credentials are good that are made for a user. A call that is longer keeps what it has; less would only
/// make pages ask more often.
const CREDENTIALS_LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// Is a server that helps browsers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    url: String,
    credentials: IceCredentials,
}

/// Is what a TURN server asks for.
#[derive(Clone, PartialEq, Eq)]
pub enum IceCredentials {
    /// Nothing: it is a STUN server.
    None,
    /// A name and a password that are the same for everybody.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// What follows from this secret, for each user anew.
    Secret(String),
}

/// Says that a URL is none of a STUN or TURN server, or cannot stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must begin with stun:, stuns:, turn: or turns:, and hold no spaces, quotes or angle brackets")]
pub struct BadIceServer;

/// Prints without what is secret.
impl fmt::Debug for IceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IceCredentials::None => "None",
            IceCredentials::Password { .. } => "Password",
            IceCredentials::Secret(_) => "Secret",
        })
    }
}

impl IceServer {
    /// Reads a URL (RFC 7064, RFC 7065).
    ///
    /// # Errors
    ///
    /// [`BadIceServer`].
    pub fn new(url: &str, credentials: IceCredentials) -> Result<IceServer, BadIceServer> {
        let has_scheme = ["stun:", "stuns:", "turn:", "turns:"].iter().any(|scheme| url.starts_with(scheme));
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte));
        match has_scheme && is_plain {
            true => Ok(IceServer { url: url.to_owned(), credentials }),
            false => Err(BadIceServer),
        }
    }

    /// Returns the `Link` header that tells a user of it; none if what the operator has configured fits into no header.
    pub(super) fn link(&self, user: &str, now: DateTime<Utc>) -> Option<HeaderValue> {
        let mut link = format!("<{}>; rel=\"ice-server\"", self.url);
        if let Some((username, credential)) = self.credentials.of(user, now) {
            let [username, credential] =
                [username, credential].map(|text| text.replace('\\', "\\\\").replace('"', "\\\""));
            link += &format!("; username=\"{username}\"; credential=\"{credential}\"; credential-type=\"password\"");
        }
        let mut link = HeaderValue::try_from(link).ok()?;
        link.set_sensitive(true);
        Some(link)
    }
}

impl IceCredentials {
    fn of(&self, user: &str, now: DateTime<Utc>) -> Option<(String, String)> {
        match self {
            IceCredentials::None => None,
            IceCredentials::Password { username, password } => Some((username.clone(), password.clone())),
            IceCredentials::Secret(secret) => {
                let username = format!("{}:{user}", (now + CREDENTIALS_LIFETIME).timestamp());
                let mut hmac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("a key of HMAC has any length");
                hmac.update(username.as_bytes());
                Some((username, STANDARD.encode(hmac.finalize().into_bytes())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str, credentials: IceCredentials) -> String {
        let server = IceServer::new(url, credentials).expect("a good URL");
        let now = DateTime::from_timestamp(1_000_000, 0).expect("a time");
        server.link("bob", now).expect("a header").to_str().expect("text").to_owned()
    }

    #[test]
    fn a_page_is_told_as_whip_has_it() {
        assert_eq!(link("stun:stun.example", IceCredentials::None), r#"<stun:stun.example>; rel="ice-server""#);
        let password = IceCredentials::Password { username: "me".to_owned(), password: "a\"b".to_owned() };
        assert_eq!(
            link("turn:turn.example?transport=tcp", password),
            r#"<turn:turn.example?transport=tcp>; rel="ice-server"; username="me"; credential="a\"b"; credential-type="password""#
        );
    }

    #[test]
    fn credentials_of_a_secret_are_a_users_and_end() {
        let told = link("turn:turn.example", IceCredentials::Secret("north".to_owned()));
        // printf 1043200:bob | openssl dgst -sha1 -hmac north -binary | base64
        assert!(told.contains(r#"username="1043200:bob"; credential="rNhAglxkGDo54BPCilDc9X+hUpo=";"#), "{told}");
    }

    #[test]
    fn only_urls_of_such_servers_are_taken() {
        for url in ["http://turn.example", "turn.example", "turn:a>b", "turn:a b", "stun:\n"] {
            assert_eq!(IceServer::new(url, IceCredentials::None), Err(BadIceServer), "{url}");
        }
    }
}
