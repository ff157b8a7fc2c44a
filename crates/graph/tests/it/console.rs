//! What people at the console see and do, and what applications read of who heard what.

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bot::{Bot, PATIENCE};
use crate::server::{Answer, EstablishedCall, OTHER_APP, OTHER_SECRET, Server};

/// How long after its acceptance a hold may become visible. The promise is one second; on a machine that runs a hundred other
/// tests beside, everything takes longer.
const SEEN_WITHIN: Duration = Duration::from_secs(5);

/// The pause before something is read once more. Shorter only makes work.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// Streams at a time.
const STREAMS_MAX: usize = 64;

/// Somebody at the console.
struct Person<'a> {
    server: &'a Server,
    token: String,
}

/// The events that somebody reads.
struct Stream {
    response: reqwest::Response,
    read: String,
}

impl<'a> Person<'a> {
    async fn sign_in(server: &'a Server, name: &str) -> Person<'a> {
        Person { server, token: server.person_token(name).await }
    }

    async fn ask(&self, method: Method, path: &str) -> Answer {
        self.server.send(self.server.request(method, path).bearer_auth(&self.token)).await
    }

    async fn read(&self, path: &str) -> Value {
        let answer = self.ask(Method::GET, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body
    }

    async fn watch(&self) -> reqwest::Response {
        let request = self.server.request(Method::GET, "/fermata/v1/events").bearer_auth(&self.token);
        request.send().await.expect("an answer")
    }

    async fn stream(&self) -> Stream {
        let response = self.watch().await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { response, read: String::new() }
    }

    /// Steers a participant.
    async fn steer(&self, call: &EstablishedCall, participant: usize, verb: &str) -> Answer {
        self.ask(Method::POST, &format!("{}/{verb}", participant_path(call, participant))).await
    }

    /// Waits until the call looks so.
    async fn wait_for(&self, call: &EstablishedCall, fits: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let live = self.read(&call_path(call)).await;
                if fits(&live) {
                    return live;
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the call becomes so")
    }
}

impl Stream {
    /// Reads the next event; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                match (line("event: "), line("data: ")) {
                    (Some(name), Some(data)) => return Some((name, serde_json::from_str(&data).expect("JSON"))),
                    // A comment, or how long to wait.
                    _ => continue,
                }
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await.expect("something in time");
            self.read.push_str(std::str::from_utf8(&chunk.ok()??).expect("events are text"));
        }
    }

    /// Reads on to an event that fits.
    async fn wait_for(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let (event, data) = self.next().await.expect("the stream goes on");
                if event == name && fits(&data) {
                    return data;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("no {name}"))
    }
}

fn call_path(call: &EstablishedCall) -> String {
    format!("/fermata/v1/calls/{}", call.id())
}

fn participant_path(call: &EstablishedCall, participant: usize) -> String {
    format!("{}/participants/{}", call_path(call), call.participants[participant])
}

fn participant<'a>(live: &'a Value, id: &str) -> &'a Value {
    let mut participants = live["participants"].as_array().expect("a list").iter();
    participants.find(|participant| participant["id"] == id).unwrap_or_else(|| panic!("no {id} in {live}"))
}

/// Has the application hold a participant.
async fn hold(server: &Server, call: &EstablishedCall, participant: usize) {
    let path = format!("{}/participants/{}/startHoldMusic", call.path, call.participants[participant]);
    let accepted = server.post(&path, &json!({})).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
}

#[tokio::test]
async fn a_hold_is_seen_on_the_stream_at_once() {
    let (server, bot) = (Server::start().await, Bot::start().await);
    let call = server.establish(&bot).await;
    let mut stream = Person::sign_in(&server, "bob").await.stream().await;
    let (name, snapshot) = stream.next().await.expect("a snapshot");
    assert_eq!((name.as_str(), &snapshot["calls"][0]["id"]), ("snapshot", &json!(call.id())));
    hold(&server, &call, 0).await;
    let accepted = Instant::now();
    let held = call.participants[0].as_str();
    let is_held = |live: &Value| participant(live, held)["layers"][0]["layer"] == "holdMusic";
    let seen = stream.wait_for("call", is_held).await;
    assert!(accepted.elapsed() < SEEN_WITHIN, "{:?}", accepted.elapsed());
    assert_eq!(participant(&seen, held)["layers"][0]["owner"]["kind"], "application");
    assert_eq!(
        participant(&seen, &call.participants[1])["hears"],
        json!({"source": "conversation", "participants": []})
    );
    let plays = |live: &Value| participant(live, held)["layers"][0]["phase"] == "playing";
    let playing = stream.wait_for("call", plays).await;
    assert_eq!(participant(&playing, held)["hears"]["source"], "music");
    assert_eq!(playing["operations"][0]["status"], "completed");
}

