//! Reads the lines of a description that a negotiation needs, and passes over the rest.

use std::net::IpAddr;

use super::SdpError;
use super::attributes::Attributes;

/// The longest description read. A phone's is below 2 KiB, a browser's with all its codecs below 10 KiB. Below that,
/// honest offers would fail; above, a peer makes us read for nothing.
pub(super) const LENGTH_MAX_BYTES: usize = 32 * 1024;

/// The most streams read of one description: audio, video, slides, text and room for more. Each is echoed in the
/// answer, so it bounds the answer as well.
pub(super) const MEDIA_MAX: usize = 16;

/// The most formats read of one stream; a payload type has 128 values, so more cannot differ.
const FORMATS_MAX: usize = 128;

/// A description as far as it matters to us. It borrows from the text.
#[derive(Debug, Default)]
pub(super) struct Description<'a> {
    pub(super) connection: Option<Connection>,
    pub(super) attributes: Attributes<'a>,
    pub(super) media: Vec<Media<'a>>,
}

/// One `m=` line and what belongs to it.
#[derive(Debug)]
pub(super) struct Media<'a> {
    pub(super) line: usize,
    pub(super) kind: &'a str,
    pub(super) port: u16,
    pub(super) protocol: &'a str,
    pub(super) formats: Vec<&'a str>,
    pub(super) connection: Option<Connection>,
    pub(super) attributes: Attributes<'a>,
}

/// A `c=` line. An address we cannot use matters only if its stream is the one we choose, so it is kept as `None`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connection {
    pub(super) line: usize,
    pub(super) address: Option<IpAddr>,
}

/// Parses a description. The text is what UTF-8 makes of the bytes: names in other encodings are of no interest here.
pub(super) fn parse(text: &str) -> Result<Description<'_>, SdpError> {
    let mut description = Description::default();
    let mut lines = numbered_lines(text);
    match lines.next() {
        Some((_, "v=0")) => {}
        Some((line, _)) => return Err(SdpError::Version { line }),
        None => return Err(SdpError::Version { line: 1 }),
    }
    for (line, content) in lines {
        let (letter, value) = split_line(content).ok_or(SdpError::Line { line })?;
        description.read(line, letter, value)?;
    }
    Ok(description)
}

/// Yields the lines that are not empty, with their numbers. CRLF is the rule, LF alone is accepted (RFC 8866 §5).
fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.split('\n').map(str::trim_end);
    (1..).zip(lines).filter(|(_, content)| !content.is_empty())
}

fn split_line(content: &str) -> Option<(char, &str)> {
    let (letter, value) = content.split_once('=')?;
    let mut letters = letter.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Some((letter, value)),
        (None | Some(_), _) => None,
    }
}

impl<'a> Description<'a> {
    fn read(&mut self, line: usize, letter: char, value: &'a str) -> Result<(), SdpError> {
        match letter {
            'm' if self.media.len() == MEDIA_MAX => return Err(SdpError::TooManyMedia { line }),
            'm' => self.media.push(Media::parse(line, value).ok_or(SdpError::Media { line })?),
            'c' => self.set_connection(Connection { line, address: connection_address(value) }),
            'a' => self.attributes_in_scope().read(value),
            _ => {}
        }
        Ok(())
    }

    /// The first `c=` line of a stream counts: more of them are for layered multicast (RFC 8866 §5.7).
    fn set_connection(&mut self, connection: Connection) {
        let place = match self.media.last_mut() {
            Some(media) => &mut media.connection,
            None => &mut self.connection,
        };
        place.get_or_insert(connection);
    }

    /// Lines before the first `m=` are for the session, later ones for the stream above them.
    fn attributes_in_scope(&mut self) -> &mut Attributes<'a> {
        match self.media.last_mut() {
            Some(media) => &mut media.attributes,
            None => &mut self.attributes,
        }
    }
}

impl<'a> Media<'a> {
    /// Parses `audio 49170/2 RTP/AVP 0 8` (RFC 8866 §5.14). The count of ports is for layered streams and ignored.
    fn parse(line: usize, value: &'a str) -> Option<Media<'a>> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next().filter(|word| is_token(word))?;
        let port = words.next()?.split('/').next()?.parse().ok()?;
        let protocol = words.next().filter(|word| is_token(word))?;
        let formats: Vec<&str> = words.filter(|word| is_token(word)).take(FORMATS_MAX).collect();
        if formats.is_empty() {
            return None;
        }
        let (connection, attributes) = (None, Attributes::default());
        Some(Media { line, kind, port, protocol, formats, connection, attributes })
    }
}

/// These words are echoed when a stream is rejected, so nothing that could break a line gets through.
fn is_token(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Reads `IN IP4 192.0.2.1` or `IN IP6 2001:db8::1`. A TTL or a count after a slash belongs to multicast.
fn connection_address(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    let _network = words.next().filter(|word| word.eq_ignore_ascii_case("IN"))?;
    let family = words.next()?;
    typed_address(family, words.next()?)
}

/// Reads the address of a `c=` or `a=rtcp` line, which must be of the family named before it.
pub(super) fn typed_address(family: &str, address: &str) -> Option<IpAddr> {
    let address: IpAddr = address.parse().ok()?;
    let of_family = match address {
        IpAddr::V4(v4) => family.eq_ignore_ascii_case("IP4") && !v4.is_broadcast(),
        IpAddr::V6(_) => family.eq_ignore_ascii_case("IP6"),
    };
    (of_family && !address.is_multicast()).then_some(address)
}
