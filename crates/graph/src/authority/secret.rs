//! How a client secret is kept and compared.
//!
//! A configured hash is argon2id, which is slow on purpose: whoever steals the configuration cannot try many guesses.
//! The server must not be as slow for everybody who asks, so the first right secret is remembered as a SHA-256; from then
//! on every comparison, also of a wrong secret, costs microseconds. Until then, verifications take turns on a thread of
//! their own and a bounded number of requests wait.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The only algorithm of configured hashes: the variant that RFC 9106, section 4, recommends.
const ARGON2ID: &str = "argon2id";

/// Most memory that a configured hash may ask for, in KiB. RFC 9106 recommends 64 MiB where memory is short; four times
/// that is more than anybody needs, and a mistyped figure must not end the server.
const MEMORY_KIB_MAX: u32 = 256 * 1024;

/// Most passes over the memory that a configured hash may ask for. RFC 9106 recommends 1 to 3.
const PASSES_MAX: u32 = 16;

/// Verifications by argon2 at a time. One takes tens of milliseconds of a core; more at a time would let strangers with
/// wrong secrets take the cores from the calls.
const TURNS: usize = 1;

/// Requests that may wait for their turn. The next is told to come again: each would only wait longer than its client.
const WAITING_MAX: usize = 32;

/// How long a request waits for its turn. Clients give up after some 10 s.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Is what the password of a user whom nobody knows is compared with: a hash of the costs of [`SecretHash::to_phc`], all
/// zeros, which is the hash of no password that anybody could find.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

type Sha256Digest = [u8; 32];

/// Is a client secret as we keep it.
#[derive(Clone)]
pub struct SecretHash(Kept);

#[derive(Clone)]
enum Kept {
    /// It was given in clear; nobody is protected by a slow hash of it.
    Sha256(Sha256Digest),
    /// It was given as a hash. Who shares the hash shares what was found out about it.
    Argon2id { phc: String, known: Arc<OnceLock<Sha256Digest>> },
}

/// Says why a configured hash cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretHashError {
    /// It is not in the form `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
    #[error("must be a hash in the form \"$argon2id$v=19$m=19456,t=2,p=1$…\"")]
    Malformed,
    /// It was made by another algorithm.
    #[error("must be an argon2id hash")]
    Algorithm,
    /// Its costs would stop the server.
    #[error("asks for more than {MEMORY_KIB_MAX} KiB of memory or {PASSES_MAX} passes")]
    Costs,
    /// The secret could not be hashed.
    #[error("the secret could not be hashed")]
    Unhashed,
}

impl SecretHash {
    /// Keeps a secret that was given in clear.
    pub fn of(secret: &str) -> SecretHash {
        SecretHash(Kept::Sha256(digest(secret)))
    }

    /// Takes a hash as `argon2 -id -e` and `fermata hash-secret` print it (the PHC string format).
    ///
    /// # Errors
    ///
    /// [`SecretHashError`], which says what is wrong with the hash.
    pub fn from_phc(phc: &str) -> Result<SecretHash, SecretHashError> {
        let hash = PasswordHash::new(phc).map_err(|_| SecretHashError::Malformed)?;
        if hash.algorithm.as_str() != ARGON2ID {
            return Err(SecretHashError::Algorithm);
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(SecretHashError::Malformed);
        }
        let params = argon2::Params::try_from(&hash).map_err(|_| SecretHashError::Malformed)?;
        if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX {
            return Err(SecretHashError::Costs);
        }
        Ok(SecretHash(Kept::Argon2id { phc: phc.to_owned(), known: Arc::default() }))
    }

    /// Hashes a secret for the configuration, with a random salt and the costs that OWASP recommends (19 MiB, 2 passes).
    ///
    /// # Errors
    ///
    /// [`SecretHashError::Unhashed`] if the secret is longer than argon2 takes (4 GiB).
    pub fn to_phc(secret: &str) -> Result<String, SecretHashError> {
        // 122 random bits, of the 128 that RFC 9106, section 3.1, has room for: a salt must be unique, not secret.
        let salt = SaltString::encode_b64(Uuid::new_v4().as_bytes()).map_err(|_| SecretHashError::Unhashed)?;
        let hash = Argon2::default().hash_password(secret.as_bytes(), &salt).map_err(|_| SecretHashError::Unhashed)?;
        Ok(hash.to_string())
    }

