//! The example of Graph's page "participant: startHoldMusic", pasted as it stands there.

use phone::Codec;
use serde_json::{Value, json};

use crate::harness::{ALICE_HZ, BOB_HZ, Bot, Conversation, Files, Server, speaking};

/// The body of the page's request, which is not JSON: it has trailing commas.
const BODY: &str = r##"{
  "customPrompt": {
    "@odata.type": "#microsoft.graph.mediaPrompt",
    "mediaInfo": {
      "@odata.type": "#microsoft.graph.mediaInfo",
      "uri": "https://bot.contoso.com/onHold.wav",
    },
  },
  "clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
}"##;

#[test]
fn the_documented_example_gets_the_documented_answer_and_notification() {
    let (server, files) = (Server::start(), Files::start());
    let (alice, bob) = (speaking("alice", Codec::Pcmu, ALICE_HZ), speaking("bob", Codec::Pcmu, BOB_HZ));
    let bot = Bot::of(&server);
    let call = Conversation::of(&bot, &[alice.uri(), bob.uri()]);
    let path = format!("{}/participants/{}/startHoldMusic", call.path(), call.participant(bob.uri()));
    let body = BODY.replace("https://bot.contoso.com/onHold.wav", &files.uri("/music.wav"));

    let answer = bot.post_text(&path, &body);
    assert_eq!(answer.status, 202, "{answer:?}");
    let operation = answer.body["id"].as_str().expect("an operation has an id");
    let location = format!("http://{}{}/operations/{operation}", server.http(), call.path());
    assert_eq!(answer.header("location"), location);
    assert!(answer.header("content-type").starts_with("application/json"));
    assert_eq!(
        without_context(&answer.body),
        json!({
            "@odata.type": "#microsoft.graph.startHoldMusicOperation",
            "id": operation,
            "status": "running",
            "clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
        })
    );

    let url = format!("/communications/calls/{}/operations/{operation}", call.id());
    let notice = bot.expect("the end of the operation", |notice| notice.value()["resourceUrl"] == url.as_str());
    let etag = &notice.resource()["@odata.etag"];
    assert!(etag.as_str().is_some_and(|etag| etag.starts_with("W/\"") && etag.ends_with('"')), "{etag}");
    assert_eq!(
        notice.body,
        json!({
            "@odata.type": "#microsoft.graph.commsNotifications",
            "value": [{
                "@odata.type": "#microsoft.graph.commsNotification",
                "changeType": "deleted",
                "resourceUrl": url,
                "resourceData": {
                    "@odata.type": "#microsoft.graph.startHoldMusicOperation",
                    "@odata.id": url,
                    "@odata.etag": etag,
                    "id": operation,
                    "clientContext": "d45324c1-fcb5-430a-902c-f20af696537c",
                    "status": "completed",
                },
            }],
        })
    );
}

/// Graph's pages leave the member out that every answer has.
fn without_context(body: &Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().expect("the answer is an object").remove("@odata.context");
    body
}
