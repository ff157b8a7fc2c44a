//! Whether what the bots were told is what they were promised.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::time::Instant;

use super::book::{Asked, Outcome, Pages, Request, Told};
use crate::harness::Belief;

/// What the platform's subcode says when a crash was the end (docs/compat.md).
const CUT_OFF: u64 = 9001;

/// Something that must not be, and the call where it is.
#[derive(Debug)]
pub(super) struct Complaint {
    pub(super) what: String,
    pub(super) call: Option<String>,
}

/// What was seen, to show that the rounds were not idle.
#[derive(Debug, Default)]
pub(super) struct Figures {
    requests: usize,
    answers_lost: usize,
    calls_accepted: usize,
    operations_accepted: usize,
    operations_cut_off: usize,
    calls_cut_off: usize,
    notices: usize,
    notices_delivered_again: usize,
    /// What was done though its answer was lost.
    told_without_answer: usize,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.requests += other.requests;
        self.answers_lost += other.answers_lost;
        self.calls_accepted += other.calls_accepted;
        self.operations_accepted += other.operations_accepted;
        self.operations_cut_off += other.operations_cut_off;
        self.calls_cut_off += other.calls_cut_off;
        self.notices += other.notices;
        self.notices_delivered_again += other.notices_delivered_again;
        self.told_without_answer += other.told_without_answer;
    }
}

/// Tells whether nothing more is to come: every call that is known is over.
pub(super) fn is_settled(pages: &Pages) -> bool {
    let Ok(belief) = Belief::read(&pages.notices()) else { return true };
    calls(pages).iter().all(|call| belief.is_over(call))
}

/// Compares what was promised with what was told.
pub(super) fn judge(pages: &Pages, killed: Instant) -> Result<Figures, Complaint> {
    let belief = Belief::read(&pages.notices())
        .map_err(|contradiction| Complaint { what: contradiction.to_string(), call: contradiction.call() })?;
    for call in calls(pages) {
        require(belief.is_over(call), "a call has no end", Some(call))?;
    }
    for request in &pages.requests {
        check_request(request, pages, &belief, killed)?;
    }
    for told in &pages.told {
        check_told(told, pages)?;
    }
    Ok(figures(pages))
}

/// Returns every call that a bot knows of, by an answer or by a notification.
fn calls(pages: &Pages) -> BTreeSet<&str> {
    let created = pages.requests.iter().filter(|request| request.asked == Asked::Call);
    created.filter_map(Request::accepted_id).chain(pages.told.iter().filter_map(Told::call)).collect()
}

/// Checks that what was accepted has happened.
fn check_request(request: &Request, pages: &Pages, belief: &Belief, killed: Instant) -> Result<(), Complaint> {
    let call = request.call.as_deref();
    match (&request.outcome, &request.asked) {
        (Outcome::Open, _) => complain(format!("{request:?} came to no end"), call),
        (Outcome::Lost { at }, _) => {
            require(*at >= killed, &format!("no answer while the server lived: {request:?}"), call)
        }
        (Outcome::Refused { .. }, _) => Ok(()),
        (Outcome::Accepted { id, .. }, _) if request.is_operation() => {
            let is_ended = id.as_deref().is_some_and(|id| belief.end_of(id).is_some());
            require(is_ended, &format!("an operation has no end: {request:?}"), call)
        }
        (Outcome::Accepted { .. }, Asked::Mute { participant }) => {
            let is_told = pages.told.iter().any(|told| told.call() == call && shows_muted(told, participant));
            require(is_told, &format!("a mute was not told: {request:?}"), call)
        }
        (Outcome::Accepted { .. }, _) => Ok(()),
    }
}

fn shows_muted(told: &Told, participant: &str) -> bool {
    let mut roster = told.notice.resource().as_array().into_iter().flatten();
    roster.any(|entry| entry["id"] == participant && entry["isMuted"] == true)
}

