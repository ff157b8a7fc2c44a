//! Where the bots sit: takes notifications in, and gives prompts out.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};

use super::book::{Book, Told};
use super::fate::{Fate, Moment};
use crate::harness::{MUSIC_HZ, Notice, PATIENCE, serve, tone_wav};

/// One in so many notifications is refused for the moment, so that it comes again.
const REFUSED_ONE_IN: u32 = 60;

/// How often the system is asked for open connections.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A web server that is there for all rounds.
pub(super) struct Desk {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    book: Arc<Book>,
    fate: Mutex<Option<Arc<Fate>>>,
    music: Bytes,
}

impl Desk {
    pub(super) fn open(book: &Arc<Book>) -> Desk {
        let music = Bytes::from(tone_wav(MUSIC_HZ).to_bytes());
        let shared = Arc::new(Shared { book: Arc::clone(book), fate: Mutex::default(), music });
        let router = Router::new()
            .route("/told/{of}", post(take))
            .route("/music/{n}", get(give))
            .with_state(Arc::clone(&shared));
        Desk { address: serve(router), shared }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Works for a round from now on.
    pub(super) fn serve(&self, fate: &Arc<Fate>) {
        *self.shared.fate.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(fate));
    }

    /// Waits until everything has been read that a killed server had sent, and all its connections are closed.
    pub(super) fn wait_until_quiet(&self) {
        let deadline = Instant::now() + PATIENCE;
        while has_connections(self.address.port()) {
            assert!(Instant::now() < deadline, "a connection of a killed server stays open");
            thread::sleep(LOOK_EVERY);
        }
    }
}

impl Shared {
    fn fate(&self) -> Arc<Fate> {
        let fate = self.fate.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(fate.as_ref().expect("a round has begun"))
    }
}

/// Tells whether this side of a connection to a local port is open (proc_net_tcp(5): 01 is ESTABLISHED, 08 CLOSE_WAIT).
fn has_connections(port: u16) -> bool {
    let connections = fs::read_to_string("/proc/net/tcp").expect("Linux tells its connections");
    let port = format!(":{port:04X}");
    connections.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, _remote, state) = (fields.next(), fields.next(), fields.next());
        local.is_some_and(|local| local.ends_with(&port)) && matches!(state, Some("01" | "08"))
    })
}

async fn take(State(shared): State<Arc<Shared>>, Path(of): Path<usize>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let arrived = Instant::now();
    let message_id = headers.get("x-microsoft-skype-message-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let Ok(body) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    let fate = shared.fate();
    let is_fatal = fate.happens(Moment::Told);
    shared.book.tell(Told { of, notice: Notice { arrived, message_id: message_id.to_owned(), body } });
    if is_fatal {
        // It is not answered any more.
        fate.struck().await;
    }
    match fastrand::u32(..REFUSED_ONE_IN) {
        0 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::ACCEPTED,
    }
}

async fn give(State(shared): State<Arc<Shared>>) -> Bytes {
    shared.fate().happens(Moment::Fetched);
    shared.music.clone()
}
