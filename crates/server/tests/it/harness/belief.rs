//! What a bot may believe that reads its notifications one by one, and what contradicts it.
//!
//! Any history of any number of calls can be judged, also one with crashes of the server in it:
//!
//! - A notification that comes again is the same one, and those after it come again, too: nothing is ever overtaken.
//! - A call begins with `establishing` (or as `incoming`), never goes back to an earlier state, and is deleted once, as
//!   `terminated` with a reason. Nothing of it comes after that.
//! - An operation ends once, completed or failed; a failure has a reason.
//! - A roster is whole and says something new; what changed in it has a higher `rosterSequenceNumber` than anything
//!   before. Once music on hold has started, the roster shows somebody `inactive`, or the next one does.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::callback::Notice;

/// The states of a call in the only order in which they can come.
const STATES: [&str; 8] = [
    "incoming",
    "redirecting",
    "establishing",
    "established",
    "transferring",
    "transferAccepted",
    "terminating",
    "terminated",
];

/// The subcodes of a transfer that has failed, blind and consultative: the call is established again.
const TRANSFER_FAILED: [u32; 2] = [7000, 7700];

/// What a bot believes after everything that it was told.
#[derive(Debug, Default)]
pub(crate) struct Belief {
    calls: BTreeMap<String, BelievedCall>,
}

/// What it believes of one call.
#[derive(Debug, Default)]
struct BelievedCall {
    /// Each notification once, in the order in which they came first.
    messages: Vec<Notice>,
    /// Which of them came last.
    at: usize,
    state: Option<usize>,
    operations: BTreeMap<String, String>,
    roster: Vec<Value>,
    roster_sequence_max: u64,
    /// Music has started, and no roster has shown it.
    awaits_inactive: bool,
}

/// A notification that cannot be true after those before it.
#[derive(Debug)]
pub(crate) struct Contradiction {
    reason: &'static str,
    notice: Value,
}

impl Contradiction {
    /// Returns the id of the call that it is about, if it is about one.
    pub(crate) fn call(&self) -> Option<String> {
        let url = self.notice["value"][0]["resourceUrl"].as_str()?;
        url.strip_prefix("/communications/calls/")?.split('/').next().map(str::to_owned)
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:#}", self.reason, self.notice)
    }
}

impl Belief {
    /// Reads everything that came, in its order; the test fails at the first contradiction.
    #[track_caller]
    pub(crate) fn of(notices: &[Notice]) -> Belief {
        Belief::read(notices).unwrap_or_else(|contradiction| panic!("{contradiction}"))
    }

    /// Reads everything that came, in its order.
    pub(crate) fn read(notices: &[Notice]) -> Result<Belief, Contradiction> {
        let mut belief = Belief::default();
        for notice in notices {
            let told = belief.take(notice);
            told.map_err(|reason| Contradiction { reason, notice: notice.body.clone() })?;
        }
        Ok(belief)
    }

    /// Returns how an operation ended, if it has: `completed` or `failed`.
    pub(crate) fn end_of(&self, operation: &str) -> Option<&str> {
        self.calls.values().find_map(|call| call.operations.get(operation)).map(String::as_str)
    }

    /// Tells whether the last notification of a call has come.
    pub(crate) fn is_over(&self, call: &str) -> bool {
        self.calls.get(call).is_some_and(BelievedCall::is_over)
    }

    /// Returns who is shown as `inactive` in the newest roster of a call.
    pub(crate) fn inactive(&self, call: &str) -> Vec<&str> {
        let roster = self.calls.get(call).map_or(&[][..], |call| &call.roster);
        roster.iter().filter(|entry| is_inactive(entry)).filter_map(|entry| entry["id"].as_str()).collect()
    }

    fn take(&mut self, notice: &Notice) -> Result<(), &'static str> {
        let entries = notice.body["value"].as_array().ok_or("it has no entries")?;
        require(entries.len() == 1, "it does not have exactly one entry")?;
        let url = notice.value()["resourceUrl"].as_str().ok_or("it names no resource")?;
        let path = url.trim_start_matches('/').strip_prefix("communications/calls/").ok_or("it is about no call")?;
        let (id, rest) = path.split_once('/').unwrap_or((path, ""));
        let call = self.calls.entry(id.to_owned()).or_default();
        if call.is_repetition(notice)? {
            return Ok(());
        }
        require(!call.is_over(), "its call is over")?;
        require(call.state.is_some() || rest.is_empty(), "nothing was told of its call before")?;
        let change = notice.value()["changeType"].as_str().unwrap_or_default();
        match rest.split_once('/') {
            None if rest.is_empty() => call.take_call(id, change, notice.resource()),
            None if rest == "participants" => call.take_roster(change, notice.resource()),
            Some(("operations", operation)) => call.take_end(operation, change, notice.resource()),
            Some(_) | None => Err("no such resource is told of"),
        }
    }
}

