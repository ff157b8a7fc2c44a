//! Ids. They are GUIDs made by whoever drives the conversation; the rules only compare them.

use std::fmt;

/// Declares a newtype over the 128 bits of a GUID.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// Wraps the 128 bits of a GUID.
            #[must_use]
            pub const fn new(guid: u128) -> Self {
                Self(guid)
            }

            /// Returns the 128 bits of the GUID.
            #[must_use]
            pub const fn as_u128(self) -> u128 {
                self.0
            }
        }

        /// Prints the GUID in its dashed lower-case form, the one that Graph's documentation shows.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let g = self.0;
                write!(
                    f,
                    "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                    g >> 96,
                    (g >> 80) & 0xffff,
                    (g >> 64) & 0xffff,
                    (g >> 48) & 0xffff,
                    g & 0xffff_ffff_ffff
                )
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

id! {
    /// Names everybody who is together: roster, hold slot and mix.
    ConversationId
}
id! {
    /// Names a Graph `call`: one application's leg in a conversation.
    CallId
}
id! {
    /// Names an entry of the roster. Who leaves and comes back gets a new one.
    ParticipantId
}
id! {
    /// Names an accepted, long-running command: Graph's `commsOperation`.
    OperationId
}
