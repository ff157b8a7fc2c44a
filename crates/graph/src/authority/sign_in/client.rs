//! The pages that people sign in to. Each is a public client of our own with one scope, so the scope stands for the page.

use uuid::{Uuid, uuid};

/// Is what a page may do for the person who has signed in there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The console: looks at calls and steers them.
    Console,
    /// The softphone: the person's own calls.
    Phone,
}

impl Scope {
    const ALL: [Scope; 2] = [Scope::Console, Scope::Phone];

    /// Returns the name, as `scope` and `scp` have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scope::Console => "Console",
            Scope::Phone => "Phone",
        }
    }

    /// Returns the id of the page as a client. It is the same everywhere: the page comes with the server.
    pub(crate) fn client_id(self) -> Uuid {
        match self {
            Scope::Console => uuid!("fe4a7a00-c0de-4000-8000-000000000001"),
            Scope::Phone => uuid!("fe4a7a00-c0de-4000-8000-000000000002"),
        }
    }

    /// Returns what the sign-in page calls the page.
    pub(super) fn title(self) -> &'static str {
        match self {
            Scope::Console => "console",
            Scope::Phone => "phone",
        }
    }

    /// Returns the only place where codes are sent.
    pub(super) fn redirect_uri(self, base: &str) -> String {
        match self {
            Scope::Console => format!("{base}/"),
            Scope::Phone => format!("{base}/phone"),
        }
    }

    pub(super) fn of_client(client_id: &str) -> Option<Scope> {
        let id = Uuid::try_parse(client_id).ok()?;
        Scope::ALL.into_iter().find(|scope| scope.client_id() == id)
    }

    pub(crate) fn named(name: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name)
    }
}
