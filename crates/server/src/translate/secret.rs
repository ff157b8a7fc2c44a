//! Secrets that are not in the configuration themselves: it names the file or the environment variable that holds them.

use anyhow::{Context, ensure};
use std::{env, fs};

/// A secret in clear, which is needed as it is: SIP's digest cannot be computed from a hash of ours.
///
/// # Errors
///
/// If none or several of the three are given, or the secret cannot be read. `key` is the name of the first.
pub(super) fn one_of(key: &str, clear: &str, file: &str, variable: &str) -> anyhow::Result<String> {
    let given = [clear, file, variable].iter().filter(|text| !text.is_empty()).count();
    ensure!(given == 1, "set one of {key}, {key}_file and {key}_env");
    if !clear.is_empty() {
        return Ok(clear.to_owned());
    }
    if !file.is_empty() { of_file(&format!("{key}_file"), file) } else { of_variable(&format!("{key}_env"), variable) }
}

/// Editors and `echo` end a file with a line break; it does not belong to the secret.
pub(super) fn of_file(key: &str, path: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("{key}: {path}"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    // An empty secret would let everybody in who sends none.
    ensure!(!secret.is_empty(), "{key}: {path}: the secret is empty");
    Ok(secret.to_owned())
}

pub(super) fn of_variable(key: &str, name: &str) -> anyhow::Result<String> {
    let secret = env::var(name).with_context(|| format!("{key}: the variable {name}"))?;
    ensure!(!secret.is_empty(), "{key}: the variable {name}: the secret is empty");
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file
    }

    #[track_caller]
    fn check_refused(read: anyhow::Result<String>, reason: &str) {
        let error = read.expect_err("it is refused");
        assert!(format!("{error:#}").contains(reason), "{error:#}");
    }

    #[test]
    fn a_file_holds_the_secret_without_its_last_line_break() {
        let file = file(" from a file \r\n");
        let path = file.path().display().to_string();
        assert_eq!(one_of("password", "", &path, "").expect("a secret"), " from a file ");
        assert_eq!(one_of("password", "in clear", "", "").expect("a secret"), "in clear");
    }

    #[test]
    fn what_holds_no_secret_is_named() {
        check_refused(one_of("password", "", "", ""), "one of password, password_file and password_env");
        check_refused(one_of("password", "a", "b", ""), "one of");
        check_refused(of_file("secret_file", "/no/such/file"), "secret_file: /no/such/file");
        check_refused(of_file("secret_file", &file("\n").path().display().to_string()), "the secret is empty");
        check_refused(of_variable("secret_env", "FERMATA_TEST_NO_SUCH_VARIABLE"), "FERMATA_TEST_NO_SUCH_VARIABLE");
    }
}
