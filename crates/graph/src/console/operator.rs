//! A person who steers the calls of others.
//!
//! It goes the same walk as the command of the application whose call it is, and that application is told of it as of its
//! own: its roster and its operations are what they are, whoever changed them. The mark of such an operation begins with
//! `operator:`, so that the application can tell them apart.

use axum::extract::FromRequestParts;
use call::{Accepted, CallId, ClientContext, Command};
use engine::{Attachment, Operator};
use http::request::Parts;
use uuid::Uuid;

use crate::api::Api;
use crate::directory::UserRole;
use crate::error::Failure;
use crate::signed_in::SignedIn;

/// Is a person who may steer every call.
#[derive(Debug)]
pub(crate) struct Steering(Operator);

impl FromRequestParts<Api> for Steering {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Steering, Failure> {
        let person = SignedIn::from_request_parts(parts, api).await?;
        person.require(UserRole::ConsoleOperate)?;
        let user = api.directory.user(person.user).ok_or_else(Failure::unknown_user)?;
        Ok(Steering(Operator { id: user.id.to_string(), display_name: user.display_name.clone() }))
    }
}

impl Steering {
    /// Has a command carried out in the place of the application; answers when what it changed is stored.
    pub(crate) async fn execute(self, api: &Api, call: CallId, command: Command) -> Result<Accepted, Failure> {
        api.require_storage()?;
        let attachment = Attachment { operator: Some(self.0), ..Attachment::default() };
        Ok(api.engine.execute_with(call, command, attachment).await?)
    }
}

/// Makes the mark of an operation of an operator's.
pub(super) fn mark() -> ClientContext {
    ClientContext::new(format!("operator:{}", Uuid::new_v4())).expect("a GUID is short")
}
