//! The bot's own web server on loopback: it receives the notifications and serves the hold music.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use phone::{Recording, write_wav};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::news::{Contents, Notification};

const MUSIC_PATH: &str = "/hold-music.wav";
const NOTIFICATIONS_PATH: &str = "/notifications";

/// Longer than any demo or benchmark: the music is fetched once, and from then on it is in the server's cache.
const CACHE_CONTROL: &str = "max-age=86400";

/// Where the bot is told what happens. Dropping it closes the web server.
pub(crate) struct Callback {
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// Is given each notification when it arrives. False says that it could not be taken: the bot answers 503, and the
/// server brings it again later.
type Listener = Arc<dyn Fn(Notification) -> bool + Send + Sync>;

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Callback {
    /// Opens the web server on a free port of loopback. `listener` is given each notification; false says that there is
    /// no room for it now.
    ///
    /// # Errors
    ///
    /// What the system says when it has no port to give.
    pub(crate) async fn open(
        music: &Recording,
        listener: impl Fn(Notification) -> bool + Send + Sync + 'static,
    ) -> anyhow::Result<Callback> {
        let mut wav = Vec::new();
        write_wav(&mut wav, music.rate_hz, 1, &music.samples).context("the hold music makes no file")?;
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the bot finds no free port")?;
        let address = socket.local_addr().context("the bot's port has no address")?;
        let wav = Bytes::from(wav);
        let listener: Listener = Arc::new(listener);
        let headers = [(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, CACHE_CONTROL)];
        let routes = Router::new()
            .route(NOTIFICATIONS_PATH, post(receive))
            .route(MUSIC_PATH, get(async move || (headers, wav)))
            .with_state(listener);
        // Serving ends with the task; axum itself never gives up.
        let server = tokio::spawn(async move { axum::serve(socket, routes).await.unwrap_or_default() });
        Ok(Callback { address, server })
    }

    /// Returns where notifications are to be sent.
    pub(crate) fn notifications_url(&self) -> String {
        format!("http://{}{NOTIFICATIONS_PATH}", self.address)
    }

    /// Returns where the hold music is.
    pub(crate) fn music_url(&self) -> String {
        format!("http://{}{MUSIC_PATH}", self.address)
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(listener): State<Listener>, Json(body): Json<Contents>) -> StatusCode {
    let arrived = Instant::now();
    let is_taken = body.value.into_iter().all(|content| listener(Notification::new(content, arrived)));
    if is_taken { StatusCode::ACCEPTED } else { StatusCode::SERVICE_UNAVAILABLE }
}
