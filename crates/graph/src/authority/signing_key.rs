//! The RSA key that signs our tokens: made at first start, kept in the data folder, published as a JWK.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde::Serialize;
use serde_json::{Value, json};

/// The only algorithm we sign with and accept (RFC 8725, section 3.1: the list is fixed by us, not by the token).
pub(crate) const ALGORITHM: Algorithm = Algorithm::RS256;

/// The file in the data folder that holds the key.
const FILE: &str = "signing-key.pem";

/// Is the key pair of the authority.
pub(crate) struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwk: Jwk,
    id: String,
}

/// Says why there is no key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningKeyError {
    #[error("the signing key could not be read or written: {0}")]
    Io(#[from] io::Error),
    #[error("the signing key could not be made: {0}")]
    Generate(#[from] rcgen::Error),
    #[error("the file {FILE} in the data folder is not an RSA key: {0}")]
    Parse(#[from] jsonwebtoken::errors::Error),
}

impl SigningKey {
    /// Reads the key of a data folder, or makes one when there is none. Takes about a second the first time.
    pub(crate) fn load_or_generate(data: &Path) -> Result<SigningKey, SigningKeyError> {
        let path = data.join(FILE);
        let pem = match fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?.serialize_pem();
                write_private(&path, &pem)?;
                pem
            }
            Err(error) => return Err(error.into()),
        };
        Ok(SigningKey::from_pem(&pem)?)
    }

    fn from_pem(pem: &str) -> Result<SigningKey, jsonwebtoken::errors::Error> {
        let encoding = EncodingKey::from_rsa_pem(pem.as_bytes())?;
        let jwk = Jwk::from_encoding_key(&encoding, ALGORITHM)?;
        let decoding = DecodingKey::from_jwk(&jwk)?;
        // RFC 7638: the thumbprint names the key, so a new key never has an old name.
        let id = jwk.thumbprint(ThumbprintHash::SHA256)?;
        Ok(SigningKey { encoding, decoding, jwk, id })
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

    /// Returns the public half as a JWK set (RFC 7517, section 5), with the members that Entra's has.
    pub(crate) fn jwk_set(&self) -> Value {
        let mut key = json!(self.jwk);
        key["kid"] = json!(self.id);
        key["use"] = json!("sig");
        json!({ "keys": [key] })
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
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_outlives_a_restart_and_is_its_owners_only() {
        let data = tempfile::tempdir().expect("a folder");
        let first = SigningKey::load_or_generate(data.path()).expect("a key");
        let second = SigningKey::load_or_generate(data.path()).expect("the same key");
        assert_eq!(first.id(), second.id());
        let mode = fs::metadata(data.path().join(FILE)).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_published_key_has_the_public_half_only() {
        let data = tempfile::tempdir().expect("a folder");
        let key = SigningKey::load_or_generate(data.path()).expect("a key");
        let set = key.jwk_set();
        let published = set["keys"][0].as_object().expect("a key");
        assert_eq!(published["kty"], "RSA");
        assert_eq!(published["e"], "AQAB");
        assert_eq!(published["kid"], key.id());
        assert!(!published.contains_key("d") && !published.contains_key("p"), "{published:?}");
    }
}
