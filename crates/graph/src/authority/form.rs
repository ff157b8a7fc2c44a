//! Reads a token request: a form with the grant, and the client's credentials in it or in a header (RFC 6749, sections
//! 2.3.1, 4.1.3 and 4.4.2; RFC 7523, section 2.2; RFC 7636, section 4.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use url::form_urlencoded;

use super::assertion::ASSERTION_TYPE;
use super::error::{AssertionFault, TokenError};
use super::sign_in::Redemption;

/// Says which endpoint was asked; v1 names a resource, v2.0 a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    V1,
    V2,
}

/// Is the form of a token request, in the two versions of the endpoint.
#[derive(Debug, Default)]
pub(crate) struct Form {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
    scope: Option<String>,
    resource: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
}

/// Says by what a token is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantType {
    /// An application asks for itself (RFC 6749, section 4.4).
    ClientCredentials,
    /// A page asks for the person who has signed in (RFC 6749, section 4.1).
    AuthorizationCode,
}

/// Is what a client proves itself by.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credential<'a> {
    /// `client_secret_post`, `client_secret_basic`.
    Secret(&'a str),
    /// `private_key_jwt`.
    Assertion(&'a str),
}

impl Form {
    /// Reads the body, and the header of `client_secret_basic`.
    pub(crate) fn read(body: &[u8], headers: &HeaderMap) -> Result<Form, TokenError> {
        let mut form = Form::default();
        for (name, value) in form_urlencoded::parse(body) {
            // Clients send a dozen more members; they are ignored.
            let Some((name, member)) = form.member(&name) else { continue };
            if member.replace(value.into_owned()).is_some() {
                return Err(TokenError::RepeatedParameter(name));
            }
        }
        form.take_basic_credentials(headers)?;
        Ok(form)
    }

    fn member(&mut self, name: &str) -> Option<(&'static str, &mut Option<String>)> {
        Some(match name {
            "grant_type" => ("grant_type", &mut self.grant_type),
            "client_id" => ("client_id", &mut self.client_id),
            "client_secret" => ("client_secret", &mut self.client_secret),
            "client_assertion" => ("client_assertion", &mut self.client_assertion),
            "client_assertion_type" => ("client_assertion_type", &mut self.client_assertion_type),
            "scope" => ("scope", &mut self.scope),
            "resource" => ("resource", &mut self.resource),
            "code" => ("code", &mut self.code),
            "redirect_uri" => ("redirect_uri", &mut self.redirect_uri),
            "code_verifier" => ("code_verifier", &mut self.code_verifier),
            _ => return None,
        })
    }

    /// Takes `client_secret_basic`: both halves are form-encoded before they are joined.
    fn take_basic_credentials(&mut self, headers: &HeaderMap) -> Result<(), TokenError> {
        let Some((id, secret)) = basic_credentials(headers) else { return Ok(()) };
        if self.client_secret.is_some() {
            return Err(TokenError::CredentialsTwice);
        }
        if self.client_id.as_ref().is_some_and(|given| *given != id) {
            return Err(TokenError::UnknownApplication);
        }
        self.client_id = Some(id);
        self.client_secret = Some(secret);
        Ok(())
    }

    /// Returns who the client says it is. It may leave that to its assertion.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Returns the one credential of the request.
    pub(crate) fn credential(&self) -> Result<Credential<'_>, TokenError> {
        match (self.client_secret.as_deref(), self.client_assertion.as_deref()) {
            (Some(_), Some(_)) => Err(TokenError::CredentialsTwice),
            (Some(secret), None) => Ok(Credential::Secret(secret)),
            (None, None) => Err(TokenError::NoCredentials),
            (None, Some(assertion)) => match self.client_assertion_type.as_deref() {
                Some(ASSERTION_TYPE) => Ok(Credential::Assertion(assertion)),
                Some(_) => Err(AssertionFault::Type.into()),
                None => Err(TokenError::MissingParameter("client_assertion_type")),
            },
        }
    }

    /// Returns which grant is asked for. Version 1 knows no people.
    pub(crate) fn grant_type(&self, version: Version) -> Result<GrantType, TokenError> {
        match (self.grant_type.as_deref(), version) {
            (Some("client_credentials"), _) => Ok(GrantType::ClientCredentials),
            (Some("authorization_code"), Version::V2) => Ok(GrantType::AuthorizationCode),
            (Some(_), _) => Err(TokenError::UnsupportedGrant),
            (None, _) => Err(TokenError::MissingParameter("grant_type")),
        }
    }

    /// Returns how a page redeems its code. A page is a public client: it has no credentials, and must send none.
    pub(crate) fn redemption(&self) -> Result<Redemption<'_>, TokenError> {
        if self.client_secret.is_some() || self.client_assertion.is_some() {
            return Err(TokenError::PublicClient);
        }
        Ok(Redemption {
            code: required("code", self.code.as_deref())?,
            client_id: required("client_id", self.client_id.as_deref())?,
            redirect_uri: required("redirect_uri", self.redirect_uri.as_deref())?,
            verifier: required("code_verifier", self.code_verifier.as_deref())?,
        })
    }

    /// Takes `<anything>/.default`: a client asks for the host name that it knows us by, or for Graph's.
    pub(crate) fn resource(&self, version: Version) -> Result<&str, TokenError> {
        match version {
            Version::V1 => self.resource.as_deref().ok_or(TokenError::MissingParameter("resource")),
            Version::V2 => {
                let scope = self.scope.as_deref().ok_or(TokenError::MissingParameter("scope"))?;
                scope.trim().strip_suffix("/.default").filter(|s| !s.contains(' ')).ok_or(TokenError::InvalidScope)
            }
        }
    }
}

