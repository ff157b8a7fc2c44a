//! Issuers that are not ours and whose tokens are taken all the same: Entra ID, or any OpenID provider.

use std::collections::HashMap;

use engine::outgoing::{HttpUri, Rule, UriError};

use super::cloud::Cloud;
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
    Jwks(HttpUri),
    /// Where the issuer's discovery document says (OpenID Connect Discovery 1.0, section 4). `issuer` is what the document
    /// must call itself.
    Discovery {
        /// The URL of the document.
        document: HttpUri,
        /// The issuer as it is configured.
        issuer: String,
    },
}

impl KeySource {
    /// Takes the URI of a JWK set.
    ///
    /// # Errors
    ///
    /// [`UriError`] if the rule does not allow the URI: whoever can change keys on the way can sign tokens.
    pub fn jwks(uri: &str, rule: &Rule) -> Result<KeySource, UriError> {
        Ok(KeySource::Jwks(rule.parse(uri)?))
    }

    /// Takes an issuer that publishes a discovery document.
    ///
    /// # Errors
    ///
    /// [`UriError`] if the rule does not allow the issuer's URI.
    pub fn discovery(issuer: &str, rule: &Rule) -> Result<KeySource, UriError> {
        let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        Ok(KeySource::Discovery { document: rule.parse(&document)?, issuer: issuer.to_owned() })
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
            keys: KeySource::Jwks(HttpUri::parse(&keys).expect("a constant and a GUID make a URI")),
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
        assert_eq!(issuer.keys, KeySource::Jwks(HttpUri::parse(&keys.replace("{tid}", &nil)).expect("a URI")));
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
}
