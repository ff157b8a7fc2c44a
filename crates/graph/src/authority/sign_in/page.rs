//! The pages that people see: the sign-in form, and the sentence for who can be sent nowhere. They need no script.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

use super::request::AuthorizationRequest;
use crate::throttle::Exceeded;

const STYLE: &str = include_str!("sign_in.css");

/// The sign that the project has its name from, as scores print it: an arc over a dot.
const MARK: &str = r#"<svg viewBox="0 0 34 22" aria-hidden="true"><path fill="currentColor" d="M17 1C8 1 1.6 8 1 20h1.9C3.8 11.5 9.3 6 17 6s13.2 5.5 14.1 14H33C32.4 8 26 1 17 1z"/><circle cx="17" cy="17.5" r="3.4" fill="currentColor"/></svg>"#;

/// Nothing but our own style, by its hash. Redirects of a form count as its action, and go to ourselves.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("base64 is text")
});

/// Says why somebody is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// The name or the password. Which one is nobody's business.
    Wrong,
    /// Too many have failed from the address.
    TooMany(Exceeded),
    /// Too many sign in at the moment.
    Busy,
}

impl Problem {
    fn sentence(self) -> String {
        match self {
            Problem::Wrong => "The user name or the password is not right.".to_owned(),
            Problem::TooMany(exceeded) => {
                format!("Too many sign-ins have failed. Try again in {} s.", exceeded.retry_after.as_secs())
            }
            Problem::Busy => "Too many people are signing in. Try again in a moment.".to_owned(),
        }
    }

    /// A wrong password is 403 and not 401: 401 must name a scheme of HTTP's own (RFC 9110, section 15.5.2).
    fn status(self) -> StatusCode {
        match self {
            Problem::Wrong => StatusCode::FORBIDDEN,
            Problem::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Problem::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// Shows the form. It carries the request, which is read and checked again when it comes back.
pub(super) fn sign_in(
    request: &AuthorizationRequest,
    name: &str,
    problem: Option<Problem>,
    hint: Option<&str>,
) -> Response {
    let told = problem.map_or_else(String::new, |problem| {
        format!(r#"<p class="problem" role="alert">{}</p>"#, escaped(&problem.sentence()))
    });
    let hint = hint.map_or_else(String::new, |hint| format!(r#"<p class="hint">{}</p>"#, escaped(hint)));
    // Who has typed a name goes on with the password.
    let (name_focus, password_focus) = if name.is_empty() { (" autofocus", "") } else { ("", " autofocus") };
    let main = format!(
        r#"<h1>Sign in</h1><p>to the {title}</p>{told}<form method="post" action="authorize">{carried}
<label for="username">User name</label>
<input id="username" name="username" value="{name}" autocomplete="username" autocapitalize="none" spellcheck="false" required{name_focus}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{password_focus}>
<button>Sign in</button></form>{hint}"#,
        title = request.scope.title(),
        carried = carried(request),
        name = escaped(name),
    );
    let mut page = page(problem.map_or(StatusCode::OK, Problem::status), "Sign in", &main);
    if let Some(Problem::TooMany(exceeded)) = problem {
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(exceeded.retry_after.as_secs()));
    }
    page
}

/// Says that a request to sign in cannot be followed.
pub(super) fn refused(status: StatusCode, sentence: &str) -> Response {
    let main = format!(r#"<h1>This is no way to sign in</h1><p role="alert">{}</p>"#, escaped(sentence));
    page(status, "Not signed in", &main)
}

/// `prompt` stays behind: who sees the form is asked.
fn carried(request: &AuthorizationRequest) -> String {
    let client_id = request.scope.client_id().to_string();
    let fields = [
        ("response_type", "code"),
        ("client_id", &client_id),
        ("redirect_uri", &request.return_to.redirect_uri),
        ("scope", request.scope.name()),
        ("state", request.return_to.state.as_deref().unwrap_or_default()),
        ("code_challenge", request.challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let field = |(name, value)| format!(r#"<input type="hidden" name="{name}" value="{}">"#, escaped(value));
    fields.map(field).concat()
}

fn page(status: StatusCode, title: &str, main: &str) -> Response {
    let html = format!(
        r#"<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title} · Fermata</title><style>{STYLE}</style></head><body><main><div class="mark">{MARK}Fermata</div>{main}</main></body></html>"#
    );
    (status, headers(), html).into_response()
}

fn headers() -> HeaderMap {
    let fixed = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        // `no-referrer` would take the origin away from the form, too (Fetch, section 3.1).
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let mut headers: HeaderMap =
        fixed.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
    headers
}

/// Makes text stand for itself in HTML, also within quotes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
