//! The grammar that many header fields share (RFC 3261 §25.1): tokens, quoted strings, lists and parameters.

use std::fmt;

/// Tells whether the text is a token.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// Splits at a separator, except inside quotes and inside `<>`. Parts are trimmed, empty parts are left out.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = find_outside(text, separator) else {
            rest = None;
            return Some(text.trim());
        };
        rest = Some(&text[at + separator.len_utf8()..]);
        Some(text[..at].trim())
    })
    .filter(|part| !part.is_empty())
}

/// Finds a character that is neither in quotes nor inside `<>`.
pub(super) fn find_outside(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped, mut angled) = (false, false, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        if c == wanted && !quoted && !angled {
            return Some(at);
        }
        match c {
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => angled = true,
            '>' if !quoted => angled = false,
            _ => {}
        }
    }
    None
}

/// Returns the text of a quoted string without quotes and escapes; any other text as it is.
pub(super) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.extend(characters.next()),
            c => plain.push(c),
        }
    }
    plain
}

/// Returns the text as a quoted string.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Parameters after a `;`, in their order. Names compare without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Parameters(Vec<(String, Option<String>)>);

impl Parameters {
    /// Reads `a=b;c;d="e"`. The first `;` has been taken off; parts that have no name are ignored.
    pub(super) fn parse(text: &str) -> Parameters {
        let parameters = split(text, ';').filter_map(|part| match part.split_once('=') {
            Some((name, value)) => Parameters::pair(name.trim(), Some(value.trim())),
            None => Parameters::pair(part, None),
        });
        Parameters(parameters.collect())
    }

    fn pair(name: &str, value: Option<&str>) -> Option<(String, Option<String>)> {
        let value = value.filter(|value| !value.is_empty());
        (!name.is_empty()).then(|| (name.to_owned(), value.map(str::to_owned)))
    }

    /// Returns a value as written; `None` for a parameter that is absent or has no value.
    pub fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        value.as_deref()
    }

    /// Tells whether a parameter is there, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// Sets a parameter, in its place when it is there, else as the last.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some(parameter) => parameter.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        Ok(())
    }
}
