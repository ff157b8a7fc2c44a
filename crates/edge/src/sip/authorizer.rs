//! Answers the challenges of servers and proxies, as a client (RFC 3261 §22.2, §22.3).

use super::digest::{Challenge, Credentials, Proof};
use super::header::Name;
use super::message::{Request, Response};
use super::random::Random;
use super::status::Status;

/// How often a request is sent again because the nonce was stale. A proxy and a server may each ask once more; a peer
/// that always says "stale" must not keep us busy for ever.
const STALE_MAX: u32 = 3;

/// The memory of the challenges in one dialog or registration.
pub(super) struct Authorizer {
    credentials: Option<Credentials>,
    server: Option<Answered>,
    proxy: Option<Answered>,
    stale_count: u32,
    random: Random,
}

struct Answered {
    challenge: Challenge,
    /// How many requests were signed with this nonce.
    count: u32,
    /// True until the signed request had an answer other than another challenge.
    is_tried: bool,
}

impl Authorizer {
    pub(super) fn new(credentials: Option<Credentials>, random: Random) -> Authorizer {
        Authorizer { credentials, server: None, proxy: None, stale_count: 0, random }
    }

    /// Adds what the challenges so far ask for. A nonce is used again with the next count.
    pub(super) fn sign(&mut self, request: &mut Request) {
        let Some(credentials) = &self.credentials else { return };
        for (answered, name) in [(&mut self.server, Name::Authorization), (&mut self.proxy, Name::ProxyAuthorization)] {
            request.headers.remove(&name);
            let Some(answered) = answered else { continue };
            answered.count += 1;
            answered.is_tried = true;
            let value = answered.sign(request, credentials, &self.random.token());
            request.headers.push(name, value);
        }
    }

    /// Takes a 401 or 407 in. Returns whether sending the request again, signed, can help.
    pub(super) fn challenged(&mut self, response: &Response) -> bool {
        let (slot, name) = match response.status {
            Status::UNAUTHORIZED => (&mut self.server, Name::WwwAuthenticate),
            Status::PROXY_AUTHENTICATION_REQUIRED => (&mut self.proxy, Name::ProxyAuthenticate),
            _ => return false,
        };
        let challenge = response.headers.all(&name).find_map(Challenge::parse);
        let (Some(challenge), Some(_)) = (challenge, &self.credentials) else { return false };
        let was_refused = slot.as_ref().is_some_and(|answered| answered.is_tried);
        if was_refused {
            self.stale_count += 1;
            let is_hopeless = !challenge.stale || self.stale_count > STALE_MAX;
            if is_hopeless {
                return false;
            }
        }
        *slot = Some(Answered { challenge, count: 0, is_tried: false });
        true
    }

    /// Notes that a signed request was let through, so that a later challenge is a new one.
    pub(super) fn accepted(&mut self) {
        self.stale_count = 0;
        for answered in [&mut self.server, &mut self.proxy].into_iter().flatten() {
            answered.is_tried = false;
        }
    }
}

impl Answered {
    fn sign(&self, request: &Request, credentials: &Credentials, cnonce: &str) -> String {
        let (challenge, uri) = (&self.challenge, request.uri.to_string());
        let nc = format!("{:08x}", self.count);
        let proof = Proof {
            algorithm: challenge.algorithm,
            user: &credentials.user,
            realm: &challenge.realm,
            method: request.method.as_str(),
            uri: &uri,
            nonce: &challenge.nonce,
            auth: challenge.has_qop.then_some((nc.as_str(), cnonce)),
        };
        proof.header(&credentials.password, challenge.opaque.as_deref())
    }
}
