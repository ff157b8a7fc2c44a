//! Dialogs: what two user agents remember of each other between requests (RFC 3261 §12).

use super::config::Reach;
use super::flow::{Destination, Flow};
use super::header::{Headers, Name};
use super::message::{CSeq, Request, Response};
use super::method::Method;
use super::name_addr::NameAddr;
use super::received::{FieldError, Received, parsed};
use super::uri::Uri;

/// How many proxies a request may pass (RFC 3261 §8.1.1.6).
pub(super) const MAX_FORWARDS: u8 = 70;

/// What requests of a dialog have in common, as we see it (RFC 3261 §12).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DialogId {
    pub(super) call_id: String,
    pub(super) local_tag: String,
    pub(super) remote_tag: String,
}

impl DialogId {
    /// Returns the dialog that a request from the peer belongs to.
    pub(super) fn of(received: &Received) -> DialogId {
        DialogId {
            call_id: received.call_id.clone(),
            local_tag: received.to.tag().unwrap_or("").to_owned(),
            remote_tag: received.from.tag().unwrap_or("").to_owned(),
        }
    }
}

/// Where the requests of a dialog are sent.
#[derive(Debug, Clone, Copy)]
struct Path {
    /// Where the first request went or came from.
    first: Destination,
    /// True when the peer can only be reached there: over the flow of a registration, or behind a NAT. Its Contact is of
    /// no use then.
    is_only: bool,
}

/// One dialog.
#[derive(Debug, Clone)]
pub(super) struct Dialog {
    call_id: String,
    local: NameAddr,
    remote: NameAddr,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    route_set: Vec<NameAddr>,
    remote_target: Uri,
    path: Path,
    reach: Reach,
    /// True when we sent the first INVITE and so made the Call-ID.
    pub(super) is_caller: bool,
}

impl Dialog {
    /// Makes the dialog of a response to our INVITE (RFC 3261 §12.1.2).
    pub(super) fn from_response(
        invite: &Request,
        response: &Response,
        first: Destination,
    ) -> Result<Dialog, FieldError> {
        let (sent, answer) = (&invite.headers, &response.headers);
        let mut route_set = routes(answer, &Name::RecordRoute);
        route_set.reverse();
        Ok(Dialog {
            call_id: sent.first(&Name::CallId).ok_or(FieldError("Call-ID"))?.to_owned(),
            local: parsed(sent, &Name::From, "From")?,
            remote: parsed(answer, &Name::To, "To")?,
            local_cseq: parsed::<CSeq>(sent, &Name::CSeq, "CSeq")?.number,
            remote_cseq: None,
            route_set,
            // A 2xx without Contact is wrong, but some gateways send it; what reached them once reaches them again.
            remote_target: contact(answer).unwrap_or_else(|| invite.uri.clone()),
            path: Path { first, is_only: matches!(first, Destination::Flow(_)) },
            reach: Reach::Anywhere,
            is_caller: true,
        })
    }

    /// Makes the dialog of an INVITE that we answer with this tag (RFC 3261 §12.1.1).
    pub(super) fn from_request(invite: &Received, tag: &str) -> Result<Dialog, FieldError> {
        let headers = &invite.request.headers;
        Ok(Dialog {
            call_id: invite.call_id.clone(),
            local: invite.to.clone().tagged(tag),
            remote: invite.from.clone(),
            // The first request of ours counts from here; any number below 2^31 will do (RFC 3261 §12.2.1.1).
            local_cseq: 0,
            remote_cseq: Some(invite.cseq.number),
            route_set: routes(headers, &Name::RecordRoute),
            remote_target: contact(headers).ok_or(FieldError("Contact"))?,
            path: Path { first: Destination::Flow(invite.flow), is_only: invite.via.is_behind_nat(invite.flow.remote) },
            reach: Reach::Anywhere,
            is_caller: false,
        })
    }

    /// Follows the peer's Contact and Record-Route only this far.
    pub(super) fn confined_to(self, reach: Reach) -> Dialog {
        Dialog { reach, ..self }
    }

    pub(super) fn id(&self) -> DialogId {
        DialogId {
            call_id: self.call_id.clone(),
            local_tag: self.local.tag().unwrap_or("").to_owned(),
            remote_tag: self.remote.tag().unwrap_or("").to_owned(),
        }
    }

    /// Goes on counting where an early dialog has come to (RFC 3261 §13.2.2.4).
    pub(super) fn continues(&mut self, early: &Dialog) {
        self.local_cseq = early.local_cseq;
        self.remote_cseq = early.remote_cseq;
    }

