//! Every bad token, tried on every route of the API: nobody gets through, and nobody learns of a call.

use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk, jwk::ThumbprintHash};
use serde_json::{Value, json};

use crate::bot::Bot;
use crate::server::{APP, Answer, EstablishedCall, OTHER_APP, OTHER_SECRET, POWERLESS_APP, SECRET, Server, TENANT};

/// Is one of the API's routes.
struct Route {
    method: Method,
    path: &'static str,
    is_served: bool,
}

/// Lists every route from its row in docs/compat.md. A test beside the routes sees to it that none is missing there.
fn routes() -> Vec<Route> {
    let rows = include_str!("../../../../docs/compat.md").lines().filter_map(|line| {
        let (method, rest) = line.strip_prefix("| ")?.split_once(" `")?;
        let (path, rest) = rest.split_once("` | ")?;
        let is_served = !rest.starts_with("absent");
        (path.starts_with("/calls") || path.starts_with("/fermata")).then(|| Route {
            method: method.parse().expect("a method"),
            path,
            is_served,
        })
    });
    let rows: Vec<_> = rows.collect();
    assert!(rows.len() > 40, "only {}", rows.len());
    rows
}

/// Tells whether Graph asks for no role: a call from one person may be answered and rejected without.
fn needs_no_role(path: &str) -> bool {
    path == "/calls/{call}/answer" || path == "/calls/{call}/reject"
}

/// Tells whether a route is for people who have signed in: no token of an application passes, however good.
fn is_for_people(path: &str) -> bool {
    let is_for_both = path.contains("/notifications") || path.contains("/heard");
    path.starts_with("/fermata/v1/") && !is_for_both
}

/// Makes tokens with the server's own key, so that only what a test changes is wrong.
struct Mint {
    pem: String,
    issuer: String,
}

/// Reads the server's only key.
pub(crate) fn signing_key(server: &Server) -> String {
    let mut keys = std::fs::read_dir(server.data().join("signing-keys")).expect("the keys");
    std::fs::read_to_string(keys.next().expect("a key").expect("a file").path()).expect("the key")
}

impl Mint {
    fn of(server: &Server) -> Mint {
        let pem = signing_key(server);
        Mint { pem, issuer: format!("{}/{TENANT}/v2.0", server.base()) }
    }

    fn claims(&self) -> Value {
        let now = chrono::Utc::now().timestamp();
        json!({
            "aud": "00000003-0000-0000-c000-000000000000", "iss": self.issuer, "tid": TENANT.to_string(),
            "iat": now, "nbf": now, "exp": now + 600, "azp": APP.to_string(), "idtyp": "app",
            "roles": ["calls.initiate.all", "Calls.InitiateGroupCall.All", "Calls.JoinGroupCallasGuest.All"],
        })
    }

    fn kid(&self) -> String {
        let key = EncodingKey::from_rsa_pem(self.pem.as_bytes()).expect("a key");
        let jwk = Jwk::from_encoding_key(&key, Algorithm::RS256).expect("a JWK");
        jwk.thumbprint(ThumbprintHash::SHA256).expect("a name")
    }

    fn sign(&self, claims: &Value) -> String {
        let key = EncodingKey::from_rsa_pem(self.pem.as_bytes()).expect("a key");
        self.sign_as(Algorithm::RS256, &key, claims)
    }

    fn sign_as(&self, algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
        let mut header = Header::new(algorithm);
        header.kid = Some(self.kid());
        jsonwebtoken::encode(&header, claims, key).expect("a token")
    }

    fn sign_with(&self, key: &EncodingKey, change: impl FnOnce(&mut Header)) -> String {
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(self.kid());
        change(&mut header);
        jsonwebtoken::encode(&header, &self.claims(), key).expect("a token")
    }

    fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[claim] = value;
        self.sign(&claims)
    }

    fn without_signature(&self) -> String {
        use base64::Engine;
        let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(&json!({"alg": "none", "typ": "JWT", "kid": self.kid()})), encode(&self.claims()))
    }
}

/// Asks every route about a call and one who is in it.
async fn ask_every_route(server: &Server, call: &EstablishedCall, token: Option<&str>) -> Vec<(Route, Answer)> {
    let mut answers = Vec::new();
    for route in routes() {
        let root = if route.path.starts_with("/calls") { "/v1.0/communications" } else { "" };
        let path = format!("{root}{}", route.path.replace("{call}", call.id()).replace("{notification}", "1"));
        let ids = ["{participant}", "{operation}", "{group}", "{session}"];
        let path = ids.iter().fold(path, |path, id| path.replace(id, &call.participants[0]));
        let request = server.request(route.method.clone(), &path);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        answers.push((route, server.send(request).await));
    }
    answers
}

