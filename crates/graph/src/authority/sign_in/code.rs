//! What a code stands for, and who may redeem it (RFC 7636, section 4.6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::client::Scope;
use super::request::is_unreserved;
use crate::directory::UserId;

/// Lengths of a verifier (RFC 7636, section 4.1).
const VERIFIER_BYTES: std::ops::RangeInclusive<usize> = 43..=128;

/// Length of a challenge: a SHA-256 in base64url.
const CHALLENGE_BYTES: usize = 43;

/// Is a challenge of the method S256, the only one that is taken: `plain` protects from nobody who reads the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge(String);

/// Is what a person has granted a page, and a code is redeemed for.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) scope: Scope,
    pub(super) redirect_uri: String,
    pub(super) challenge: Challenge,
    pub(super) user: UserId,
}

/// Is how a page redeems a code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redemption<'a> {
    pub(crate) code: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a str,
}

impl Challenge {
    /// Takes what could be a SHA-256 in base64url.
    pub(super) fn new(text: &str) -> Option<Challenge> {
        (text.len() == CHALLENGE_BYTES && is_unreserved(text)).then(|| Challenge(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn is_of(&self, verifier: &str) -> bool {
        if !VERIFIER_BYTES.contains(&verifier.len()) || !is_unreserved(verifier) {
            return false;
        }
        let computed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        computed.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl Grant {
    /// Tells whether the code was issued to who redeems it.
    pub(super) fn is_of(&self, redemption: &Redemption<'_>) -> bool {
        Scope::of_client(redemption.client_id) == Some(self.scope)
            && redemption.redirect_uri == self.redirect_uri
            && self.challenge.is_of(redemption.verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_its_verifier() {
        // RFC 7636, appendix B.
        let challenge = Challenge::new("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").expect("a challenge");
        assert!(challenge.is_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.is_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK"));
        assert!(!challenge.is_of("short"));
        for text in ["", "short", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"] {
            assert_eq!(Challenge::new(text), None, "{text}");
        }
    }
}