    /// Returns the user part of our own address, for Contact.
    pub(super) fn local_user(&self) -> Option<String> {
        self.local.uri.user()
    }

    /// Makes the next request (RFC 3261 §12.2.1.1), still without Via.
    pub(super) fn request(&mut self, method: Method) -> Request {
        self.local_cseq += 1;
        self.numbered_request(method, self.local_cseq)
    }

    /// Makes the ACK of a 2xx: numbered as the INVITE, with its credentials (RFC 3261 §13.2.2.4).
    pub(super) fn ack(&self, invite: &Request) -> Request {
        let invite_cseq = invite.headers.first(&Name::CSeq).and_then(|cseq| cseq.parse::<CSeq>().ok());
        let number = invite_cseq.map_or(self.local_cseq, |cseq| cseq.number);
        let mut ack = self.numbered_request(Method::Ack, number);
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            if let Some(value) = invite.headers.first(&name) {
                ack.headers.push(name, value);
            }
        }
        ack
    }

    fn numbered_request(&self, method: Method, number: u32) -> Request {
        let (uri, route) = self.uri_and_route();
        let mut request = Request::new(method.clone(), uri);
        for route in route {
            request.headers.push(Name::Route, route);
        }
        request.headers.push(Name::MaxForwards, MAX_FORWARDS);
        request.headers.push(Name::From, &self.local);
        request.headers.push(Name::To, &self.remote);
        request.headers.push(Name::CallId, &self.call_id);
        request.headers.push(Name::CSeq, CSeq { number, method });
        request
    }

    /// A strict router wants its own URI as the Request-URI and the target as the last route.
    fn uri_and_route(&self) -> (Uri, Vec<NameAddr>) {
        match self.route_set.split_first() {
            Some((first, rest)) if !first.uri.is_loose_router() => {
                let target = NameAddr::new(self.remote_target.clone());
                (first.uri.clone(), rest.iter().cloned().chain([target]).collect())
            }
            Some(_) | None => (self.remote_target.clone(), self.route_set.clone()),
        }
    }

    /// Returns where the next request goes: the first route or the target, or where the peer was reached before when
    /// those are of no use, or not to be followed.
    pub(super) fn destination(&self) -> Destination {
        let next = self.route_set.first().map_or(&self.remote_target, |route| &route.uri);
        match next.destination() {
            Some(next) if !self.path.is_only && self.reach.allows(next, self.path.first) => next,
            Some(_) | None => self.path.first,
        }
    }

    /// Notes that the TCP connection of the first request is gone: the peer's Contact has to do now.
    pub(super) fn lose(&mut self, flow: Flow) {
        if flow.transport.is_reliable() && self.path.first == Destination::Flow(flow) {
            let first = Destination::Address { transport: flow.transport, remote: flow.remote };
            self.path = Path { first, is_only: false };
        }
    }

    /// Takes a new target from a re-INVITE or its 2xx (RFC 3261 §12.2).
    pub(super) fn refresh_target(&mut self, headers: &Headers) {
        if let Some(target) = contact(headers) {
            self.remote_target = target;
        }
    }

    /// Takes the number of a request from the peer. Returns false when it is out of order (RFC 3261 §12.2.2).
    pub(super) fn observe_cseq(&mut self, number: u32) -> bool {
        let is_in_order = self.remote_cseq.is_none_or(|last| number > last);
        if is_in_order {
            self.remote_cseq = Some(number);
        }
        is_in_order
    }
}

/// Makes the ACK of a failed INVITE: part of its transaction, so with the same Via (RFC 3261 §17.1.1.3).
pub(super) fn acknowledge_failure(invite: &Request, response: &Response) -> Request {
    let mut ack = Request::new(Method::Ack, invite.uri.clone());
    let copied = [Name::Via, Name::Route, Name::MaxForwards, Name::From, Name::CallId];
    for name in &copied {
        for value in invite.headers.all(name) {
            ack.headers.push(name.clone(), value);
        }
    }
    if let Some(to) = response.headers.first(&Name::To) {
        ack.headers.push(Name::To, to);
    }
    if let Some(cseq) = invite.headers.first(&Name::CSeq).and_then(|cseq| cseq.parse::<CSeq>().ok()) {
        ack.headers.push(Name::CSeq, CSeq { number: cseq.number, method: Method::Ack });
    }
    ack
}

fn routes(headers: &Headers, name: &Name) -> Vec<NameAddr> {
    headers.list(name).filter_map(|route| route.parse().ok()).collect()
}

fn contact(headers: &Headers) -> Option<Uri> {
    let contact: NameAddr = headers.list(&Name::Contact).next()?.parse().ok()?;
    Some(contact.uri)
}
