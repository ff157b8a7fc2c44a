//! Tokens of issuers that are not ours: a second server as one of Entra's kind, and an OpenID provider made by hand.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use graph::{AppId, Cloud, ForeignIssuer, KeySource, RoleSource, TenantClaim, TenantId};
use http::{Method, StatusCode};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::{APP, Answer, OTHER_APP, POWERLESS_APP, SECRET, Server, TENANT, to_loopback};

const CALLS: &str = "/v1.0/communications/calls";

pub(crate) async fn list_calls(server: &Server, token: &str) -> Answer {
    server.send(server.request(Method::GET, CALLS).bearer_auth(token)).await
}

/// Describes a server of ours as an issuer for another.
fn fermata_as_issuer(server: &Server, audience: &str, tenant: Uuid) -> ForeignIssuer {
    let name = format!("{}/{TENANT}/v2.0", server.base());
    ForeignIssuer {
        keys: KeySource::discovery(&name, &to_loopback()).expect("loopback"),
        names: vec![name],
        audiences: vec![audience.to_owned()],
        tenant: TenantClaim::Required(TenantId(tenant)),
        apps: HashMap::from([(APP.to_string(), AppId(APP)), (POWERLESS_APP.to_string(), AppId(APP))]),
        roles: RoleSource::Token,
    }
}

const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

