//! People sign in, as a browser does it: redirects are looked at and not followed, cookies are kept by hand.

use std::num::NonZeroU32;

use graph::Throttling;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::server::{ALICE, APP, Answer, PASSWORD, SECRET, Server, TENANT};

const CONSOLE: &str = "fe4a7a00-c0de-4000-8000-000000000001";
const PHONE: &str = "fe4a7a00-c0de-4000-8000-000000000002";

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

type Form = Vec<(&'static str, String)>;

/// An answer for people.
#[derive(Debug)]
struct Shown {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Shown {
    /// Returns what the page is told in the URL it is sent back to.
    fn told(&self, name: &str) -> Option<String> {
        let url = Url::parse(self.headers.get("location")?.to_str().expect("text")).expect("a URL");
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn cookie(&self) -> &str {
        self.headers["set-cookie"].to_str().expect("text")
    }
}

fn authorize() -> String {
    format!("/{TENANT}/oauth2/v2.0/authorize")
}

/// What the console asks for.
fn request(server: &Server) -> Form {
    vec![
        ("response_type", "code".to_owned()),
        ("client_id", CONSOLE.to_owned()),
        ("redirect_uri", format!("{}/", server.base())),
        ("scope", "Console".to_owned()),
        ("state", "a state & more".to_owned()),
        ("code_challenge", CHALLENGE.to_owned()),
        ("code_challenge_method", "S256".to_owned()),
    ]
}

fn with(mut form: Form, changes: &[(&'static str, &str)]) -> Form {
    for (name, value) in changes {
        form.retain(|(other, _)| other != name);
        form.push((name, (*value).to_owned()));
    }
    form
}

async fn show(request: reqwest::RequestBuilder) -> Shown {
    let (_, request) = request.build_split();
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let response = browser.execute(request.expect("a request")).await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    Shown { status, headers, text: response.text().await.expect("a whole answer") }
}

/// Comes to the authority, with a session or without.
async fn come(server: &Server, form: &Form, cookie: Option<&str>) -> Shown {
    let request = server.request(Method::GET, &authorize()).query(form);
    show(cookie.into_iter().fold(request, |request, cookie| request.header("cookie", cookie))).await
}

/// Sends the form of the sign-in page.
async fn submit(server: &Server, name: &str, password: &str) -> Shown {
    let form = with(request(server), &[("username", name), ("password", password)]);
    show(server.request(Method::POST, &authorize()).header("origin", server.base()).form(&form)).await
}

async fn redeem(server: &Server, code: &str, changes: &[(&'static str, &str)]) -> Answer {
    let form = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("client_id", CONSOLE.to_owned()),
        ("redirect_uri", format!("{}/", server.base())),
        ("code", code.to_owned()),
        ("code_verifier", VERIFIER.to_owned()),
    ];
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    server.send(server.request(Method::POST, &path).form(&with(form, changes))).await
}

async fn me(server: &Server, token: &str) -> Answer {
    server.send(server.request(Method::GET, "/fermata/v1/me").bearer_auth(token)).await
}

#[tokio::test]
async fn a_person_signs_in_and_the_page_gets_a_token() {
    let server = Server::start().await;
    let form = come(&server, &request(&server), None).await;
    assert_eq!(form.status, StatusCode::OK, "{form:?}");
    assert!(form.text.contains("a state &amp; more") && !form.text.contains("<script"), "{form:?}");
    let back = submit(&server, "Alice", PASSWORD).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{back:?}");
    assert_eq!(back.told("state").as_deref(), Some("a state & more"));
    assert_eq!(back.told("iss"), Some(format!("{}/{TENANT}/v2.0", server.base())));
    let answer = redeem(&server, &back.told("code").expect("a code"), &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!((&answer.body["scope"], &answer.body["expires_in"]), (&json!("Console"), &json!(899)));
    let answer = me(&server, answer.body["access_token"].as_str().expect("a token")).await;
    let expected = json!({
        "id": ALICE.to_string(), "name": "alice", "displayName": "ALICE", "roles": ["Console.Operate"], "scope": "Console",
    });
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn who_has_a_session_is_not_asked_again_until_it_ends() {
    let server = Server::start().await;
    let silent = with(request(&server), &[("prompt", "none")]);
    assert_eq!(come(&server, &silent, None).await.told("error").as_deref(), Some("login_required"));
    let signed_in = submit(&server, "alice", PASSWORD).await;
    let cookie = signed_in.cookie();
    for attribute in ["HttpOnly", "SameSite=Strict", &format!("Path=/{TENANT}/oauth2/v2.0;"), "Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let session = cookie.split(';').next().expect("a pair");
    let code = come(&server, &silent, Some(session)).await.told("code").expect("a code");
    assert_eq!(redeem(&server, &code, &[]).await.status, StatusCode::OK);
    let again = come(&server, &with(request(&server), &[("prompt", "login")]), Some(session)).await;
    assert_eq!(again.status, StatusCode::OK, "who wants to be asked is asked: {again:?}");

    let logout = || server.request(Method::GET, &format!("/{TENANT}/oauth2/v2.0/logout"));
    let without_cookie = show(logout()).await;
    assert!(!without_cookie.headers.contains_key("set-cookie"), "another site signs nobody out: {without_cookie:?}");
    let logout = show(logout().header("cookie", session)).await;
    assert!(logout.cookie().starts_with("fermata_session=; ") && logout.cookie().contains("Max-Age=0"), "{logout:?}");
    let error = come(&server, &silent, Some(session)).await.told("error");
    assert_eq!(error.as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_code_is_good_once_and_for_who_asked_for_it() {
    let server = Server::start().await;
    let phone = format!("{}/phone", server.base());
    let cases: [&[(&'static str, &str)]; 5] = [
        &[("code_verifier", "aBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")],
        &[("redirect_uri", &phone)],
        &[("client_id", PHONE)],
        &[("client_id", PHONE), ("redirect_uri", &phone)],
        &[("code", "anything")],
    ];
    for changes in cases {
        let code = submit(&server, "alice", PASSWORD).await.told("code").expect("a code");
        let answer = redeem(&server, &code, changes).await;
        assert_eq!((answer.status, &answer.body["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
        let again = redeem(&server, &code, &[]).await.status;
        let is_spent = !changes.iter().any(|(name, _)| *name == "code");
        assert_eq!(again, if is_spent { StatusCode::BAD_REQUEST } else { StatusCode::OK }, "{changes:?}");
    }
    let code = submit(&server, "alice", PASSWORD).await.told("code").expect("a code");
    let secret = redeem(&server, &code, &[("client_secret", "x")]).await;
    assert_eq!(secret.body["error_codes"], json!([700_025]), "{secret:?}");
    assert_eq!(redeem(&server, &code, &[]).await.status, StatusCode::OK);
    assert_eq!(redeem(&server, &code, &[]).await.body["error"], "invalid_grant");
    for name in ["code", "client_id", "redirect_uri", "code_verifier"] {
        let answer = redeem(&server, &code, &[(name, "")]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_a_form_again_and_says_nothing_about_who_exists() {
    let server = Server::start().await;
    let wrong = submit(&server, "alice", "wrong").await;
    let unknown = submit(&server, "nobody", "wrong").await;
    assert_eq!((wrong.status, unknown.status), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    assert!(wrong.text.contains("is not right"), "{wrong:?}");
    assert_eq!(wrong.text, unknown.text.replace("nobody", "alice"));
    assert!(!wrong.headers.contains_key("set-cookie"), "{wrong:?}");
    let quoted = submit(&server, "\"><script>", "wrong").await;
    assert!(quoted.text.contains("value=\"&quot;&gt;&lt;script&gt;\""), "{quoted:?}");
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_or_signed_in_by_one() {
    let server = Server::start().await;
    for changes in [("redirect_uri", "https://evil.example/"), ("client_id", "22222222-2222-4222-8222-222222222222")] {
        let refused = come(&server, &with(request(&server), &[changes]), None).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{refused:?}");
        assert!(!refused.headers.contains_key("location"));
    }
    let form = with(request(&server), &[("username", "alice"), ("password", PASSWORD)]);
    for origin in ["https://evil.example", "null", ""] {
        let request = server.request(Method::POST, &authorize()).header("origin", origin).form(&form);
        assert_eq!(show(request).await.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(show(server.request(Method::POST, &authorize()).form(&form)).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_form_is_safe_from_frames_and_scripts() {
    let server = Server::start().await;
    let headers = come(&server, &request(&server), None).await.headers;
    let policy = headers["content-security-policy"].to_str().expect("text");
    for directive in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("script-src"), "{policy}");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["referrer-policy"], "same-origin");
}

#[tokio::test]
async fn whoever_guesses_passwords_is_not_listened_to() {
    let limits = Throttling { failed_sign_ins_per_minute: NonZeroU32::new(2), ..Throttling::default() };
    let server = Server::start_with(|settings| settings.throttling = limits).await;
    for name in ["alice", "bob"] {
        assert_eq!(submit(&server, name, "a guess").await.status, StatusCode::FORBIDDEN);
    }
    let refused = submit(&server, "alice", PASSWORD).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{refused:?}");
    assert!(refused.headers.contains_key("retry-after") && refused.text.contains("Try again in"), "{refused:?}");
}

#[tokio::test]
async fn a_persons_token_is_for_people_and_an_applications_is_not() {
    let server = Server::start().await;
    let token = server.person_token("alice").await;
    let calls = server.request(Method::GET, "/v1.0/communications/calls").bearer_auth(&token);
    let answer = server.send(calls).await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (StatusCode::FORBIDDEN, &json!("7500")));
    let app = server.token_of(APP, SECRET).await;
    assert_eq!(me(&server, &app).await.status, StatusCode::FORBIDDEN);
    let nobody = server.send(server.request(Method::GET, "/fermata/v1/me")).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
    assert!(nobody.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_person_may_what_the_directory_says_now() {
    let server = Server::start().await;
    let token = server.person_token("alice").await;
    let server = server.restart_with(|settings| settings.directory.users[0].roles.clear()).await;
    // The token names the URL of a server that listened elsewhere.
    assert_eq!(me(&server, &token).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(me(&server, &server.person_token("alice").await).await.body["roles"], json!([]));
}

#[tokio::test]
async fn the_discovery_document_says_how_people_sign_in() {
    let server = Server::start().await;
    let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let document: Value = server.send(server.request(Method::GET, &path)).await.body;
    assert_eq!(document["authorization_endpoint"], format!("{}{}", server.base(), authorize()));
    assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(document["response_types_supported"], json!(["code"]));
}
