//! The keys that sign our tokens: kept in the data folder, replaced in time, published for as long as anybody needs them.
//!
//! ```text
//!  made ── a day ──► signs ── until it is too old ──► the next one signs ── an hour ──► forgotten
//!          so that who keeps                                                until its last
//!          a copy of the published                                          token has expired
//!          keys has it in time
//! ```
//!
//! What a key does at a moment follows from the moment and the dates of the keys alone, and a key's date is the name of
//! its file. So there is nothing to keep in step, and a server that was off for a month comes back right.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::DecodingKey;
use serde::Serialize;
use serde_json::{Value, json};

use super::signing_key::{SigningKey, write_private};
use super::token;
use crate::notify;

/// The folder in the data folder. Each key is a file `<seconds since 1970>.pem`.
const FOLDER: &str = "signing-keys";

/// How long a new key is published before it signs. Validators keep the published keys for up to a day; less would make
/// them refuse tokens, more only makes keys older.
const ANNOUNCED_FOR: TimeDelta = TimeDelta::hours(24);

/// How long after its last signature a key stays published: the longest life of a token, plus a margin for clocks.
const PUBLISHED_AFTER: TimeDelta = TimeDelta::seconds(longer(token::LIFETIME_S, notify::TOKEN_LIFETIME_S) + 300);

/// How often the ring looks whether a key is due. Dates are in days; an hour more or less is nothing.
const LOOK_INTERVAL: Duration = Duration::from_hours(1);

const fn longer(a: i64, b: i64) -> i64 {
    if a > b { a } else { b }
}

/// Is every key of the authority, oldest first; there is at least one.
pub(crate) struct KeyRing {
    folder: PathBuf,
    /// How old a key becomes before the next one signs.
    age_max: TimeDelta,
    keys: RwLock<Vec<Arc<SigningKey>>>,
}

/// Says why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyRingError {
    #[error("the folder {FOLDER} in the data folder could not be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("a signing key could not be made: {0}")]
    Generate(#[from] rcgen::Error),
    #[error("the file {file} in the data folder's {FOLDER} is not an RSA key: {source}")]
    Parse { file: String, source: jsonwebtoken::errors::Error },
}

impl KeyRing {
    /// Reads the keys of a data folder, and makes one if it is due. Takes about a second when it makes one.
    pub(crate) fn open(data: &Path, age_max: Duration, now: DateTime<Utc>) -> Result<KeyRing, KeyRingError> {
        let folder = data.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let keys = RwLock::new(read_keys(&folder)?);
        let age_max = TimeDelta::from_std(age_max).unwrap_or(TimeDelta::MAX);
        let ring = KeyRing { folder, age_max, keys };
        ring.turn(now)?;
        Ok(ring)
    }

    /// Makes the next key if it is due, and forgets keys whose last token has expired.
    pub(crate) fn turn(&self, now: DateTime<Utc>) -> Result<(), KeyRingError> {
        if self.is_due(now) {
            let pem = SigningKey::generate()?;
            let path = self.folder.join(format!("{}.pem", now.timestamp()));
            write_private(&path, &pem)?;
            let key = read_key(&path, now)?;
            tracing::info!(kid = key.id(), "made a signing key");
            self.keys.write().expect("nothing panics while it holds the keys").push(Arc::new(key));
        }
        self.forget_old_keys(now)
    }

    /// The next key is made early enough to be announced before it signs.
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let keys = self.keys();
        let Some(newest) = keys.last() else { return true };
        now.signed_duration_since(newest.created()) >= self.age_max - ANNOUNCED_FOR
    }

    fn forget_old_keys(&self, now: DateTime<Utc>) -> Result<(), KeyRingError> {
        let keys = self.keys();
        let old = keys.windows(2).filter(|pair| now > pair[1].created() + ANNOUNCED_FOR + PUBLISHED_AFTER);
        for key in old.map(|pair| &pair[0]) {
            fs::remove_file(self.folder.join(format!("{}.pem", key.created().timestamp())))?;
            let mut kept = self.keys.write().expect("nothing panics while it holds the keys");
            kept.retain(|other| other.id() != key.id());
        }
        Ok(())
    }

    fn keys(&self) -> Vec<Arc<SigningKey>> {
        self.keys.read().expect("nothing panics while it holds the keys").clone()
    }

    /// The newest key that has been announced long enough; the oldest there is if none has, as at the first start.
    fn signing_key(&self, now: DateTime<Utc>) -> Arc<SigningKey> {
        let keys = self.keys();
        let announced = keys.iter().rev().find(|key| now >= key.created() + ANNOUNCED_FOR);
        Arc::clone(announced.unwrap_or_else(|| keys.first().expect("a ring is opened with a key")))
    }

    /// Signs claims as a compact JWT, with the key whose turn it is.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        self.signing_key(Utc::now()).sign(claims)
    }

    /// Finds the public half of a key by its name.
    pub(crate) fn decoding(&self, id: &str) -> Option<DecodingKey> {
        let keys = self.keys.read().expect("nothing panics while it holds the keys");
        keys.iter().find(|key| key.id() == id).map(|key| key.decoding().clone())
    }

    /// Returns the public halves as a JWK set (RFC 7517, section 5).
    pub(crate) fn jwk_set(&self) -> Value {
        let keys: Vec<_> = self.keys().iter().map(|key| key.jwk()).collect();
        json!({ "keys": keys })
    }
}

