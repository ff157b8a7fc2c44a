//! When the keys of a foreign issuer are fetched. Pure: time comes in.
//!
//! Anybody can send a token with a made-up `kid`. So an unknown name makes us fetch, because issuers replace their keys
//! without notice, but never more often than once a minute, whoever asks for what.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The least time between two fetches. Less lets strangers make us fetch more, more keeps out the tokens of a key that is
/// new.
pub(crate) const FETCH_INTERVAL: Duration = Duration::from_mins(1);

/// The age at which keys are fetched again while they go on to be used. A key that its issuer withdraws is good for as long.
const FRESH_FOR: Duration = Duration::from_hours(1);

/// The age at which keys are no longer used. It bridges an issuer's outage, and bounds how long a withdrawn key is good
/// when the issuer is kept from telling us.
const USABLE_FOR: Duration = Duration::from_hours(24);

/// Keys of one issuer that are kept. Entra ID publishes about ten.
const KEYS_MAX: usize = 64;

/// Is a key of a foreign issuer, with the one algorithm that it is for (RFC 8725, section 3.1).
pub(crate) struct VerifyingKey {
    pub(crate) key: DecodingKey,
    pub(crate) algorithm: Algorithm,
}

/// Is the keys of one issuer, by name.
pub(crate) type Keys = HashMap<String, Arc<VerifyingKey>>;

/// Is what is known of an issuer's keys.
#[derive(Default)]
pub(crate) struct KeyCache {
    keys: Keys,
    fetched: Option<Instant>,
    attempted: Option<Instant>,
    is_fetching: bool,
}

/// Says what to do about a key's name.
pub(crate) enum Lookup {
    /// Use this key.
    Found(Arc<VerifyingKey>),
    /// Use this key, and fetch beside it.
    Stale(Arc<VerifyingKey>),
    /// The issuer has no such key.
    Unknown,
    /// Fetch, or wait for the fetch that is under way, then look again.
    Fetch,
    /// There are no keys to look in, and it is too early to try again.
    Unreachable,
}

impl KeyCache {
    /// Looks for a key.
    pub(crate) fn lookup(&self, kid: &str, now: Instant) -> Lookup {
        let age = self.fetched.map(|at| now.saturating_duration_since(at));
        let is_time = self.attempted.is_none_or(|at| now.saturating_duration_since(at) >= FETCH_INTERVAL);
        let may_fetch = is_time || self.is_fetching;
        let Some(age) = age.filter(|age| *age < USABLE_FOR) else {
            return if may_fetch { Lookup::Fetch } else { Lookup::Unreachable };
        };
        match self.keys.get(kid) {
            Some(key) if age >= FRESH_FOR && is_time && !self.is_fetching => Lookup::Stale(Arc::clone(key)),
            Some(key) => Lookup::Found(Arc::clone(key)),
            None if may_fetch => Lookup::Fetch,
            None => Lookup::Unknown,
        }
    }

    /// Takes note that a fetch begins.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.attempted = Some(now);
        self.is_fetching = true;
    }

    /// Takes note that the fetch has ended: with the issuer's keys, which replace all others, or with nothing.
    pub(crate) fn end(&mut self, keys: Option<Keys>, now: Instant) {
        self.is_fetching = false;
        if let Some(keys) = keys {
            self.keys = keys;
            self.fetched = Some(now);
        }
    }
}

/// Is a JWK set. Each key is read on its own: one that we do not understand must not hide the others.
#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<Value>,
}

/// Reads a JWK set; keys that cannot verify a token are left out.
///
/// # Errors
///
/// Whatever keeps the text from being a JWK set.
pub(crate) fn read_keys(json: &[u8]) -> Result<Keys, serde_json::Error> {
    let set: JwkSet = serde_json::from_slice(json)?;
    let keys = set.keys.into_iter().filter_map(|value| verifying_key(serde_json::from_value(value).ok()?));
    Ok(keys.take(KEYS_MAX).collect())
}

fn verifying_key(jwk: Jwk) -> Option<(String, Arc<VerifyingKey>)> {
    let algorithm = algorithm(&jwk)?;
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, Arc::new(VerifyingKey { key, algorithm })))
}