#[tokio::test]
async fn no_bad_token_passes_any_route() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let mint = Mint::of(&server);
    let now = chrono::Utc::now().timestamp();
    // Another server's key with our key's name and our claims.
    let stranger = Mint::of(&Server::start().await);
    let foreign_key = EncodingKey::from_rsa_pem(stranger.pem.as_bytes()).expect("a key");
    let own_key = EncodingKey::from_rsa_pem(mint.pem.as_bytes()).expect("a key");
    let hmac_key = EncodingKey::from_secret(mint.pem.as_bytes());
    let good = mint.claims();
    let without_exp = without(mint.claims(), "exp");
    let unnamed = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &good, &own_key).expect("a token");
    let critical = mint.sign_with(&own_key, |header| header.crit = Some(vec!["exp".to_owned()]));
    let self_signed = mint.sign_with(&foreign_key, |header| {
        header.jwk = Some(Jwk::from_encoding_key(&foreign_key, Algorithm::RS256).expect("a JWK"));
    });
    let cases: Vec<(&str, Option<String>, u16, &str)> = vec![
        ("none at all", None, 401, "InvalidAuthenticationToken"),
        ("no JWT", Some("abc".to_owned()), 401, "InvalidAuthenticationToken"),
        ("alg none", Some(mint.without_signature()), 401, "InvalidAuthenticationToken"),
        ("HMAC", Some(mint.sign_as(Algorithm::HS256, &hmac_key, &good)), 401, "InvalidAuthenticationToken"),
        ("another key", Some(mint.sign_as(Algorithm::RS256, &foreign_key, &good)), 401, "InvalidAuthenticationToken"),
        ("another algorithm", Some(mint.sign_as(Algorithm::RS512, &own_key, &good)), 401, "InvalidAuthenticationToken"),
        ("expired", Some(mint.with("exp", json!(now - 61))), 401, "InvalidAuthenticationToken"),
        ("not yet valid", Some(mint.with("nbf", json!(now + 90))), 401, "InvalidAuthenticationToken"),
        ("never expires", Some(mint.sign(&without_exp)), 401, "InvalidAuthenticationToken"),
        ("wrong audience", Some(mint.with("aud", json!("https://vault.azure.net"))), 401, "InvalidAuthenticationToken"),
        (
            "wrong issuer",
            Some(mint.with("iss", json!("https://sts.windows.net/x/"))),
            401,
            "InvalidAuthenticationToken",
        ),
        // What signs notifications signs access tokens; one must not pass for the other.
        ("a notification's", Some(mint.with("aud", json!(APP.to_string()))), 401, "InvalidAuthenticationToken"),
        ("no key's name", Some(unnamed), 401, "InvalidAuthenticationToken"),
        ("a critical extension", Some(critical), 401, "InvalidAuthenticationToken"),
        ("a key of its own", Some(self_signed), 401, "InvalidAuthenticationToken"),
        ("delegated", Some(mint.with("scp", json!("Calls.Initiate"))), 403, "7500"),
        ("a user's", Some(mint.with("idtyp", json!("user"))), 403, "7500"),
        ("another tenant", Some(mint.with("tid", json!(APP.to_string()))), 403, "7505"),
        ("unknown application", Some(mint.with("azp", json!(TENANT.to_string()))), 403, "7503"),
        ("roles of others", Some(mint.with("azp", json!(POWERLESS_APP.to_string()))), 403, "7504"),
        ("unknown roles", Some(mint.with("roles", json!(["Calls.Everything"]))), 403, "7504"),
    ];
    for (name, token, status, code) in cases {
        let answers = ask_every_route(&server, &call, token.as_deref()).await;
        for (Route { method, path, .. }, answer) in answers {
            if code == "7504" && needs_no_role(path) {
                assert!([400, 404, 409].contains(&answer.status.as_u16()), "{name}: {method} {path}: {answer:?}");
                continue;
            }
            assert_eq!(answer.status.as_u16(), status, "{name}: {method} {path}: {answer:?}");
            let code = if status == 403 && is_for_people(path) { "Forbidden" } else { code };
            assert_eq!(answer.body["error"]["code"], code, "{name}: {method} {path}");
            assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401, "{name}");
        }
    }
    assert_eq!(server.ask(Method::GET, &call.path).await.status, StatusCode::OK, "nothing has happened to the call");
}

#[tokio::test]
async fn a_good_token_passes_in_either_version_and_any_case_of_roles() {
    let server = Server::start().await;
    let mint = Mint::of(&server);
    let mut v1 = without(mint.claims(), "azp");
    v1["appid"] = json!(APP.to_string());
    v1["aud"] = json!("https://graph.microsoft.com");
    for token in [mint.sign(&mint.claims()), mint.sign(&v1), mint.with("aud", json!(server.base()))] {
        let answer = server.send(server.request(Method::GET, "/v1.0/communications/calls").bearer_auth(token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
}

#[tokio::test]
async fn a_call_does_not_exist_for_another_application() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let other = server.token_of(OTHER_APP, OTHER_SECRET).await;
    for (Route { method, path, is_served }, answer) in ask_every_route(&server, &call, Some(&other)).await {
        let (status, body) = (answer.status.as_u16(), &answer.body);
        let nothing = match (method.as_str(), path) {
            ("GET", "/calls") => body["value"] == json!([]),
            ("GET", "/calls/$count") => *body == json!(0),
            // A body that is wrong in itself says so before any call is looked for.
            ("POST", "/calls" | "/calls/{call}/participants/invite") => status == 400,
            (
                "POST",
                "/calls/{call}/answer"
                | "/calls/{call}/redirect"
                | "/calls/{call}/sendDtmfTones"
                | "/calls/{call}/transfer",
            ) => status == 400,
            _ if is_for_people(path) => status == 403,
            _ if is_served => status == 404 && body["error"]["message"] == "Call not found.",
            _ => status == 405,
        };
        assert!(nothing, "{method} {path}: {answer:?}");
    }
    assert_eq!(server.ask(Method::GET, &call.path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_missing_role_is_named() {
    let server = Server::start().await;
    let token = server.token_of(POWERLESS_APP, SECRET).await;
    let path = format!("/v1.0/communications/calls/{APP}/participants/{APP}/startHoldMusic");
    let answer = server.send(server.request(Method::POST, &path).bearer_auth(token)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let message = answer.body["error"]["message"].as_str().expect("a sentence");
    assert!(message.contains("Calls.JoinGroupCallAsGuest.All"), "{message}");
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().expect("claims").remove(name);
    claims
}
