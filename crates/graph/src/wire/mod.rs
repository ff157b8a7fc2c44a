//! What goes over the wire: requests and answers as Graph spells them, and nothing else.
//!
//! Requests are read in two steps: serde takes the shape (with every member optional, since Graph's declared
//! "non-nullable" is not what clients send), then a `parse` turns it into values of the rules, which are good by
//! existing. Each refusal of the second step is an [`Invalid`] that names the member by its path.

pub(crate) mod call;
pub(crate) mod heard;
pub(crate) mod identity;
pub(crate) mod invalid;
pub(crate) mod ledger;
pub(crate) mod live;
pub(crate) mod media;
pub(crate) mod notification;
pub(crate) mod object;
pub(crate) mod operation;
pub(crate) mod participant;
pub(crate) mod prompt;
pub(crate) mod result_info;
pub(crate) mod tone;

pub(crate) use invalid::Invalid;

/// Tells whether `given` names `expected` (`mediaPrompt`), in any case, with or without `#microsoft.graph.`.
pub(crate) fn is_odata_type(given: &str, expected: &str) -> bool {
    const NAMESPACE: &str = "microsoft.graph.";
    let given = given.strip_prefix('#').unwrap_or(given);
    let name = match given.get(..NAMESPACE.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(NAMESPACE) => &given[NAMESPACE.len()..],
        Some(_) | None => given,
    };
    name.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_named_in_several_ways() {
        for given in ["#microsoft.graph.mediaPrompt", "microsoft.graph.mediaPrompt", "#Microsoft.Graph.MediaPrompt"] {
            assert!(is_odata_type(given, "mediaPrompt"), "{given}");
        }
        assert!(!is_odata_type("#microsoft.graph.prompt", "mediaPrompt"));
    }
}
