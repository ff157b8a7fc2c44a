//! Offers of callees that have not taken our call yet: RFC 3311 §5.2.

use std::time::Duration;

use edge::sip::{Event, Method, Name, Request, Response, Status};

use crate::sip_pair::{ALICES, invite};
use crate::sip_solo::{PEER, Solo, header};

const CONTACT: (&str, &str) = ("Contact", "<sip:there@192.0.2.9:5070>");
const SDP: (&str, &str) = ("Content-Type", "application/sdp");

/// A call of ours, which phones behind a proxy answer early.
struct Call {
    solo: Solo,
    invite: Request,
    updates: u32,
}

impl Call {
    fn start() -> Call {
        let mut solo = Solo::new(|_| {});
        let target = format!("sip:peer@{PEER}").parse().unwrap();
        solo.endpoint.invite(ALICES, edge::sip::Invite { target, ..invite() }, solo.now);
        let invite = solo.request();
        Call { solo, invite, updates: 0 }
    }

    /// A phone answers in a reliable 183.
    fn answer_early(&mut self, phone: &str, answer: &str) {
        let reliable = [("Require", "100rel"), ("RSeq", "1"), CONTACT, SDP];
        self.solo.answer_with(&self.invite, "183 Session Progress", phone, &reliable, answer);
        let prack = self.solo.request();
        assert_eq!(prack.method, Method::Prack);
        self.solo.answer(&prack, "200 OK", phone, &[]);
    }

    /// A phone offers something.
    fn update(&mut self, phone: &str, offer: &str) {
        self.updates += 1;
        let from = format!("{};tag={phone}", header(&self.invite.headers, &Name::To));
        let to = header(&self.invite.headers, &Name::From).to_owned();
        let call_id = header(&self.invite.headers, &Name::CallId).to_owned();
        let (cseq, via) =
            (format!("{} UPDATE", self.updates), format!("SIP/2.0/UDP {PEER};branch=z9hG4bK{}", self.updates));
        let fields = [("From", &*from), ("To", &*to), ("Call-ID", &*call_id), ("CSeq", &*cseq), ("Via", &*via), SDP];
        self.solo.send("UPDATE sip:alice@192.0.2.1", &fields, offer);
    }

    /// A phone offers something, and this is its answer.
    fn update_answered(&mut self, phone: &str, offer: &str, answer: Result<&str, Status>) -> Response {
        self.update(phone, offer);
        let answer = answer.map(|answer| answer.as_bytes().to_vec());
        self.solo.endpoint.answer_early_offer(ALICES, answer, self.solo.now);
        self.solo.response()
    }

    /// What the owner was asked: what the phone had said before, and what it offers.
    fn asked(&mut self) -> Vec<(Vec<String>, String)> {
        let asked = self.solo.events().into_iter().filter_map(|event| match event {
            Event::OfferedEarly { dialog: ALICES, said, body } => {
                Some((said.into_iter().map(text).collect(), text(body)))
            }
            _ => None,
        });
        asked.collect()
    }

    /// A phone takes the call. Returns what holds then.
    fn take(&mut self, phone: &str) -> Vec<String> {
        self.solo.answer(&self.invite, "200 OK", phone, &[CONTACT]);
        let told = self.solo.events().into_iter().filter_map(|event| match event {
            Event::Answered { dialog: ALICES, body } | Event::OfferedBefore { dialog: ALICES, body } => {
                Some(text(body))
            }
            _ => None,
        });
        told.collect()
    }
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

#[test]
fn what_was_offered_early_and_taken_holds_when_the_call_is_taken() {
    let mut call = Call::start();
    call.answer_early("one", "answer");
    let response = call.update_answered("one", "first", Ok("ours"));
    assert_eq!((response.status, &*response.body), (Status::OK, &b"ours"[..]));
    assert_eq!(call.asked(), [(vec!["answer".to_owned()], "first".to_owned())]);
    let response = call.update_answered("one", "refused", Err(Status::NOT_ACCEPTABLE_HERE));
    assert_eq!(response.status, Status::NOT_ACCEPTABLE_HERE);
    assert_eq!(call.update_answered("one", "second", Ok("ours, too")).status, Status::OK);
    let said = vec!["answer".to_owned(), "first".to_owned()];
    assert_eq!(call.asked(), [(said.clone(), "refused".to_owned()), (said, "second".to_owned())]);
    assert_eq!(call.take("one"), ["answer", "first", "second"]);
}

#[test]
fn what_another_phone_said_early_is_nothing_to_the_one_that_takes_the_call() {
    let mut call = Call::start();
    call.answer_early("one", "one's answer");
    call.answer_early("two", "two's answer");
    call.update_answered("one", "one's offer", Ok("ours"));
    call.update_answered("two", "two's offer", Ok("ours"));
    let said = |text: &str| vec![text.to_owned()];
    let expected = [(said("one's answer"), "one's offer".to_owned()), (said("two's answer"), "two's offer".to_owned())];
    assert_eq!(call.asked(), expected);
    assert_eq!(call.take("two"), ["two's answer", "two's offer"]);
}

#[test]
fn one_early_offer_at_a_time() {
    let mut call = Call::start();
    call.answer_early("one", "answer");
    call.answer_early("two", "answer");
    call.update("one", "offer");
    call.update("two", "offer");
    let response = call.solo.response();
    assert_eq!(response.status, Status::SERVER_INTERNAL_ERROR);
    assert!(response.headers.first(&Name::RetryAfter).is_some());
}

#[test]
fn an_early_offer_that_waits_when_the_call_is_taken_may_be_made_again() {
    let mut call = Call::start();
    call.answer_early("one", "answer");
    call.update("one", "offer");
    assert_eq!(call.take("one"), ["answer"]);
    assert_eq!(call.solo.response().status, Status::SERVER_INTERNAL_ERROR);
    call.solo.endpoint.answer_early_offer(ALICES, Ok(b"late".to_vec()), call.solo.now);
    assert_eq!(call.solo.messages(), []);
    call.update("one", "offer");
    assert!(call.solo.events().contains(&Event::Offered { dialog: ALICES, body: b"offer".to_vec() }));
}

#[test]
fn an_owner_that_does_not_answer_an_early_offer_loses_nothing() {
    let mut call = Call::start();
    call.answer_early("one", "answer");
    call.update("one", "offer");
    call.solo.pass(Duration::from_secs(25));
    assert_eq!(call.solo.response().status, Status::SERVER_TIMEOUT);
    assert_eq!(call.take("one"), ["answer"]);
}
