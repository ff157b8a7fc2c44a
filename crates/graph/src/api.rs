//! What every operation of the API has at hand, and the few steps that all of them share.

use std::fmt::Display;
use std::ops::Deref;
use std::sync::Arc;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use call::{Accepted, CallId, Command, Invitation, OperationId, ParticipantId};
use engine::outgoing::Rule;
use engine::{Attachment, Engine, ExecuteError};
use http::header::{HOST, LOCATION};
use http::request::Parts;
use http::{StatusCode, Uri};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::auth::Caller;
use crate::authority::{Cloud, KeyRing, Replays, SecretCheck, SignIn, Verifier};
use crate::browsers::IceServer;
use crate::calls::RecentCalls;
use crate::console::Watcher;
use crate::directory::{Directory, TenantId};
use crate::error::Failure;
use crate::listen::Timeouts;
use crate::public_url::{Listener, PublicUrls};
use crate::recorder::Announced;
use crate::site::Site;
use crate::store::{CallRow, Store, StoreError};
use crate::throttle::Throttle;
use crate::wire::Invalid;
use crate::wire::operation::Operation;

/// Is the state of the router. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(pub(crate) Arc<Inner>);

/// Is what [`Api`] shares.
pub(crate) struct Inner {
    pub(crate) callbacks: Rule,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) directory: Directory,
    pub(crate) urls: PublicUrls,
    pub(crate) keys: Arc<KeyRing>,
    pub(crate) secret_check: SecretCheck,
    pub(crate) replays: Replays,
    pub(crate) sign_in: SignIn,
    pub(crate) assertion_reuse: bool,
    pub(crate) verifier: Verifier,
    pub(crate) cloud: Cloud,
    pub(crate) notification_issuer: String,
    pub(crate) recent_calls: RecentCalls,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) timeouts: Timeouts,
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) announced: Announced,
    pub(crate) site: Site,
    pub(crate) metrics: PrometheusHandle,
    pub(crate) watcher: Watcher,
    /// How many more people may watch.
    pub(crate) streams: Arc<Semaphore>,
}

impl Deref for Api {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// Finds the tenant that a path of the authority names.
    pub(crate) fn tenant_of_path(&self, segment: &str) -> Option<TenantId> {
        let tenant = TenantId(Uuid::try_parse(segment).ok()?);
        (tenant == self.directory.tenant).then_some(tenant)
    }

    /// Finds a call that is the caller's own and has not ended.
    pub(crate) async fn owned_call(&self, caller: &Caller, id: CallId) -> Result<CallRow, Failure> {
        self.store.call(caller.app, caller.tenant, id).await?.ok_or_else(Failure::call_not_found)
    }

    /// Refuses to move people here from calls that are not the caller's own, or from this very call.
    pub(crate) async fn require_own_calls(
        &self,
        caller: &Caller,
        invitations: &[Invitation],
        call: &str,
    ) -> Result<(), Failure> {
        for replaced in invitations.iter().filter_map(|invitation| invitation.replaces) {
            if Some(replaced.as_u128()) == guid(call) {
                return Err(Invalid::new("replacesCallId", "must be the id of another call").into());
            }
            self.owned_call(caller, replaced).await?;
        }
        Ok(())
    }

    /// Refuses what would have to be stored while nothing can be: what is not begun need not be undone.
    pub(crate) fn require_storage(&self) -> Result<(), Failure> {
        match self.store.takes_changes() {
            true => Ok(()),
            false => Err(Failure::unavailable("The database takes no changes at the moment.")),
        }
    }

    /// Has a command carried out for the caller, if the call is its own; answers when what it changed is stored.
    pub(crate) async fn execute(&self, caller: &Caller, call: CallId, command: Command) -> Result<Accepted, Failure> {
        self.execute_with(caller, call, command, Attachment::default()).await
    }

    /// Does what `execute` does, with what is to be stored and fetched beside the command.
    pub(crate) async fn execute_with(
        &self,
        caller: &Caller,
        call: CallId,
        command: Command,
        attachment: Attachment,
    ) -> Result<Accepted, Failure> {
        self.owned_call(caller, call).await?;
        self.require_storage()?;
        Ok(self.engine.execute_with(call, command, attachment).await?)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        tracing::error!(%error, "the store could not be read");
        Failure::unavailable("The database cannot be read at the moment.")
    }
}