/// Turns the ring for as long as the program runs.
pub(crate) async fn turn_in_time(ring: Arc<KeyRing>) {
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        let ring = Arc::clone(&ring);
        let turned = tokio::task::spawn_blocking(move || ring.turn(Utc::now())).await;
        // The old key goes on to sign; an hour later it is tried again.
        if let Ok(Err(error)) = turned {
            tracing::error!(%error, "the signing keys could not be renewed");
        }
    }
}

/// Reads every key of the folder. What does not end in `.pem` after a date is not ours.
fn read_keys(folder: &Path) -> Result<Vec<Arc<SigningKey>>, KeyRingError> {
    let mut keys = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(created) = date(&path) {
            keys.push(Arc::new(read_key(&path, created)?));
        }
    }
    keys.sort_by_key(|key| key.created());
    Ok(keys)
}

fn date(path: &Path) -> Option<DateTime<Utc>> {
    let seconds = path.file_name()?.to_str()?.strip_suffix(".pem")?.parse().ok()?;
    DateTime::from_timestamp(seconds, 0)
}

fn read_key(path: &Path, created: DateTime<Utc>) -> Result<SigningKey, KeyRingError> {
    let file = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let pem = fs::read_to_string(path)?;
    SigningKey::from_pem(&pem, created).map_err(|source| KeyRingError::Parse { file: file(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const NINETY_DAYS: Duration = Duration::from_hours(90 * 24);

    fn day(day: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_000 + day)
    }

    fn open(data: &tempfile::TempDir, day_of_life: i64) -> KeyRing {
        KeyRing::open(data.path(), NINETY_DAYS, day(day_of_life)).expect("a ring")
    }

    fn published(ring: &KeyRing) -> Vec<String> {
        ring.keys().iter().map(|key| key.id().to_owned()).collect()
    }

    fn signs(ring: &KeyRing, at: DateTime<Utc>) -> String {
        ring.signing_key(at).id().to_owned()
    }

    #[test]
    fn the_first_key_signs_at_once_outlives_a_restart_and_is_its_owners_only() {
        let data = tempfile::tempdir().expect("a folder");
        let first = published(&open(&data, 0));
        assert_eq!(first.len(), 1);
        let ring = open(&data, 1);
        assert_eq!(published(&ring), first);
        assert_eq!(signs(&ring, day(0)), first[0]);
        let file = data.path().join(FOLDER).join(format!("{}.pem", day(0).timestamp()));
        assert_eq!(fs::metadata(file).expect("the file").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_is_announced_before_it_signs_and_published_until_its_tokens_have_expired() {
        let data = tempfile::tempdir().expect("a folder");
        let ring = open(&data, 0);
        let old = published(&ring).remove(0);
        ring.turn(day(89) - TimeDelta::seconds(1)).expect("a turn");
        assert_eq!(published(&ring), [old.as_str()]);

        ring.turn(day(89)).expect("a turn");
        let new = published(&ring).remove(1);
        assert_eq!(published(&ring), [old.clone(), new.clone()]);
        assert_eq!(signs(&ring, day(90) - TimeDelta::seconds(1)), old, "announced only");
        assert_eq!(signs(&ring, day(90)), new);

        let last_signature = day(90) - TimeDelta::seconds(1);
        ring.turn(last_signature + TimeDelta::seconds(notify::TOKEN_LIFETIME_S)).expect("a turn");
        assert!(ring.decoding(&old).is_some(), "its last token is still good");
        ring.turn(day(90) + TimeDelta::hours(2)).expect("a turn");
        assert_eq!(published(&ring), [new.as_str()]);
        assert_eq!(published(&open(&data, 91)), [new]);
    }

    #[test]
    fn a_server_that_was_off_for_long_signs_with_what_is_published() {
        let data = tempfile::tempdir().expect("a folder");
        let old = published(&open(&data, 0)).remove(0);
        let ring = open(&data, 400);
        assert_eq!(signs(&ring, day(400)), old, "the new key is not announced yet");
        assert_ne!(signs(&ring, day(401)), old);
        ring.turn(day(401)).expect("a turn");
        assert!(ring.decoding(&old).is_some());
    }

    #[test]
    fn one_key_follows_another_and_never_two_at_once() {
        let data = tempfile::tempdir().expect("a folder");
        let ring = KeyRing::open(data.path(), Duration::from_hours(10 * 24), day(0)).expect("a ring");
        let mut seen = published(&ring);
        for today in 1..=31 {
            ring.turn(day(today)).expect("a turn");
            assert!(published(&ring).len() <= 2, "day {today}");
            seen.extend(published(&ring));
            seen.sort();
            seen.dedup();
        }
        assert_eq!(seen.len(), 4, "the first, and one each on the days 9, 18 and 27");
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let data = tempfile::tempdir().expect("a folder");
        fs::create_dir(data.path().join(FOLDER)).expect("a folder");
        fs::write(data.path().join(FOLDER).join("1.pem"), "no key").expect("a file");
        fs::write(data.path().join(FOLDER).join("README"), "not ours").expect("a file");
        let error = KeyRing::open(data.path(), NINETY_DAYS, day(0)).err().expect("it is bad").to_string();
        assert!(error.contains("1.pem"), "{error}");
    }
}