fn required<'a>(name: &'static str, member: Option<&'a str>) -> Result<&'a str, TokenError> {
    member.ok_or(TokenError::MissingParameter(name))
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

/// Decodes one half. It is put in the place of a value: a secret may hold `=` and `&` unencoded where clients skip the
/// encoding.
fn form_decoded(text: &str) -> String {
    let pair = format!("v={}", text.replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Form, TokenError> {
        Form::read(body.as_bytes(), &HeaderMap::new())
    }

    fn basic(credentials: &str) -> HeaderMap {
        let value = format!("Basic {}", STANDARD.encode(credentials)).parse().expect("a header");
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    }

    #[test]
    fn one_kind_of_credential_is_taken() {
        let jwt_bearer = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
        let both = format!("client_secret=s&client_assertion=a&{jwt_bearer}");
        assert_eq!(read("client_secret=s").expect("a form").credential(), Ok(Credential::Secret("s")));
        let assertion = read(&format!("client_assertion=a&{jwt_bearer}")).expect("a form");
        assert_eq!(assertion.credential(), Ok(Credential::Assertion("a")));
        assert_eq!(read(&both).expect("a form").credential(), Err(TokenError::CredentialsTwice));
        assert_eq!(read("x=y").expect("a form").credential(), Err(TokenError::NoCredentials));
        let saml = read("client_assertion=a&client_assertion_type=saml").expect("a form");
        assert_eq!(saml.credential(), Err(AssertionFault::Type.into()));
    }

    #[test]
    fn a_parameter_is_given_once() {
        let error = read("client_id=a&client_id=b").expect_err("twice");
        assert_eq!(error, TokenError::RepeatedParameter("client_id"));
    }

    #[test]
    fn the_header_holds_both_halves_form_encoded() {
        let form = Form::read(b"", &basic("id%2D1:a+b%26=c")).expect("a form");
        assert_eq!(form.client_id(), Some("id-1"));
        assert_eq!(form.credential(), Ok(Credential::Secret("a b&=c")));
        let twice = Form::read(b"client_secret=s", &basic("id:s")).expect_err("twice");
        assert_eq!(twice, TokenError::CredentialsTwice);
    }

    #[test]
    fn any_host_is_a_scope() {
        let form = |scope: &str| read(&format!("scope={scope}")).expect("a form");
        assert_eq!(
            form("https%3A%2F%2Flocalhost%3A8443%2F.default").resource(Version::V2),
            Ok("https://localhost:8443")
        );
        assert_eq!(form("User.Read").resource(Version::V2), Err(TokenError::InvalidScope));
    }
}
