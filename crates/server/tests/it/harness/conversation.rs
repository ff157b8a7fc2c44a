//! A group call of a bot's, with everybody in it.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use super::bot::{Answer, Bot};
use super::callback::Notice;

/// A call whose targets have all answered.
#[derive(Debug)]
pub(crate) struct Conversation<'bot> {
    bot: &'bot Bot,
    id: String,
}

/// An operation that was accepted.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    /// When the bot had the 202.
    pub(crate) accepted: Instant,
}

/// Names a target by its SIP address or telephone number.
pub(crate) fn phone_target(id: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.invitationParticipantInfo",
        "identity": {
            "@odata.type": "#microsoft.graph.identitySet",
            "phone": { "@odata.type": "#microsoft.graph.identity", "id": id },
        },
    })
}

/// Names a target by its id in the directory.
pub(crate) fn user_target(id: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.invitationParticipantInfo",
        "identity": {
            "@odata.type": "#microsoft.graph.identitySet",
            "user": { "@odata.type": "#microsoft.graph.identity", "id": id },
        },
    })
}

impl<'bot> Conversation<'bot> {
    /// Calls these phones and waits until all are in the roster, with the bot.
    pub(crate) fn of(bot: &'bot Bot, uris: &[&str]) -> Conversation<'bot> {
        let targets: Vec<Value> = uris.iter().map(|uri| phone_target(uri)).collect();
        Conversation::of_targets(bot, &targets)
    }

    /// Calls these targets and waits until all are in the roster, with the bot.
    pub(crate) fn of_targets(bot: &'bot Bot, targets: &[Value]) -> Conversation<'bot> {
        let answer = bot.create_call(targets);
        assert_eq!(answer.status, 201, "{answer:?}");
        Conversation::of_created(bot, &answer.body)
    }

    /// Waits until somebody calls the bot. Nothing is decided.
    pub(crate) fn incoming(bot: &'bot Bot) -> Conversation<'bot> {
        let notice = bot.expect("a call that comes in", |notice| notice.value()["changeType"] == "created");
        let id = notice.resource()["id"].as_str().unwrap_or_else(|| panic!("a call has an id: {notice:?}")).to_owned();
        Conversation { bot, id }
    }

    /// Waits until somebody calls the bot, answers, and waits until both sides know it.
    pub(crate) fn answered(bot: &'bot Bot) -> Conversation<'bot> {
        let conversation = Conversation::incoming(bot);
        conversation.decide("answer", &answer_body());
        conversation.expect_state("established");
        conversation
    }

    /// Calls one phone and waits until it has answered.
    pub(crate) fn with_one(bot: &'bot Bot, uri: &str) -> Conversation<'bot> {
        let answer = bot.create_call(&[phone_target(uri)]);
        assert_eq!(answer.status, 201, "{answer:?}");
        let conversation = Conversation { bot, id: answer.body["id"].as_str().expect("a call has an id").to_owned() };
        conversation.expect_state("established");
        conversation
    }

    /// Waits until all targets of a call are in the roster, with the bot. `created` is the answer to its creation.
    pub(crate) fn of_created(bot: &'bot Bot, created: &Value) -> Conversation<'bot> {
        let id = created["id"].as_str().unwrap_or_else(|| panic!("a call has an id: {created}")).to_owned();
        let targets = created["targets"].as_array().expect("a call has targets").len();
        let conversation = Conversation { bot, id };
        conversation.expect_roster_of(targets + 1);
        conversation
    }

    /// Waits for the end of a call that nobody took.
    pub(crate) fn expect_refused(bot: &Bot, created: &Value) -> Notice {
        let id = created["id"].as_str().unwrap_or_else(|| panic!("a call has an id: {created}")).to_owned();
        Conversation { bot, id }.expect_end()
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn path(&self) -> String {
        format!("/v1.0/communications/calls/{}", self.id)
    }

    /// Waits for a roster of so many, the bot included.
    pub(crate) fn expect_roster_of(&self, count: usize) -> Notice {
        let url = format!("/communications/calls/{}/participants", self.id);
        self.bot.expect(&format!("a roster of {count}"), |notice| {
            let roster = notice.resource().as_array();
            notice.value()["resourceUrl"] == url.as_str() && roster.is_some_and(|roster| roster.len() == count)
        })
    }

    /// Waits until a participant is no longer in the newest roster.
    pub(crate) fn expect_roster_without(&self, participant: &str) -> Notice {
        let url = format!("/communications/calls/{}/participants", self.id);
        self.bot.expect_in("a roster without one who has left", |notices| {
            let newest = notices.iter().rfind(|notice| notice.value()["resourceUrl"] == url.as_str())?;
            let mut roster = newest.resource().as_array()?.iter();
            (!roster.any(|entry| entry["id"] == participant)).then_some(newest)
        })
    }

    /// Waits until the newest roster shows this direction of a participant's audio.
    pub(crate) fn expect_direction(&self, participant: &str, direction: &str) {
        let url = format!("/communications/calls/{}/participants", self.id);
        self.bot.expect_in(&format!("a roster with {direction}"), |notices| {
            let newest = notices.iter().rfind(|notice| notice.value()["resourceUrl"] == url.as_str())?;
            let mut roster = newest.resource().as_array()?.iter();
            let shows = |entry: &Value| entry["mediaStreams"][0]["direction"] == direction;
            roster.any(|entry| entry["id"] == participant && shows(entry)).then_some(newest)
        });
    }

    /// Waits for the last notification of the call.
    pub(crate) fn expect_end(&self) -> Notice {
        self.expect_state("terminated")
    }

    /// Waits until the call was told to be in this state.
    pub(crate) fn expect_state(&self, state: &str) -> Notice {
        self.bot
            .expect(state, |notice| notice.resource()["id"] == self.id.as_str() && notice.resource()["state"] == state)
    }

    /// Answers, rejects or redirects the call that comes in.
    #[track_caller]
    pub(crate) fn decide(&self, action: &str, body: &Value) {
        let answer = self.ask(action, body);
        assert_eq!((answer.status, &answer.body), (202, &Value::Null), "{action}");
    }

    /// Asks for an action on the call.
    pub(crate) fn ask(&self, action: &str, body: &Value) -> Answer {
        self.bot.post(&format!("{}/{action}", self.path()), body)
    }

    /// Invites somebody and waits until it is in the roster of so many.
    pub(crate) fn invite(&self, target: &Value, count: usize) {
        let answer = self.ask("participants/invite", &json!({ "participants": [target] }));
        assert_eq!(answer.status, 200, "{answer:?}");
        self.expect_roster_of(count);
    }

    /// Returns the id of the participant with this SIP address, telephone number or id in the directory.
    pub(crate) fn participant(&self, id: &str) -> String {
        let is_it = |entry: &Value| ["phone", "user"].iter().any(|kind| entry["info"]["identity"][kind]["id"] == id);
        let entry = self.roster().into_iter().find(is_it).unwrap_or_else(|| panic!("{id} is not in the roster"));
        entry["id"].as_str().expect("a participant has an id").to_owned()
    }

    /// Takes a participant out.
    pub(crate) fn remove(&self, participant: &str) {
        let answer = self.bot.ask(Method::DELETE, &format!("{}/participants/{participant}", self.path()));
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// Takes the bot out. The others stay together.
    pub(crate) fn hang_up(&self) {
        assert_eq!(self.bot.ask(Method::DELETE, &self.path()).status, 204);
    }

    fn roster(&self) -> Vec<Value> {
        let answer = self.bot.ask(Method::GET, &format!("{}/participants", self.path()));
        answer.body["value"].as_array().unwrap_or_else(|| panic!("no roster: {answer:?}")).clone()
    }

    pub(crate) fn try_start_hold_music(&self, participant: &str, body: &Value) -> Answer {
        self.bot.post(&format!("{}/participants/{participant}/startHoldMusic", self.path()), body)
    }

    pub(crate) fn try_stop_hold_music(&self, participant: &str) -> Answer {
        self.bot.post(&format!("{}/participants/{participant}/stopHoldMusic", self.path()), &json!({}))
    }

    /// Starts to play a file to a participant; without one the built-in music.
    pub(crate) fn start_hold_music(&self, participant: &str, prompt: Option<&str>) -> Operation {
        let body = match prompt {
            None => json!({}),
            Some(uri) => json!({"customPrompt": {
                "@odata.type": "#microsoft.graph.mediaPrompt",
                "mediaInfo": { "@odata.type": "#microsoft.graph.mediaInfo", "uri": uri },
            }}),
        };
        accepted(&self.try_start_hold_music(participant, &body))
    }

    pub(crate) fn stop_hold_music(&self, participant: &str) -> Operation {
        accepted(&self.try_stop_hold_music(participant))
    }

    /// Starts to play a file to a participant and waits until it is heard. Returns what was accepted.
    pub(crate) fn hold(&self, participant: &str, prompt: Option<&str>) -> Operation {
        let operation = self.start_hold_music(participant, prompt);
        self.expect_completed(&operation);
        operation
    }

    /// Ends the music of a participant and waits for the notification of it, which it returns.
    pub(crate) fn unhold(&self, participant: &str) -> Notice {
        self.expect_completed(&self.stop_hold_music(participant))
    }

    /// Waits for the last notification of an operation.
    pub(crate) fn expect_end_of(&self, operation: &Operation) -> Notice {
        let url = format!("/communications/calls/{}/operations/{}", self.id, operation.id);
        self.bot.expect("the end of an operation", |notice| notice.value()["resourceUrl"] == url.as_str())
    }

    fn expect_completed(&self, operation: &Operation) -> Notice {
        let notice = self.expect_end_of(operation);
        assert_eq!(notice.resource()["status"], "completed", "{:#}", notice.body);
        notice
    }
}

/// Is the body that answers a call.
pub(crate) fn answer_body() -> Value {
    json!({
        "acceptedModalities": ["audio"],
        "mediaConfig": { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" },
    })
}

#[track_caller]
fn accepted(answer: &Answer) -> Operation {
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.body["id"].as_str().expect("an operation has an id").to_owned();
    Operation { id, accepted: answer.arrived }
}