/// Checks that what was told was asked for, and not refused.
fn check_told(told: &Told, pages: &Pages) -> Result<(), Complaint> {
    check_cause(told, told.of, |asked| *asked == Asked::Call, told.call(), pages)?;
    let resource = told.notice.resource();
    let Some(context) = resource["clientContext"].as_str() else { return Ok(()) };
    let kind = match resource["@odata.type"].as_str() {
        Some("#microsoft.graph.startHoldMusicOperation") => Asked::Hold,
        Some("#microsoft.graph.stopHoldMusicOperation") => Asked::Unhold,
        Some("#microsoft.graph.inviteParticipantsOperation") => Asked::Invite,
        Some(_) | None => return complain(format!("an unknown operation: {resource}"), told.call()),
    };
    let number = context.parse().map_err(|_| Complaint::new(format!("nobody's context: {context}"), told.call()))?;
    check_cause(told, number, |asked| *asked == kind, resource["id"].as_str(), pages)
}

/// Checks that a request is the cause of what was told, and that what was answered is what was told.
fn check_cause(
    told: &Told,
    number: usize,
    is_meant: impl Fn(&Asked) -> bool,
    id: Option<&str>,
    pages: &Pages,
) -> Result<(), Complaint> {
    let first = pages.requests.first().map_or(0, |request| request.number);
    let request = number.checked_sub(first).and_then(|at| pages.requests.get(at));
    let cause = request.filter(|request| is_meant(&request.asked));
    let cause = cause.filter(|cause| cause.call.is_none() || cause.call.as_deref() == told.call());
    let Some(cause) = cause else { return complain("something was told that nobody had asked for", told.call()) };
    match &cause.outcome {
        // It was told that it could not be stored; it was stored later, with its undoing.
        Outcome::Refused { status: 503 } | Outcome::Lost { .. } => Ok(()),
        Outcome::Accepted { id: accepted, .. } if accepted.as_deref() == id => Ok(()),
        Outcome::Accepted { .. } | Outcome::Refused { .. } | Outcome::Open => {
            complain(format!("{} was told, and this was the answer: {cause:?}", told.notice.value()), told.call())
        }
    }
}

fn figures(pages: &Pages) -> Figures {
    let requests = || pages.requests.iter();
    let count = |is_it: fn(&&Request) -> bool| requests().filter(is_it).count();
    // Each once, however often it was delivered.
    let told: BTreeMap<&str, &Told> = pages.told.iter().map(|told| (told.notice.message_id.as_str(), told)).collect();
    let is_cut_off = |told: &&&Told| told.notice.resource()["resultInfo"]["subcode"] == CUT_OFF;
    let (calls, operations): (Vec<&Told>, Vec<&Told>) =
        told.values().filter(is_cut_off).partition(|told| told.notice.resource()["state"].is_string());
    let ends: BTreeSet<&str> =
        told.values().filter_map(|told| told.notice.resource()["clientContext"].as_str()).collect();
    let is_told = |request: &&Request| match request.asked {
        Asked::Call => pages.told.iter().any(|told| told.of == request.number),
        _ => ends.contains(request.number.to_string().as_str()),
    };
    let is_lost = |request: &&Request| matches!(request.outcome, Outcome::Lost { .. });
    Figures {
        requests: pages.requests.len(),
        answers_lost: requests().filter(is_lost).count(),
        calls_accepted: count(|request| request.asked == Asked::Call && request.accepted_id().is_some()),
        operations_accepted: count(|request| request.is_operation() && request.accepted_id().is_some()),
        operations_cut_off: operations.len(),
        calls_cut_off: calls.len(),
        notices: told.len(),
        notices_delivered_again: pages.told.len() - told.len(),
        told_without_answer: requests().filter(is_lost).filter(is_told).count(),
    }
}

impl Complaint {
    fn new(what: impl Into<String>, call: Option<&str>) -> Complaint {
        Complaint { what: what.into(), call: call.map(str::to_owned) }
    }
}

fn complain(what: impl Into<String>, call: Option<&str>) -> Result<(), Complaint> {
    Err(Complaint::new(what, call))
}

fn require(holds: bool, what: &str, call: Option<&str>) -> Result<(), Complaint> {
    if holds { Ok(()) } else { complain(what, call) }
}
