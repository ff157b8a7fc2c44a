//! Who somebody is, in Graph's terms (`identitySet`).

/// The identity of a participant or a target. Two are the same when kind and id are; names do not count.
#[derive(Clone, Debug)]
pub enum Identity {
    /// A bot.
    Application {
        /// The application's (client) id.
        id: String,
        /// The name shown in rosters.
        display_name: Option<String>,
    },
    /// A user of the directory.
    User {
        /// The user's object id.
        id: String,
        /// The name shown in rosters.
        display_name: Option<String>,
    },
    /// A phone that is not in the directory.
    Phone {
        /// A SIP URI, or a number in E.164 form.
        id: String,
        /// The name shown in rosters.
        display_name: Option<String>,
    },
}

impl Identity {
    /// An application's identity.
    #[must_use]
    pub fn application(id: impl Into<String>, display_name: Option<String>) -> Self {
        Self::Application { id: id.into(), display_name }
    }

    /// A directory user's identity.
    #[must_use]
    pub fn user(id: impl Into<String>, display_name: Option<String>) -> Self {
        Self::User { id: id.into(), display_name }
    }

    /// A phone's identity.
    #[must_use]
    pub fn phone(id: impl Into<String>, display_name: Option<String>) -> Self {
        Self::Phone { id: id.into(), display_name }
    }

    /// The id, whatever the kind.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Application { id, .. } | Self::User { id, .. } | Self::Phone { id, .. } => id,
        }
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other) && self.id().eq_ignore_ascii_case(other.id())
    }
}

impl Eq for Identity {}
