//! Who may call us: the tenant, its applications and users, what they prove themselves by, and their roles.
//!
//! The server builds a [`Directory`] from its configuration. Nothing here is read from the network.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::authority::{ClientKey, SecretHash};
use crate::callback::CallbackUri;
use crate::webhook::WebhookSecret;

/// Names a tenant, Graph's word for one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TenantId(pub Uuid);

/// Names an application registration (its client id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AppId(pub Uuid);

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Is an application role of the calls API, as an access token carries it in `roles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// May start a call to one person.
    Initiate,
    /// May start a call to several people and invite more.
    InitiateGroupCall,
    /// May join and act in group calls.
    JoinGroupCall,
    /// May join and act in group calls as a guest.
    JoinGroupCallAsGuest,
    /// May work with the media of a call.
    AccessMedia,
}

impl Role {
    /// Lists every role, for an application that may do everything.
    pub const ALL: [Role; 5] =
        [Role::Initiate, Role::InitiateGroupCall, Role::JoinGroupCall, Role::JoinGroupCallAsGuest, Role::AccessMedia];

    /// Returns the name as Graph's permission reference prints it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Initiate => "Calls.Initiate.All",
            Role::InitiateGroupCall => "Calls.InitiateGroupCall.All",
            Role::JoinGroupCall => "Calls.JoinGroupCall.All",
            Role::JoinGroupCallAsGuest => "Calls.JoinGroupCallAsGuest.All",
            Role::AccessMedia => "Calls.AccessMedia.All",
        }
    }
}

/// Says that a role name is none of [`Role::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an application role of the calls API")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    /// Reads a role without regard to case: Graph's own pages print `CallasGuest` and `CallAsGuest`.
    fn from_str(name: &str) -> Result<Role, UnknownRole> {
        Role::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(name)).ok_or(UnknownRole)
    }
}

/// Is everything by which an application may prove itself. With nothing in it, only a foreign issuer speaks for it.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    /// Its secrets, hashed; any of them will do, so that one can be replaced without a gap.
    pub secrets: Vec<SecretHash>,
    /// The public halves of its keys.
    pub keys: Vec<ClientKey>,
}

/// Is one registered application.
#[derive(Debug, Clone)]
pub struct App {
    /// The client id.
    pub id: AppId,
    /// What it proves itself by.
    pub credentials: Credentials,
    /// What an administrator allowed it.
    pub roles: Vec<Role>,
    /// What its notifications are signed with, besides the token. Each signs, so that one can be replaced without a gap.
    pub webhook_secrets: Vec<WebhookSecret>,
    /// Where it is told of calls that come in, if it takes any.
    pub callback: Option<CallbackUri>,
}

/// Names a user: a person of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserId(pub Uuid);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Is what a user may do at the console. The names are ours; Graph has no console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserRole {
    /// May look at every call.
    ConsoleRead,
    /// May look, and steer every call.
    ConsoleOperate,
}

impl UserRole {
    /// Lists every role of a user.
    pub const ALL: [UserRole; 2] = [UserRole::ConsoleRead, UserRole::ConsoleOperate];

    /// Returns the name, as the configuration and the claim `roles` have it.
    pub fn name(self) -> &'static str {
        match self {
            UserRole::ConsoleRead => "Console.Read",
            UserRole::ConsoleOperate => "Console.Operate",
        }
    }

    /// Tells whether who has this role may do what needs `needed`: to steer calls, one must see them.
    pub(crate) fn includes(self, needed: UserRole) -> bool {
        match self {
            UserRole::ConsoleRead => needed == UserRole::ConsoleRead,
            UserRole::ConsoleOperate => true,
        }
    }
}

/// Says that a role name is none of [`UserRole::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a role of users; there are Console.Read and Console.Operate")]
pub struct UnknownUserRole;

impl FromStr for UserRole {
    type Err = UnknownUserRole;

    fn from_str(name: &str) -> Result<UserRole, UnknownUserRole> {
        UserRole::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(name)).ok_or(UnknownUserRole)
    }
}

/// Is one person of the tenant.
#[derive(Debug, Clone)]
pub struct User {
    /// The object id.
    pub id: UserId,
    /// What the person signs in as.
    pub name: String,
    /// What others read.
    pub display_name: String,
    /// What the person signs in with. Without one there is no signing in.
    pub password: Option<SecretHash>,
    /// What an administrator allowed at the console.
    pub roles: Vec<UserRole>,
}

/// Is the tenant of this server with its applications and users.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The only tenant served.
    pub tenant: TenantId,
    /// The applications registered in it.
    pub apps: Vec<App>,
    /// Its people.
    pub users: Vec<User>,
}

impl Directory {
    /// Finds an application by its client id.
    pub fn app(&self, id: AppId) -> Option<&App> {
        self.apps.iter().find(|app| app.id == id)
    }

    /// Finds a user by the object id.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// Finds a user by what it signs in as, in any case.
    pub fn user_named(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_read_in_any_case() {
        assert_eq!("calls.joingroupcallasguest.all".parse(), Ok(Role::JoinGroupCallAsGuest));
        assert_eq!("Calls.JoinGroupCallasGuest.All".parse(), Ok(Role::JoinGroupCallAsGuest));
        assert_eq!("Calls.Everything".parse::<Role>(), Err(UnknownRole));
        assert_eq!("console.operate".parse(), Ok(UserRole::ConsoleOperate));
        assert_eq!("Console.Everything".parse::<UserRole>(), Err(UnknownUserRole));
    }
}
