//! What was told of a call, what became of it, and how it is told once more.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bot::{Bot, Post};
use crate::server::{EstablishedCall, Server, call_request, phone_target};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// The pause before the ledger is read once more. Shorter only makes work.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// A target at which nobody listens.
fn nobody() -> Value {
    phone_target("sip:nobody@127.0.0.1:9")
}

async fn entries(server: &Server, path: &str) -> Vec<Value> {
    let answer = server.ask(Method::GET, path).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body["value"].as_array().expect("a list").clone()
}

fn message_id(post: &Post) -> &str {
    post.headers["x-microsoft-skype-message-id"].to_str().expect("text")
}

/// Ends a call and waits until the bot has been told.
async fn hang_up(server: &Server, bot: &Bot, call: &EstablishedCall) {
    server.ask(Method::DELETE, &call.path).await;
    bot.wait_for(|notice| notice["changeType"] == "deleted").await;
}

/// Waits until the ledger is as it should be, and returns it.
async fn wait_for(server: &Server, path: &str, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let waiting = async {
        loop {
            let entries = entries(server, path).await;
            if fits(&entries) {
                return entries;
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the ledger becomes as it should be")
}

/// Waits until no notification of a call is pending any more.
async fn settled(server: &Server, path: &str) -> Vec<Value> {
    wait_for(server, path, |entries| entries.iter().all(|entry| entry["state"] != "pending")).await
}

#[tokio::test]
async fn the_ledger_says_what_was_told_and_what_was_answered_also_after_the_end() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    bot.answer_next(&[503]);
    let call = server.establish(&bot).await;
    hang_up(&server, &bot, &call).await;
    let entries = settled(&server, &call.notifications()).await;
    let posts = bot.posts();
    assert_eq!(entries.len(), posts.len() - 1, "the first was sent twice");
    for (entry, post) in entries.iter().zip(&posts[1..]) {
        assert_eq!((&entry["payload"], &entry["messageId"]), (&post.body, &json!(message_id(post))));
        assert_eq!(entry["resourceUrl"], post.body["value"][0]["resourceUrl"]);
        assert_eq!((&entry["state"], &entry["nextAttemptDateTime"]), (&json!("delivered"), &Value::Null));
    }
    let numbers: Vec<_> = entries.iter().map(|entry| entry["sequence"].as_u64().expect("a number")).collect();
    assert!(numbers.iter().copied().eq(1..=entries.len() as u64), "{numbers:?}");
    let attempts = entries[0]["attempts"].as_array().expect("a list");
    let told: Vec<_> = attempts.iter().map(|attempt| (attempt["number"].clone(), attempt["status"].clone())).collect();
    assert_eq!(told, [(json!(1), json!(503)), (json!(2), json!(202))]);
    assert!(attempts[0]["nextAttemptDateTime"].as_str() <= attempts[1]["startedDateTime"].as_str(), "{attempts:?}");
    let last = server.ask(Method::GET, &format!("{}/{}", call.notifications(), entries.len())).await;
    assert_eq!(Some(&last.body), entries.last());
}

#[tokio::test]
async fn a_callback_that_is_not_there_is_named_as_such() {
    let server = Server::start().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let mut request = call_request(&Bot::start().await, &[nobody()]);
    request["callbackUri"] = json!(format!("http://{closed}/"));
    let created = server.post("/v1.0/communications/calls", &request).await;
    let path = format!("/fermata/v1/calls/{}/notifications", created.body["id"].as_str().expect("an id"));
    let tried = wait_for(&server, &path, |entries| entries[0]["attemptCount"] != 0).await;
    let first = &tried[0];
    assert_eq!(first["state"], "pending");
    assert_eq!(first["attempts"][0]["failure"], "no connection");
    assert_eq!(first["attempts"][0]["status"], Value::Null);
    assert_eq!(first["nextAttemptDateTime"], first["attempts"][0]["nextAttemptDateTime"]);
}

#[tokio::test]
async fn a_ledger_is_read_in_pages() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    hang_up(&server, &bot, &call).await;
    let all = settled(&server, &call.notifications()).await;
    let part = server.ask(Method::GET, &format!("{}?$top=2&$select=sequence&$count=true", call.notifications())).await;
    assert_eq!(part.body["value"], json!([{ "sequence": 1 }, { "sequence": 2 }]));
    assert_eq!(part.body["@odata.count"], all.len());
    let mut read = 2;
    let mut next = part.body["@odata.nextLink"].clone();
    while let Some(url) = next.as_str() {
        let page = server.ask(Method::GET, url.strip_prefix(&server.base()).expect("our own")).await.body;
        assert_eq!(page["value"][0], json!({ "sequence": read + 1 }));
        read += page["value"].as_array().expect("a list").len();
        next = page["@odata.nextLink"].clone();
    }
    assert_eq!(read, all.len());
    let unknown = server.ask(Method::GET, &format!("{}?$orderby=sequence", call.notifications())).await;
    assert_eq!((unknown.status, &unknown.body["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("8523")));
}

#[tokio::test]
async fn what_was_delivered_is_delivered_once_more_when_the_application_asks() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    hang_up(&server, &bot, &call).await;
    settled(&server, &call.notifications()).await;
    let before = bot.posts();
    let answer = server.post(&format!("{}/2/redeliver", call.notifications()), &json!({})).await;
    assert_eq!((answer.status, answer.body), (StatusCode::ACCEPTED, Value::Null));
    let again = bot.wait_for_posts(before.len() + 1).await.pop().expect("it came");
    assert_eq!((message_id(&again), &again.body), (message_id(&before[1]), &before[1].body));
    let entries = settled(&server, &call.notifications()).await;
    assert_eq!((&entries[1]["attemptCount"], &entries[1]["state"]), (&json!(2), &json!("delivered")));
}

#[tokio::test]
async fn what_was_given_up_is_delivered_in_order_when_the_application_asks() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    bot.answer_next(&[403, 202, 410]);
    let call = server.establish(&bot).await;
    hang_up(&server, &bot, &call).await;
    let entries = settled(&server, &call.notifications()).await;
    let states: Vec<_> = entries[..3].iter().map(|entry| entry["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["dead", "delivered", "dead"]);
    let before = bot.posts();
    let answer = server.post(&format!("{}/redeliver", call.notifications()), &json!({})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let posts = bot.wait_for_posts(before.len() + 2).await;
    let again: Vec<_> = posts[before.len()..].iter().map(message_id).collect();
    assert_eq!(again, [message_id(&before[0]), message_id(&before[2])]);
    assert!(settled(&server, &call.notifications()).await.iter().all(|entry| entry["state"] == "delivered"));
}

#[tokio::test]
async fn who_asks_for_what_is_pending_gets_everything_now_once_and_in_order() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    // An hour is longer than any test.
    bot.answer_next_with_retry_after(503, 3600);
    let created = server.post("/v1.0/communications/calls", &call_request(&bot, &[nobody()])).await;
    let id = created.body["id"].as_str().expect("an id");
    let path = format!("/fermata/v1/calls/{id}/notifications");
    bot.wait_for_posts(1).await;
    server.ask(Method::DELETE, &format!("/v1.0/communications/calls/{id}")).await;
    let has_ended = |entry: &Value| entry["changeType"] == "deleted";
    let waiting =
        wait_for(&server, &path, |entries| entries[0]["attemptCount"] == 1 && entries.last().is_some_and(has_ended));
    let last = waiting.await.len();
    let answer = server.post(&format!("{path}/{last}/redeliver"), &json!({})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let entries = settled(&server, &path).await;
    let sent: Vec<_> = bot.posts().iter().map(|post| message_id(post).to_owned()).collect();
    let expected: Vec<_> = entries.iter().map(|entry| entry["messageId"].as_str().expect("an id").to_owned()).collect();
    assert_eq!((&sent[0], &sent[1..]), (&expected[0], expected.as_slice()), "the first was refused once");
}

#[tokio::test]
async fn a_notification_that_there_never_was_is_not_found() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    for number in ["0", "1000", "x", "-1"] {
        for (method, rest) in [(Method::GET, ""), (Method::POST, "/redeliver")] {
            let answer = server.ask(method, &format!("{}/{number}{rest}", call.notifications())).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{number}{rest}: {answer:?}");
            assert_eq!(answer.body["error"]["message"], "Notification not found.");
        }
    }
}
