//! Digest authentication: the values and their arithmetic (RFC 2617, RFC 7616, RFC 8760).

use std::fmt;

use md5::Digest as _;

use super::random::hex;
use super::text::{quote, split, unquote};

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// A hash algorithm of digest authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RFC 2617; what every phone speaks.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    fn from_name(name: &str) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256].into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Returns the name as it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex(&md5::Md5::digest(text)),
            Algorithm::Sha256 => hex(&sha2::Sha256::digest(text)),
        }
    }
}

/// What goes into a digest besides the password.
pub(super) struct Proof<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) user: &'a str,
    pub(super) realm: &'a str,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) nonce: &'a str,
    /// Count and cnonce with `qop=auth`; `None` is the arithmetic of RFC 2069, which old servers want.
    pub(super) auth: Option<(&'a str, &'a str)>,
}

impl Proof<'_> {
    /// Computes the `response` parameter (RFC 7616 §3.4.1).
    pub(super) fn response(&self, password: &str) -> String {
        let hash = |text: String| self.algorithm.hash(&text);
        let ha1 = hash(format!("{}:{}:{password}", self.user, self.realm));
        let ha2 = hash(format!("{}:{}", self.method, self.uri));
        match self.auth {
            Some((nc, cnonce)) => hash(format!("{ha1}:{}:{nc}:{cnonce}:auth:{ha2}", self.nonce)),
            None => hash(format!("{ha1}:{}:{ha2}", self.nonce)),
        }
    }

    /// Writes the Authorization header field.
    pub(super) fn header(&self, password: &str, opaque: Option<&str>) -> String {
        let mut text = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\", algorithm={}",
            quote(self.user),
            quote(self.realm),
            quote(self.nonce),
            quote(self.uri),
            self.response(password),
            self.algorithm.name(),
        );
        if let Some((nc, cnonce)) = self.auth {
            text.push_str(&format!(", qop=auth, nc={nc}, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = opaque {
            text.push_str(&format!(", opaque={}", quote(opaque)));
        }
        text
    }
}

/// A WWW-Authenticate or Proxy-Authenticate value that we can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) algorithm: Algorithm,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    /// True when the nonce was only too old and the password may be right.
    pub(super) stale: bool,
    /// True when the server offers `qop=auth`.
    pub(super) has_qop: bool,
}

impl Challenge {
    /// Reads a value, or returns `None` for another scheme or an algorithm or protection that we do not speak.
    pub(super) fn parse(value: &str) -> Option<Challenge> {
        let parameters = DigestParameters::parse(value)?;
        let algorithm = parameters.value("algorithm").unwrap_or_else(|| "MD5".to_owned());
        let qop = parameters.value("qop");
        let offers_auth = |qop: &String| qop.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth"));
        if qop.as_ref().is_some_and(|qop| !offers_auth(qop)) {
            return None;
        }
        Some(Challenge {
            algorithm: Algorithm::from_name(&algorithm)?,
            realm: parameters.value("realm")?,
            nonce: parameters.value("nonce")?,
            opaque: parameters.value("opaque"),
            stale: parameters.value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            has_qop: qop.is_some(),
        })
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (realm, nonce) = (quote(&self.realm), quote(&self.nonce));
        write!(f, "Digest realm={realm}, nonce={nonce}, algorithm={}", self.algorithm.name())?;
        if self.has_qop {
            f.write_str(", qop=\"auth\"")?;
        }
        if let Some(opaque) = &self.opaque {
            write!(f, ", opaque={}", quote(opaque))?;
        }
        f.write_str(if self.stale { ", stale=true" } else { "" })
    }
}

/// An Authorization or Proxy-Authorization value with `qop=auth`, as a server reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authorization {
    pub(super) algorithm: Algorithm,
    pub(super) user: String,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) uri: String,
    pub(super) response: String,
    pub(super) cnonce: String,
    /// The count as written: its digits are part of the digest.
    pub(super) nc: String,
    /// The count as a number.
    pub(super) count: u32,
}

impl Authorization {
    /// Reads a value, or returns `None` when it is no digest of RFC 7616 with `qop=auth`.
    ///
    /// The arithmetic of RFC 2069 has no count, so a copy of it can't be told from the original: it is not accepted.
    pub(super) fn parse(value: &str) -> Option<Authorization> {
        let parameters = DigestParameters::parse(value)?;
        let algorithm = parameters.value("algorithm").unwrap_or_else(|| "MD5".to_owned());
        let nc = parameters.value("nc").filter(|nc| nc.len() == 8)?;
        parameters.value("qop").filter(|qop| qop.eq_ignore_ascii_case("auth"))?;
        Some(Authorization {
            algorithm: Algorithm::from_name(&algorithm)?,
            user: parameters.value("username")?,
            realm: parameters.value("realm")?,
            nonce: parameters.value("nonce")?,
            uri: parameters.value("uri")?,
            response: parameters.value("response")?.to_ascii_lowercase(),
            cnonce: parameters.value("cnonce")?,
            count: u32::from_str_radix(&nc, 16).ok()?,
            nc,
        })
    }
}

/// The parameters after `Digest`.
struct DigestParameters(Vec<(String, String)>);

impl DigestParameters {
    fn parse(value: &str) -> Option<DigestParameters> {
        let (scheme, rest) = value.trim().split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let pairs = split(rest, ',').filter_map(|pair| pair.split_once('='));
        Some(DigestParameters(pairs.map(|(name, value)| (name.trim().to_owned(), unquote(value.trim()))).collect()))
    }

    fn value(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7616 §3.9.1.
    fn mufasa(algorithm: Algorithm) -> Proof<'static> {
        Proof {
            algorithm,
            user: "Mufasa",
            realm: "http-auth@example.org",
            method: "GET",
            uri: "/dir/index.html",
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            auth: Some(("00000001", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")),
        }
    }

    #[test]
    fn md5_agrees_with_rfc_7616() {
        let response = mufasa(Algorithm::Md5).response("Circle of Life");
        assert_eq!(response, "8ca523f5e9506fed4657c9700eebdbec");
    }

    #[test]
    fn sha_256_agrees_with_rfc_7616() {
        let response = mufasa(Algorithm::Sha256).response("Circle of Life");
        assert_eq!(response, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    }

    #[test]
    fn a_challenge_reads_as_it_was_written() {
        let challenge = Challenge {
            algorithm: Algorithm::Sha256,
            realm: "a \"quoted\" realm".to_owned(),
            nonce: "n,1".to_owned(),
            opaque: Some("o".to_owned()),
            stale: true,
            has_qop: true,
        };
        assert_eq!(Challenge::parse(&challenge.to_string()), Some(challenge));
    }

    #[test]
    fn a_challenge_for_integrity_only_is_not_ours_to_answer() {
        assert_eq!(Challenge::parse("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\""), None);
    }

    #[test]
    fn credentials_do_not_show_the_password() {
        let credentials = Credentials { user: "alice".to_owned(), password: "secret".to_owned() };
        assert_eq!(format!("{credentials:?}"), "Credentials(..)");
    }
}
