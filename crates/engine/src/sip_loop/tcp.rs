//! SIP over TCP: connections that phones open and those that we open.

use edge::sip::{Flow, Transport};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How many connections there may be. More are closed at once.
const CONNECTIONS_MAX: usize = 10_000;

/// Messages that wait to be written to one connection. A peer that does not read them loses the connection.
const MESSAGES_WAITING_MAX: usize = 64;

/// Chunks that wait for the loop. A full queue makes the readers wait, and TCP with them.
const CHUNKS_WAITING_MAX: usize = 1024;

/// How long a connection may take to be made. A phone on the same network needs milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What comes in.
#[derive(Debug)]
pub(super) enum Chunk {
    Bytes {
        flow: Flow,
        bytes: Vec<u8>,
    },
    /// The connection has ended.
    Closed {
        flow: Flow,
    },
    /// The connection could not be made.
    Unreachable {
        flow: Flow,
    },
}

/// The connections, and the listener.
#[derive(Debug)]
pub(super) struct Connections {
    listener: TcpListener,
    local: SocketAddr,
    writers: HashMap<Flow, mpsc::Sender<Vec<u8>>>,
    chunks: mpsc::Sender<Chunk>,
}

impl Connections {
    pub(super) fn new(listener: TcpListener, local: SocketAddr) -> (Self, mpsc::Receiver<Chunk>) {
        let (chunks, receiver) = mpsc::channel(CHUNKS_WAITING_MAX);
        (Self { listener, local, writers: HashMap::new(), chunks }, receiver)
    }

    pub(super) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.listener.accept().await
    }

    /// Serves a connection that a phone has opened.
    pub(super) fn serve(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, remote)) if self.writers.len() < CONNECTIONS_MAX => {
                let (writer, messages) = mpsc::channel(MESSAGES_WAITING_MAX);
                let flow = self.flow(remote);
                self.writers.insert(flow, writer);
                tokio::spawn(run(stream, flow, self.chunks.clone(), messages));
            }
            Ok(_) => tracing::warn!(limit = CONNECTIONS_MAX, "a SIP connection is refused: there are too many"),
            Err(error) => tracing::warn!(%error, "a SIP connection could not be accepted"),
        }
    }

    /// Sends over a connection that is there; one that is gone has been reported.
    pub(super) fn send(&mut self, flow: Flow, bytes: Vec<u8>) {
        if let Some(writer) = self.writers.get(&flow)
            && writer.try_send(bytes).is_err()
        {
            // Dropping the writer ends the connection, and its end is reported.
            self.writers.remove(&flow);
        }
    }

    /// Sends to an address, over a connection that is made if there is none.
    pub(super) fn send_to(&mut self, remote: SocketAddr, bytes: Vec<u8>) {
        let flow = self.flow(remote);
        self.writers.entry(flow).or_insert_with(|| {
            let (writer, messages) = mpsc::channel(MESSAGES_WAITING_MAX);
            tokio::spawn(connect(remote, flow, self.chunks.clone(), messages));
            writer
        });
        self.send(flow, bytes);
    }

    pub(super) fn forget(&mut self, flow: Flow) {
        self.writers.remove(&flow);
    }

    fn flow(&self, remote: SocketAddr) -> Flow {
        Flow { transport: Transport::Tcp, local: self.local, remote }
    }
}

async fn connect(remote: SocketAddr, flow: Flow, chunks: mpsc::Sender<Chunk>, messages: mpsc::Receiver<Vec<u8>>) {
    match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(remote)).await {
        Ok(Ok(stream)) => run(stream, flow, chunks, messages).await,
        Ok(Err(_)) | Err(_) => drop(chunks.send(Chunk::Unreachable { flow }).await),
    }
}

/// Reads and writes one connection until either side ends it.
async fn run(stream: TcpStream, flow: Flow, chunks: mpsc::Sender<Chunk>, mut messages: mpsc::Receiver<Vec<u8>>) {
    let (mut reader, mut writer) = stream.into_split();
    let write = async move {
        while let Some(bytes) = messages.recv().await {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    let read = async {
        let mut buffer = vec![0; 8192];
        loop {
            match reader.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(length) => {
                    let bytes = buffer[..length].to_vec();
                    if chunks.send(Chunk::Bytes { flow, bytes }).await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
    // The loop that would listen ends only with the program.
    let _ = chunks.send(Chunk::Closed { flow }).await;
}
