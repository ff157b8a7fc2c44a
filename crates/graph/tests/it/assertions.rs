//! `private_key_jwt`, as Python's and JavaScript's official clients write it, and every way in which it is refused.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::server::{APP, Answer, KEY_APP, SECRET, Server, TENANT};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Is a certificate with its key.
pub(crate) struct Identity {
    pub(crate) certificate: String,
    der: Vec<u8>,
    key: String,
}

/// Returns the identity of the application that has no secret; making a key takes a second, so there is one.
pub(crate) fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(new_identity)
}

fn new_identity() -> Identity {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let certificate = CertificateParams::default().self_signed(&key).expect("a certificate");
    Identity { certificate: certificate.pem(), der: certificate.der().to_vec(), key: key.serialize_pem() }
}

impl Identity {
    fn sha1(&self) -> [u8; 20] {
        sha1::Sha1::digest(&self.der).into()
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        let key = EncodingKey::from_rsa_pem(self.key.as_bytes()).expect("a key");
        jsonwebtoken::encode(header, claims, &key).expect("a token")
    }
}

fn endpoint(server: &Server) -> String {
    format!("{}/{TENANT}/oauth2/v2.0/token", server.base())
}

fn header() -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.x5t = Some(URL_SAFE_NO_PAD.encode(identity().sha1()));
    header
}

/// Is what Python's client writes: times with fractions.
fn claims(server: &Server, jti: &str) -> Value {
    let now = chrono::Utc::now().timestamp_micros() as f64 / 1e6;
    json!({
        "aud": endpoint(server), "iss": KEY_APP.to_string(), "sub": KEY_APP.to_string(),
        "exp": now + 600.0, "iat": now, "jti": jti,
    })
}

async fn present(server: &Server, assertion: &str) -> Answer {
    let form = [
        ("client_id", KEY_APP.to_string()),
        ("client_assertion_type", JWT_BEARER.to_owned()),
        ("client_assertion", assertion.to_owned()),
        ("grant_type", "client_credentials".to_owned()),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ];
    server.send(server.request(Method::POST, &format!("/{TENANT}/oauth2/v2.0/token")).form(&form)).await
}

