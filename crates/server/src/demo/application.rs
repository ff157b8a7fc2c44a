//! The demo's application: a bot that waits for what it is told before it goes on, and shows all of it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::mpsc;

use super::screen::Screen;
use super::voice::Voice;
use crate::bot::{Answered, Bot, Call, Callback, Exchange, News, Notification, Operation, Participant};
use crate::config::Settings;

/// How many notifications wait to be looked at. The whole demo has about twenty; beyond this the server has to bring
/// them again.
const NOTIFICATIONS_MAX: usize = 64;

/// How long a notification may take. The server's longest wait for a prompt is 15 s; music from this machine takes
/// milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bot with its callback.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) bot: Bot,
    callback: Callback,
    notifications: mpsc::Receiver<Notification>,
}

impl Application {
    /// Opens the callback and signs in.
    ///
    /// # Errors
    ///
    /// What the system or the authority says when it refuses.
    pub(super) async fn start(server: SocketAddr, settings: &Settings, screen: Screen) -> anyhow::Result<Application> {
        let (told, notifications) = mpsc::channel(NOTIFICATIONS_MAX);
        let shown = screen.clone();
        let listen = move |notification: Notification| {
            if let Some(news) = notification.news() {
                shown.notification(&news, notification.arrived);
            }
            told.try_send(notification).is_ok()
        };
        let callback = Callback::open(&Voice::Music.recording(), listen).await?;
        let watch = move |exchange: &Exchange<'_>| screen.request(exchange);
        let bot = Bot::sign_in(server, settings, callback.music_url(), watch).await?;
        Ok(Application { bot, callback, notifications })
    }

    /// Calls several people at once.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses.
    pub(super) async fn call(&self, uris: &[&str]) -> anyhow::Result<Call> {
        self.bot.call(uris, &self.callback.notifications_url()).await
    }

    /// Waits until all of `uris` are in the call, and returns the one at `uri`.
    ///
    /// # Errors
    ///
    /// If they are not all there in time.
    pub(super) async fn wait_for_all(&mut self, call: &Call, uris: &[&str], uri: &str) -> anyhow::Result<Participant> {
        self.wait_for("all three in the call", |news| match news {
            News::Roster(roster) => {
                let roster = call.participants(roster);
                let find = |uri: &str| roster.iter().find(|participant| participant.uri.as_deref() == Some(uri));
                uris.iter().all(|uri| find(uri).is_some()).then(|| find(uri).cloned()).flatten()
            }
            News::Call { .. } | News::Operation { .. } => None,
        })
        .await
    }

    /// Puts somebody on hold and waits until the server says that the music plays.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses, or why the music does not play.
    pub(super) async fn start_hold_music(&mut self, participant: &Participant) -> anyhow::Result<Answered> {
        let operation = self.bot.start_hold_music(participant).await?;
        self.wait_for_end(operation).await
    }

    /// Takes somebody off hold and waits until the server says that it is done.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses, or why the hold goes on.
    pub(super) async fn stop_hold_music(&mut self, participant: &Participant) -> anyhow::Result<Answered> {
        let operation = self.bot.stop_hold_music(participant).await?;
        self.wait_for_end(operation).await
    }

    /// Ends the call and waits until it is over.
    ///
    /// # Errors
    ///
    /// What the server answers when it refuses, or that it does not end.
    pub(super) async fn hang_up(&mut self, call: &Call) -> anyhow::Result<()> {
        self.bot.hang_up(call).await?;
        let terminated = |news: News<'_>| (news == News::Call { state: "terminated" }).then_some(());
        self.wait_for("the end of the call", terminated).await
    }

    /// Takes notifications in and forgets them, forever: the screen has shown them.
    pub(super) async fn only_listen(&mut self) {
        while self.notifications.recv().await.is_some() {}
    }

    async fn wait_for_end(&mut self, operation: Operation) -> anyhow::Result<Answered> {
        let ended = |news: News<'_>| match news {
            News::Operation { id, data } if id == operation.id => Some(data.clone()),
            News::Operation { .. } | News::Call { .. } | News::Roster(_) => None,
        };
        let outcome = self.wait_for("the operation's end", ended).await?;
        match outcome["status"].as_str() {
            Some("completed") => Ok(operation.answered),
            _ => bail!("the operation failed: {}", outcome["resultInfo"]["message"].as_str().unwrap_or("no reason")),
        }
    }

    /// Waits for a notification that tells what is wished and returns what `read` found in it. Those before it are
    /// over and done with.
    async fn wait_for<T>(&mut self, what: &str, mut read: impl FnMut(News<'_>) -> Option<T>) -> anyhow::Result<T> {
        let found = async {
            while let Some(notification) = self.notifications.recv().await {
                if let Some(found) = notification.news().and_then(&mut read) {
                    return Some(found);
                }
            }
            None
        };
        let found = tokio::time::timeout(PATIENCE, found).await.ok().flatten();
        found.with_context(|| format!("no notification of {what} came within {} s", PATIENCE.as_secs()))
    }
}
