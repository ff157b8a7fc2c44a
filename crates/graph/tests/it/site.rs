//! The console's files over HTTP.

use graph::Site;
use http::{Method, StatusCode};

use crate::server::Server;

async fn start() -> Server {
    let files = [("index.html", &b"<!doctype html>"[..]), ("assets/app-1F2E.js", &b"export {}"[..])];
    let site = Site::new(files.map(|(path, bytes)| (path.to_owned(), bytes))).expect("a site");
    Server::start_with(|settings| settings.site = site).await
}

#[tokio::test]
async fn the_page_is_strict_and_asked_for_each_time() {
    let server = start().await;
    let answer = server.send(server.request(Method::GET, "/")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let policy = answer.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["cache-control"], "no-cache");
}

#[tokio::test]
async fn an_asset_is_kept_for_ever() {
    let server = start().await;
    let answer = server.send(server.request(Method::GET, "/assets/app-1F2E.js")).await;
    assert_eq!(answer.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    for path in ["/assets/other.js", "/assets/..%2Findex.html", "/index.html"] {
        assert_eq!(server.send(server.request(Method::GET, path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
