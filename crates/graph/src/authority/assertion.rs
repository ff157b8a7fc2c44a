//! `private_key_jwt`: an application proves itself by a token that it signed itself (RFC 7523, section 2.2; OpenID Connect
//! Core 1.0, section 9).
//!
//! The algorithm is one of two fixed ones, the key is one that was configured for the application, and each assertion is
//! good once. Python's MSAL writes fractional times and signs with RS256, JavaScript's signs with PS256.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::client_key::ClientKey;
use super::error::{AssertionFault, TokenError};
use super::replay::{Mark, ReplayError};
use crate::directory::AppId;

/// The value of `client_assertion_type` (RFC 7523, section 2.2).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The algorithms that are accepted: those of the official clients. Both take an RSA key only, so a public key can never
/// serve as the secret of an HMAC (RFC 8725, section 2.1).
const ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::PS256];

/// How far clocks may differ, in seconds.
const LEEWAY_S: u64 = 60;

/// The longest life of an assertion, in seconds. Official clients make them for 10 minutes; each has to be remembered
/// until it expires.
const LIFETIME_S_MAX: f64 = 3600.0;

/// Is what an assertion says; all of it is as yet unproven.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: f64,
    jti: Option<String>,
}

/// Is an assertion that was read and not yet checked.
#[derive(Debug)]
pub(crate) struct Assertion<'a> {
    text: &'a str,
    header: Header,
    claims: Claims,
}

/// Is what remains to be remembered of an assertion that is good.
#[derive(Debug)]
pub(crate) struct Proven {
    pub(crate) mark: Mark,
    pub(crate) expires: i64,
}

impl<'a> Assertion<'a> {
    /// Reads an assertion without believing it.
    pub(crate) fn read(text: &'a str) -> Result<Assertion<'a>, TokenError> {
        let malformed = |_| TokenError::Assertion(AssertionFault::Malformed);
        let header = jsonwebtoken::decode_header(text).map_err(malformed)?;
        // RFC 7515, section 4.1.11: who does not understand what is critical must refuse.
        if header.crit.is_some() {
            return Err(AssertionFault::Malformed.into());
        }
        let claims = jsonwebtoken::dangerous::insecure_decode_claims(text).map_err(malformed)?;
        Ok(Assertion { text, header, claims })
    }

    /// Returns who the assertion claims to be.
    pub(crate) fn client_id(&self) -> &str {
        &self.claims.sub
    }

    /// Checks the assertion against the application's keys; `audiences` are the names of the token endpoint.
    pub(crate) fn verify(
        &self,
        app: AppId,
        keys: &[ClientKey],
        audiences: &[String],
        now: i64,
    ) -> Result<Proven, TokenError> {
        if [&self.claims.iss, &self.claims.sub].iter().any(|name| Uuid::try_parse(name).ok() != Some(app.0)) {
            return Err(AssertionFault::AnotherClient.into());
        }
        if !ALGORITHMS.contains(&self.header.alg) {
            return Err(AssertionFault::Algorithm.into());
        }
        let meant: Vec<_> = keys.iter().filter(|key| key.is_meant_by(&self.header)).collect();
        if meant.is_empty() {
            return Err(AssertionFault::UnknownKey.into());
        }
        let current: Vec<_> = meant.into_iter().filter(|key| !key.is_expired(now)).collect();
        if current.is_empty() {
            return Err(AssertionFault::ExpiredKey.into());
        }
        self.verify_with(&current, &validation(audiences))?;
        self.check_lifetime(now)?;
        Ok(Proven { mark: self.mark(app), expires: seconds(self.claims.exp) + LEEWAY_S.cast_signed() })
    }

    /// One key that fits is enough: an assertion without a name may be any key's.
    fn verify_with(&self, keys: &[&ClientKey], validation: &Validation) -> Result<(), AssertionFault> {
        let check = |key: &DecodingKey| jsonwebtoken::decode::<Value>(self.text, key, validation);
        let mut fault = AssertionFault::Signature;
        for key in keys {
            match check(key.verifying()) {
                Ok(_) => return Ok(()),
                Err(error) => fault = AssertionFault::from(error.kind()),
            }
            if fault != AssertionFault::Signature {
                break;
            }
        }
        Err(fault)
    }

    fn check_lifetime(&self, now: i64) -> Result<(), AssertionFault> {
        let left = seconds(self.claims.exp) - now;
        let most = seconds(LIFETIME_S_MAX) + LEEWAY_S.cast_signed();
        if left > most { Err(AssertionFault::TooLong) } else { Ok(()) }
    }

    /// An assertion without a `jti` is known by its signed part: the signature itself could be written in other ways.
    fn mark(&self, app: AppId) -> Mark {
        let signed = self.text.rsplit_once('.').map_or(self.text, |(signed, _)| signed);
        let own_name = self.claims.jti.as_deref();
        let hash = Sha256::new().chain_update(app.0.as_bytes()).chain_update([u8::from(own_name.is_some())]);
        hash.chain_update(own_name.unwrap_or(signed)).finalize().into()
    }
}

fn validation(audiences: &[String]) -> Validation {
    let mut validation = Validation::new(ALGORITHMS[0]);
    validation.algorithms = ALGORITHMS.to_vec();
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation.set_audience(audiences);
    validation
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates; such times are refused")]
fn seconds(time: f64) -> i64 {
    // Half of the range: what comes from outside can then be added to and subtracted from.
    (time.ceil() as i64).clamp(i64::MIN / 2, i64::MAX / 2)
}

impl From<&ErrorKind> for AssertionFault {
    fn from(kind: &ErrorKind) -> AssertionFault {
        match kind {
            ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => AssertionFault::Time,
            ErrorKind::InvalidAudience => AssertionFault::Audience,
            ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => AssertionFault::Malformed,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => AssertionFault::Algorithm,
            // The library's list is open; whatever else it finds, no key of ours signed this text.
            _ => AssertionFault::Signature,
        }
    }
}

impl From<ReplayError> for TokenError {
    fn from(error: ReplayError) -> TokenError {
        match error {
            ReplayError::Again => AssertionFault::Replayed.into(),
            ReplayError::Full => TokenError::Busy,
        }
    }
}