#[tokio::test]
async fn another_authoritys_token_passes_for_the_applications_that_were_named() {
    let authority = Server::start().await;
    let issuer = fermata_as_issuer(&authority, GRAPH, TENANT);
    let server = Server::start_with(|settings| settings.issuers = vec![issuer]).await;
    let good = authority.token_of(APP, SECRET).await;
    assert_eq!(list_calls(&server, &good).await.status, StatusCode::OK);
    let unnamed = authority.token_of(OTHER_APP, crate::server::OTHER_SECRET).await;
    assert_eq!(list_calls(&server, &unnamed).await.body["error"]["code"], "7503");
    let powerless = authority.token_of(POWERLESS_APP, SECRET).await;
    assert_eq!(list_calls(&server, &powerless).await.body["error"]["code"], "7504");
    // Trust is one way.
    let ours = server.token_of(APP, SECRET).await;
    assert_eq!(list_calls(&authority, &ours).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn another_authoritys_token_for_something_else_does_not_pass() {
    let authority = Server::start().await;
    let token = authority.token_of(APP, SECRET).await;
    let audience = fermata_as_issuer(&authority, "api://fermata", TENANT);
    let server = Server::start_with(|settings| settings.issuers = vec![audience]).await;
    let answer = list_calls(&server, &token).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(answer.body["error"]["message"].as_str().expect("a sentence").contains("audience"), "{answer:?}");
    let tenant = fermata_as_issuer(&authority, GRAPH, APP);
    let server = Server::start_with(|settings| settings.issuers = vec![tenant]).await;
    assert_eq!(list_calls(&server, &token).await.body["error"]["code"], "7505");
}

#[tokio::test]
async fn nobody_is_trusted_who_was_not_named() {
    let (authority, server) = (Server::start().await, Server::start().await);
    let token = authority.token_of(APP, SECRET).await;
    assert_eq!(list_calls(&server, &token).await.status, StatusCode::UNAUTHORIZED);
}

/// Is an OpenID provider that counts how often it is asked for its keys.
struct Provider {
    name: String,
    signer: Signer,
    fetches: Arc<AtomicUsize>,
}

/// Is a key that signs tokens as such providers do for client credentials.
pub(crate) struct Signer(EncodingKey);

impl Signer {
    pub(crate) fn new() -> Signer {
        let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
        Signer(EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).expect("a key"))
    }

    pub(crate) fn token(&self, issuer: &str, kid: &str, change: impl FnOnce(&mut Value)) -> String {
        let now = chrono::Utc::now().timestamp();
        let mut claims = json!({
            "iss": issuer, "aud": ["fermata", "account"], "azp": "my-bot", "sub": Uuid::new_v4().to_string(),
            "iat": now, "exp": now + 300,
        });
        change(&mut claims);
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(kid.to_owned());
        jsonwebtoken::encode(&header, &claims, &self.0).expect("a token")
    }
}

impl Provider {
    async fn start() -> Provider {
        let signer = Signer::new();
        let mut jwk = Jwk::from_encoding_key(&signer.0, Algorithm::RS256).expect("a JWK");
        jwk.common.key_id = Some("the key".to_owned());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let name = format!("http://{}", listener.local_addr().expect("an address"));
        let document = json!({ "issuer": name, "jwks_uri": format!("{name}/keys") });
        let fetches = Arc::new(AtomicUsize::new(0));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(move || async { Json(document) }))
            .route("/keys", get(keys))
            .with_state((json!({ "keys": [jwk] }), Arc::clone(&fetches)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Provider { name, signer, fetches }
    }

    fn issuer(&self) -> ForeignIssuer {
        ForeignIssuer {
            names: vec![self.name.clone()],
            keys: KeySource::discovery(&self.name, &to_loopback()).expect("loopback"),
            audiences: vec!["fermata".to_owned()],
            tenant: TenantClaim::Implied(TenantId(TENANT)),
            apps: HashMap::from([("my-bot".to_owned(), AppId(APP))]),
            roles: RoleSource::Directory,
        }
    }

    fn token(&self, kid: &str, change: impl FnOnce(&mut Value)) -> String {
        self.signer.token(&self.name, kid, change)
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

async fn keys(State((keys, fetches)): State<(Value, Arc<AtomicUsize>)>) -> Json<Value> {
    fetches.fetch_add(1, Ordering::SeqCst);
    Json(keys)
}

#[tokio::test]
async fn any_openid_provider_can_speak_for_an_application() {
    let provider = Provider::start().await;
    let issuer = provider.issuer();
    let server = Server::start_with(|settings| settings.issuers = vec![issuer]).await;
    let good = provider.token("the key", |_| {});
    let answer = list_calls(&server, &good).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let cases: [(&str, &str, Value, u16); 5] = [
        ("another client", "azp", json!("another"), 403),
        ("another audience", "aud", json!(["account"]), 401),
        ("a person's session", "sid", json!("x"), 403),
        ("a person's login", "auth_time", json!(1), 403),
        ("expired", "exp", json!(1), 401),
    ];
    for (name, claim, value, status) in cases {
        let answer = list_calls(&server, &provider.token("the key", |claims| claims[claim] = value)).await;
        assert_eq!(answer.status.as_u16(), status, "{name}: {answer:?}");
    }
    assert_eq!(provider.fetches(), 1, "keys are kept");
}

#[tokio::test]
async fn strangers_do_not_make_us_fetch() {
    let provider = Provider::start().await;
    let issuer = provider.issuer();
    let server = Server::start_with(|settings| settings.issuers = vec![issuer]).await;
    let tokens: Vec<_> = (0..40).map(|number| provider.token(&format!("made up {number}"), |_| {})).collect();
    let answers = tokens.iter().map(|token| server.request(Method::GET, CALLS).bearer_auth(token));
    let asked: Vec<_> = answers.map(|request| tokio::spawn(request.send())).collect();
    for answer in asked {
        assert_eq!(answer.await.expect("a task").expect("an answer").status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(provider.fetches(), 1);
    assert_eq!(list_calls(&server, &provider.token("the key", |_| {})).await.status, StatusCode::OK);
    assert_eq!(provider.fetches(), 1);
}

#[tokio::test]
async fn a_provider_that_is_away_is_no_fault_of_the_token() {
    let provider = Provider::start().await;
    let closed = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let nowhere = format!("http://{}/keys", closed.local_addr().expect("an address"));
    drop(closed);
    let issuer =
        ForeignIssuer { keys: KeySource::jwks(&nowhere, &to_loopback()).expect("loopback"), ..provider.issuer() };
    let server = Server::start_with(|settings| settings.issuers = vec![issuer]).await;
    let answer = list_calls(&server, &provider.token("the key", |_| {})).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
}

#[tokio::test]
async fn a_document_of_another_issuer_is_not_believed() {
    let (provider, liar) = (Provider::start().await, Provider::start().await);
    let KeySource::Discovery { document, .. } = liar.issuer().keys else { panic!("it was found by discovery") };
    let keys = KeySource::Discovery { document, issuer: provider.name.clone() };
    let issuer = ForeignIssuer { keys, ..provider.issuer() };
    let server = Server::start_with(|settings| settings.issuers = vec![issuer]).await;
    let answer = list_calls(&server, &provider.token("the key", |_| {})).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
    assert_eq!(liar.fetches(), 0);
}

#[tokio::test]
async fn each_cloud_has_its_own_graph_and_methods() {
    let group = format!("{CALLS}/{APP}/audioRoutingGroups");
    let cases = [
        (Cloud::Global, [200, 405]),
        (Cloud::UsGovL4, [200, 404]),
        (Cloud::UsGovL5, [200, 404]),
        (Cloud::China, [404, 404]),
    ];
    for (cloud, expected) in cases {
        let server = Server::start_with(|settings| settings.cloud = cloud).await;
        let list = server.ask(Method::GET, CALLS).await.status.as_u16();
        let groups = server.ask(Method::GET, &group).await.status.as_u16();
        assert_eq!([list, groups], expected, "{cloud:?}");
    }
}
