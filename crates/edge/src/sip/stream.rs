//! Cuts a TCP stream into messages by `Content-Length` (RFC 3261 §18.3) and answers keep-alives (RFC 5626 §4.4.1).

use super::message::Message;
use super::parse::{Head, MESSAGE_BYTES_MAX, ParseError, find_head_end};
use super::unreadable::Unreadable;

/// The bytes of a connection that are not a whole message yet.
#[derive(Debug, Default)]
pub(super) struct Stream {
    buffer: Vec<u8>,
}

/// What stood next in the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A whole message.
    Message(Message),
    /// Two empty lines: the peer asks for one back.
    Ping,
    /// A message whose end is known, but that can't be read; with what can be made out of it if it is a request.
    Unreadable(Option<Unreadable>),
}

impl Stream {
    /// Takes bytes as they came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Takes the next piece, or `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// When the end of the message can't be known: the connection is of no use any more.
    pub(super) fn pop(&mut self) -> Result<Option<Piece>, ParseError> {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.drain(..4);
            return Ok(Some(Piece::Ping));
        }
        let is_ping_begun = b"\r\n\r".starts_with(&self.buffer);
        if is_ping_begun {
            return Ok(None);
        }
        self.skip_empty_lines();
        self.pop_message()
    }

    /// A lone empty line before a message is noise or a pong (RFC 3261 §7.5).
    fn skip_empty_lines(&mut self) {
        let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = self.buffer.iter().position(|byte| !is_line_end(byte));
        self.buffer.drain(..start.unwrap_or(self.buffer.len()));
    }

    fn pop_message(&mut self) -> Result<Option<Piece>, ParseError> {
        let Some(head_end) = find_head_end(&self.buffer) else { return self.wait() };
        let head = Head::parse(&self.buffer[..head_end])?;
        let length = head_end.saturating_add(head.content_length.unwrap_or(0));
        if length > MESSAGE_BYTES_MAX {
            return Err(ParseError::TooLong);
        }
        if length > self.buffer.len() {
            return Ok(None);
        }
        let piece = match head.with_body(&self.buffer[head_end..length]) {
            Ok(message) => Piece::Message(message),
            Err(error) => Piece::Unreadable(Unreadable::find(&self.buffer[..head_end], error)),
        };
        self.buffer.drain(..length);
        Ok(Some(piece))
    }

    fn wait(&self) -> Result<Option<Piece>, ParseError> {
        match self.buffer.len() > MESSAGE_BYTES_MAX {
            true => Err(ParseError::TooLong),
            false => Ok(None),
        }
    }
}
