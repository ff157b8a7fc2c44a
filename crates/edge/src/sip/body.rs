//! The session description in a body: alone, or one part among others (RFC 3261 §7.4, RFC 2046 §5.1, RFC 5621).

use super::header::{Headers, Name};
use super::text::{Parameters, unquote};

/// The media type of session descriptions (RFC 8866 §8.1).
pub(super) const SDP_TYPE: &str = "application/sdp";

/// The most parts read of one body. SDP comes with at most a few others: ISUP, a location, a resource list.
const PARTS_MAX: usize = 16;

/// What a message says of its session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Description {
    /// Nothing: an INVITE without it asks for our offer.
    None,
    /// An offer or an answer.
    Sdp(Vec<u8>),
    /// Something that we would have to understand and don't (415 Unsupported Media Type).
    Unsupported,
}

impl Description {
    /// Returns the description, empty when there is none.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Description::Sdp(bytes) => bytes,
            Description::None | Description::Unsupported => Vec::new(),
        }
    }
}

/// Finds the session description of a message.
pub(super) fn description(headers: &Headers, body: &[u8]) -> Description {
    if body.is_empty() {
        return Description::None;
    }
    let encoding = headers.first(&Name::ContentEncoding).unwrap_or("identity");
    if !encoding.eq_ignore_ascii_case("identity") {
        return Description::Unsupported;
    }
    let content_type = headers.first(&Name::ContentType).unwrap_or(SDP_TYPE);
    let disposition = headers.first(&Name::Other("content-disposition".to_owned())).unwrap_or("");
    read_part(content_type, disposition, body, true)
}

/// Reads a body or a part of one. A multipart body inside another is not looked into.
fn read_part(content_type: &str, disposition: &str, body: &[u8], may_have_parts: bool) -> Description {
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let media_type = media_type.trim().to_ascii_lowercase();
    let boundary = Parameters::parse(parameters).value("boundary").map(unquote);
    match boundary.filter(|_| may_have_parts && media_type.starts_with("multipart/")) {
        _ if media_type == SDP_TYPE => Description::Sdp(body.to_vec()),
        Some(boundary) => read_parts(body, &boundary),
        None if is_optional(disposition) => Description::None,
        None => Description::Unsupported,
    }
}

/// Says whether who does not understand a body may pass over it (RFC 3261 §20.11). That is not so unless it is said.
fn is_optional(disposition: &str) -> bool {
    let (_, parameters) = disposition.split_once(';').unwrap_or((disposition, ""));
    Parameters::parse(parameters).value("handling").is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
}

/// The first description counts. Without one, a part that must be understood makes the whole unsupported.
fn read_parts(body: &[u8], boundary: &str) -> Description {
    let mut found = Description::None;
    for part in split_parts(body, boundary).take(PARTS_MAX) {
        let (content_type, disposition, content) = part_of(part);
        match read_part(&content_type, &disposition, content, false) {
            Description::Sdp(bytes) => return Description::Sdp(bytes),
            Description::Unsupported => found = Description::Unsupported,
            Description::None => {}
        }
    }
    found
}

/// Yields what stands between the delimiters, line ends and what is before the first and after the last left out.
fn split_parts<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = &'a [u8]> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut rest = find(body, &delimiter).map(|at| &body[at + delimiter.len()..]);
    std::iter::from_fn(move || {
        let part = rest.filter(|rest| !rest.starts_with(b"--"))?;
        let end = find(part, &delimiter)?;
        rest = Some(&part[end + delimiter.len()..]);
        Some(part[..end].strip_suffix(b"\n").map_or(&part[..end], |part| part.strip_suffix(b"\r").unwrap_or(part)))
    })
}

/// Cuts a part into its Content-Type, its Content-Disposition and what it holds. The rest of the delimiter's line is an
/// empty first line.
fn part_of(part: &[u8]) -> (String, String, &[u8]) {
    let (mut content_type, mut disposition) = (String::new(), String::new());
    let mut rest = part;
    let mut is_first = true;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]);
        rest = &rest[end + 1..];
        let line = line.trim();
        if line.is_empty() && !std::mem::take(&mut is_first) {
            break;
        }
        is_first = false;
        match line.split_once(':') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("content-type") => {
                value.trim().clone_into(&mut content_type)
            }
            Some((name, value)) if name.trim().eq_ignore_ascii_case("content-disposition") => {
                value.trim().clone_into(&mut disposition);
            }
            Some(_) | None => {}
        }
    }
    (content_type, disposition, rest)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