impl BelievedCall {
    fn is_over(&self) -> bool {
        self.state == Some(STATES.len() - 1)
    }

    /// Files a notification. After one that came again, those that followed it have to come again as well.
    fn is_repetition(&mut self, notice: &Notice) -> Result<bool, &'static str> {
        require(!notice.message_id.is_empty(), "it has no id")?;
        let next = if self.messages.is_empty() { 0 } else { self.at + 1 };
        let known = self.messages.iter().position(|message| message.message_id == notice.message_id);
        self.at = known.unwrap_or(self.messages.len());
        require(self.at <= next, "it overtook others")?;
        match known {
            Some(at) => require(self.messages[at].body == notice.body, "it is not what it was before")?,
            None => self.messages.push(notice.clone()),
        }
        Ok(known.is_some())
    }

    fn take_call(&mut self, id: &str, change: &str, call: &Value) -> Result<(), &'static str> {
        require(call["id"] == id, "it tells of another call")?;
        let state = STATES.iter().position(|state| call["state"] == *state).ok_or("it has an unknown state")?;
        let expected_change = match STATES[state] {
            "incoming" => "created",
            "terminated" => "deleted",
            _ => "updated",
        };
        require(change == expected_change, "its state and its change do not agree")?;
        let subcode = &call["resultInfo"]["subcode"];
        let has_failed = TRANSFER_FAILED.iter().any(|failed| subcode == failed) && STATES[state] == "established";
        require(call["resultInfo"].is_object() == (change == "deleted") || has_failed, "only an end has a reason")?;
        match self.state {
            None => require(["incoming", "establishing"].contains(&STATES[state]), "the call did not begin")?,
            Some(before) => {
                let is_back = has_failed && STATES[before] == "transferring";
                require(before <= state || is_back, "the call went back to an earlier state")?;
            }
        }
        self.state = Some(state);
        Ok(())
    }

    fn take_end(&mut self, id: &str, change: &str, operation: &Value) -> Result<(), &'static str> {
        require(change == "deleted" && operation["id"] == id, "an operation is told of once, when it is gone")?;
        let status = operation["status"].as_str().unwrap_or_default();
        require(["completed", "failed"].contains(&status), "it does not say how the operation ended")?;
        require(status == "completed" || operation["resultInfo"].is_object(), "a failure has a reason")?;
        require(operation["clientContext"].as_str().is_some_and(|it| !it.is_empty()), "it has no clientContext")?;
        let before = self.operations.insert(id.to_owned(), status.to_owned());
        require(before.is_none(), "the operation had ended")?;
        if status == "completed" && operation["@odata.type"] == "#microsoft.graph.startHoldMusicOperation" {
            // Another change may have shown it between the acceptance and the first packet of music. A call with one person
            // is told no roster, until somebody else is invited.
            self.awaits_inactive = !self.roster.is_empty() && !self.roster.iter().any(is_inactive);
        }
        Ok(())
    }

    fn take_roster(&mut self, change: &str, roster: &Value) -> Result<(), &'static str> {
        require(change == "updated", "a roster is only ever updated")?;
        let roster = roster.as_array().ok_or("it is not the whole roster")?;
        require(*roster != self.roster, "it says nothing new")?;
        for (at, entry) in roster.iter().enumerate() {
            require(is_whole(entry), "an entry is not whole")?;
            require(roster[..at].iter().all(|other| other["id"] != entry["id"]), "somebody is in it twice")?;
            self.check_sequence(entry)?;
        }
        let newest = roster.iter().map(sequence).max().unwrap_or_default();
        self.roster_sequence_max = self.roster_sequence_max.max(newest);
        self.roster.clone_from(roster);
        let awaited = std::mem::take(&mut self.awaits_inactive);
        require(!awaited || roster.iter().any(is_inactive), "nobody is shown as held after music has started")
    }

    fn check_sequence(&self, entry: &Value) -> Result<(), &'static str> {
        let before = self.roster.iter().find(|before| before["id"] == entry["id"]);
        let told = |entry: &Value| (entry["isMuted"].clone(), entry["mediaStreams"][0]["direction"].clone());
        if before.is_some_and(|before| told(before) == told(entry)) {
            let is_same = before.is_some_and(|before| sequence(before) == sequence(entry));
            return require(is_same, "the number of an entry rose that did not change");
        }
        require(sequence(entry) > self.roster_sequence_max, "the number of an entry that changed did not rise")
    }
}

fn sequence(entry: &Value) -> u64 {
    entry["rosterSequenceNumber"].as_u64().unwrap_or_default()
}

fn is_inactive(entry: &Value) -> bool {
    entry["mediaStreams"][0]["direction"] == "inactive"
}

