//! A request as it came in, with the header fields that every request must have (RFC 3261 §8.1.1) read once.

use super::flow::Flow;
use super::header::{Headers, Name};
use super::message::{CSeq, Request, Response};
use super::name_addr::NameAddr;
use super::status::Status;
use super::via::Via;

/// Names the header field that is missing or can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("header field {0} is missing or can't be read")]
pub(super) struct FieldError(pub(super) &'static str);

/// A request whose mandatory header fields are good, with the flow it came over.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) request: Request,
    pub(super) flow: Flow,
    /// The topmost Via, stamped with the source.
    pub(super) via: Via,
    pub(super) from: NameAddr,
    pub(super) to: NameAddr,
    pub(super) call_id: String,
    pub(super) cseq: CSeq,
}

impl Received {
    /// Reads the mandatory header fields.
    pub(super) fn new(request: Request, flow: Flow) -> Result<Received, FieldError> {
        let headers = &request.headers;
        if !headers.list(&Name::Via).all(has_sender) {
            return Err(FieldError("Via"));
        }
        let cseq: CSeq = parsed(headers, &Name::CSeq, "CSeq")?;
        if cseq.method != request.method {
            return Err(FieldError("CSeq"));
        }
        Ok(Received {
            via: stamped_via(headers, flow)?,
            from: parsed(headers, &Name::From, "From")?,
            to: parsed(headers, &Name::To, "To")?,
            call_id: single(headers, &Name::CallId, "Call-ID")?.to_owned(),
            cseq,
            flow,
            request,
        })
    }

    /// Starts a response (RFC 3261 §8.2.6.2). The tag is added to To when the request had none.
    pub(super) fn response(&self, status: Status, tag: &str) -> Response {
        let mut response = respond_to(&self.request.headers, &self.via, status);
        let to = match self.to.tag() {
            None if status != Status::TRYING => self.to.clone().tagged(tag),
            Some(_) | None => self.to.clone(),
        };
        response.headers.set(Name::To, to);
        response
    }
}

/// Copies into a response what RFC 3261 §8.2.6.2 wants, as far as it is there.
pub(super) fn respond_to(headers: &Headers, via: &Via, status: Status) -> Response {
    let mut response = Response::new(status);
    response.headers.push(Name::Via, via);
    for value in headers.list(&Name::Via).skip(1).filter(|via| has_sender(via)) {
        response.headers.push(Name::Via, value);
    }
    for name in [Name::From, Name::To, Name::CallId, Name::CSeq] {
        if let Some(value) = headers.first(&name) {
            response.headers.push(name, value);
        }
    }
    response
}

/// Answers a request that is too broken for a transaction, or returns `None` when even its Via is unreadable.
pub(super) fn bad_request(request: &Request, flow: Flow, error: FieldError) -> Option<(Via, Response)> {
    let via = stamped_via(&request.headers, flow).ok()?;
    let mut response = respond_to(&request.headers, &via, Status::BAD_REQUEST);
    response.reason = format!("Bad {} Header Field", error.0);
    Some((via, response))
}

/// Tells whether there is anything before the parameters. Of the Vias below the topmost no more matters to us.
fn has_sender(via: &str) -> bool {
    !via.starts_with(';')
}

/// Reads the topmost Via and notes where it came from.
pub(super) fn stamped_via(headers: &Headers, flow: Flow) -> Result<Via, FieldError> {
    let via = headers.list(&Name::Via).next().and_then(|via| via.parse::<Via>().ok());
    let mut via = via.ok_or(FieldError("Via"))?;
    via.stamp(flow.remote);
    Ok(via)
}

/// Reads a header field that must be there, once.
pub(super) fn parsed<T: std::str::FromStr>(
    headers: &Headers,
    name: &Name,
    field: &'static str,
) -> Result<T, FieldError> {
    single(headers, name, field)?.parse().map_err(|_| FieldError(field))
}

/// Returns a header field that must be there, once: of two, each reader would believe another.
fn single<'a>(headers: &'a Headers, name: &'a Name, field: &'static str) -> Result<&'a str, FieldError> {
    let mut values = headers.all(name);
    values.next().filter(|_| values.next().is_none()).ok_or(FieldError(field))
}