/// The algorithm follows from the key and never from a token. A symmetric key is no public key, whatever it says.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return None;
    }
    match (&jwk.algorithm, jwk.common.key_algorithm) {
        (AlgorithmParameters::RSA(_), None | Some(KeyAlgorithm::RS256)) => Some(Algorithm::RS256),
        (AlgorithmParameters::RSA(_), Some(KeyAlgorithm::PS256)) => Some(Algorithm::PS256),
        (AlgorithmParameters::EllipticCurve(curve), None | Some(KeyAlgorithm::ES256))
            if curve.curve == EllipticCurve::P256 =>
        {
            Some(Algorithm::ES256)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rsa(kid: &str) -> Value {
        json!({ "kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB", "use": "sig" })
    }

    fn set(keys: &[Value]) -> Keys {
        read_keys(json!({ "keys": keys }).to_string().as_bytes()).expect("a set")
    }

    fn word(lookup: Lookup) -> &'static str {
        match lookup {
            Lookup::Found(_) => "found",
            Lookup::Stale(_) => "stale",
            Lookup::Unknown => "unknown",
            Lookup::Fetch => "fetch",
            Lookup::Unreachable => "unreachable",
        }
    }

    #[test]
    fn strangers_make_us_fetch_once_a_minute_and_no_more() {
        let (mut cache, start) = (KeyCache::default(), Instant::now());
        let mut fetches = 0;
        for second in 0..600 {
            let now = start + Duration::from_secs(second);
            if word(cache.lookup(&format!("made up {second}"), now)) == "fetch" {
                cache.begin(now);
                cache.end(Some(set(&[rsa("a")])), now);
                fetches += 1;
            }
        }
        assert_eq!(fetches, 10);
    }

    #[test]
    fn a_new_key_is_fetched_when_a_token_names_it() {
        let (mut cache, start) = (KeyCache::default(), Instant::now());
        cache.begin(start);
        cache.end(Some(set(&[rsa("old")])), start);
        assert_eq!(word(cache.lookup("old", start)), "found");
        assert_eq!(word(cache.lookup("new", start + Duration::from_secs(59))), "unknown");
        let minute = start + FETCH_INTERVAL;
        assert_eq!(word(cache.lookup("new", minute)), "fetch");
        cache.begin(minute);
        cache.end(Some(set(&[rsa("new")])), minute);
        assert_eq!(word(cache.lookup("new", minute)), "found");
        assert_eq!(word(cache.lookup("old", minute)), "unknown", "what is withdrawn is not good any more");
    }

    #[test]
    fn an_outage_of_the_issuer_is_bridged_for_a_day() {
        let (mut cache, start) = (KeyCache::default(), Instant::now());
        assert_eq!(word(cache.lookup("a", start)), "fetch");
        cache.begin(start);
        assert_eq!(word(cache.lookup("a", start)), "fetch", "who comes meanwhile waits for it");
        cache.end(None, start);
        assert_eq!(word(cache.lookup("a", start)), "unreachable");
        let fetched = start + FETCH_INTERVAL;
        assert_eq!(word(cache.lookup("a", fetched)), "fetch");
        cache.begin(fetched);
        cache.end(Some(set(&[rsa("a")])), fetched);
        let later = fetched + FRESH_FOR;
        assert_eq!(word(cache.lookup("a", later)), "stale");
        cache.begin(later);
        assert_eq!(word(cache.lookup("a", later)), "found", "nobody waits who need not");
        cache.end(None, later);
        assert_eq!(word(cache.lookup("a", later)), "found");
        cache.begin(fetched + USABLE_FOR);
        cache.end(None, fetched + USABLE_FOR);
        assert_eq!(word(cache.lookup("a", fetched + USABLE_FOR)), "unreachable");
    }

    #[test]
    fn each_key_has_one_algorithm_and_only_public_signing_keys_are_taken() {
        let with = |kid: &str, name: &str, value: &str| {
            let mut key = rsa(kid);
            key[name] = json!(value);
            key
        };
        let elliptic = json!({ "kty": "EC", "kid": "es", "crv": "P-256", "x": "AQAB", "y": "AQAB" });
        let keys = set(&[
            rsa("rs"),
            with("ps", "alg", "PS256"),
            elliptic,
            with("encryption", "use", "enc"),
            with("hmac by name", "alg", "HS256"),
            with("another hash", "alg", "RS512"),
            json!({ "kty": "oct", "kid": "symmetric", "k": "c2VjcmV0" }),
            json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }),
            json!("no key at all"),
        ]);
        let mut found: Vec<_> = keys.iter().map(|(kid, key)| (kid.as_str(), key.algorithm)).collect();
        found.sort_by_key(|(kid, _)| *kid);
        assert_eq!(found, [("es", Algorithm::ES256), ("ps", Algorithm::PS256), ("rs", Algorithm::RS256)]);
        assert!(read_keys(b"[]").is_err() && read_keys(b"<html>").is_err());
    }
}
