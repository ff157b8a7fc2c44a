//! A bot's callback: takes notifications in and lets a test wait for them.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use super::{PATIENCE, http};

/// One notification as it came.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) arrived: Instant,
    /// The same for each delivery of the same notification.
    pub(crate) message_id: String,
    /// The whole body.
    pub(crate) body: Value,
}

/// A callback that listens.
#[derive(Debug)]
pub(super) struct Callback {
    uri: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    notices: Mutex<Vec<Notice>>,
    grown: Condvar,
}

impl Notice {
    /// Returns its only entry.
    pub(crate) fn value(&self) -> &Value {
        &self.body["value"][0]
    }

    /// Returns what its entry is about.
    pub(crate) fn resource(&self) -> &Value {
        &self.value()["resourceData"]
    }
}

impl Callback {
    pub(super) fn start() -> Callback {
        let shared = Arc::<Shared>::default();
        let router = Router::new().route("/api/calls", post(take)).with_state(Arc::clone(&shared));
        Callback { uri: format!("http://{}/api/calls", http::serve(router)), shared }
    }

    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits until there is one among the notifications that `find` finds.
    pub(super) fn expect_in(&self, what: &str, find: impl Fn(&[Notice]) -> Option<&Notice>) -> Notice {
        let is_missing = |notices: &mut Vec<Notice>| find(notices).is_none();
        let waiting = self.shared.grown.wait_timeout_while(self.shared.lock(), PATIENCE, is_missing);
        let (notices, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        find(&notices).cloned().unwrap_or_else(|| panic!("no {what}; these came: {:#?}", bodies(&notices)))
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        self.shared.lock().clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Notice>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bodies(notices: &[Notice]) -> Vec<&Value> {
    notices.iter().map(Notice::value).collect()
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let arrived = Instant::now();
    let message_id = headers.get("x-microsoft-skype-message-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let Ok(body) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    shared.lock().push(Notice { arrived, message_id: message_id.to_owned(), body });
    shared.grown.notify_all();
    StatusCode::ACCEPTED
}
