//! Keys in INFO: `application/dtmf-relay`, which most gateways send, and `application/dtmf`. No RFC has them; both are
//! older than RFC 6086.

use media::Key;

/// The longest body that is looked at, in bytes. Real ones are below 40.
const BODY_BYTES_MAX: usize = 256;

/// Reads the key that an INFO tells of. `content_type` is in lower case and without parameters.
///
/// A signal may be a character or the number of an RFC 4733 event (10 is `*`, 11 is `#`).
pub fn key_of_info(content_type: &str, body: &[u8]) -> Option<Key> {
    let text = std::str::from_utf8(body.get(..body.len().min(BODY_BYTES_MAX))?).ok()?;
    let signal = match content_type {
        "application/dtmf-relay" => text.lines().find_map(signal_of)?,
        "application/dtmf" => text.trim(),
        _ => return None,
    };
    let mut chars = signal.chars();
    match (chars.next(), chars.next()) {
        (Some(char), None) => Key::from_char(char),
        _ => signal.parse().ok().and_then(Key::from_event),
    }
}

fn signal_of(line: &str) -> Option<&str> {
    let (name, value) = line.split_once('=')?;
    name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(content_type: &str, body: &str) -> Option<char> {
        key_of_info(content_type, body.as_bytes()).map(Key::as_char)
    }

    #[test]
    fn keys_are_read_in_both_forms() {
        assert_eq!(key("application/dtmf-relay", "Signal=5\r\nDuration=160"), Some('5'));
        assert_eq!(key("application/dtmf-relay", "Duration = 160\r\nsignal = *\r\n"), Some('*'));
        assert_eq!(key("application/dtmf-relay", "Signal=11\r\nDuration=160"), Some('#'));
        assert_eq!(key("application/dtmf", "d"), Some('D'));
        assert_eq!(key("application/dtmf", "10\r\n"), Some('*'));
    }

    #[test]
    fn what_is_no_key_is_ignored() {
        for body in ["", "Signal=", "Signal=55", "Signal=!", "Tone=5", "\u{e9}"] {
            assert_eq!(key("application/dtmf-relay", body), None, "{body:?}");
        }
        assert_eq!(key("text/plain", "5"), None);
        assert_eq!(key("application/dtmf", &"5".repeat(1000)), None);
        assert_eq!(key_of_info("application/dtmf", &[0xff]), None);
    }
}
