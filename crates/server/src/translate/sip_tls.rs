//! The certificates of SIP over TLS: whom we are, and whom we trust.

use crate::config::{Profile, Settings, Sip};
use anyhow::{Context, bail};
use engine::SipTls;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

/// Who we are: the chain of certificates, our own first, and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Makes both sides of TLS, if it is to be spoken.
///
/// # Errors
///
/// Which key is wrong.
pub(super) fn sip_tls(settings: &Settings, domain: &str) -> anyhow::Result<Option<SipTls>> {
    let Some(listen) = settings.sip.tls_listen else { return Ok(None) };
    let mut roots = system_roots();
    add_authorities(&mut roots, &settings.sip)?;
    let identity = match settings.sip.tls_certificate.as_str() {
        "" => local_identity(settings, domain, &mut roots)?,
        _ => own_identity(&settings.sip)?,
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .context("tls_certificate and tls_key")?;
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(identity.chain, identity.key)
        .context("tls_certificate and tls_key")?;
    Ok(Some(SipTls { listen, server: Arc::new(server), client: Arc::new(client) }))
}

fn own_identity(sip: &Sip) -> anyhow::Result<Identity> {
    let chain = certificates(&sip.tls_certificate).context("tls_certificate")?;
    if sip.tls_key.is_empty() {
        bail!("tls_key: a certificate needs its key");
    }
    let key = PrivateKeyDer::from_pem_file(&sip.tls_key).with_context(|| format!("tls_key: {}", sip.tls_key))?;
    Ok(Identity { chain, key })
}

/// Signed by the local authority, which is then trusted: so two servers of one data folder reach each other.
fn local_identity(settings: &Settings, domain: &str, roots: &mut RootCertStore) -> anyhow::Result<Identity> {
    if settings.profile == Profile::Production {
        bail!("tls_certificate: phones have to know who they talk to; set it, or leave tls_listen empty");
    }
    let local = graph::local_certificate(&settings.data, Some(domain)).context("the local authority")?;
    roots.add(local.authority)?;
    Ok(Identity { chain: vec![local.certificate], key: local.key })
}

/// What the system trusts. A system without authorities trusts nobody, which is no error.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let loaded = rustls_native_certs::load_native_certs();
    for error in &loaded.errors {
        tracing::warn!(%error, "some of the system's certificates cannot be read");
    }
    roots.add_parsable_certificates(loaded.certs);
    roots
}

fn add_authorities(roots: &mut RootCertStore, sip: &Sip) -> anyhow::Result<()> {
    if sip.tls_authorities.is_empty() {
        return Ok(());
    }
    for authority in certificates(&sip.tls_authorities).context("tls_authorities")? {
        roots.add(authority).context("tls_authorities")?;
    }
    Ok(())
}

fn certificates(path: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let certificates = CertificateDer::pem_file_iter(path).with_context(|| path.to_owned())?;
    let certificates = certificates.collect::<Result<Vec<_>, _>>().with_context(|| path.to_owned())?;
    if certificates.is_empty() {
        bail!("{path} has no certificate");
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn settings(change: impl FnOnce(&mut Settings)) -> (tempfile::TempDir, Settings) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = config::load(None).expect("the dev profile");
        settings.data = folder.path().join("data");
        std::fs::create_dir(&settings.data).expect("a folder");
        change(&mut settings);
        (folder, settings)
    }

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut Settings), reason: &str) {
        let (_folder, settings) = settings(change);
        let error = sip_tls(&settings, "localhost").map(|_| ()).expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn the_dev_profile_has_a_certificate_of_the_local_authority() {
        let (_folder, settings) = settings(|_| {});
        assert!(sip_tls(&settings, "calls.example").expect("made").is_some());
        assert!(settings.data.join("ca.pem").exists());
    }

    #[test]
    fn without_an_address_there_is_none() {
        let (_folder, settings) = settings(|settings| settings.sip.tls_listen = None);
        assert!(sip_tls(&settings, "calls.example").expect("nothing is wrong").is_none());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        check_refused(|settings| settings.profile = Profile::Production, "tls_certificate: phones have to know");
        check_refused(
            |settings| settings.sip.tls_certificate = "/no/such.pem".to_owned(),
            "tls_certificate: /no/such.pem",
        );
        check_refused(|settings| settings.sip.tls_authorities = "/no/such.pem".to_owned(), "tls_authorities");
        check_refused(
            |settings| {
                sip_tls(settings, "localhost").expect("the local authority is made");
                settings.sip.tls_certificate = settings.data.join("ca.pem").display().to_string();
            },
            "tls_key",
        );
    }
}
