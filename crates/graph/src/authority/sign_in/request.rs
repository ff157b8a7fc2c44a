//! Reads an authorization request (RFC 6749, section 4.1.1; RFC 7636, section 4.3).
//!
//! Who names a page or a place that is not ours is told so on a page, and sent nowhere (RFC 9700, section 4.11). Every other
//! mistake is told to the page that made it.

use super::client::Scope;
use super::code::Challenge;

/// Longest `state`, in bytes. Pages send some 40; more would only be carried around.
const STATE_BYTES_MAX: usize = 512;

/// Is a request that can be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AuthorizationRequest {
    pub(super) return_to: ReturnTo,
    pub(super) scope: Scope,
    pub(super) challenge: Challenge,
    pub(super) prompt: Prompt,
}

/// Is where the answer goes, and the page's own mark of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReturnTo {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
}

/// Says whether the person may be asked (OpenID Connect Core 1.0, section 3.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prompt {
    IfNeeded,
    Never,
    Always,
}

/// Says why a request is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Denied {
    /// Nobody may be sent to where it wants.
    Untrusted(&'static str),
    /// The page is told.
    Told(ReturnTo, Reason),
}

/// Is why a page gets no code (RFC 6749, section 4.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    #[error("A parameter is given more than once.")]
    Repeated,
    #[error("'response_type' must be 'code', and 'response_mode' 'query'.")]
    ResponseType,
    #[error("'scope' must be the one scope of the page.")]
    Scope,
    #[error("'code_challenge' and 'code_challenge_method=S256' are required.")]
    Challenge,
    #[error("'prompt' must be 'none' or 'login'.")]
    Prompt,
    #[error("Nobody has signed in.")]
    LoginRequired,
}

impl Reason {
    pub(super) fn code(self) -> &'static str {
        match self {
            Reason::Repeated | Reason::Challenge | Reason::Prompt => "invalid_request",
            Reason::ResponseType => "unsupported_response_type",
            Reason::Scope => "invalid_scope",
            Reason::LoginRequired => "login_required",
        }
    }
}

/// Is the parameters of a request, as they came.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads a query or a form.
    pub(super) fn read(encoded: &[u8]) -> Parameters {
        Parameters(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Returns the first of this name. An empty one counts as left out (RFC 6749, section 3.1).
    pub(super) fn first(&self, name: &'static str) -> Option<&str> {
        self.values(name).next()
    }

    fn values(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(other, value)| other == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    fn is_repeated(&self, name: &'static str) -> bool {
        self.values(name).nth(1).is_some()
    }
}

impl AuthorizationRequest {
    /// Reads a request that came to one of our URLs.
    ///
    /// # Errors
    ///
    /// [`Denied`], which says whom to tell.
    pub(super) fn read(parameters: &Parameters, base: &str) -> Result<AuthorizationRequest, Denied> {
        let (scope, return_to) = trusted(parameters, base)?;
        let denied = |reason| Denied::Told(return_to.clone(), reason);
        let names =
            ["response_type", "response_mode", "scope", "state", "code_challenge", "code_challenge_method", "prompt"];
        if names.iter().any(|name| parameters.is_repeated(name)) {
            return Err(denied(Reason::Repeated));
        }
        if parameters.first("response_type") != Some("code")
            || !matches!(parameters.first("response_mode"), None | Some("query"))
        {
            return Err(denied(Reason::ResponseType));
        }
        if parameters.first("scope") != Some(scope.name()) {
            return Err(denied(Reason::Scope));
        }
        let challenge = challenge(parameters).ok_or_else(|| denied(Reason::Challenge))?;
        let prompt = prompt(parameters).ok_or_else(|| denied(Reason::Prompt))?;
        Ok(AuthorizationRequest { return_to, scope, challenge, prompt })
    }
}

/// Finds the page, and checks that the answer would go to it.
fn trusted(parameters: &Parameters, base: &str) -> Result<(Scope, ReturnTo), Denied> {
    let untrusted = |sentence| Err(Denied::Untrusted(sentence));
    if parameters.is_repeated("client_id") || parameters.is_repeated("redirect_uri") {
        return untrusted("The client or its redirect URI is given more than once.");
    }
    let Some(scope) = parameters.first("client_id").and_then(Scope::of_client) else {
        return untrusted("The client is none of this server's own pages.");
    };
    let redirect_uri = scope.redirect_uri(base);
    if parameters.first("redirect_uri") != Some(redirect_uri.as_str()) {
        return untrusted("The redirect URI is not the one of the page.");
    }
    let state = parameters.first("state").filter(|state| state.len() <= STATE_BYTES_MAX).map(str::to_owned);
    Ok((scope, ReturnTo { redirect_uri, state }))
}

fn challenge(parameters: &Parameters) -> Option<Challenge> {
    if parameters.first("code_challenge_method") != Some("S256") {
        return None;
    }
    Challenge::new(parameters.first("code_challenge")?)
}

fn prompt(parameters: &Parameters) -> Option<Prompt> {
    match parameters.first("prompt") {
        None => Some(Prompt::IfNeeded),
        Some("none") => Some(Prompt::Never),
        Some("login") => Some(Prompt::Always),
        Some(_) => None,
    }
}

/// Tells whether a text has characters only that need no encoding in a URL (RFC 3986, section 2.3).
pub(super) fn is_unreserved(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://calls.example";
    const GOOD: &str = "response_type=code&client_id=fe4a7a00-c0de-4000-8000-000000000001&scope=Console&state=s\
                        &redirect_uri=https%3A%2F%2Fcalls.example%2F&code_challenge_method=S256\
                        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn read(query: &str) -> Result<AuthorizationRequest, Denied> {
        AuthorizationRequest::read(&Parameters::read(query.as_bytes()), BASE)
    }

    #[test]
    fn a_request_of_our_page_is_read() {
        let request = read(GOOD).expect("a request");
        assert_eq!((request.scope, request.prompt), (Scope::Console, Prompt::IfNeeded));
        assert_eq!(request.return_to.state.as_deref(), Some("s"));
    }

    #[test]
    fn nobody_is_sent_to_a_place_that_is_not_exactly_ours() {
        for redirect_uri in ["https://calls.example", "https://calls.example/phone", "https://evil.example/", "//", ""]
        {
            let encoded: String = url::form_urlencoded::byte_serialize(redirect_uri.as_bytes()).collect();
            let query = GOOD.replace("https%3A%2F%2Fcalls.example%2F", &encoded);
            assert!(matches!(read(&query), Err(Denied::Untrusted(_))), "{redirect_uri}");
        }
        for query in [GOOD.replace("0001", "0003"), format!("{GOOD}&client_id=x"), String::new()] {
            assert!(matches!(read(&query), Err(Denied::Untrusted(_))), "{query}");
        }
    }

    #[test]
    fn the_page_is_told_of_every_other_mistake() {
        let cases = [
            (GOOD.replace("response_type=code", "response_type=token"), Reason::ResponseType),
            (format!("{GOOD}&response_mode=fragment"), Reason::ResponseType),
            (GOOD.replace("scope=Console", "scope=Phone"), Reason::Scope),
            (GOOD.replace("S256", "plain"), Reason::Challenge),
            (GOOD.replace("E9M", ""), Reason::Challenge),
            (format!("{GOOD}&prompt=consent"), Reason::Prompt),
            (format!("{GOOD}&state=another"), Reason::Repeated),
        ];
        for (query, expected) in cases {
            let Err(Denied::Told(_, reason)) = read(&query) else { panic!("{query}") };
            assert_eq!(reason, expected, "{query}");
        }
    }
}
