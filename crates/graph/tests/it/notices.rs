//! Delivery of notifications: signed, in order, tried again, never stopped by a clear no.

use http::Method;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::bot::Bot;
use crate::server::{APP, Server, TENANT};

#[tokio::test]
async fn a_notification_is_signed_for_its_application() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    server.establish(&bot).await;
    let post = bot.posts().remove(0);
    let header = |name: &str| post.headers[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("user-agent"), "Microsoft-Skype/3.0,(Calling/1.0)");
    assert!(uuid::Uuid::try_parse(&header("x-microsoft-skype-message-id")).is_ok());
    let token = header("authorization");
    let token = token.strip_prefix("Bearer ").expect("a bearer token");
    let keys = server.send(server.request(Method::GET, "/v1/keys")).await.body;
    let keys: JwkSet = serde_json::from_value(keys).expect("a JWK set");
    let kid = jsonwebtoken::decode_header(token).expect("a JWT").kid.expect("a key's name");
    let key = DecodingKey::from_jwk(keys.find(&kid).expect("published")).expect("a key");
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&[APP.to_string()]);
    validation.set_issuer(&[server.base()]);
    let claims = jsonwebtoken::decode::<Value>(token, &key, &validation).expect("a good token").claims;
    assert_eq!(claims["tid"], TENANT.to_string());
}

#[tokio::test]
async fn trouble_is_tried_again_and_nothing_overtakes() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    bot.answer_next(&[503]);
    let call = server.establish(&bot).await;
    server.ask(Method::DELETE, &call.path).await;
    bot.wait_for(|notice| notice["changeType"] == "deleted").await;
    let posts = bot.posts();
    let message = |at: usize| posts[at].headers["x-microsoft-skype-message-id"].clone();
    assert_eq!(posts[0].body, posts[1].body, "the refused one comes again, before any other");
    assert_eq!(message(0), message(1));
    assert_ne!(message(1), message(2));
    assert_eq!(posts.iter().filter(|post| post.body == posts[0].body).count(), 2);
}

#[tokio::test]
async fn a_clear_no_does_not_stop_the_next() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    bot.answer_next(&[403]);
    server.establish(&bot).await;
    let posts = bot.posts();
    assert_ne!(posts[0].body, posts[1].body, "what was refused for good is not sent again");
}

#[tokio::test]
async fn a_dead_callback_slows_nobody_else() {
    let server = Server::start().await;
    let (dead, live) = (Bot::start().await, Bot::start().await);
    dead.answer_next(&[500; 64]);
    let target = [crate::server::phone_target("sip:nobody@127.0.0.1:9")];
    server.post("/v1.0/communications/calls", &crate::server::call_request(&dead, &target)).await;
    dead.wait_for_posts(1).await;
    server.establish(&live).await;
    assert!(dead.posts().len() <= 2, "the dead one waits for its next turn meanwhile");
}

#[tokio::test]
async fn callbacks_that_never_answer_take_no_turn_from_one_on_the_same_host() {
    // More than a host might be given turns.
    const SILENT: usize = 64;
    let server = Server::start().await;
    let bot = Bot::start().await;
    for n in 0..SILENT {
        let mut request = crate::server::call_request(&bot, &[crate::server::phone_target("sip:nobody@127.0.0.1:9")]);
        request["callbackUri"] = json!(bot.silent_uri(n));
        assert_eq!(server.post("/v1.0/communications/calls", &request).await.status, 201);
    }
    while bot.silent_posts() < SILENT {
        tokio::task::yield_now().await;
    }
    // All of it is told while the silent ones are waited for, which takes 10 s.
    server.establish(&bot).await;
    assert_eq!(bot.silent_posts(), SILENT, "none of them was given up meanwhile");
}

#[tokio::test]
async fn an_application_with_a_secret_can_check_the_body() {
    let secret: graph::WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().expect("a secret");
    let server = Server::start_with(|settings| settings.directory.apps[0].webhook_secrets = vec![secret]).await;
    let bot = Bot::start().await;
    server.establish(&bot).await;
    for post in bot.posts() {
        let header = |name: &str| post.headers[name].to_str().expect("text").to_owned();
        assert_eq!(header("webhook-id"), header("x-microsoft-skype-message-id"));
        let age_s = chrono::Utc::now().timestamp() - header("webhook-timestamp").parse::<i64>().expect("seconds");
        assert!((0..60).contains(&age_s), "{age_s}");
        assert!(header("webhook-signature").starts_with("v1,"));
    }
}

#[tokio::test]
async fn what_was_not_delivered_is_delivered_after_a_restart() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    bot.answer_next(&[503]);
    let phone = crate::server::start_phone("alice");
    let target = [crate::server::phone_target(phone.uri())];
    let created = server.post("/v1.0/communications/calls", &crate::server::call_request(&bot, &target)).await;
    let first = bot.wait_for_posts(1).await.remove(0);
    let server = server.restart().await;
    let last = bot.wait_for(|notice| notice["changeType"] == "deleted").await;
    assert_eq!(last["resourceData"]["id"], created.body["id"]);
    assert_eq!(bot.posts()[1].body, first.body, "the first one comes first");
    assert_eq!(server.ask(Method::GET, "/v1.0/communications/calls").await.body["value"], json!([]));
}
