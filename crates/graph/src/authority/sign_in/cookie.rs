//! The cookie of a session (RFC 6265bis).

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};

use super::SESSION_LIFETIME_S;
use crate::directory::TenantId;

const NAME: &str = "fermata_session";

/// Finds the session of a request.
pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, session)| session)
}

/// Begins a session, or ends it when there is none.
///
/// It goes to the authority's own paths only, to no script, and with no request that another site made. `Secure` follows
/// the URL, because the dev profile speaks http on loopback.
pub(super) fn set(session: Option<&str>, base: &str, tenant: TenantId) -> HeaderValue {
    let (session, age_s) = session.map_or(("", 0), |session| (session, SESSION_LIFETIME_S));
    let secure = if base.starts_with("https://") { "; Secure" } else { "" };
    let cookie =
        format!("{NAME}={session}; Path=/{tenant}/oauth2/v2.0; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(cookie).expect("sessions are base64url")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_found_among_other_cookies() {
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static("a=b; fermata_session=xyz; c=d"))]);
        assert_eq!(session(&headers), Some("xyz"));
        assert_eq!(session(&HeaderMap::new()), None);
    }

    #[test]
    fn a_cookie_over_https_is_never_sent_in_clear() {
        let tenant = TenantId(uuid::Uuid::nil());
        let cookie = |base| set(Some("xyz"), base, tenant).to_str().expect("text").to_owned();
        assert!(cookie("https://calls.example").ends_with("; HttpOnly; SameSite=Strict; Secure"));
        assert!(cookie("http://127.0.0.1:8080").ends_with("; SameSite=Strict"));
    }
}