fn is_whole(entry: &Value) -> bool {
    let stream = &entry["mediaStreams"][0];
    let has_media = stream["mediaType"] == "audio" && stream["direction"].is_string();
    let has_name = entry["id"].is_string() && entry["info"]["identity"].is_object();
    has_name && has_media && entry["isMuted"].is_boolean() && sequence(entry) > 0
}

fn require(holds: bool, reason: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(reason) }
}

mod tests {
    use super::*;
    use serde_json::json;

    /// Makes a notification as it would have come.
    fn notice(message_id: &str, change: &str, rest: &str, resource: Value) -> Notice {
        let url = format!("/communications/calls/c{rest}");
        let entry = json!({ "changeType": change, "resourceUrl": url, "resourceData": resource });
        let arrived = std::time::Instant::now();
        Notice { arrived, message_id: message_id.to_owned(), body: json!({ "value": [entry] }) }
    }

    fn call(message_id: &str, state: &str) -> Notice {
        let result = json!({ "code": 200, "subcode": 7000 });
        match state {
            "terminated" => notice(message_id, "deleted", "", json!({"id": "c", "state": state, "resultInfo": result})),
            _ => notice(message_id, "updated", "", json!({ "id": "c", "state": state })),
        }
    }

    fn end(message_id: &str, operation: &str) -> Notice {
        let kind = "#microsoft.graph.startHoldMusicOperation";
        let body = json!({"@odata.type": kind, "id": operation, "status": "completed", "clientContext": "x"});
        notice(message_id, "deleted", &format!("/operations/{operation}"), body)
    }

    fn roster(message_id: &str, entries: &[(&str, u64, &str)]) -> Notice {
        let entry = |(id, sequence, direction): &(&str, u64, &str)| {
            json!({
                "id": id, "info": { "identity": {} }, "isMuted": false, "rosterSequenceNumber": sequence,
                "mediaStreams": [{ "mediaType": "audio", "direction": direction }],
            })
        };
        notice(message_id, "updated", "/participants", entries.iter().map(entry).collect())
    }

    /// Checks why a history cannot be, or that it can (an empty reason).
    #[track_caller]
    fn check(notices: &[Notice], reason: &str) {
        assert_eq!(Belief::read(notices).err().map_or("", |it| it.reason), reason);
    }

    #[test]
    fn what_comes_again_in_order_is_believed_and_what_overtakes_is_not() {
        let [one, two, three] = [call("1", "establishing"), call("2", "established"), call("3", "terminated")];
        check(&[one.clone(), two.clone(), two.clone(), one.clone(), two.clone(), three.clone()], "");
        check(&[one.clone(), two.clone(), one.clone(), three.clone()], "it overtook others");
        check(&[one.clone(), call("1", "established")], "it is not what it was before");
        check(&[one, three, two], "its call is over");
    }

    #[test]
    fn a_call_has_a_beginning_and_one_end() {
        check(&[call("1", "established")], "the call did not begin");
        check(
            &[call("1", "establishing"), call("2", "terminating"), call("3", "established")],
            "the call went back to an earlier state",
        );
        check(&[call("1", "establishing"), call("2", "terminated"), call("3", "terminated")], "its call is over");
        check(&[end("1", "o")], "nothing was told of its call before");
        check(&[call("1", "establishing"), end("2", "o"), end("3", "o")], "the operation had ended");
    }

    #[test]
    fn a_roster_says_something_new_with_a_higher_number() {
        let begin = [call("1", "establishing"), roster("2", &[("a", 1, "sendReceive"), ("b", 1, "sendReceive")])];
        let then = |next: &[Notice]| [begin.as_slice(), next].concat();
        let held = roster("4", &[("a", 2, "inactive"), ("b", 1, "sendReceive")]);
        check(&then(&[end("3", "o"), held.clone(), roster("5", &[("a", 2, "inactive")])]), "");
        let back = roster("5", &[("a", 3, "sendReceive"), ("b", 1, "sendReceive")]);
        check(&then(&[held.clone(), end("3", "o"), back]), "");
        check(&then(&[roster("3", &[("a", 1, "sendReceive"), ("b", 1, "sendReceive")])]), "it says nothing new");
        check(
            &then(&[roster("3", &[("a", 1, "inactive"), ("b", 1, "sendReceive")])]),
            "the number of an entry that changed did not rise",
        );
        check(&then(&[roster("3", &[("a", 2, "sendReceive")])]), "the number of an entry rose that did not change");
        check(
            &then(&[end("3", "o"), roster("4", &[("a", 1, "sendReceive")])]),
            "nobody is shown as held after music has started",
        );
        check(&then(&[roster("3", &[("a", 1, "sendReceive"), ("a", 1, "sendReceive")])]), "somebody is in it twice");
    }
}
