//! Requests that can't be read: their senders are told so, as far as it can be seen who they are (RFC 3261 §18.3,
//! §21.4.1), and nothing is kept of them.

use super::endpoint::Endpoint;
use super::flow::Flow;
use super::header::Headers;
use super::message::Response;
use super::method::Method;
use super::parse::{HEADERS_MAX, ParseError, field, find_head_end, unfold};
use super::received::{respond_to, stamped_via};
use super::status::Status;
use super::text::is_token;

/// What can be made out of a request that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// 400, or 505 for another version of SIP.
    status: Status,
    error: ParseError,
    /// The header fields that can be read.
    headers: Headers,
}

impl Unreadable {
    /// Looks for a request in bytes that are no message. `None` where nobody waits for an answer: responses, ACKs, noise.
    pub(super) fn find(bytes: &[u8], error: ParseError) -> Option<Unreadable> {
        let text = String::from_utf8_lossy(&bytes[..find_head_end(bytes)?]);
        let lines = unfold(&text);
        let (first_line, fields) = lines.split_first()?;
        let mut words = first_line.split_ascii_whitespace();
        words.next().filter(|method| is_token(method) && *method != Method::Ack.as_str())?;
        let status = refusal_of(words.next_back()?)?;
        let mut headers = Headers::default();
        for (name, value) in fields.iter().take(HEADERS_MAX).filter_map(|line| field(line)) {
            headers.push(name, value);
        }
        Some(Unreadable { status, error, headers })
    }
}

/// Returns how a request of this version is refused, `None` if it is no request of SIP.
fn refusal_of(version: &str) -> Option<Status> {
    let version = version.to_ascii_uppercase();
    match version.as_str() {
        "SIP/2.0" => Some(Status::BAD_REQUEST),
        _ if version.starts_with("SIP/") => Some(Status::VERSION_NOT_SUPPORTED),
        _ => None,
    }
}

impl Endpoint {
    /// Refuses a request that can't be read. Without a Via there is no way back, and it is dropped.
    pub(super) fn refuse_unreadable(&mut self, flow: Flow, unreadable: &Unreadable) {
        let Unreadable { status, error, headers } = unreadable;
        let Ok(via) = stamped_via(headers, flow) else { return };
        let mut response: Response = respond_to(headers, &via, *status);
        if *status == Status::BAD_REQUEST {
            response.reason = error.to_string();
        }
        self.transactions.send(via.response_destination(flow), response.to_bytes());
    }
}
