//! One bot at work with phones of its own: it calls them and does this and that, until nobody answers any more.

use std::thread;
use std::time::Duration;

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Value, json};

use super::Round;
use super::book::{Asked, Outcome, Pages};
use super::fate::Moment;
use crate::harness::{Bot, PATIENCE, TENANT, phone_target};

/// Most that a bot calls at once is one less: the last phone is there to be invited.
pub(super) const PHONES_PER_ACTOR: usize = 4;

const CALLS: &str = "/v1.0/communications/calls";

/// The longest pause between two requests.
const PAUSE_MAX_MS: u64 = 25;

/// A bot with its phones.
pub(super) struct Actor<'a> {
    round: &'a Round,
    bot: &'a Bot,
    random: Rng,
    /// The number of its first phone.
    first: usize,
}

/// The server is gone.
struct Gone;

/// A call that was accepted.
struct Call {
    id: String,
    path: String,
}

impl<'a> Actor<'a> {
    pub(super) fn new(n: usize, round: &'a Round, bot: &'a Bot) -> Actor<'a> {
        let random = Rng::with_seed(round.seed.wrapping_mul(31).wrapping_add(n as u64));
        Actor { round, bot, random, first: n * PHONES_PER_ACTOR }
    }

    /// Makes calls until the server is gone.
    pub(super) fn live(mut self) {
        while self.make_a_call().is_ok() {
            self.pause();
        }
    }

    fn make_a_call(&mut self) -> Result<(), Gone> {
        let people = self.random.usize(1..PHONES_PER_ACTOR);
        let Some(call) = self.create(people)? else { return Ok(()) };
        // Some bots change their mind at once.
        if self.random.u8(..8) > 0 {
            self.wait_for_people(&call, people)?;
            let participants = self.participants(&call)?;
            for _ in 0..self.random.u8(1..9) {
                self.do_something(&call, &participants)?;
                self.pause();
            }
        }
        self.end(&call)
    }

    fn create(&mut self, people: usize) -> Result<Option<Call>, Gone> {
        let number = self.round.book.ask(Asked::Call, None);
        let body = json!({
            "callbackUri": format!("{}/told/{number}", self.round.desk),
            "tenantId": TENANT,
            "requestedModalities": ["audio"],
            "mediaConfig": { "@odata.type": "#microsoft.graph.serviceHostedMediaConfig" },
            "targets": (0..people).map(|n| phone_target(&self.uri(n))).collect::<Vec<_>>(),
        });
        self.send(number, Method::POST, CALLS, Some(&body))?;
        let id = self.round.book.read(|pages| pages.requests[number].accepted_id().map(str::to_owned));
        Ok(id.map(|id| Call { path: format!("{CALLS}/{id}"), id }))
    }

    /// Waits until all who were called are told to be in the call; in a call of two, that it is established.
    fn wait_for_people(&self, call: &Call, people: usize) -> Result<(), Gone> {
        let is_there = |pages: &Pages| {
            let mut of_call = pages.told.iter().rev().filter(|told| told.call() == Some(&call.id));
            of_call.any(|told| match told.notice.resource() {
                Value::Array(roster) => roster.len() > people,
                call => people == 1 && call["state"] == "established",
            })
        };
        self.wait(is_there)
    }

    fn participants(&self, call: &Call) -> Result<Vec<String>, Gone> {
        let path = format!("{}/participants", call.path);
        let roster = self.bot.try_ask(Method::GET, &path, None).ok_or(Gone)?.body;
        let entries = roster["value"].as_array().map(Vec::as_slice).unwrap_or_default();
        let people = entries.iter().filter(|entry| entry["info"]["identity"]["phone"].is_object());
        Ok(people.filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect())
    }

    fn do_something(&mut self, call: &Call, participants: &[String]) -> Result<(), Gone> {
        let Some(participant) = self.random.choice(participants) else { return Ok(()) };
        let of_participant = |action: &str| format!("{}/participants/{participant}{action}", call.path);
        match self.random.u8(..16) {
            0..3 => self.operate(Asked::Hold, call, &of_participant("/startHoldMusic"), json!({})),
            3..6 => {
                let body = self.prompt();
                self.operate(Asked::Hold, call, &of_participant("/startHoldMusic"), body)
            }
            6..9 => self.operate(Asked::Unhold, call, &of_participant("/stopHoldMusic"), json!({})),
            9..11 => {
                let muted = Asked::Mute { participant: participant.clone() };
                self.operate(muted, call, &of_participant("/mute"), json!({}))
            }
            11..13 => {
                let body = json!({ "participants": [phone_target(&self.somebody())] });
                self.operate(Asked::Invite, call, &format!("{}/participants/invite", call.path), body)
            }
            13 => self.operate(Asked::KeepAlive, call, &format!("{}/keepAlive", call.path), json!({})),
            14 => self.delete(Asked::Remove, call, &of_participant("")),
            _ => {
                let phone = self.random.usize(..PHONES_PER_ACTOR);
                self.hang_up_phone(phone);
                Ok(())
            }
        }
    }

    /// Asks for something of a call, and waits for its end or does not.
    fn operate(&mut self, asked: Asked, call: &Call, path: &str, mut body: Value) -> Result<(), Gone> {
        let number = self.round.book.ask(asked, Some(&call.id));
        body["clientContext"] = json!(number.to_string());
        self.send(number, Method::POST, path, Some(&body))?;
        let request = self.round.book.read(|pages| pages.requests[number].clone());
        let (true, Outcome::Accepted { id: Some(id), .. }, true) =
            (request.is_operation(), request.outcome, self.random.bool())
        else {
            return Ok(());
        };
        self.wait(|pages| {
            let of_call = pages.told.iter().rev().filter(|told| told.call() == Some(&call.id));
            let mut resources = of_call.map(|told| told.notice.resource());
            resources.any(|resource| resource["id"] == id.as_str() || resource["state"] == "terminated")
        })
    }

    fn delete(&self, asked: Asked, call: &Call, path: &str) -> Result<(), Gone> {
        let number = self.round.book.ask(asked, Some(&call.id));
        self.send(number, Method::DELETE, path, None)
    }

    /// Hangs up as a bot does, or lets everybody hang up. Then all phones can be called again.
    fn end(&mut self, call: &Call) -> Result<(), Gone> {
        if self.random.u8(..3) > 0 {
            self.delete(Asked::HangUp, call, &call.path)?;
        }
        (0..PHONES_PER_ACTOR).for_each(|n| self.hang_up_phone(n));
        Ok(())
    }

    fn send(&self, number: usize, method: Method, path: &str, body: Option<&Value>) -> Result<(), Gone> {
        self.round.fate.happens(Moment::Sent);
        let answer = self.bot.try_ask(method, path, body);
        self.round.book.answer(number, answer.as_ref());
        let answer = answer.ok_or(Gone)?;
        if answer.status < 300 {
            self.round.fate.happens(Moment::Answered);
        }
        Ok(())
    }

    /// Waits for what must come while the server lives. It is judged later what it means if it does not.
    fn wait(&self, holds: impl Fn(&Pages) -> bool) -> Result<(), Gone> {
        let fate = &self.round.fate;
        self.round.book.wait_until(PATIENCE, |pages| fate.is_struck() || holds(pages));
        if fate.is_struck() { Err(Gone) } else { Ok(()) }
    }

    /// Returns a prompt that no hold has had before, which may not be there.
    fn prompt(&mut self) -> Value {
        let folder = if self.random.u8(..4) > 0 { "music" } else { "missing" };
        let uri = format!("{}/{folder}/{}", self.round.desk, self.random.u64(..));
        json!({ "customPrompt": { "mediaInfo": { "uri": uri } } })
    }

    /// Returns the address of a phone that answers, of one that never does, or of one that there is not.
    fn somebody(&mut self) -> String {
        match self.random.u8(..4) {
            0 => self.round.silent_uri.clone(),
            1 => self.round.crowd.uri(usize::MAX),
            _ => self.uri(PHONES_PER_ACTOR - 1),
        }
    }

    fn uri(&self, n: usize) -> String {
        self.round.crowd.uri(self.first + n)
    }

    fn hang_up_phone(&self, n: usize) {
        self.round.crowd.hang_up(self.first + n);
    }

    fn pause(&mut self) {
        thread::sleep(Duration::from_millis(self.random.u64(..PAUSE_MAX_MS)));
    }
}
