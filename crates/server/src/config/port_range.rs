//! `20000-29999`: ports from and to, both included.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A range with room for at least one leg: an even port and the next one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct PortRange(RangeInclusive<u16>);

impl PortRange {
    pub(crate) fn get(&self) -> RangeInclusive<u16> {
        self.0.clone()
    }
}

impl FromStr for PortRange {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "a range of ports is expected, from an even port on: \"20000-29999\"";
        let (first, last) = text.split_once('-').ok_or(EXPECTED)?;
        let (first, last): (u16, u16) =
            (first.trim().parse().map_err(|_| EXPECTED)?, last.trim().parse().map_err(|_| EXPECTED)?);
        if first == 0 || first % 2 != 0 || last <= first {
            return Err(EXPECTED);
        }
        Ok(Self(first..=last))
    }
}

impl TryFrom<String> for PortRange {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PortRange> for String {
    fn from(range: PortRange) -> Self {
        range.to_string()
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}
