//! One RSA key that signs our tokens, published as a JWK.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chrono::{DateTime, Utc};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde::Serialize;
use serde_json::{Value, json};

/// The only algorithm we sign with and accept (RFC 8725, section 3.1: the list is fixed by us, not by the token).
pub(crate) const ALGORITHM: Algorithm = Algorithm::RS256;

/// Is a key pair of the authority.
pub(crate) struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwk: Jwk,
    id: String,
    created: DateTime<Utc>,
}

impl SigningKey {
    /// Makes the PEM text of a new key. Takes about a second.
    pub(crate) fn generate() -> Result<String, rcgen::Error> {
        Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?.serialize_pem())
    }

    /// Reads a key that was made at `created`.
    pub(crate) fn from_pem(pem: &str, created: DateTime<Utc>) -> Result<SigningKey, jsonwebtoken::errors::Error> {
        let encoding = EncodingKey::from_rsa_pem(pem.as_bytes())?;
        let jwk = Jwk::from_encoding_key(&encoding, ALGORITHM)?;
        let decoding = DecodingKey::from_jwk(&jwk)?;
        // RFC 7638: the thumbprint names the key, so a new key never has an old name.
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        Ok(SigningKey { encoding, decoding, jwk, id, created })
    }

    /// Signs claims as a compact JWT.
    pub(crate) fn sign(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        let mut header = Header::new(ALGORITHM);
        header.kid = Some(self.id.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding)
    }

    /// Returns the public half, for checking our own signatures.
    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// Returns the key's name, a token's `kid`.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Returns when the key was made.
    pub(crate) fn created(&self) -> DateTime<Utc> {
        self.created
    }

    /// Returns the public half as a JWK (RFC 7517), with the members that Entra's has.
    pub(crate) fn jwk(&self) -> Value {
        let mut key = json!(self.jwk);
        key["kid"] = json!(self.id);
        key["use"] = json!("sig");
        key
    }
}

/// Writes a file that only its owner can read. It appears whole or not at all, whenever the process dies.
///
/// # Errors
///
/// Whatever the file system says.
pub(crate) fn write_private(path: &Path, text: &str) -> io::Result<()> {
    const OWNER_ONLY: u32 = 0o600;
    let unfinished = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWNER_ONLY).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_key_has_the_public_half_only() {
        let pem = SigningKey::generate().expect("a key");
        let key = SigningKey::from_pem(&pem, DateTime::UNIX_EPOCH).expect("a key");
        let published = key.jwk();
        let published = published.as_object().expect("a key");
        assert_eq!(published["kty"], "RSA");
        assert_eq!(published["e"], "AQAB");
        assert_eq!(published["kid"], key.id());
        assert!(!published.contains_key("d") && !published.contains_key("p"), "{published:?}");
    }
}
