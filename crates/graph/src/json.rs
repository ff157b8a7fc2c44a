//! Reads the JSON of requests: strict first, then once more with trailing commas allowed.
//!
//! Graph's documentation shows bodies with a comma before the closing brace, and people paste them. Real Graph answers
//! 400. We take them: nothing is lost, since a body that parses strictly is never touched.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Says where and why a body could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// The bytes are not JSON. Line and column count from 1.
    Syntax {
        /// Line of the first wrong byte.
        line: usize,
        /// Column of the first wrong byte.
        column: usize,
    },
    /// The JSON is fine, a member has the wrong type or is missing.
    Shape {
        /// Path of the member, such as `customPrompt.mediaInfo.uri`; empty for the body itself.
        path: String,
        /// What was found and expected.
        reason: String,
    },
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonError::Syntax { line, column } => {
                write!(f, "The request body is not valid JSON at line {line}, column {column}.")
            }
            JsonError::Shape { path, reason } if path.is_empty() => write!(f, "The request body is wrong: {reason}."),
            JsonError::Shape { path, reason } => write!(f, "The value of '{path}' is wrong: {reason}."),
        }
    }
}

/// Reads `bytes` as a `T`. No bytes at all mean `{}`.
///
/// # Errors
///
/// [`JsonError::Syntax`] when the bytes are not JSON even with trailing commas allowed, [`JsonError::Shape`] when they do
/// not describe a `T`.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes };
    let strict = read_strictly(bytes);
    let Err(JsonError::Syntax { .. }) = strict else { return strict };
    match read_strictly(&without_trailing_commas(bytes)) {
        Err(JsonError::Syntax { .. }) => strict,
        lenient => lenient,
    }
}

fn read_strictly<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(shape_or_syntax)?;
    reader.end().map_err(|error| syntax(&error))?;
    // serde reads an array as a struct, member by member; Graph's bodies are objects.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(JsonError::Shape { path: String::new(), reason: "expected an object".to_owned() });
    }
    Ok(value)
}

fn shape_or_syntax(error: serde_path_to_error::Error<serde_json::Error>) -> JsonError {
    let path = error.path().to_string();
    let error = error.into_inner();
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => syntax(&error),
        Category::Data => {
            JsonError::Shape { path: if path == "." { String::new() } else { path }, reason: reason(&error) }
        }
    }
}

fn syntax(error: &serde_json::Error) -> JsonError {
    JsonError::Syntax { line: error.line(), column: error.column() }
}

/// Returns serde's sentence without its " at line 1 column 2": the path says it better.
fn reason(error: &serde_json::Error) -> String {
    let sentence = error.to_string();
    match sentence.rfind(" at line ") {
        Some(end) => sentence[..end].to_owned(),
        None => sentence,
    }
}

/// Replaces each comma in front of a closing brace or bracket by a blank, so that lines and columns stay true.
fn without_trailing_commas(bytes: &[u8]) -> Vec<u8> {
    let mut clean = bytes.to_vec();
    let mut pending_comma = None;
    let mut in_string = false;
    let mut escaped = false;
    for (at, &byte) in bytes.iter().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b',' => pending_comma = Some(at),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'}' | b']' => {
                if let Some(comma) = pending_comma.take() {
                    clean[comma] = b' ';
                }
            }
            _ => {
                in_string = byte == b'"';
                pending_comma = None;
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Outer {
        inner: Inner,
        list: Vec<u8>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        text: String,
    }

    fn check(body: &str, expected: Result<&str, &str>) {
        let read = read::<Outer>(body.as_bytes());
        let read = read.map(|outer| outer.inner.text).map_err(|error| error.to_string());
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{body}");
    }

    #[test]
    fn nothing_is_an_empty_object() {
        check("", Ok(""));
        check(" \r\n", Ok(""));
        check("{}", Ok(""));
    }

    #[test]
    fn trailing_commas_are_taken_and_strings_left_alone() {
        check(r#"{"inner":{"text":"a",},"list":[1,2,],}"#, Ok("a"));
        check(r#"{"inner":{"text":"a,}\",]",},}"#, Ok(r#"a,}",]"#));
    }

    #[test]
    fn broken_json_names_line_and_column() {
        check("{\n \"inner\": }", Err("The request body is not valid JSON at line 2, column 11."));
        check(r#"{"inner":{},,}"#, Err("The request body is not valid JSON at line 1, column 13."));
        check("{} x", Err("The request body is not valid JSON at line 1, column 4."));
    }

    #[test]
    fn a_wrong_type_names_its_path() {
        check(
            r#"{"inner":{"text":5}}"#,
            Err("The value of 'inner.text' is wrong: invalid type: integer `5`, expected a string."),
        );
        check(r#"{"list":[1,"x"]}"#, Err(r#"The value of 'list[1]' is wrong: invalid type: string "x", expected u8."#));
        check("[]", Err("The request body is wrong: expected an object."));
    }
}