    /// Compares without argon2, in a time that does not depend on where the secrets differ; nothing while the right one
    /// has never been seen.
    fn compare(&self, secret: &str) -> Option<bool> {
        let right = match &self.0 {
            Kept::Sha256(right) => right,
            Kept::Argon2id { known, .. } => known.get()?,
        };
        Some(right.ct_eq(&digest(secret)).into())
    }

    /// Compares, by argon2 if it was given as a hash, and remembers nothing: people's passwords are easier to guess than
    /// the secrets of applications, so no quick hash of them is kept.
    fn compare_password(&self, password: &str) -> bool {
        match &self.0 {
            Kept::Sha256(right) => right.ct_eq(&digest(password)).into(),
            Kept::Argon2id { phc, .. } => verify(phc, password),
        }
    }

    /// Compares by argon2 if need be, and remembers the right secret.
    fn compare_slowly(&self, secret: &str) -> bool {
        if let Some(answer) = self.compare(secret) {
            return answer;
        }
        let Kept::Argon2id { phc, known } = &self.0 else { return false };
        let right = verify(phc, secret);
        if right {
            known.get_or_init(|| digest(secret));
        }
        right
    }
}

fn verify(phc: &str, secret: &str) -> bool {
    PasswordHash::new(phc).is_ok_and(|hash| Argon2::default().verify_password(secret.as_bytes(), &hash).is_ok())
}

