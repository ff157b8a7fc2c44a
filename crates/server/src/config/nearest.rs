//! Says which known key an unknown one was probably meant to be.

/// Turns the error of the configuration library into one that helps.
pub(super) fn explain(error: config::ConfigError) -> anyhow::Error {
    let text = error.to_string();
    match unknown_field(&text) {
        Some((unknown, known)) => anyhow::anyhow!("{text}{}", suggestion(unknown, &known)),
        None => anyhow::anyhow!(text),
    }
}

/// Reads serde's "unknown field `a`, expected one of `b`, `c`".
fn unknown_field(text: &str) -> Option<(&str, Vec<&str>)> {
    let mut quoted = text.split_once("unknown field ")?.1.split('`').skip(1).step_by(2);
    Some((quoted.next()?, quoted.collect()))
}

fn suggestion(unknown: &str, known: &[&str]) -> String {
    let nearest = known.iter().min_by_key(|known| distance(unknown, known));
    nearest.map_or(String::new(), |nearest| format!(" (did you mean `{nearest}`?)"))
}

/// How many characters must be inserted, deleted or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}
