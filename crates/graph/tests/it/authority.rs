//! The token endpoints and the discovery documents.

use http::{Method, StatusCode};
use serde_json::Value;

use crate::server::{APP, Answer, SECRET, Server, TENANT};

async fn ask_for_token(server: &Server, path: &str, form: &[(&str, &str)]) -> Answer {
    server.send(server.request(Method::POST, path).form(form)).await
}

fn v2() -> String {
    format!("/{TENANT}/oauth2/v2.0/token")
}

#[tokio::test]
async fn a_secret_in_the_form_gets_a_token() {
    let server = Server::start().await;
    let app = APP.to_string();
    let form = [
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", "https://localhost/.default"),
        ("client_info", "1"),
    ];
    // JavaScript's client puts a query on the URL.
    let answer = ask_for_token(&server, &format!("{}?client-request-id=x", v2()), &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 3599);
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_secret_in_the_header_gets_a_token() {
    let server = Server::start().await;
    let form = [("grant_type", "client_credentials"), ("scope", "https://graph.microsoft.com/.default")];
    // RFC 6749, section 2.3.1: the secret is form-encoded before it is joined.
    let request = server.request(Method::POST, &v2()).basic_auth(APP, Some("a+secret+%26+more")).form(&form);
    assert_eq!(server.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn version_1_answers_with_strings() {
    let server = Server::start().await;
    let app = APP.to_string();
    let form = [
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("resource", "https://graph.microsoft.com"),
    ];
    let answer = ask_for_token(&server, &format!("/{TENANT}/oauth2/token"), &form).await;
    assert_eq!(answer.body["expires_in"], "3599", "{answer:?}");
    assert_eq!(answer.body["resource"], "https://graph.microsoft.com");
}

#[tokio::test]
async fn each_wrong_request_has_entras_error() {
    let server = Server::start().await;
    let (app, other) = (APP.to_string(), TENANT.to_string());
    let good = [
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let cases: [(&str, Option<&str>, u16, &str, u32); 7] = [
        ("client_secret", Some("wrong"), 401, "invalid_client", 7_000_215),
        ("client_secret", None, 401, "invalid_client", 7_000_216),
        ("client_id", Some(&other), 400, "unauthorized_client", 700_016),
        ("client_id", Some("no guid"), 400, "unauthorized_client", 700_016),
        ("grant_type", Some("password"), 400, "unsupported_grant_type", 70_003),
        ("scope", Some("User.Read"), 400, "invalid_scope", 70_011),
        ("scope", None, 400, "invalid_request", 900_144),
    ];
    for (name, value, status, error, number) in cases {
        let kept = good.iter().copied().filter(|(other, _)| *other != name);
        let form: Vec<_> = kept.chain(value.map(|value| (name, value))).collect();
        let answer = ask_for_token(&server, &v2(), &form).await;
        assert_eq!(answer.status.as_u16(), status, "{name}={value:?}");
        assert_eq!(answer.body["error"], error, "{name}={value:?}");
        assert_eq!(answer.body["error_codes"][0], number, "{name}={value:?}");
        let description = answer.body["error_description"].as_str().expect("a sentence");
        assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
    }
    let unknown = format!("/{APP}/oauth2/v2.0/token");
    assert_eq!(ask_for_token(&server, &unknown, &good).await.body["error_codes"][0], 90_002);
}

#[tokio::test]
async fn the_discovery_document_leads_to_the_keys() {
    let server = Server::start().await;
    let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let document = server.send(server.request(Method::GET, &path)).await.body;
    assert_eq!(document["issuer"], format!("{}/{TENANT}/v2.0", server.base()));
    assert_eq!(document["token_endpoint"], format!("{}{}", server.base(), v2()));
    let keys = path_of(&server, &document["jwks_uri"]);
    let keys = server.send(server.request(Method::GET, &keys)).await.body;
    assert_eq!(keys["keys"][0]["kty"], "RSA");
    let notifications = server.send(server.request(Method::GET, "/v1/.well-known/OpenIdConfiguration")).await.body;
    assert_eq!(notifications["issuer"], server.base());
    let published = path_of(&server, &notifications["jwks_uri"]);
    assert_eq!(server.send(server.request(Method::GET, &published)).await.body, keys);
}

fn path_of(server: &Server, url: &Value) -> String {
    url.as_str().and_then(|url| url.strip_prefix(&server.base())).expect("one of our URLs").to_owned()
}
