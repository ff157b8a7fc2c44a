//! The log: at its loudest it tells no secret, and it names the requests that were answered.

use std::net::Ipv4Addr;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use phone::{Answer, Config, Observation, Phone, Register};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Bot, Conversation, Files, PATIENCE, Server, TENANT, phone_target, user_target};

const APP: &str = "22222222-2222-4222-8222-222222222222";
const ALICE: &str = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";

/// A number that is called.
const NUMBER: &str = "15550100123";

/// What nobody may read in the log, besides tokens.
const SECRETS: [&str; 10] = [
    "a-secret-of-an-app",
    "a-wrong-secret",
    "a-password-of-a-phone",
    "a-password-of-a-trunk",
    "a-secret-in-a-prompt",
    "a-secret-in-a-missing-prompt",
    "a-secret-in-a-refused-prompt",
    "a-secret-in-a-callback",
    "a-secret-in-a-query",
    NUMBER,
];

/// What stands around secrets that nobody knows beforehand: any JWT begins with the first (`{"`, in base64), an answer to
/// a SIP challenge and the challenge itself with the others, a hashed secret with the last.
const MARKS: [&str; 5] = ["eyJ", "response=", "nonce=", "Bearer ey", "argon2id$"];

fn settings(certificate: &str) -> String {
    format!(
        r#"
        users = [{{ id = "{ALICE}", name = "alice", display_name = "Alice", sip_password = "a-password-of-a-phone" }}]
        [[apps]]
        id = "{APP}"
        name = "Bot"
        secret = "a-secret-of-an-app"
        certificates = ["{certificate}"]
        roles = ["Calls.Initiate.All", "Calls.InitiateGroupCall.All"]
        [[trunks]]
        name = "provider"
        address = "sip:127.0.0.1:9"
        host = "trunk.example"
        user = "fermata"
        password = "a-password-of-a-trunk"
        "#
    )
}

#[test]
fn the_log_tells_no_secret_even_when_it_tells_everything() {
    let (key, folder) = (KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048), tempfile::tempdir());
    let (key, folder) = (key.expect("a key"), folder.expect("there is room for a folder"));
    let certificate = folder.path().join("bot.pem");
    let signed = CertificateParams::default().self_signed(&key).expect("a certificate");
    std::fs::write(&certificate, signed.pem()).expect("there is room for a file");

    let server = Server::start_telling_everything(&settings(&certificate.display().to_string()));
    let bot = Bot::of_application(&server, APP, "a-secret-of-an-app");
    ask_for_tokens(&bot, &key);
    let phone = registered(&server);
    make_a_call(&bot);
    call_where_nobody_is(&bot);
    phone.unregister();
    phone.wait_until(PATIENCE, |phone| !phone.is_registered()).expect("the server lets it go");

    let answer = bot.ask(Method::GET, "/v1.0/communications/calls?$select=id&x=a-secret-in-a-query");
    let line = server.expect_log_line(answer.header("request-id"));
    assert!(line.contains("answered") && line.contains("path=\"/v1.0/communications/calls\""), "{line}");
    assert!(line.contains("status=200"), "{line}");

    let log = server.log();
    assert!(log.contains("filter=\"trace\""), "the log is not at its loudest:\n{log}");
    for secret in SECRETS.into_iter().chain(MARKS).chain(bot.token().split('.')) {
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret:?} is in the log: {lines:#?}");
    }
}

/// By a wrong secret, and by an assertion.
fn ask_for_tokens(bot: &Bot, key: &KeyPair) {
    let endpoint = format!("/{TENANT}/oauth2/v2.0/token");
    let scope = ("scope", "https://graph.microsoft.com/.default");
    let grant = ("grant_type", "client_credentials");
    let refused = bot.post_form(&endpoint, &[grant, scope, ("client_id", APP), ("client_secret", "a-wrong-secret")]);
    assert_eq!(refused.status, 401, "{refused:?}");
    let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).expect("a key");
    let claims = json!({
        "aud": bot.url(&endpoint), "iss": APP, "sub": APP, "jti": "once", "exp": jsonwebtoken::get_current_timestamp() + 300,
    });
    let assertion = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).expect("an assertion");
    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let form = [grant, scope, ("client_id", APP), kind, ("client_assertion", &assertion)];
    let granted = bot.post_form(&endpoint, &form);
    assert!(granted.body["access_token"].is_string(), "{granted:?}");
    // A stranger's token, too, is somebody's.
    let stranger =
        bot.ask_with_token("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl", "/v1.0/communications/calls");
    assert_eq!(stranger.status, 401, "{stranger:?}");
}

fn registered(server: &Server) -> Phone {
    let (user, password) = ("alice".to_owned(), "a-password-of-a-phone".to_owned());
    let register = Some(Register { server: server.sip(), user, password });
    let config = Config { register, answer: Answer::AtOnce, ..Config::new("alice", Ipv4Addr::LOCALHOST.into()) };
    let phone = Phone::start(config).expect("there are sockets for a phone");
    phone.wait_until(PATIENCE, Observation::is_registered).expect("the password is right");
    phone
}

/// Of a user and of a number; with a prompt that is played, one that is not there, and one that is not fetched.
fn make_a_call(bot: &Bot) {
    let files = Files::start();
    let number = Phone::start(Config::new(NUMBER, Ipv4Addr::LOCALHOST.into())).expect("there are sockets for a phone");
    let callback = format!("{}?code=a-secret-in-a-callback", bot.callback_uri());
    let created = bot.create_call_to(&callback, &[user_target(ALICE), phone_target(number.uri())]);
    assert_eq!(created.status, 201, "{created:?}");
    let call = Conversation::of_created(bot, &created.body);
    let participant = call.participant(number.uri());
    call.hold(&participant, Some(&files.uri("/music.wav?sig=a-secret-in-a-prompt")));
    call.unhold(&participant);
    for uri in [
        files.uri("/missing.wav?sig=a-secret-in-a-missing-prompt"),
        "http://169.254.169.254/hold.wav?sig=a-secret-in-a-refused-prompt".to_owned(),
    ] {
        let end = call.expect_end_of(&call.start_hold_music(&participant, Some(&uri)));
        assert_eq!(end.resource()["status"], "failed", "{:#}", end.body);
    }
    call.hang_up();
    call.expect_end();
}

/// A trunk at which nobody answers, and a callback at which nobody listens.
fn call_where_nobody_is(bot: &Bot) {
    let callback = "http://127.0.0.1:9999/a-secret-in-a-callback";
    let created = bot.create_call_to(callback, &[phone_target(&format!("+{NUMBER}"))]);
    assert_eq!(created.status, 201, "{created:?}");
    let path = format!("/v1.0/communications/calls/{}", created.body["id"].as_str().expect("a call has an id"));
    bot.ask(Method::DELETE, &path);
}
