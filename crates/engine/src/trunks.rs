//! Which trunk takes a number, and how it is told the number and the caller.

use crate::config::Trunk;
use edge::sip::{NameAddr, Uri};
use std::cmp::Reverse;

/// Finds the trunks that take `number`: the one that names most of its beginning first, equals in the order of the
/// configuration.
pub(crate) fn matching<'a>(trunks: &'a [Trunk], number: &str) -> Vec<&'a Trunk> {
    let matched = trunks.iter().filter_map(|trunk| Some((trunk.matched_length(number)?, trunk)));
    let mut matched: Vec<_> = matched.collect();
    matched.sort_by_key(|(length, _)| Reverse(*length));
    matched.into_iter().map(|(_, trunk)| trunk).collect()
}

impl Trunk {
    /// How much of the beginning of `number` this trunk names; `None` if it does not take it.
    fn matched_length(&self, number: &str) -> Option<usize> {
        if self.prefixes.is_empty() {
            return Some(0);
        }
        self.prefixes.iter().filter(|prefix| number.starts_with(prefix.as_str())).map(String::len).max()
    }

    /// The URI by which this trunk is asked for `number`, which is in E.164 form.
    pub(crate) fn target(&self, number: &str) -> Uri {
        let rest = number.get(self.strip..).unwrap_or_default();
        Uri::sip(Some(&format!("{}{rest}", self.prepend)), self.host.clone())
    }

    /// Who calls, if this trunk is told another caller than the server itself.
    pub(crate) fn caller(&self) -> Option<NameAddr> {
        let number = self.caller_id.as_deref()?;
        Some(NameAddr::new(Uri::sip(Some(number), self.host.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trunk(name: &str, prefixes: &[&str]) -> Trunk {
        Trunk {
            name: name.to_owned(),
            proxy: "sip:192.0.2.1".parse().expect("a URI"),
            host: "trunk.example".parse().expect("a host"),
            credentials: None,
            prefixes: prefixes.iter().map(ToString::to_string).collect(),
            strip: 0,
            prepend: String::new(),
            registers: false,
            caller_id: None,
        }
    }

    #[track_caller]
    fn check_order(number: &str, expected: &[&str]) {
        let trunks = [
            trunk("any", &[]),
            trunk("Germany", &["+49"]),
            trunk("Berlin", &["+4930", "+4933"]),
            trunk("Germany, too", &["+43", "+49"]),
        ];
        let names: Vec<_> = matching(&trunks, number).into_iter().map(|trunk| trunk.name.as_str()).collect();
        assert_eq!(names, expected, "{number}");
    }

    #[test]
    fn the_longest_prefix_comes_first_and_equals_come_as_they_are_written() {
        check_order("+4930123", &["Berlin", "Germany", "Germany, too", "any"]);
        check_order("+49401", &["Germany", "Germany, too", "any"]);
        check_order("+431", &["Germany, too", "any"]);
        check_order("+1", &["any"]);
    }

    #[test]
    fn a_number_that_no_prefix_fits_has_no_trunk() {
        assert!(matching(&[trunk("Germany", &["+49"])], "+48221").is_empty());
    }

    #[test]
    fn numbers_are_told_as_the_trunk_wants_them() {
        let plain = trunk("plain", &[]);
        assert_eq!(plain.target("+4930123").to_string(), "sip:+4930123@trunk.example");
        let international = Trunk { strip: 1, prepend: "00".to_owned(), ..plain.clone() };
        assert_eq!(international.target("+4930123").to_string(), "sip:004930123@trunk.example");
        let national = Trunk { strip: 3, prepend: "0".to_owned(), ..plain };
        assert_eq!(national.target("+4930123").to_string(), "sip:030123@trunk.example");
        assert_eq!(national.target("+4").to_string(), "sip:0@trunk.example");
    }
}