#[tokio::test]
async fn levels_and_connections_are_told_and_the_end_is() {
    let (server, bot) = (Server::start().await, Bot::start().await);
    let call = server.establish(&bot).await;
    let mut stream = Person::sign_in(&server, "bob").await.stream().await;
    let alice = call.participants[0].as_str();
    stream.wait_for("levels", |levels| levels[alice].is_i64()).await;
    let media = stream.wait_for("media", |media| media[alice]["packetsSent"].as_u64() > Some(0)).await;
    assert_eq!((&media[alice]["transport"], &media[alice]["encryption"]), (&json!("udp"), &Value::Null));
    server.ask(Method::DELETE, &call.path).await;
    let ended = stream.wait_for("ended", |ended| ended["id"] == call.id()).await;
    assert_eq!(ended["call"]["state"], "terminated");
}

#[tokio::test]
async fn an_operator_steers_the_call_of_an_application_and_the_application_is_told() {
    let (server, bot) = (Server::start().await, Bot::start().await);
    let call = server.establish(&bot).await;
    let alice = Person::sign_in(&server, "alice").await;
    let held = call.participants[0].as_str();
    let accepted = alice.steer(&call, 0, "startHoldMusic").await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED, "{accepted:?}");
    let live = alice.wait_for(&call, |live| participant(live, held)["hears"]["source"] == "music").await;
    let owner = &participant(&live, held)["layers"][0]["owner"];
    assert_eq!((&owner["kind"], &owner["displayName"]), (&json!("operator"), &json!("ALICE")));
    let told = bot.wait_for(|notice| notice["resourceData"]["id"] == accepted.body["id"]).await;
    let mark = told["resourceData"]["clientContext"].as_str().expect("a mark");
    assert!(mark.starts_with("operator:") && accepted.body["clientContext"] == mark, "{told}");
    assert_eq!(alice.steer(&call, 1, "startHoldMusic").await.status, StatusCode::CONFLICT);
    assert_eq!(alice.steer(&call, 0, "stopHoldMusic").await.status, StatusCode::ACCEPTED);
    alice.wait_for(&call, |live| participant(live, held)["layers"] == json!([])).await;
    for (verb, is_muted) in [("mute", true), ("unmute", false)] {
        assert_eq!(alice.steer(&call, 0, verb).await.status, StatusCode::OK);
        alice.wait_for(&call, |live| participant(live, held)["isMuted"] == is_muted).await;
    }
    assert_eq!(alice.ask(Method::DELETE, &participant_path(&call, 0)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.ask(Method::DELETE, &call_path(&call)).await.status, StatusCode::NO_CONTENT);
    bot.wait_for(|notice| notice["changeType"] == "deleted").await;
}