impl From<ExecuteError> for Failure {
    fn from(error: ExecuteError) -> Failure {
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::Busy => Failure::unavailable("Too many requests are waiting."),
            ExecuteError::NotRecorded => Failure::unavailable("The request could not be stored."),
        }
    }
}

/// Is the public URL under which a request came.
#[derive(Debug)]
pub(crate) struct Base(String);

impl Base {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromRequestParts<Api> for Base {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Base, Self::Rejection> {
        let listener = parts.extensions.get::<Listener>().copied().unwrap_or(Listener::Http);
        // HTTP/2 has the host in the URI, HTTP/1.1 in a header.
        let of_uri = parts.uri.authority().map(http::uri::Authority::as_str);
        let of_header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        Ok(Base(api.urls.of_request(listener, of_uri.or(of_header)).as_str().to_owned()))
    }
}

/// Is the root of the API that a request used: `http://127.0.0.1:8080/v1.0`.
#[derive(Debug)]
pub(crate) struct Root(String);

impl FromRequestParts<Api> for Root {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Root, Self::Rejection> {
        let version = version(&parts.uri).to_owned();
        let base = Base::from_request_parts(parts, api).await?;
        Ok(Root(format!("{}/{version}", base.as_str())))
    }
}

fn version(uri: &Uri) -> &str {
    uri.path().split('/').nth(1).unwrap_or("v1.0")
}

impl Root {
    /// Returns the absolute URL of a call.
    pub(crate) fn call_url(&self, call: impl Display) -> String {
        format!("{}/communications/calls/{call}", self.0)
    }

    /// Returns the absolute URL of an operation.
    pub(crate) fn operation_url(&self, operation: &call::Operation) -> String {
        format!("{}/operations/{}", self.call_url(operation.call), operation.id)
    }

    /// Shows an entity with its `@odata.context` in front, as OData's minimal metadata wants it.
    pub(crate) fn entity(&self, context: &str, entity: &impl Serialize) -> Value {
        let mut shown = Map::new();
        shown.insert("@odata.context".to_owned(), json!(format!("{}/$metadata#{context}", self.0)));
        if let Value::Object(members) = json!(entity) {
            shown.extend(members);
        }
        Value::Object(shown)
    }

    /// Answers with the operation that a command has begun, already ended, or repeated.
    pub(crate) fn operation_answer(&self, status: StatusCode, accepted: &Accepted) -> Response {
        let (Accepted::Operation(operation) | Accepted::Repeated(operation)) = accepted else {
            return status.into_response();
        };
        let shown = Operation::from(operation);
        let context = shown.odata_type.trim_start_matches("#microsoft.graph.").to_owned();
        let location = [(LOCATION, self.operation_url(operation))];
        (status, location, Json(self.entity(&context, &shown))).into_response()
    }
}

/// Is a body that may hold a `clientContext` and nothing else of interest.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContextOnly {
    #[serde(default)]
    pub(crate) client_context: Option<String>,
}

/// Reads a client context; one is made up when the application sent none, because SDKs match answers by it.
pub(crate) fn client_context(given: Option<String>) -> Result<call::ClientContext, Invalid> {
    let text = given.unwrap_or_else(|| Uuid::new_v4().to_string());
    call::ClientContext::new(text).map_err(|too_long| Invalid::new("clientContext", format!("is too long: {too_long}")))
}

/// Makes the id of an operation that is to be.
pub(crate) fn new_operation_id() -> OperationId {
    OperationId::new(Engine::new_id())
}

/// Reads the id of a call in a path. What is no GUID names no call.
pub(crate) fn call_id(segment: &str) -> Result<CallId, Failure> {
    guid(segment).map(CallId::new).ok_or_else(Failure::call_not_found)
}

/// Reads the id of a participant in a path.
pub(crate) fn participant_id(segment: &str) -> Result<ParticipantId, Failure> {
    guid(segment).map(ParticipantId::new).ok_or_else(Failure::participant_not_found)
}

/// Reads the id of an operation in a path.
pub(crate) fn operation_id(segment: &str) -> Result<OperationId, Failure> {
    guid(segment).map(OperationId::new).ok_or_else(Failure::operation_not_found)
}

fn guid(segment: &str) -> Option<u128> {
    Uuid::try_parse(segment).ok().map(|id| id.as_u128())
}
