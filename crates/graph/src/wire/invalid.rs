//! Why a well-formed request is not acceptable.

use std::fmt;

/// Names a member of a request and says what is wrong with it (Graph 400/8523, invalid argument).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    path: String,
    reason: String,
}

impl Invalid {
    /// Says that the member at `path` is wrong because of `reason`, a clause that follows the path: "must be …".
    pub(crate) fn new(path: impl Into<String>, reason: impl Into<String>) -> Invalid {
        Invalid { path: path.into(), reason: reason.into() }
    }

    /// Says that the member at `path` has to be there.
    pub(crate) fn missing(path: impl Into<String>) -> Invalid {
        Invalid::new(path, "is required")
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' {}.", self.path, self.reason)
    }
}
