//! Calls, their rosters and holds, as an application meets them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bot::Bot;
use crate::server::{OTHER_APP, Server, TENANT, call_request, phone_target, roster_of, start_phone};

#[tokio::test]
async fn a_group_call_is_created_established_and_hung_up() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let shown = server.ask(Method::GET, &call.path).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert_eq!(shown.body["@odata.type"], "#microsoft.graph.call");
    assert_eq!(shown.body["state"], "established");
    assert_eq!(shown.body["direction"], "outgoing");
    assert_eq!(shown.body["tenantId"], TENANT.to_string());
    assert_eq!(shown.body["callbackUri"], bot.uri());
    let listed = server.ask(Method::GET, "/v1.0/communications/calls").await;
    assert_eq!(listed.body["value"][0]["id"], shown.body["id"]);
    let ended = server.ask(Method::DELETE, &call.path).await;
    assert_eq!((ended.status, ended.body), (StatusCode::NO_CONTENT, Value::Null));
    let last = bot.wait_for(|notice| notice["changeType"] == "deleted").await;
    assert_eq!(last["resourceData"]["state"], "terminated");
    assert_eq!(last["resourceData"]["resultInfo"]["code"], 200);
    let gone = server.ask(Method::GET, &call.path).await;
    assert_eq!((gone.status, &gone.body["error"]["code"]), (StatusCode::NOT_FOUND, &json!("8522")));
}

#[tokio::test]
async fn the_notifications_of_a_call_come_in_graphs_order() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    server.ask(Method::DELETE, &call.path).await;
    bot.wait_for(|notice| notice["changeType"] == "deleted").await;
    let ids: Vec<_> = bot.posts().iter().map(|post| post.headers["x-microsoft-skype-message-id"].clone()).collect();
    assert!(ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id)), "nothing comes twice: {ids:?}");
    let states: Vec<_> =
        bot.notices().iter().filter_map(|notice| notice["resourceData"]["state"].as_str().map(str::to_owned)).collect();
    assert_eq!(states.first().map(String::as_str), Some("establishing"));
    assert_eq!(states[states.len() - 2..], ["terminating", "terminated"]);
    let sequences: Vec<_> = bot
        .notices()
        .iter()
        .filter_map(|notice| roster_of(notice).iter().filter_map(|entry| entry["rosterSequenceNumber"].as_u64()).max())
        .collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
}

#[tokio::test]
async fn the_roster_can_be_read_whole_and_by_entry() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let roster = server.ask(Method::GET, &format!("{}/participants", call.path)).await;
    assert_eq!(roster.body["value"].as_array().map(Vec::len), Some(3), "{roster:?}");
    let one = server.ask(Method::GET, &format!("{}/participants/{}", call.path, call.participants[1])).await;
    assert_eq!(one.body["id"], call.participants[1].as_str());
    assert_eq!(one.body["info"]["identity"]["@odata.type"], "#microsoft.graph.identitySet");
    assert_eq!(one.body["mediaStreams"][0]["direction"], "sendReceive");
    let nobody = server.ask(Method::GET, &format!("{}/participants/{OTHER_APP}", call.path)).await;
    assert_eq!(nobody.body["error"]["message"], "Participant not found.");
}

#[tokio::test]
async fn a_hold_completes_shows_in_the_roster_and_is_released() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let path = format!("{}/participants/{}", call.path, call.participants[0]);
    let accepted = server.post(&format!("{path}/startHoldMusic"), &json!({"clientContext": "hold-1"})).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let ended = bot.wait_for(|notice| notice["resourceData"]["clientContext"] == "hold-1").await;
    assert_eq!(ended["changeType"], "deleted");
    assert_eq!(ended["resourceData"]["status"], "completed");
    assert_eq!(ended["resourceData"]["id"], accepted.body["id"]);
    assert!(ended["resourceData"].get("resultInfo").is_none(), "{ended}");
    let held = server.ask(Method::GET, &path).await;
    assert_eq!(held.body["mediaStreams"][0]["direction"], "inactive", "{held:?}");
    assert_eq!(held.body["isMuted"], false);
    let operation = accepted.body["id"].as_str().expect("an id");
    let read = server.ask(Method::GET, &format!("{}/operations/{operation}", call.path)).await;
    assert_eq!(read.body["status"], "completed", "{read:?}");

    server.post(&format!("{path}/stopHoldMusic"), &json!({"clientContext": "unhold-1"})).await;
    let back = bot.wait_for(|notice| notice["resourceData"]["clientContext"] == "unhold-1").await;
    assert_eq!(back["resourceData"]["@odata.type"], "#microsoft.graph.stopHoldMusicOperation");
    assert_eq!(back["resourceData"]["status"], "completed");
}

