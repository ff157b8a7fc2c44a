//! Which access tokens are good (RFC 7519, RFC 8725).
//!
//! What a token says about itself chooses only which issuer to ask: the key comes from that issuer, the algorithm from the
//! key, and the issuer, the audience and the times are then checked in the part that the key has signed.

use std::sync::Arc;

use engine::outgoing::{Client, Rule};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::cloud::Cloud;
use super::discovery::issuer;
use super::foreign_issuer::{ForeignIssuer, TenantClaim};
use super::key_ring::KeyRing;
use super::remote_keys::{CONNECT_TIMEOUT, KeyFault, RemoteKeys};
use super::signing_key::ALGORITHM;
use super::token::GRAPH_APP_ID;
use crate::directory::TenantId;
use crate::error::Failure;
use crate::public_url::PublicUrls;

/// How far clocks may differ, in seconds. RFC 7519 says "no more than a few minutes".
const LEEWAY_S: u64 = 60;

/// Is what we read of a token, in the names of every issuer.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) tid: Option<String>,
    pub(crate) oid: Option<String>,
    /// When it expires, in seconds since 1970.
    pub(crate) exp: f64,
    appid: Option<String>,
    azp: Option<String>,
    client_id: Option<String>,
    idtyp: Option<String>,
    /// Entra ID writes text, other issuers a list.
    scp: Option<Value>,
    auth_time: Option<Value>,
    sid: Option<Value>,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
}

/// Is the part of a token that chooses its issuer.
#[derive(Debug, Deserialize)]
struct Unproven {
    iss: String,
}

/// Is a token that is good.
#[derive(Debug)]
pub(crate) struct AccessToken<'a> {
    pub(crate) claims: Claims,
    /// Who issued it; nobody means that we did.
    pub(crate) foreign: Option<&'a ForeignIssuer>,
}

/// Checks access tokens.
pub(crate) struct Verifier {
    keys: Arc<KeyRing>,
    own: Validation,
    foreign: Vec<Foreign>,
}

struct Foreign {
    issuer: ForeignIssuer,
    validation: Validation,
    keys: Arc<RemoteKeys>,
}

impl Verifier {
    /// Says which tokens are good: built once, at start. `issuer_keys` says who may be asked for keys.
    pub(crate) fn new(keys: Arc<KeyRing>, own: Validation, issuers: Vec<ForeignIssuer>, issuer_keys: Rule) -> Verifier {
        let client = Client::new(issuer_keys, CONNECT_TIMEOUT);
        let foreign = |issuer: ForeignIssuer| Foreign {
            validation: foreign_validation(&issuer),
            keys: Arc::new(RemoteKeys::new(issuer.keys.clone(), client.clone())),
            issuer,
        };
        Verifier { keys, own, foreign: issuers.into_iter().map(foreign).collect() }
    }

    /// Checks a token: its signature, its issuer, its audience and its times.
    ///
    /// # Errors
    ///
    /// 401, which says what is wrong with the token; 503 if its issuer's keys cannot be had.
    pub(crate) async fn verify(&self, token: &str) -> Result<AccessToken<'_>, Failure> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| invalid(error.kind()))?;
        // RFC 7515, section 4.1.11: who does not understand what is critical must refuse.
        if header.crit.is_some() {
            return Err(invalid(&ErrorKind::InvalidToken));
        }
        // A key is found by its name alone; a key inside the token (`jwk`, `jku`, `x5u`, `x5c`) is never looked at.
        let kid = header.kid.ok_or_else(unknown_key)?;
        let unproven: Unproven =
            jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|error| invalid(error.kind()))?;
        match self.foreign.iter().find(|foreign| foreign.issuer.names.contains(&unproven.iss)) {
            Some(foreign) => {
                let claims = foreign.verify(token, &kid).await?;
                Ok(AccessToken { claims, foreign: Some(&foreign.issuer) })
            }
            None => {
                let key = self.keys.decoding(&kid).ok_or_else(unknown_key)?;
                Ok(AccessToken { claims: decode(token, &key, &self.own)?, foreign: None })
            }
        }
    }
}

