//! Callbacks that do not work, each in its way.

use anyhow::Context;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A byte so often keeps a connection busy and never completes an answer.
const DRIP: Duration = Duration::from_millis(200);

/// An answer that is complete, and a refusal for now.
const FAILURE: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The beginning of an answer whose head never ends.
const BEGINNING: &[u8] = b"HTTP/1.1 200 OK\r\nX-Drip: ";

/// How a callback does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// Nobody listens.
    Refuses,
    /// It takes connections and says nothing.
    Silent,
    /// It answers 500.
    Fails,
    /// It answers a byte at a time, without end.
    Drips,
}

impl Death {
    pub(super) const ALL: [Death; 4] = [Death::Refuses, Death::Silent, Death::Fails, Death::Drips];
}

/// A callback that does not work. Dropping it closes its port.
#[derive(Debug)]
pub(super) struct DeadCallback {
    url: String,
    server: Option<JoinHandle<()>>,
}

impl DeadCallback {
    /// Opens it on a free port of loopback.
    ///
    /// # Errors
    ///
    /// What the system says when there is none.
    pub(super) fn open(death: Death) -> anyhow::Result<DeadCallback> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port")?;
        let url = format!("http://{}/notifications", listener.local_addr().context("a port has no address")?);
        if death == Death::Refuses {
            // The listener closes here.
            return Ok(DeadCallback { url, server: None });
        }
        listener.set_nonblocking(true).context("a port cannot be waited for")?;
        let listener = TcpListener::from_std(listener).context("a port cannot be waited for")?;
        Ok(DeadCallback { url, server: Some(tokio::spawn(serve(listener, death))) })
    }

    /// Where it is, or would be.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for DeadCallback {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn serve(listener: TcpListener, death: Death) {
    let mut connections = JoinSet::new();
    while let Ok((connection, _)) = listener.accept().await {
        connections.spawn(async move {
            // The server gives up, which is what is measured.
            let _ = answer(connection, death).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(mut connection: TcpStream, death: Death) -> std::io::Result<()> {
    match death {
        Death::Fails => {
            let _ = connection.read(&mut [0; 16_384]).await?;
            connection.write_all(FAILURE).await
        }
        Death::Drips => {
            connection.write_all(BEGINNING).await?;
            loop {
                tokio::time::sleep(DRIP).await;
                connection.write_all(b".").await?;
            }
        }
        Death::Refuses | Death::Silent => {
            // Read until the other side closes, so that nothing but silence is special about it.
            let mut unread = [0; 16_384];
            while connection.read(&mut unread).await? > 0 {}
            Ok(())
        }
    }
}
