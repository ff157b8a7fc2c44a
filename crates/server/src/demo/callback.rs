//! The bot's own web server on loopback: it receives the notifications and serves the hold music.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::prompt;
use super::screen::Screen;

/// How many notifications wait to be looked at. The whole demo has about twenty; beyond this the bot answers 503, and
/// the server brings them again later.
const NOTIFICATIONS_MAX: usize = 64;

/// How long a notification may take. The server's longest wait for a prompt is 15 s; music from this machine takes
/// milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

const MUSIC_PATH: &str = "/hold-music.wav";
const NOTIFICATIONS_PATH: &str = "/notifications";

/// Where the bot is told what happens. Dropping it closes the web server.
#[derive(Debug)]
pub(super) struct Callback {
    address: SocketAddr,
    notifications: mpsc::Receiver<Notification>,
    server: JoinHandle<()>,
}

/// Graph's `commsNotification`, as far as the bot reads it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    resource_url: String,
    #[serde(default)]
    resource_data: Value,
}

/// Graph's `commsNotifications`.
#[derive(Debug, Deserialize)]
struct Notifications {
    value: Vec<Notification>,
}

/// What a notification tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News<'a> {
    /// A call's state.
    Call { state: &'a str },
    /// Who is in the call.
    Roster(&'a [Value]),
    /// How an operation ended.
    Operation { id: &'a str, data: &'a Value },
}

#[derive(Clone)]
struct Desk {
    screen: Screen,
    to_bot: mpsc::Sender<Notification>,
}

impl Callback {
    /// Opens the web server on a free port of loopback.
    ///
    /// # Errors
    ///
    /// What the system says when it has no port to give.
    pub(super) async fn open(screen: Screen) -> anyhow::Result<Callback> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("the bot finds no free port")?;
        let address = listener.local_addr().context("the bot's port has no address")?;
        let (to_bot, notifications) = mpsc::channel(NOTIFICATIONS_MAX);
        let routes = Router::new()
            .route(NOTIFICATIONS_PATH, post(receive))
            .route(MUSIC_PATH, get(music))
            .with_state(Desk { screen, to_bot });
        // Serving ends with the task; axum itself never gives up.
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap_or_default() });
        Ok(Callback { address, notifications, server })
    }

    /// Returns where notifications are to be sent.
    pub(super) fn notifications_url(&self) -> String {
        format!("http://{}{NOTIFICATIONS_PATH}", self.address)
    }

    /// Returns where the hold music is.
    pub(super) fn music_url(&self) -> String {
        format!("http://{}{MUSIC_PATH}", self.address)
    }

    /// Waits for a notification that tells what is wished and returns what `read` found in it. Those before it are
    /// over and done with.
    ///
    /// # Errors
    ///
    /// Says what did not come in time.
    pub(super) async fn wait_for<T>(
        &mut self,
        what: &str,
        mut read: impl FnMut(News<'_>) -> Option<T>,
    ) -> anyhow::Result<T> {
        let found = async {
            while let Some(notification) = self.notifications.recv().await {
                if let Some(found) = notification.news().and_then(&mut read) {
                    return Some(found);
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, found).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) | Err(_) => bail!("no notification of {what} came within {} s", PATIENCE.as_secs()),
        }
    }

    /// Takes notifications in and forgets them, forever: the screen has shown them.
    pub(super) async fn only_show(&mut self) {
        while self.notifications.recv().await.is_some() {}
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Notification {
    /// Returns what it tells, or `None` for what the bot does not know.
    pub(super) fn news(&self) -> Option<News<'_>> {
        let path: Vec<&str> = self.resource_url.trim_matches('/').split('/').collect();
        match path[..] {
            ["communications", "calls", _] => Some(News::Call { state: self.resource_data["state"].as_str()? }),
            ["communications", "calls", _, "participants"] => Some(News::Roster(self.resource_data.as_array()?)),
            ["communications", "calls", _, "operations", id] => Some(News::Operation { id, data: &self.resource_data }),
            _ => None,
        }
    }
}

async fn receive(State(desk): State<Desk>, Json(body): Json<Notifications>) -> StatusCode {
    let Ok(places) = desk.to_bot.try_reserve_many(body.value.len()) else { return StatusCode::SERVICE_UNAVAILABLE };
    for (place, notification) in places.zip(body.value) {
        if let Some(news) = notification.news() {
            desk.screen.notification(&news);
        }
        place.send(notification);
    }
    StatusCode::ACCEPTED
}

async fn music() -> ([(header::HeaderName, &'static str); 1], Vec<u8>) {
    ([(header::CONTENT_TYPE, "audio/wav")], prompt::wav())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_told_by_its_resource() {
        let notification = |url: &str, data: Value| Notification { resource_url: url.to_owned(), resource_data: data };
        let call = notification("/communications/calls/1", serde_json::json!({ "state": "established" }));
        assert_eq!(call.news(), Some(News::Call { state: "established" }));
        let roster = notification("/communications/calls/1/participants", serde_json::json!([]));
        assert_eq!(roster.news(), Some(News::Roster(&[])));
        assert_eq!(notification("/communications/onlineMeetings/1", Value::Null).news(), None);
    }
}
