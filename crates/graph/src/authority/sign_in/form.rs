//! What the sign-in page sends.

use http::HeaderMap;
use http::header::ORIGIN;

use super::request::Parameters;

/// Longest name or password, in bytes. Nobody types more, and argon2 would have to hash it.
const TYPED_BYTES_MAX: usize = 256;

/// Is what a person has typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typed<'a> {
    pub(super) name: &'a str,
    pub(super) password: &'a str,
}

impl Typed<'_> {
    /// Finds both; nothing if one is missing or too long to be right.
    pub(super) fn of(parameters: &Parameters) -> Option<Typed<'_>> {
        let field = |name| parameters.first(name).filter(|text| text.len() <= TYPED_BYTES_MAX);
        Some(Typed { name: field("username")?.trim(), password: field("password")? })
    }
}

/// Tells whether a form comes from our own page. Browsers say so of every form that is posted (Fetch, section 3.1); without
/// it another site could sign people in as somebody else.
pub(super) fn is_from_our_page(headers: &HeaderMap, base: &str) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().eq_ignore_ascii_case(base.as_bytes()))
}