#[tokio::test]
async fn a_call_that_is_over_is_remembered_with_its_timeline() {
    let (server, bot) = (Server::start().await, Bot::start().await);
    let call = server.establish(&bot).await;
    hold(&server, &call, 0).await;
    server.ask(Method::DELETE, &call.path).await;
    let bob = Person::sign_in(&server, "bob").await;
    let live = bob.wait_for(&call, |live| live["state"] == "terminated").await;
    assert_eq!(live["resultInfo"]["code"], 200);
    assert_eq!(bob.read("/fermata/v1/calls").await["value"], json!([]));
    assert_eq!(bob.read("/fermata/v1/calls?ended=true").await["value"][0]["id"], call.id());
    let timeline = bob.read(&format!("{}/timeline", call_path(&call))).await;
    let entries = timeline["value"].as_array().expect("a list");
    let named = |name: &str| entries.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(
        (&named("startHoldMusic")["kind"], &named("startHoldMusic")["outcome"]),
        (&json!("command"), &json!("accepted"))
    );
    assert_eq!(named("startHoldMusic")["participantId"], call.participants[0]);
    assert_eq!(named("hangUp")["kind"], "command");
    let sequences: Vec<_> = entries.iter().map(|entry| entry["sequence"].as_u64().expect("a number")).collect();
    assert!(sequences.iter().copied().eq(1..=entries.len() as u64), "{sequences:?}");
    let wrong = bob.ask(Method::GET, "/fermata/v1/calls?endet=true").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_application_reads_what_its_participants_heard() {
    let (server, bot) = (Server::start().await, Bot::start().await);
    let call = server.establish(&bot).await;
    hold(&server, &call, 0).await;
    bot.wait_for(|notice| notice["resourceData"]["status"] == "completed").await;
    let path = format!("{}/heard", participant_path(&call, 0));
    let heard = server.ask(Method::GET, &path).await;
    let intervals = heard.body["intervals"].as_array().unwrap_or_else(|| panic!("a list: {heard:?}"));
    let last = intervals.last().expect("it was given something");
    assert_eq!((&last["source"], &last["participants"]), (&json!("music"), &json!([])));
    assert!(last["operationId"].is_string());
    let wav = server.send(server.request(Method::GET, &path).bearer_auth(server.token()).header("accept", "audio/wav"));
    assert_eq!(wav.await.headers["content-type"], "audio/wav");
    let wav = server.ask(Method::GET, &format!("{path}.wav")).await;
    assert_eq!((wav.status, &wav.headers["content-type"]), (StatusCode::OK, &"audio/wav".parse().expect("a value")));
    let nobody = server.ask(Method::GET, &format!("{}/participants/{}/heard", call_path(&call), Uuid::nil())).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let other = server.token_of(OTHER_APP, OTHER_SECRET).await;
    let foreign = server.send(server.request(Method::GET, &path).bearer_auth(other)).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let bob = Person::sign_in(&server, "bob").await;
    assert_eq!(bob.read(&path).await["participantId"], call.participants[0]);
}

#[tokio::test]
async fn who_may_look_may_not_steer_and_an_application_may_neither() {
    let (server, bot) = (Server::start().await, Bot::start().await);
    let call = server.establish(&bot).await;
    let [bob, carol] = [Person::sign_in(&server, "bob").await, Person::sign_in(&server, "carol").await];
    bob.read("/fermata/v1/calls").await;
    bob.read(&call.notifications()).await;
    let steps = [
        bob.steer(&call, 0, "startHoldMusic").await,
        bob.ask(Method::DELETE, &call_path(&call)).await,
        bob.ask(Method::POST, &format!("{}/redeliver", call.notifications())).await,
        carol.ask(Method::GET, "/fermata/v1/calls").await,
        carol.ask(Method::GET, "/fermata/v1/events").await,
        carol.ask(Method::GET, &call.notifications()).await,
        server.ask(Method::GET, "/fermata/v1/calls").await,
        server.ask(Method::DELETE, &call_path(&call)).await,
    ];
    for (n, step) in steps.iter().enumerate() {
        assert_eq!(step.status, StatusCode::FORBIDDEN, "step {n}: {step:?}");
    }
    let nobody = server.send(server.request(Method::GET, "/fermata/v1/events")).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn streams_are_counted_and_end_with_the_server() {
    let server = Server::start().await;
    let bob = Person::sign_in(&server, "bob").await;
    let mut streams = Vec::new();
    for _ in 0..STREAMS_MAX {
        streams.push(bob.stream().await);
    }
    assert_eq!(bob.watch().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(streams.split_off(1));
    let mut stream = streams.pop().expect("one is left");
    assert_eq!(stream.next().await.expect("a snapshot").0, "snapshot");
    let reading = tokio::spawn(async move { while stream.next().await.is_some() {} });
    server.restart().await;
    tokio::time::timeout(PATIENCE, reading).await.expect("the stream ends").expect("and nothing else happens");
}

#[tokio::test]
async fn what_is_kept_and_what_would_fail_is_told() {
    let (server, bot) = (Server::start().await, Bot::start().await);
    let call = server.establish(&bot).await;
    hold(&server, &call, 0).await;
    bot.wait_for(|notice| notice["resourceData"]["status"] == "completed").await;
    let bob = Person::sign_in(&server, "bob").await;
    let prompts = bob.read("/fermata/v1/prompts").await;
    let built_in = &prompts["value"][0];
    assert_eq!((&built_in["uri"], &built_in["calls"]), (&Value::Null, &json!([call.id()])));
    assert!(built_in["rmsDbfs"].as_f64() < built_in["peakDbfs"].as_f64(), "{built_in}");
    let missing =
        server.request(Method::POST, "/fermata/v1/prompts/preflight").bearer_auth(&bob.token).json(&json!({}));
    assert_eq!(server.send(missing).await.status, StatusCode::BAD_REQUEST);
    // What answers there is a callback, and no music.
    let wrong = json!({ "uri": bot.uri() });
    let request = server.request(Method::POST, "/fermata/v1/prompts/preflight").bearer_auth(&bob.token).json(&wrong);
    let found = server.send(request).await.body;
    assert_eq!(
        (&found["fermata"]["isAccepted"], &found["graph"]["isAccepted"]),
        (&json!(false), &json!(false)),
        "{found}"
    );
    assert!(found["status"].as_u64() >= Some(400), "{found}");
}
