//! What we prove by a handshake that the descriptions were ours.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dimpl::certificate::{CertificateError, generate_self_signed_certificate};
use dimpl::{Config, DtlsCertificate};

use super::{Fingerprint, HANDSHAKE_MAX, HashFunction};

/// How long the first answer may take before a flight is sent again; each time it is doubled. RFC 6347 §4.2.4.1 has 1 s and
/// lets those who are in a hurry take less; somebody waits here to be heard. Less would repeat on far networks.
const RETRANSMIT_AFTER: Duration = Duration::from_millis(250);

/// How often a flight is sent again: 0.25, 0.75, 1.75, 3.75 and 7.75 s after the first time; then the time is over.
const RETRANSMITS_MAX: usize = 5;

/// A certificate with its private key: signed by itself, ECDSA on P-256, good for a year. Nobody checks anything of it but
/// the fingerprint, which stands in our descriptions.
///
/// One is made for each process, so it lives as long as the process and is nowhere stored. It is cheap to clone.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    certificate: DtlsCertificate,
    settings: Arc<Config>,
    fingerprint: Fingerprint,
}

/// No certificate could be made: the crypto library had no randomness to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no certificate could be made for DTLS")]
pub struct NoCertificate;

impl Certificate {
    /// Makes a certificate that nobody else has. The first takes some 20 ms, for the crypto library wakes up, others 1 ms.
    ///
    /// # Errors
    ///
    /// [`NoCertificate`] if the crypto library cannot.
    pub fn generate() -> Result<Certificate, NoCertificate> {
        let made: Result<DtlsCertificate, CertificateError> = generate_self_signed_certificate();
        let certificate = made.map_err(|_| NoCertificate)?;
        let fingerprint = Fingerprint::of(HashFunction::Sha256, &certificate.certificate);
        let settings = Config::builder()
            .handshake_timeout(HANDSHAKE_MAX)
            .flight_start_rto(RETRANSMIT_AFTER)
            .flight_retries(RETRANSMITS_MAX)
            .build()
            .map_err(|_| NoCertificate)?;
        Ok(Certificate(Arc::new(Inner { certificate, settings: Arc::new(settings), fingerprint })))
    }

    /// Returns its fingerprint by SHA-256, the hash function that everybody knows (RFC 8122 §5).
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.0.fingerprint
    }

    /// Returns the certificate as it goes over the wire (DER).
    pub fn der(&self) -> &[u8] {
        &self.0.certificate.certificate
    }

    /// Returns the private key (PKCS #8, DER). It is nobody else's business.
    pub fn private_key(&self) -> &[u8] {
        &self.0.certificate.private_key
    }

    /// Returns how associations behave.
    pub(super) fn settings(&self) -> Arc<Config> {
        Arc::clone(&self.0.settings)
    }

    pub(super) fn for_library(&self) -> DtlsCertificate {
        self.0.certificate.clone()
    }
}

/// Prints the fingerprint, which is public, and not the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.0.fingerprint.to_string()).finish()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Certificate) -> bool {
        self.0.fingerprint == other.0.fingerprint
    }
}

impl Eq for Certificate {}
