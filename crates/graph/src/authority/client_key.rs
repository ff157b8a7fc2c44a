//! The public half of a key by which an application proves itself: `private_key_jwt`, Entra's "certificate credentials".

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Smallest modulus that is taken, in bits (RFC 7518, sections 3.3 and 3.5). Shorter keys are within reach of attackers.
const MODULUS_BITS_MIN: usize = 2048;

/// Is a public key of an application, with the names by which an assertion may call it.
#[derive(Clone)]
pub struct ClientKey {
    key: DecodingKey,
    names: Vec<String>,
    not_after: Option<i64>,
}

/// Says why a file is no key of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientKeyError {
    /// There is no PEM block in it.
    #[error("must hold a certificate or a public key in PEM")]
    NotPem,
    /// Whoever copies a private key to the server has given it away.
    #[error("holds a private key; give the server the certificate or the public key only")]
    Private,
    /// The block is damaged, or holds a key that is not RSA.
    #[error("must hold an RSA key")]
    NotRsa,
    /// The key is too short.
    #[error("must hold an RSA key of at least {MODULUS_BITS_MIN} bits")]
    Short,
}

impl ClientKey {
    /// Reads a certificate (`CERTIFICATE`) or a public key (`PUBLIC KEY`, `RSA PUBLIC KEY`) in PEM; of several blocks, the
    /// first that is either.
    ///
    /// # Errors
    ///
    /// [`ClientKeyError`], which says what the file should hold.
    pub fn from_pem(pem: &str) -> Result<ClientKey, ClientKeyError> {
        for block in Pem::iter_from_buffer(pem.as_bytes()) {
            let block = block.map_err(|_| ClientKeyError::NotPem)?;
            match block.label.as_str() {
                "CERTIFICATE" => return ClientKey::from_certificate(&block.contents),
                "PUBLIC KEY" | "RSA PUBLIC KEY" => return ClientKey::from_public_key(pem),
                label if label.ends_with("PRIVATE KEY") => return Err(ClientKeyError::Private),
                _ => {}
            }
        }
        Err(ClientKeyError::NotPem)
    }

    fn from_certificate(der: &[u8]) -> Result<ClientKey, ClientKeyError> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|_| ClientKeyError::NotRsa)?;
        let key = DecodingKey::from_rsa_der(&certificate.public_key().subject_public_key.data);
        let mut key = ClientKey::from_key(key)?;
        key.names.extend(thumbprints(der));
        key.not_after = Some(certificate.validity().not_after.timestamp());
        Ok(key)
    }

    fn from_public_key(pem: &str) -> Result<ClientKey, ClientKeyError> {
        ClientKey::from_key(DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| ClientKeyError::NotRsa)?)
    }

    fn from_key(key: DecodingKey) -> Result<ClientKey, ClientKeyError> {
        let jwk = Jwk::from_decoding_key(&key, Some(Algorithm::RS256)).map_err(|_| ClientKeyError::NotRsa)?;
        if modulus_bits(&jwk).ok_or(ClientKeyError::NotRsa)? < MODULUS_BITS_MIN {
            return Err(ClientKeyError::Short);
        }
        let name = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| ClientKeyError::NotRsa)?;
        Ok(ClientKey { key, names: vec![name], not_after: None })
    }

    /// Returns the key that checks signatures.
    pub(crate) fn verifying(&self) -> &DecodingKey {
        &self.key
    }

    /// Tells whether the certificate has run out; a bare key never does.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        self.not_after.is_some_and(|not_after| not_after < now)
    }

    /// Tells whether an assertion's header means this key: `x5t`, `x5t#S256` or `kid` is one of its names, or it names
    /// none at all. A key inside the header (`jwk`, `x5c`) is never looked at.
    pub(crate) fn is_meant_by(&self, header: &Header) -> bool {
        let mut given = [&header.x5t, &header.x5t_s256, &header.kid].into_iter().flatten().peekable();
        given.peek().is_none() || given.any(|name| self.is_named(name))
    }

    /// Compares in the alphabet of RFC 7515 and without padding: Python's client sends other base64 than JavaScript's.
    fn is_named(&self, name: &str) -> bool {
        let name = name.trim_end_matches('=').replace('+', "-").replace('/', "_");
        self.names.iter().any(|own| *own == name || (is_hex(own) && own.eq_ignore_ascii_case(&name)))
    }
}

/// Names a certificate by its hashes: base64url, and the hexadecimal SHA-1 that portals and tools print.
fn thumbprints(der: &[u8]) -> [String; 3] {
    let (sha1, sha256) = (Sha1::digest(der), Sha256::digest(der));
    let hex = sha1.iter().map(|byte| format!("{byte:02X}")).collect();
    [URL_SAFE_NO_PAD.encode(sha1), URL_SAFE_NO_PAD.encode(sha256), hex]
}

fn is_hex(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn modulus_bits(jwk: &Jwk) -> Option<usize> {
    let jsonwebtoken::jwk::AlgorithmParameters::RSA(rsa) = &jwk.algorithm else { return None };
    let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).ok()?;
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    Some((modulus.len() - zeros) * 8)
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey").field("names", &self.names).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize};

    fn rsa() -> KeyPair {
        KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key")
    }

    fn header(x5t: Option<&str>, kid: Option<&str>) -> Header {
        let mut header = Header::new(Algorithm::RS256);
        header.x5t = x5t.map(str::to_owned);
        header.kid = kid.map(str::to_owned);
        header
    }

    #[test]
    fn a_certificate_is_called_by_each_of_its_hashes() {
        let certificate = CertificateParams::default().self_signed(&rsa()).expect("a certificate");
        let key = ClientKey::from_pem(&certificate.pem()).expect("a key");
        let [sha1, sha256, hex] = thumbprints(certificate.der());
        assert!(key.is_meant_by(&header(Some(&sha1), None)));
        assert!(key.is_meant_by(&header(Some(&format!("{sha1}=")), None)), "Python pads");
        assert!(key.is_meant_by(&header(None, Some(&sha256))));
        assert!(key.is_meant_by(&header(None, Some(&hex.to_lowercase()))));
        assert!(key.is_meant_by(&header(None, None)), "no name is no other name");
        assert!(!key.is_meant_by(&header(Some("AAAA"), None)));
        assert!(!key.is_expired(0) && key.is_expired(i64::MAX));
    }

    #[test]
    fn a_bare_public_key_is_taken() {
        let pair = rsa();
        let key = ClientKey::from_pem(&pair.public_key_pem()).expect("a key");
        let name = key.names[0].clone();
        assert!(key.is_meant_by(&header(None, Some(&name))));
        assert!(!key.is_expired(i64::MAX));
    }

    #[test]
    fn what_is_no_public_rsa_key_is_refused() {
        let elliptic = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
        let certificate = CertificateParams::default().self_signed(&elliptic).expect("a certificate");
        let cases = [
            (String::new(), ClientKeyError::NotPem),
            ("MIIB".to_owned(), ClientKeyError::NotPem),
            (rsa().serialize_pem(), ClientKeyError::Private),
            (elliptic.public_key_pem(), ClientKeyError::NotRsa),
            (certificate.pem(), ClientKeyError::NotRsa),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), ClientKeyError::NotRsa),
        ];
        for (pem, expected) in cases {
            assert_eq!(ClientKey::from_pem(&pem).expect_err("it is bad"), expected, "{pem}");
        }
    }
}
