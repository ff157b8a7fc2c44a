//! The https listener with its local authority, as official clients use it.

use http::StatusCode;
use serde_json::Value;

use crate::server::{Server, TENANT};

#[tokio::test]
async fn a_client_that_trusts_the_local_authority_is_served_under_each_local_name() {
    let server = Server::start().await;
    let pem = std::fs::read(server.data().join("ca.pem")).expect("the authority");
    let authority = reqwest::Certificate::from_pem(&pem).expect("a certificate");
    let client = reqwest::Client::builder().tls_certs_only([authority]).build().expect("a client");
    for host in ["localhost", "127.0.0.1"] {
        let base = format!("https://{host}:{}", server.https_port());
        let url = format!("{base}/{TENANT}/v2.0/.well-known/openid-configuration");
        let response = client.get(url).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        let document: Value = response.json().await.expect("JSON");
        assert_eq!(document["issuer"], format!("{base}/{TENANT}/v2.0"), "a client compares host names");
    }
}

#[tokio::test]
async fn a_client_that_does_not_trust_it_is_not_served() {
    let server = Server::start().await;
    let url = format!("https://localhost:{}/health/live", server.https_port());
    assert!(reqwest::get(url).await.is_err());
}

#[tokio::test]
async fn health_and_metrics_need_no_token() {
    let server = Server::start().await;
    for path in ["/health/live", "/health/ready", "/metrics"] {
        let answer = server.send(server.request(http::Method::GET, path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}
