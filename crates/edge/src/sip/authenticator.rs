//! Checks the digest credentials of requests, as a server (RFC 3261 §22.4, RFC 7616 §3.3, RFC 8760).
//!
//! A nonce carries its time and a MAC over time and source, so an unused one costs no memory. Once it was used, the counts
//! seen are kept, so that a copied request is refused.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use subtle::ConstantTimeEq;

use super::config::Config;
use super::digest::{Algorithm, Authorization, Challenge, Credentials, Proof};
use super::flow::Flow;
use super::header::Name;
use super::message::Request;
use super::random::{hex, hmac_sha256};

/// How long a nonce may be used. Less makes phones authenticate twice more often; more lets the table below grow.
const NONCE_LIFETIME: Duration = Duration::from_secs(300);

/// The most nonces whose counts are kept, some 40 bytes each. When there are more, the oldest are stale.
const NONCES_MAX: usize = 10_000;

/// How far a count may lie behind the highest one, for requests that overtook each other.
const COUNT_WINDOW: u32 = 64;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request comes from the user with this index.
    Granted(usize),
    /// It can't be known: ask for a password.
    Denied,
    /// The password is wrong, or there is no such user: ask for a password, as if nothing had been said.
    Wrong {
        /// Whether the nonce is one that we made for this address: then the address is not forged.
        is_proven: bool,
    },
    /// The password is right, only the nonce is too old: a fresh one is enough.
    Stale,
}

/// Makes and checks nonces.
pub(super) struct Authenticator {
    realm: String,
    algorithms: Vec<Algorithm>,
    key: [u8; 32],
    /// The time that nonces count from.
    epoch: Option<Instant>,
    last_serial: u64,
    used: BTreeMap<u64, Counts>,
    /// Nonces with a lower serial are stale unless they are in the table: their counts were dropped.
    floor: u64,
}

/// The counts seen with one nonce: the highest, and a bit for each of those just below it.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    highest: u32,
    seen: u64,
}

impl Authenticator {
    pub(super) fn new(config: &Config, key: [u8; 32]) -> Authenticator {
        let (realm, algorithms) = (config.realm.clone(), config.algorithms.clone());
        Authenticator { realm, algorithms, key, epoch: None, last_serial: 0, used: BTreeMap::new(), floor: 0 }
    }

    /// Makes the challenges to send, one for each algorithm, all with one nonce.
    pub(super) fn challenges(&mut self, flow: Flow, stale: bool, now: Instant) -> Vec<Challenge> {
        let nonce = self.new_nonce(flow, now);
        let challenge = |algorithm: &Algorithm| Challenge {
            algorithm: *algorithm,
            realm: self.realm.clone(),
            nonce: nonce.clone(),
            opaque: None,
            stale,
            has_qop: true,
        };
        self.algorithms.iter().map(challenge).collect()
    }

    /// Checks the Authorization header field of a request.
    pub(super) fn check(&mut self, request: &Request, users: &[Credentials], flow: Flow, now: Instant) -> Verdict {
        let values = request.headers.all(&Name::Authorization).filter_map(Authorization::parse);
        let Some(authorization) = values.into_iter().find(|value| self.has_asked_for(value)) else {
            return Verdict::Denied;
        };
        let user = users.iter().position(|user| user.user == authorization.user);
        // An unknown user costs the same arithmetic as a known one, so that time does not tell them apart.
        let password = user.map_or("", |user| users[user].password.as_str());
        let is_right = is_right(request, &authorization, password);
        let nonce = self.read_nonce(&authorization.nonce, flow);
        match user {
            Some(user) if is_right => self.check_nonce(user, &authorization, nonce, now),
            Some(_) | None => Verdict::Wrong { is_proven: nonce.is_some() },
        }
    }

    fn has_asked_for(&self, authorization: &Authorization) -> bool {
        authorization.realm == self.realm && self.algorithms.contains(&authorization.algorithm)
    }

