//! Every bad token, tried on every route of the API: nobody gets through, and nobody learns of a call.

use http::{Method, StatusCode};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk, jwk::ThumbprintHash};
use serde_json::{Value, json};

use crate::bot::Bot;
use crate::server::{APP, Answer, OTHER_APP, OTHER_SECRET, POWERLESS_APP, SECRET, Server, TENANT};

const ROUTES: [(&str, &str); 15] = [
    ("POST", ""),
    ("GET", ""),
    ("GET", "/{call}"),
    ("DELETE", "/{call}"),
    ("POST", "/{call}/keepAlive"),
    ("POST", "/{call}/mute"),
    ("POST", "/{call}/unmute"),
    ("GET", "/{call}/operations/{participant}"),
    ("GET", "/{call}/participants"),
    ("POST", "/{call}/participants/invite"),
    ("GET", "/{call}/participants/{participant}"),
    ("DELETE", "/{call}/participants/{participant}"),
    ("POST", "/{call}/participants/{participant}/mute"),
    ("POST", "/{call}/participants/{participant}/startHoldMusic"),
    ("POST", "/{call}/participants/{participant}/stopHoldMusic"),
];

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

async fn ask_every_route(server: &Server, call: &str, participant: &str, token: Option<&str>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (method, path) in ROUTES {
        let path = path.replace("/{call}", call).replace("{participant}", participant);
        let path = if path.is_empty() { "/v1.0/communications/calls".to_owned() } else { path };
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = server.request(method, &path);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        answers.push(server.send(request).await);
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
        ("delegated", Some(mint.with("scp", json!("Calls.Initiate"))), 403, "7500"),
        ("a user's", Some(mint.with("idtyp", json!("user"))), 403, "7500"),
        ("another tenant", Some(mint.with("tid", json!(APP.to_string()))), 403, "7505"),
        ("unknown application", Some(mint.with("azp", json!(TENANT.to_string()))), 403, "7503"),
        ("unknown roles", Some(mint.with("roles", json!(["Calls.Everything"]))), 403, "7504"),
    ];
    for (name, token, status, code) in cases {
        let answers = ask_every_route(&server, &call.path, &call.participants[0], token.as_deref()).await;
        for (answer, (method, path)) in answers.into_iter().zip(ROUTES) {
            assert_eq!(answer.status.as_u16(), status, "{name}: {method} {path}: {answer:?}");
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
    let answers = ask_every_route(&server, &call.path, &call.participants[0], Some(&other)).await;
    for (answer, (method, path)) in answers.into_iter().zip(ROUTES) {
        if path.is_empty() {
            let nothing = method == "GET" && answer.body["value"] == json!([]);
            assert!(nothing || answer.status == StatusCode::BAD_REQUEST, "{method}: {answer:?}");
            continue;
        }
        // A body that is wrong in itself says so before any call is looked for.
        if path.ends_with("/invite") {
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
            continue;
        }
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {answer:?}");
        assert_eq!(answer.body["error"]["code"], "8522", "{method} {path}");
        assert_eq!(answer.body["error"]["message"], "Call not found.", "{method} {path}");
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
