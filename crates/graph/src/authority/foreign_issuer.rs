//! Issuers that are not ours and whose tokens are taken all the same: Entra ID, or any OpenID provider.

use std::collections::HashMap;
use std::net::IpAddr;

use url::{Host, Url};

use super::cloud::Cloud;
use crate::callback::Profile;
use crate::directory::{AppId, TenantId};

/// Is what an operator says about an issuer.
#[derive(Debug, Clone)]
pub struct ForeignIssuer {
    /// What its tokens name as `iss`; Entra ID has a name for each version of its tokens.
    pub names: Vec<String>,
    /// Where its keys are.
    pub keys: KeySource,
    /// What its tokens may name as `aud`.
    pub audiences: Vec<String>,
    /// Whose calls its applications make.
    pub tenant: TenantClaim,
    /// The client ids that may call us, and which of our applications each is.
    pub apps: HashMap<String, AppId>,
    /// What says what its applications may do.
    pub roles: RoleSource,
}

/// Says how an issuer's tokens tell their tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantClaim {
    /// By `tid`, which must be this one.
    Required(TenantId),
    /// Not at all: the issuer knows one tenant only, and it is this one.
    Implied(TenantId),
}

/// Says where the roles of a foreign token come from. Either way nobody gets more than the directory allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleSource {
    /// The claim `roles`, as Entra ID writes it.
    Token,
    /// The directory alone, for issuers that know nothing of Graph's roles.
    Directory,
}

/// Says where an issuer publishes its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// At this URL, as a JWK set (RFC 7517, section 5).
    Jwks(Url),
    /// Where the issuer's discovery document says (OpenID Connect Discovery 1.0, section 4). `issuer` is what the document
    /// must call itself.
    Discovery {
        /// The URL of the document.
        document: Url,
        /// The issuer as it is configured.
        issuer: String,
    },
}

/// Says that keys must not be fetched from a URL: whoever can change them on the way can sign tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute https URL; in the dev profile also http to this machine's loopback address")]
pub struct UnsafeKeySource;

impl KeySource {
    /// Takes the URL of a JWK set.
    ///
    /// # Errors
    ///
    /// [`UnsafeKeySource`] if the profile does not allow the URL.
    pub fn jwks(uri: &str, profile: Profile) -> Result<KeySource, UnsafeKeySource> {
        Ok(KeySource::Jwks(safe_url(uri, profile)?))
    }

    /// Takes an issuer that publishes a discovery document.
    ///
    /// # Errors
    ///
    /// [`UnsafeKeySource`] if the profile does not allow the issuer's URL.
    pub fn discovery(issuer: &str, profile: Profile) -> Result<KeySource, UnsafeKeySource> {
        let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        Ok(KeySource::Discovery { document: safe_url(&document, profile)?, issuer: issuer.to_owned() })
    }

    /// Checks a `jwks_uri` that a discovery document names: it must be as safe as the document was.
    pub(crate) fn follow(document: &Url, jwks_uri: &str) -> Result<Url, UnsafeKeySource> {
        let profile = if document.scheme() == "https" { Profile::Production } else { Profile::Dev };
        safe_url(jwks_uri, profile)
    }
}

fn safe_url(text: &str, profile: Profile) -> Result<Url, UnsafeKeySource> {
    let url = Url::parse(text).map_err(|_| UnsafeKeySource)?;
    let safe = match (url.scheme(), profile) {
        ("https", Profile::Dev | Profile::Production) => true,
        ("http", Profile::Dev) => is_loopback(&url),
        _ => false,
    };
    if safe { Ok(url) } else { Err(UnsafeKeySource) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

impl ForeignIssuer {
    /// Describes a tenant of Entra ID. Its tokens must say what they are for (`audiences`), which is an API that the
    /// operator registered there: tokens for Microsoft's own Graph can be verified by nobody else.
    ///
    /// # Panics
    ///
    /// Never: the URLs are made of constants and a GUID.
    #[must_use]
    pub fn entra(
        cloud: Cloud,
        tenant: TenantId,
        audiences: Vec<String>,
        apps: HashMap<String, AppId>,
    ) -> ForeignIssuer {
        let (login, sts) = (cloud.login_root(), cloud.sts_root());
        let keys = format!("{login}/{tenant}/discovery/v2.0/keys");
        ForeignIssuer {
            names: vec![format!("{login}/{tenant}/v2.0"), format!("{sts}/{tenant}/")],
            keys: KeySource::Jwks(Url::parse(&keys).expect("a constant and a GUID make a URL")),
            audiences,
            tenant: TenantClaim::Required(tenant),
            apps,
            roles: RoleSource::Token,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[track_caller]
    fn check_entra(cloud: Cloud, names: [&str; 2], keys: &str) {
        let issuer = ForeignIssuer::entra(cloud, TenantId(Uuid::nil()), Vec::new(), HashMap::new());
        let nil = Uuid::nil().to_string();
        assert_eq!(issuer.names, names.map(|name| name.replace("{tid}", &nil)));
        assert_eq!(issuer.keys, KeySource::Jwks(Url::parse(&keys.replace("{tid}", &nil)).expect("a URL")));
    }

    #[test]
    fn each_cloud_has_its_own_entra() {
        check_entra(
            Cloud::Global,
            ["https://login.microsoftonline.com/{tid}/v2.0", "https://sts.windows.net/{tid}/"],
            "https://login.microsoftonline.com/{tid}/discovery/v2.0/keys",
        );
        for cloud in [Cloud::UsGovL4, Cloud::UsGovL5] {
            check_entra(
                cloud,
                ["https://login.microsoftonline.us/{tid}/v2.0", "https://sts.windows.net/{tid}/"],
                "https://login.microsoftonline.us/{tid}/discovery/v2.0/keys",
            );
        }
        check_entra(
            Cloud::China,
            ["https://login.partner.microsoftonline.cn/{tid}/v2.0", "https://sts.chinacloudapi.cn/{tid}/"],
            "https://login.partner.microsoftonline.cn/{tid}/discovery/v2.0/keys",
        );
    }

    #[test]
    fn keys_are_fetched_by_https_and_in_dev_from_loopback() {
        for profile in [Profile::Dev, Profile::Production] {
            assert!(KeySource::jwks("https://idp.example/keys", profile).is_ok());
            for bad in ["http://idp.example/keys", "ftp://127.0.0.1/keys", "file:///keys", "/keys", ""] {
                assert_eq!(KeySource::jwks(bad, profile), Err(UnsafeKeySource), "{bad}");
            }
        }
        assert!(KeySource::discovery("http://127.0.0.1:8081/realms/x", Profile::Dev).is_ok());
        assert!(KeySource::discovery("http://127.0.0.1:8081/realms/x", Profile::Production).is_err());
    }

    #[test]
    fn a_document_that_came_by_https_does_not_lead_to_http() {
        let document = Url::parse("https://idp.example/.well-known/openid-configuration").expect("a URL");
        assert!(KeySource::follow(&document, "https://keys.example/jwks").is_ok());
        assert!(KeySource::follow(&document, "http://127.0.0.1/jwks").is_err());
    }
}