fn digest(secret: &str) -> Sha256Digest {
    Sha256::digest(secret.as_bytes()).into()
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

/// Compares secrets, one slow comparison at a time.
#[derive(Debug)]
pub(crate) struct SecretCheck {
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

/// Says that too many requests wait for a slow comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl SecretCheck {
    pub(crate) fn new() -> SecretCheck {
        SecretCheck { places: Arc::new(Semaphore::new(WAITING_MAX)), turns: Arc::new(Semaphore::new(TURNS)) }
    }

    /// Tells whether `secret` is one of `kept`.
    ///
    /// # Errors
    ///
    /// [`Busy`] if that needs argon2 and too many wait for it.
    pub(crate) async fn is_one_of(&self, kept: &[SecretHash], secret: &str) -> Result<bool, Busy> {
        let quick: Vec<_> = kept.iter().map(|hash| hash.compare(secret)).collect();
        if quick.contains(&Some(true)) {
            return Ok(true);
        }
        let unknown: Vec<_> = kept.iter().zip(quick).filter(|(_, answer)| answer.is_none()).collect();
        if unknown.is_empty() {
            return Ok(false);
        }
        let unknown: Vec<_> = unknown.into_iter().map(|(hash, _)| hash.clone()).collect();
        let secret = secret.to_owned();
        self.in_turn(move || unknown.iter().any(|hash| hash.compare_slowly(&secret))).await
    }

    /// Tells whether a person's password is the right one. Each takes the same time, also that of nobody, so that nobody
    /// learns from it which users there are.
    ///
    /// # Errors
    ///
    /// [`Busy`] if too many wait.
    pub(crate) async fn is_password(&self, kept: Option<&SecretHash>, password: &str) -> Result<bool, Busy> {
        let (kept, password) = (kept.cloned(), password.to_owned());
        self.in_turn(move || match kept {
            Some(kept) => kept.compare_password(&password),
            None => verify(NOBODYS_HASH, &password),
        })
        .await
    }

    async fn in_turn(&self, compare: impl FnOnce() -> bool + Send + 'static) -> Result<bool, Busy> {
        let _place = self.places.try_acquire().map_err(|_| Busy)?;
        let turn = tokio::time::timeout(WAIT_MAX, Arc::clone(&self.turns).acquire_owned()).await.map_err(|_| Busy)?;
        let turn = turn.expect("nobody closes the semaphore");
        let compare = move || {
            let right = compare();
            // The turn ends with the work, also when the client has gone away meanwhile.
            drop(turn);
            right
        };
        Ok(tokio::task::spawn_blocking(compare).await.expect("comparing does not panic"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs for a test: the least that argon2 takes.
    fn cheap_hash(secret: &str) -> SecretHash {
        let params = argon2::Params::new(8, 1, 1, None).expect("costs");
        let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let salt = SaltString::from_b64("c29tZXNhbHQ").expect("a salt");
        let phc = argon2.hash_password(secret.as_bytes(), &salt).expect("a hash").to_string();
        SecretHash::from_phc(&phc).expect("our own hash")
    }

    #[test]
    fn a_secret_in_clear_matches_only_itself_and_is_not_printed() {
        let hash = SecretHash::of("fermata-dev-secret");
        assert_eq!(hash.compare("fermata-dev-secret"), Some(true));
        assert_eq!(hash.compare("fermata-dev-secret-b"), Some(false));
        assert_eq!(format!("{hash:?}"), "SecretHash(…)");
    }

    #[test]
    fn argon2_is_computed_until_the_right_secret_came_and_never_again() {
        let hash = cheap_hash("right");
        assert!(!hash.compare_slowly("wrong"));
        assert_eq!(hash.compare("right"), None, "a wrong secret teaches nothing");
        assert!(hash.compare_slowly("right"));
        let copy = hash.clone();
        assert_eq!((copy.compare("right"), copy.compare("wrong")), (Some(true), Some(false)));
    }

    #[test]
    fn the_hash_of_the_reference_implementation_is_read() {
        // The first test vector of the reference implementation (phc-winner-argon2, src/test.c, argon2id, version 19).
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let hash = SecretHash::from_phc(phc).expect("a hash");
        assert!(hash.compare_slowly("password"));
        assert!(!hash.compare_slowly("Password"));
    }

    #[track_caller]
    fn check(phc: &str, expected: SecretHashError) {
        assert_eq!(SecretHash::from_phc(phc).expect_err("it is bad"), expected, "{phc}");
    }

    #[test]
    fn what_is_no_argon2id_hash_is_refused() {
        check("", SecretHashError::Malformed);
        check("fermata-dev-secret", SecretHashError::Malformed);
        check("$argon2id$v=19$m=65536,t=2,p=1", SecretHashError::Malformed);
        check(
            "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA",
            SecretHashError::Algorithm,
        );
        check(
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            SecretHashError::Costs,
        );
    }

    #[test]
    fn what_is_printed_for_the_configuration_is_taken() {
        let phc = SecretHash::to_phc("a secret & more").expect("a hash");
        assert!(SecretHash::from_phc(&phc).expect("our own hash").compare_slowly("a secret & more"));
    }

    #[tokio::test]
    async fn one_of_several_secrets_is_enough() {
        let check = SecretCheck::new();
        let kept = [SecretHash::of("old"), cheap_hash("new")];
        for (secret, right) in [("wrong", false), ("new", true), ("old", true), ("wrong", false)] {
            assert_eq!(check.is_one_of(&kept, secret).await, Ok(right), "{secret}");
        }
        assert_eq!(check.is_one_of(&[], "anything").await, Ok(false));
    }

    #[tokio::test]
    async fn a_password_is_compared_slowly_each_time_also_that_of_nobody() {
        let check = SecretCheck::new();
        let kept = cheap_hash("right");
        for (kept, password, right) in
            [(Some(&kept), "wrong", false), (Some(&kept), "right", true), (None, "right", false), (None, "", false)]
        {
            assert_eq!(check.is_password(kept, password).await, Ok(right), "{password}");
        }
        assert_eq!(kept.compare("right"), None, "nothing is remembered");
        assert!(PasswordHash::new(NOBODYS_HASH).is_ok());
    }

    #[tokio::test]
    async fn who_finds_no_place_to_wait_is_sent_away() {
        let check = SecretCheck::new();
        let kept = [cheap_hash("right")];
        let _all = Arc::clone(&check.places).try_acquire_many_owned(WAITING_MAX as u32).expect("nobody waits");
        assert_eq!(check.is_one_of(&kept, "wrong").await, Err(Busy));
        assert!(kept[0].compare_slowly("right"));
        assert_eq!(check.is_one_of(&kept, "wrong").await, Ok(false), "what is known needs no place");
    }
}