#[tokio::test]
async fn a_second_hold_names_who_is_held() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let hold = |who: &str| format!("{}/participants/{who}/startHoldMusic", call.path);
    server.post(&hold(&call.participants[0]), &json!({})).await;
    let refused = server.post(&hold(&call.participants[1]), &json!({})).await;
    assert_eq!((refused.status, &refused.body["error"]["code"]), (StatusCode::CONFLICT, &json!("8519")));
    let message = refused.body["error"]["message"].as_str().expect("a sentence");
    assert!(message.contains(&call.participants[0]), "{message}");
    let again = server.post(&hold(&call.participants[0]), &json!({})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let stop = format!("{}/participants/{}/stopHoldMusic", call.path, call.participants[1]);
    let not_held = server.post(&stop, &json!({})).await;
    assert_eq!(not_held.body["error"]["message"], "The participant is not on hold.");
}

#[tokio::test]
async fn mute_and_unmute_complete_at_once() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let paths = [
        format!("{}/mute", call.path),
        format!("{}/unmute", call.path),
        format!("{}/participants/{}/mute", call.path, call.participants[1]),
    ];
    for path in paths {
        let answer = server.post(&path, &json!({"clientContext": "m"})).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        assert_eq!(answer.body["status"], "completed", "{path}");
        assert_eq!(answer.body["clientContext"], "m", "{path}");
    }
    let muted = bot.wait_for(|notice| {
        roster_of(notice).iter().any(|entry| entry["id"] == call.participants[1] && entry["isMuted"] == true)
    });
    muted.await;
}

#[tokio::test]
async fn somebody_is_invited_and_somebody_removed() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let call = server.establish(&bot).await;
    let carol = start_phone("carol");
    let body = json!({"participants": [phone_target(carol.uri())], "clientContext": "invite-1"});
    let invited = server.post(&format!("{}/participants/invite", call.path), &body).await;
    assert_eq!(invited.status, StatusCode::OK, "{invited:?}");
    assert_eq!(invited.body["@odata.type"], "#microsoft.graph.inviteParticipantsOperation");
    assert_eq!(invited.body["participants"][0]["identity"]["phone"]["id"], carol.uri());
    bot.wait_for(|notice| notice["resourceData"]["clientContext"] == "invite-1").await;
    bot.wait_for(|notice| roster_of(notice).len() == 4).await;
    let removed = server.ask(Method::DELETE, &format!("{}/participants/{}", call.path, call.participants[0])).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{removed:?}");
    bot.wait_for(|notice| {
        roster_of(notice).len() == 3 && roster_of(notice).iter().all(|e| e["id"] != call.participants[0])
    })
    .await;
}

#[tokio::test]
async fn a_peer_to_peer_call_has_no_roster_notifications() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let phone = start_phone("alice");
    let created = server.post("/v1.0/communications/calls", &call_request(&bot, &[phone_target(phone.uri())])).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    let id = created.body["id"].as_str().expect("an id");
    let location = format!("{}/v1.0/communications/calls/{id}", server.base());
    assert_eq!(created.headers["location"], location.as_str());
    assert_eq!(created.body["state"], "establishing");
    bot.wait_for(|notice| notice["resourceData"]["mediaState"]["audio"] == "active").await;
    server.ask(Method::DELETE, &format!("/v1.0/communications/calls/{id}")).await;
    bot.wait_for(|notice| notice["changeType"] == "deleted").await;
    assert!(bot.notices().iter().all(|notice| roster_of(notice).is_empty()), "{:#?}", bot.notices());
}

#[tokio::test]
async fn a_call_that_cannot_be_is_refused() {
    let server = Server::start().await;
    let bot = Bot::start().await;
    let target = phone_target("sip:alice@127.0.0.1:5070");
    let with = |name: &str, value: Value| {
        let mut request = call_request(&bot, std::slice::from_ref(&target));
        request[name] = value;
        request
    };
    let cases = [
        (with("callbackUri", json!("http://bot.example/cb")), 400, "8523"),
        (with("callbackUri", Value::Null), 400, "8523"),
        (with("targets", json!([])), 400, "8523"),
        (with("targets", json!([target, target])), 400, "8523"),
        (
            with("mediaConfig", json!({"@odata.type": "#microsoft.graph.appHostedMediaConfig", "blob": "x"})),
            400,
            "8523",
        ),
        (with("tenantId", json!(OTHER_APP.to_string())), 403, "7505"),
        (with("source", json!({"identity": {"application": {"id": OTHER_APP.to_string()}}})), 403, "7507"),
    ];
    for (request, status, code) in cases {
        let answer = server.post("/v1.0/communications/calls", &request).await;
        assert_eq!(answer.status.as_u16(), status, "{request}");
        assert_eq!(answer.body["error"]["code"], code, "{request}");
    }
    assert!(bot.posts().is_empty());
}
