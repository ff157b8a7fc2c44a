//! Reads messages from bytes (RFC 3261 §7, §18.3).
//!
//! Strict where a mistake could change the meaning (first line, lengths), lenient where phones are sloppy: bare LF,
//! folded lines, compact forms, bytes that are not UTF-8.

use super::header::{Headers, Name};
use super::message::{Message, Request, Response};
use super::method::Method;
use super::status::Status;
use super::text::is_token;
use super::uri::UriError;

/// The largest message, in bytes: what one UDP datagram can hold. Real messages stay below 4 KiB.
pub const MESSAGE_BYTES_MAX: usize = 65_536;
/// The most header fields in a message, `Content-Length` not counted. A long chain of proxies adds some dozens of Via and Record-Route.
pub const HEADERS_MAX: usize = 256;
/// The longest header field, in bytes, unfolded. Identity headers with a signed token reach 2 KiB.
pub const HEADER_BYTES_MAX: usize = 8_192;

/// Says why bytes are not a SIP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The message is longer than [`MESSAGE_BYTES_MAX`].
    #[error("the message is too long")]
    TooLong,
    /// There is no empty line after the header fields, or fewer body bytes than `Content-Length` says.
    #[error("the message is cut off")]
    Truncated,
    /// The first line is neither a request line nor a status line.
    #[error("the first line is neither a request nor a response of SIP/2.0")]
    FirstLine,
    /// The Request-URI can't be read.
    #[error("the Request-URI is wrong: {0}")]
    Uri(#[from] UriError),
    /// A header field has no name, or holds a control character.
    #[error("header field {0} has no name or holds a control character")]
    Header(usize),
    /// There are more header fields than [`HEADERS_MAX`], or one is longer than [`HEADER_BYTES_MAX`].
    #[error("there are too many header fields, or one is too long")]
    HeaderLimit,
    /// `Content-Length` is not a number, or two of them disagree.
    #[error("the Content-Length header field is not one number")]
    ContentLength,
}

impl Message {
    /// Reads one datagram. Bytes after the body are ignored, as RFC 3261 §18.3 says.
    ///
    /// # Errors
    ///
    /// See [`ParseError`]: each variant says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Message, ParseError> {
        if bytes.len() > MESSAGE_BYTES_MAX {
            return Err(ParseError::TooLong);
        }
        let head_end = find_head_end(bytes).ok_or(ParseError::Truncated)?;
        let head = Head::parse(&bytes[..head_end])?;
        let rest = &bytes[head_end..];
        let body = rest.get(..head.content_length.unwrap_or(rest.len()));
        head.with_body(body.ok_or(ParseError::Truncated)?)
    }
}

/// Returns the length of first line, header fields and empty line together, or `None` when they are not all there.
pub(super) fn find_head_end(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    while let Some(length) = bytes[line_start..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[line_start..line_start + length];
        line_start += length + 1;
        if line.is_empty() || line == b"\r" {
            return Some(line_start);
        }
    }
    None
}

/// What stands before the body.
pub(super) struct Head {
    first_line: String,
    headers: Headers,
    /// The length of the body in bytes; a datagram may leave it out.
    pub(super) content_length: Option<usize>,
}

impl Head {
    /// Reads the first line and the header fields.
    pub(super) fn parse(bytes: &[u8]) -> Result<Head, ParseError> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = unfold(&text).into_iter();
        let first_line = lines.next().unwrap_or_default();
        let mut head = Head { first_line, headers: Headers::default(), content_length: None };
        for (number, line) in lines.enumerate() {
            head.add(number + 1, &line)?;
        }
        Ok(head)
    }

    fn add(&mut self, number: usize, line: &str) -> Result<(), ParseError> {
        if line.len() > HEADER_BYTES_MAX {
            return Err(ParseError::HeaderLimit);
        }
        match field(line).ok_or(ParseError::Header(number))? {
            (Name::ContentLength, value) => self.add_content_length(value),
            _ if self.headers.len() == HEADERS_MAX => Err(ParseError::HeaderLimit),
            (name, value) => {
                self.headers.push(name, value);
                Ok(())
            }
        }
    }

    /// Two lengths that disagree are how messages are smuggled past a filter, so they are refused.
    fn add_content_length(&mut self, value: &str) -> Result<(), ParseError> {
        let length = value.parse().map_err(|_| ParseError::ContentLength)?;
        match self.content_length.replace(length) {
            Some(other) if other != length => Err(ParseError::ContentLength),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes the message, body and all.
    pub(super) fn with_body(self, body: &[u8]) -> Result<Message, ParseError> {
        match self.first_line.get(..8) {
            Some(version) if version.eq_ignore_ascii_case("SIP/2.0 ") => self.response(body),
            Some(_) | None => self.request(body),
        }
    }

    fn response(self, body: &[u8]) -> Result<Message, ParseError> {
        let rest = self.first_line[8..].trim_start();
        let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let code = Some(code).filter(|code| code.len() == 3 && is_token(code));
        let code = code.and_then(|code| code.parse().ok()).ok_or(ParseError::FirstLine)?;
        let status = Status::new(code).ok_or(ParseError::FirstLine)?;
        if reason.contains(char::is_control) {
            return Err(ParseError::FirstLine);
        }
        let reason = reason.trim().to_owned();
        Ok(Message::Response(Response { status, reason, headers: self.headers, body: body.to_vec() }))
    }

    fn request(self, body: &[u8]) -> Result<Message, ParseError> {
        let mut parts = self.first_line.split_ascii_whitespace();
        let (Some(method), Some(uri), Some(version), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ParseError::FirstLine);
        };
        if !is_token(method) || !version.eq_ignore_ascii_case("SIP/2.0") {
            return Err(ParseError::FirstLine);
        }
        Ok(Message::Request(Request {
            method: Method::from_token(method),
            // Some phones put the Request-URI in angle brackets; RFC 4475 §3.1.2.7 allows to accept it.
            uri: uri.trim_start_matches('<').trim_end_matches('>').parse()?,
            headers: self.headers,
            body: body.to_vec(),
        }))
    }
}

/// Reads one header field, unfolded. `None` without a name, and with a control character in the value.
pub(super) fn field(line: &str) -> Option<(Name, &str)> {
    let (name, value) = line.split_once(':')?;
    let is_control = |c: char| c.is_control() && c != '\t';
    let value = Some(value.trim()).filter(|value| !value.contains(is_control))?;
    Some((Name::from_token(name.trim_end())?, value))
}

/// Joins folded lines (RFC 3261 §7.3.1) and leaves out the empty line at the end.
pub(super) fn unfold(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ if line.is_empty() => {}
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}
