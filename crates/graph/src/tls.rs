//! The certificate of the https listener: signed by a local authority that is made at first start.
//!
//! Official clients insist on https. A developer trusts `<data>/ca.pem` once; the server's own certificate is made anew at
//! each start, so that it always names the current host and never runs out in a long-lived data folder.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::authority::signing_key::write_private;

/// The local authority's certificate: what clients have to trust.
const CA_FILE: &str = "ca.pem";

/// The local authority's key.
const CA_KEY_FILE: &str = "ca-key.pem";

/// The names of the machine itself.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What the listener speaks: HTTP/2 if the client offers it (RFC 9113, section 3.2).
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Says why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The files of the authority.
    #[error("the local certificate authority could not be read or written: {0}")]
    Io(#[from] io::Error),
    /// The certificate itself.
    #[error("a certificate could not be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS does not take it.
    #[error("the certificate cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
}

/// A certificate of this server that the local authority has signed.
pub struct LocalCertificate {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// The authority's own certificate, which clients have to trust.
    pub authority: CertificateDer<'static>,
}

impl fmt::Debug for LocalCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalCertificate(..)")
    }
}

/// Makes a certificate for this machine and `host`, signed by the authority in `data`, which is made if it is not there.
///
/// # Errors
///
/// [`TlsError`] if the authority cannot be read or written.
pub fn local_certificate(data: &Path, host: Option<&str>) -> Result<LocalCertificate, TlsError> {
    let issuer = local_authority(data)?;
    let key = KeyPair::generate()?;
    let certificate = leaf(host)?.signed_by(&key, &issuer)?;
    let authority = CertificateDer::from_pem_file(data.join(CA_FILE)).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(LocalCertificate { certificate: certificate.der().clone(), key, authority })
}

/// Makes the TLS side of the https listener; `host` is the host of the public URL, if there is one.
pub(crate) fn server_config(data: &Path, host: Option<&str>) -> Result<Arc<ServerConfig>, TlsError> {
    let LocalCertificate { certificate, key, .. } = local_certificate(data, host)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

fn leaf(host: Option<&str>) -> Result<CertificateParams, rcgen::Error> {
    let mut names: Vec<String> = LOCAL_NAMES.map(str::to_owned).to_vec();
    names.extend(host.filter(|host| !LOCAL_NAMES.contains(host)).map(str::to_owned));
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Fermata");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Reads the authority of a data folder, or makes one when there is none.
fn local_authority(data: &Path) -> Result<Issuer<'static, KeyPair>, TlsError> {
    let (certificate_path, key_path) = (data.join(CA_FILE), data.join(CA_KEY_FILE));
    if !key_path.exists() {
        fs::create_dir_all(data)?;
        let key = KeyPair::generate()?;
        let certificate = authority_params().self_signed(&key)?;
        fs::write(&certificate_path, certificate.pem())?;
        // The key comes last: a crash in between makes a new authority, never one without its certificate.
        write_private(&key_path, &key.serialize_pem())?;
    }
    let key = KeyPair::from_pem(&fs::read_to_string(&key_path)?)?;
    Ok(Issuer::from_ca_cert_pem(&fs::read_to_string(&certificate_path)?, key)?)
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Fermata local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_outlives_a_restart() {
        let data = tempfile::tempdir().expect("a folder");
        server_config(data.path(), None).expect("first start");
        let first = fs::read(data.path().join(CA_FILE)).expect("the authority");
        server_config(data.path(), Some("calls.example")).expect("second start");
        assert_eq!(fs::read(data.path().join(CA_FILE)).expect("the authority"), first);
    }
}