#[tokio::test]
async fn pythons_and_javascripts_clients_get_tokens_that_pass() {
    let server = Server::start().await;
    let mut python = header();
    python.x5t = Some(STANDARD.encode(identity().sha1()));
    let mut javascript = Header::new(Algorithm::PS256);
    javascript.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&identity().der)));
    javascript.x5c = Some(vec![STANDARD.encode(&identity().der)]);
    for (name, header) in [("python", python), ("javascript", javascript)] {
        let answer = present(&server, &identity().sign(&header, &claims(&server, name))).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {answer:?}");
        let token = answer.body["access_token"].as_str().expect("a token");
        let said: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).expect("claims");
        assert_eq!(said["azpacr"], "2", "proven by a key");
        let calls = server.request(Method::GET, "/v1.0/communications/calls").bearer_auth(token);
        assert_eq!(server.send(calls).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_audience_is_the_endpoint_under_each_of_its_names() {
    let server = Server::start().await;
    let port = server.https_port();
    let names = [
        format!("https://localhost:{port}/{TENANT}/oauth2/v2.0/token"),
        format!("https://127.0.0.1:{port}/{TENANT}/oauth2/token"),
        format!("{}/{TENANT}/v2.0", server.base()),
    ];
    for name in names {
        let mut claims = claims(&server, &name);
        claims["aud"] = json!(name);
        let answer = present(&server, &identity().sign(&header(), &claims)).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let server = Server::start().await;
    let mut unnamed = claims(&server, "");
    unnamed.as_object_mut().expect("claims").remove("jti");
    for claims in [claims(&server, "once"), unnamed] {
        let assertion = identity().sign(&header(), &claims);
        assert_eq!(present(&server, &assertion).await.status, StatusCode::OK);
        let again = present(&server, &assertion).await;
        assert_eq!(again.status, StatusCode::UNAUTHORIZED);
        assert_eq!(again.body["error_codes"][0], 700_027);
    }
    // The same name in another assertion of the same application is a replay, too.
    let renamed = identity().sign(&header(), &claims(&server, "once"));
    assert_eq!(present(&server, &renamed).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn each_bad_assertion_is_refused_with_entras_number() {
    let server = Server::start().await;
    let good = claims(&server, "good");
    let now = chrono::Utc::now().timestamp();
    let with = |claim: &str, value: Value| {
        let mut claims = good.clone();
        claims[claim] = value;
        identity().sign(&header(), &claims)
    };
    let as_header = |change: &dyn Fn(&mut Header)| {
        let mut header = header();
        change(&mut header);
        identity().sign(&header, &good)
    };
    let hmac = jsonwebtoken::encode(
        &Header::new(Algorithm::HS256),
        &good,
        &EncodingKey::from_secret(identity().certificate.as_bytes()),
    );
    let encoded = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let cases = [
        ("no JWT", "abc".to_owned(), 50_027),
        ("alg none", format!("{}.{}.", encoded(json!({"alg": "none"})), encoded(good.clone())), 50_027),
        ("HMAC", hmac.expect("a token"), 50_027),
        ("RS512", as_header(&|header| header.alg = Algorithm::RS512), 50_027),
        ("a critical extension", as_header(&|header| header.crit = Some(vec!["b64".to_owned()])), 50_027),
        ("another's name", with("sub", json!(APP.to_string())), 700_021),
        ("another issuer", with("iss", json!(APP.to_string())), 700_021),
        ("another audience", with("aud", json!("https://login.microsoftonline.com/x/oauth2/v2.0/token")), 700_023),
        ("expired", with("exp", json!(now as f64 - 61.5)), 700_024),
        ("not yet valid", with("nbf", json!(now + 120)), 700_024),
        ("good for ever", with("exp", json!(now + 86_400)), 700_024),
        ("an absurd time", with("exp", json!(1e300)), 50_027),
        ("no time", with("exp", json!("soon")), 50_027),
        ("an unknown key", as_header(&|header| header.x5t = Some("AAAA".to_owned())), 700_027),
        ("a stranger's signature", new_identity().sign(&header(), &good), 700_027),
    ];
    for (name, assertion, number) in cases {
        let answer = present(&server, &assertion).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}: {answer:?}");
        assert_eq!(answer.body["error"], "invalid_client", "{name}");
        assert_eq!(answer.body["error_codes"][0], number, "{name}: {answer:?}");
    }
    let unharmed = present(&server, &identity().sign(&header(), &good)).await;
    assert_eq!(unharmed.status, StatusCode::OK, "a refused assertion is not used up");
}

#[tokio::test]
async fn a_key_is_no_secret_and_a_secret_no_key() {
    let server = Server::start().await;
    let mut claims = claims(&server, "not mine");
    claims["iss"] = json!(APP.to_string());
    claims["sub"] = json!(APP.to_string());
    let form = [
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &identity().sign(&header(), &claims)),
        ("grant_type", "client_credentials"),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let endpoint = format!("/{TENANT}/oauth2/v2.0/token");
    let answer = server.send(server.request(Method::POST, &endpoint).form(&form)).await;
    assert_eq!(answer.body["error_codes"][0], 700_027, "{answer:?}");
    let form = [
        ("client_id", KEY_APP.to_string()),
        ("client_secret", SECRET.to_owned()),
        ("grant_type", "client_credentials".to_owned()),
        ("scope", "https://graph.microsoft.com/.default".to_owned()),
    ];
    let answer = server.send(server.request(Method::POST, &endpoint).form(&form)).await;
    assert_eq!(answer.body["error_codes"][0], 7_000_215, "{answer:?}");
}
