//! Requests and responses, and how they are written (RFC 3261 §7).

use std::fmt;
use std::str::FromStr;

use super::body::{Description, description};
use super::header::{Headers, Name};
use super::method::Method;
use super::status::Status;
use super::text::is_token;
use super::uri::Uri;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Who is asked: the Request-URI.
    pub uri: Uri,
    /// The header fields, without `Content-Length`.
    pub headers: Headers,
    /// The body, empty when there is none.
    pub body: Vec<u8>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: Status,
    /// The reason phrase, for people.
    pub reason: String,
    /// The header fields, without `Content-Length`.
    pub headers: Headers,
    /// The body, empty when there is none.
    pub body: Vec<u8>,
}

/// A request or a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Request {
    /// Makes a request without header fields and body.
    pub fn new(method: Method, uri: Uri) -> Request {
        Request { method, uri, headers: Headers::default(), body: Vec::new() }
    }

    /// Returns what the request says of its session.
    pub(super) fn description(&self) -> Description {
        description(&self.headers, &self.body)
    }

    /// Writes the request as it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        write(&format!("{} {} SIP/2.0\r\n", self.method, self.uri), &self.headers, &self.body)
    }
}

impl Response {
    /// Makes a response with the usual reason phrase, without header fields and body.
    pub fn new(status: Status) -> Response {
        Response { status, reason: status.reason().to_owned(), headers: Headers::default(), body: Vec::new() }
    }

    /// Returns the session description, empty when there is none that we understand.
    pub(super) fn description(&self) -> Vec<u8> {
        description(&self.headers, &self.body).into_bytes()
    }

    /// Writes the response as it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let first_line = format!("SIP/2.0 {} {}\r\n", self.status.code(), self.reason);
        write(&first_line, &self.headers, &self.body)
    }
}

impl Message {
    /// Writes the message as it goes over the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Message::Request(request) => request.to_bytes(),
            Message::Response(response) => response.to_bytes(),
        }
    }
}

fn write(first_line: &str, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut text = first_line.to_owned();
    for (name, value) in headers.iter() {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("{}: {}\r\n\r\n", Name::ContentLength, body.len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The CSeq header field: the order of requests in a dialog (RFC 3261 §20.16).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CSeq {
    /// Counts up, below 2^31.
    pub number: u32,
    /// The method of the request.
    pub method: Method,
}

/// Says that a CSeq value can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the CSeq header field is not a number below 2^31 and a method")]
pub struct CSeqError;

impl FromStr for CSeq {
    type Err = CSeqError;

    fn from_str(text: &str) -> Result<CSeq, CSeqError> {
        let mut parts = text.split_ascii_whitespace();
        let number = parts.next().and_then(|number| number.parse().ok());
        let number = number.filter(|number| *number < 1 << 31).ok_or(CSeqError)?;
        let method = parts.next().filter(|method| is_token(method)).ok_or(CSeqError)?;
        match parts.next() {
            Some(_) => Err(CSeqError),
            None => Ok(CSeq { number, method: Method::from_token(method) }),
        }
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}
