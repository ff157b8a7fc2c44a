//! The bot's web server on loopback: it takes notifications and gives the music.

use super::prompt;
use anyhow::Context;
use axum::Router;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::{get, post};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const NOTIFICATIONS: &str = "/notifications";
const MUSIC: &str = "/tone.wav";

/// Longer than any benchmark: the music is fetched once, and from then on it is in the cache.
const CACHE_CONTROL: &str = "max-age=86400";

/// A web server. Dropping it closes it.
#[derive(Debug)]
pub(super) struct Callback {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Callback {
    /// Opens it on a free port.
    ///
    /// # Errors
    ///
    /// What the system says when there is none.
    pub(super) async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("there is no free port")?;
        let address = listener.local_addr().context("a port has no address")?;
        let routes = Router::new().route(NOTIFICATIONS, post(take)).route(MUSIC, get(music));
        // Serving ends with the task; axum itself never gives up.
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap_or_default() });
        Ok(Self { address, task })
    }

    /// Where notifications go.
    pub(super) fn notifications_url(&self) -> String {
        format!("http://{}{NOTIFICATIONS}", self.address)
    }

    /// Where the music is.
    pub(super) fn music_url(&self) -> String {
        format!("http://{}{MUSIC}", self.address)
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The benchmark knows from the phones what has happened.
async fn take(_notification: String) -> StatusCode {
    StatusCode::ACCEPTED
}

async fn music() -> ([(HeaderName, &'static str); 2], Vec<u8>) {
    ([(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, CACHE_CONTROL)], prompt::wav())
}