impl Foreign {
    async fn verify(&self, token: &str, kid: &str) -> Result<Claims, Failure> {
        let found = self.keys.find(kid).await.map_err(|fault| match fault {
            KeyFault::Unknown => unknown_key(),
            KeyFault::Unreachable => {
                Failure::unavailable("The keys of the token's issuer cannot be fetched at the moment.")
            }
        })?;
        let mut validation = self.validation.clone();
        validation.algorithms = vec![found.algorithm];
        decode(token, &found.key, &validation)
    }
}

impl AccessToken<'_> {
    /// Returns the client id, by whichever name the issuer calls it.
    pub(crate) fn client_id(&self) -> Option<&str> {
        let Claims { appid, azp, client_id, .. } = &self.claims;
        let own_names = appid.as_deref().or(azp.as_deref());
        match self.foreign {
            Some(_) => own_names.or(client_id.as_deref()),
            None => own_names,
        }
    }

    /// Returns what a person allowed the client to do, as our own tokens say it.
    pub(crate) fn scope(&self) -> Option<&str> {
        self.claims.scp.as_ref()?.as_str()
    }

    /// Tells whether a person stands behind the token. Entra ID marks it by `scp` or `idtyp`; OpenID providers have no
    /// common mark, but a person has logged in, at some time or in some session.
    pub(crate) fn is_delegated(&self) -> bool {
        let Claims { scp, idtyp, auth_time, sid, .. } = &self.claims;
        let marked = match self.foreign.map(|issuer| issuer.tenant) {
            None | Some(TenantClaim::Required(_)) => scp.is_some(),
            Some(TenantClaim::Implied(_)) => auth_time.is_some() || sid.is_some(),
        };
        marked || idtyp.as_deref().is_some_and(|kind| kind != "app")
    }
}

/// Says which of our own tokens are good.
pub(crate) fn own_validation(urls: &PublicUrls, tenant: TenantId, cloud: Cloud) -> Validation {
    let issuers: Vec<_> = urls.all().map(|url| issuer(url.as_str(), tenant)).collect();
    let roots = urls.all().map(|url| url.as_str()).chain([cloud.graph_root()]);
    // Graph's name as an audience comes with and without the slash: v1.0 tokens carry either.
    let names = roots.flat_map(|root| [root.to_owned(), format!("{root}/")]);
    let audiences: Vec<_> = names.chain([GRAPH_APP_ID.to_owned()]).collect();
    validation(&issuers, &audiences, &["exp", "nbf", "aud", "iss"])
}

/// Not every issuer writes `nbf`; where it is written, it holds.
fn foreign_validation(issuer: &ForeignIssuer) -> Validation {
    validation(&issuer.names, &issuer.audiences, &["exp", "aud", "iss"])
}

fn validation(issuers: &[String], audiences: &[String], required: &[&str]) -> Validation {
    let mut validation = Validation::new(ALGORITHM);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(required);
    validation.set_issuer(issuers);
    validation.set_audience(audiences);
    validation
}

fn decode(token: &str, key: &DecodingKey, validation: &Validation) -> Result<Claims, Failure> {
    jsonwebtoken::decode(token, key, validation).map(|token| token.claims).map_err(|error| invalid(error.kind()))
}

fn unknown_key() -> Failure {
    Failure::unauthenticated("Access token validation failure. The signing key is not known.")
}

fn invalid(kind: &ErrorKind) -> Failure {
    let sentence = match kind {
        ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => "Access token has expired or is not yet valid.",
        ErrorKind::InvalidAudience => "Access token validation failure. Invalid audience.",
        ErrorKind::InvalidIssuer => "Access token validation failure. Invalid issuer.",
        ErrorKind::InvalidSignature => "Access token validation failure. Invalid signature.",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => {
            "Access token validation failure. The algorithm is not the one of the signing key."
        }
        ErrorKind::MissingRequiredClaim(_) => "Access token validation failure. A claim is missing.",
        // The library's list is open; whatever else it finds, the text is not a token that anybody we trust has issued.
        _ => "CompactToken parsing failed: the text is not a well-formed JWT.",
    };
    Failure::unauthenticated(sentence)
}