    fn check_nonce(
        &mut self,
        user: usize,
        authorization: &Authorization,
        nonce: Option<(u64, u64)>,
        now: Instant,
    ) -> Verdict {
        let Some((made_ms, serial)) = nonce else { return Verdict::Stale };
        let age_ms = self.elapsed_ms(now).saturating_sub(made_ms);
        if u128::from(age_ms) > NONCE_LIFETIME.as_millis() {
            return Verdict::Stale;
        }
        match self.count(serial, authorization.count) {
            true => Verdict::Granted(user),
            false => Verdict::Stale,
        }
    }

    /// Notes a count. Returns false when it was seen before or can't be told.
    fn count(&mut self, serial: u64, count: u32) -> bool {
        let is_known = self.used.contains_key(&serial);
        if !is_known && serial < self.floor {
            return false;
        }
        if !is_known && self.used.len() >= NONCES_MAX {
            self.drop_oldest();
        }
        self.used.entry(serial).or_default().add(count)
    }

    fn drop_oldest(&mut self) {
        if let Some((serial, _)) = self.used.pop_first() {
            self.floor = serial + 1;
        }
    }

    fn new_nonce(&mut self, flow: Flow, now: Instant) -> String {
        self.last_serial += 1;
        let (made_ms, serial) = (self.elapsed_ms(now), self.last_serial);
        format!("{made_ms:x}.{serial:x}.{}", self.mac(made_ms, serial, flow))
    }

    fn read_nonce(&self, nonce: &str, flow: Flow) -> Option<(u64, u64)> {
        let mut parts = nonce.split('.');
        let made_ms = u64::from_str_radix(parts.next()?, 16).ok()?;
        let serial = u64::from_str_radix(parts.next()?, 16).ok()?;
        let mac = parts.next()?;
        let is_ours: bool = self.mac(made_ms, serial, flow).as_bytes().ct_eq(mac.as_bytes()).into();
        is_ours.then_some((made_ms, serial))
    }

    /// The source's address is part of it, not its port: a phone behind a NAT may change that between two requests.
    fn mac(&self, made_ms: u64, serial: u64, flow: Flow) -> String {
        let source = flow.remote.ip().to_string();
        let mac = hmac_sha256(&self.key, &[&made_ms.to_be_bytes(), &serial.to_be_bytes(), source.as_bytes()]);
        hex(&mac[..16])
    }

    fn elapsed_ms(&mut self, now: Instant) -> u64 {
        let epoch = *self.epoch.get_or_insert(now);
        u64::try_from(now.saturating_duration_since(epoch).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Counts {
    fn add(&mut self, count: u32) -> bool {
        if count > self.highest {
            let distance = count - self.highest;
            self.seen = self.seen.checked_shl(distance).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let behind = self.highest - count;
        if count == 0 || behind >= COUNT_WINDOW || self.seen & (1 << behind) != 0 {
            return false;
        }
        self.seen |= 1 << behind;
        true
    }
}

/// The URI in the header field is taken as it is: phones write it in many ways, and the count keeps copies out.
fn is_right(request: &Request, authorization: &Authorization, password: &str) -> bool {
    let proof = Proof {
        algorithm: authorization.algorithm,
        user: &authorization.user,
        realm: &authorization.realm,
        method: request.method.as_str(),
        uri: &authorization.uri,
        nonce: &authorization.nonce,
        auth: Some((&authorization.nc, &authorization.cnonce)),
    };
    proof.response(password).as_bytes().ct_eq(authorization.response.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_good_once() {
        let mut counts = Counts::default();
        let answers = [1, 2, 2, 1, 5, 4, 4, 3, 0, 100, 36, 35, 37].map(|count| counts.add(count));
        let expected = [true, true, false, false, true, true, false, true, false, true, false, false, true];
        assert_eq!(answers[..10], expected[..10]);
        assert!(answers[12], "37 lies 63 behind 100");
        assert!(!answers[10] && !answers[11], "36 and 35 lie too far behind");
    }
}
