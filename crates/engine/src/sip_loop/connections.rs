//! SIP over TCP and TLS: connections that phones open and those that we open.
//!
//! A connection is a task that reads and writes; the loop knows it by its [`Flow`]. With TLS the handshake comes first,
//! within the task: who is slow holds up nobody else. Whom we connect to must prove the name that was called
//! (RFC 5922 §4); whoever connects to us proves itself by its password.

use crate::config::SipTls;
use edge::sip::{Flow, Transport};
use rustls::pki_types::ServerName;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How many connections there may be. More are closed at once.
const CONNECTIONS_MAX: usize = 10_000;

/// How many of them one address may have. An office's phones behind one address need one each; more lets one host take
/// the places of all.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 500;

/// Messages that wait to be written to one connection. A peer that does not read them loses the connection.
const MESSAGES_WAITING_MAX: usize = 64;

/// Chunks that wait for the loop. A full queue makes the readers wait, and TCP with them.
const CHUNKS_WAITING_MAX: usize = 1024;

/// How long a connection may take to be made, and TLS on it once more. A phone on the same network needs milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the handshake of whoever connects may take. Less shuts out phones on bad networks, more keeps places for
/// those who connect and say nothing.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long whoever connects may wait with its first bytes. A phone registers at once.
const FIRST_BYTES_TIMEOUT: Duration = Duration::from_secs(30);

/// How many names of peers are remembered. They come from calls that the dial rule allows.
const NAMES_MAX: usize = 10_000;

/// What comes in.
#[derive(Debug)]
pub(super) enum Chunk {
    Bytes {
        flow: Flow,
        bytes: Vec<u8>,
    },
    /// The connection has ended.
    Closed(Ended),
    /// The connection could not be made.
    Unreachable(Ended),
}

/// A connection that is no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) flow: Flow,
    /// Another connection may have its flow by now.
    number: u64,
}

/// The connections, and the listeners.
pub(super) struct Connections {
    tcp: Listener,
    tls: Option<Tls>,
    writers: HashMap<Flow, Writer>,
    opened: u64,
    by_address: HashMap<IpAddr, usize>,
    /// Who must be at the other end of a connection of ours.
    names: HashMap<SocketAddr, ServerName<'static>>,
    chunks: mpsc::Sender<Chunk>,
}

/// The way to a connection.
struct Writer {
    number: u64,
    messages: mpsc::Sender<Vec<u8>>,
    /// Whether we have opened it.
    is_ours: bool,
}

struct Listener {
    listener: TcpListener,
    local: SocketAddr,
}

struct Tls {
    listener: Listener,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

/// Both ends of a connection's queues, as its task has them.
struct Ends {
    name: Ended,
    chunks: mpsc::Sender<Chunk>,
    messages: mpsc::Receiver<Vec<u8>>,
}

/// A connection that somebody has opened.
pub(super) type Accepted = (Transport, io::Result<(TcpStream, SocketAddr)>);

impl Connections {
    /// Listens for TLS, if it is configured; for TCP the listener is there.
    pub(super) async fn new(tcp: TcpListener, tls: Option<&SipTls>) -> io::Result<(Self, mpsc::Receiver<Chunk>)> {
        let (chunks, receiver) = mpsc::channel(CHUNKS_WAITING_MAX);
        let tls = match tls {
            Some(tls) => Some(Tls {
                listener: Listener::new(TcpListener::bind(tls.listen).await?)?,
                acceptor: tls.server.clone().into(),
                connector: tls.client.clone().into(),
            }),
            None => None,
        };
        let (writers, by_address, names) = Default::default();
        Ok((Self { tcp: Listener::new(tcp)?, tls, writers, opened: 0, by_address, names, chunks }, receiver))
    }

    /// Where TLS is spoken.
    pub(super) fn tls_address(&self) -> Option<SocketAddr> {
        self.tls.as_ref().map(|tls| tls.listener.local)
    }

    pub(super) async fn accept(&self) -> Accepted {
        let tls = async {
            match &self.tls {
                Some(tls) => tls.listener.listener.accept().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.tcp.listener.accept() => (Transport::Tcp, accepted),
            accepted = tls => (Transport::Tls, accepted),
        }
    }

    /// Serves a connection that a phone has opened.
    pub(super) fn serve(&mut self, (transport, accepted): Accepted) {
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => return tracing::warn!(%error, "a SIP connection could not be accepted"),
        };
        let of_address = self.by_address.get(&remote.ip()).copied().unwrap_or(0);
        if self.writers.len() >= CONNECTIONS_MAX || of_address >= CONNECTIONS_PER_ADDRESS_MAX {
            metrics::counter!("fermata_sip_connections_refused_total").increment(1);
            return;
        }
        let Some(ends) = self.open(transport, remote, false) else { return };
        let acceptor = self.tls.as_ref().filter(|_| transport.is_secure()).map(|tls| tls.acceptor.clone());
        tokio::spawn(async move {
            match acceptor {
                Some(acceptor) => match timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => run(stream, ends, FIRST_BYTES_TIMEOUT).await,
                    Ok(Err(_)) | Err(_) => ends.handshake_failed().await,
                },
                None => run(stream, ends, FIRST_BYTES_TIMEOUT).await,
            }
        });
    }

    /// Sends over a connection that is there; one that is gone has been reported.
    pub(super) fn send(&mut self, flow: Flow, bytes: Vec<u8>) {
        if let Some(writer) = self.writers.get(&flow)
            && writer.messages.try_send(bytes).is_err()
        {
            // Dropping the writer ends the connection, and its end is reported.
            self.forget(flow);
        }
    }

    /// Sends to an address, over a connection that is made if there is none. With TLS one that somebody else has opened
    /// does not do: nobody there has proved a name (RFC 5923 §8).
    pub(super) fn send_to(&mut self, transport: Transport, remote: SocketAddr, bytes: Vec<u8>) {
        let Some(flow) = self.flow(transport, remote) else { return };
        let known = self.writers.get(&flow);
        if let Some(foreign) = known.filter(|known| transport.is_secure() && !known.is_ours) {
            // A full queue leaves it to the timers of the request.
            let _ = self.chunks.try_send(Chunk::Unreachable(Ended { flow, number: foreign.number }));
            return;
        }
        if known.is_none()
            && let Some(ends) = self.open(transport, remote, true)
        {
            let tls = self.tls.as_ref().filter(|_| transport.is_secure()).map(|tls| tls.connector.clone());
            let name = self.names.get(&remote).cloned().unwrap_or(ServerName::IpAddress(remote.ip().into()));
            tokio::spawn(connect(tls, name, ends));
        }
        self.send(flow, bytes);
    }

    /// Says who must be at an address when we connect to it. A connection to somebody else there is ended: what is for
    /// one name must not go to another one (RFC 5923 §8).
    pub(super) fn expect_name(&mut self, remote: SocketAddr, name: ServerName<'static>) {
        if self.names.len() >= NAMES_MAX {
            self.names.clear();
        }
        let before = self.names.insert(remote, name.clone());
        if before.is_some_and(|before| before != name)
            && let Some(flow) = self.flow(Transport::Tls, remote)
        {
            self.forget(flow);
        }
    }

    /// Takes in that a connection has ended. Returns false if another one has its flow by now.
    pub(super) fn ended(&mut self, ended: Ended) -> bool {
        let is_last = self.writers.get(&ended.flow).is_none_or(|writer| writer.number == ended.number);
        if is_last {
            self.forget(ended.flow);
        }
        is_last
    }

    pub(super) fn forget(&mut self, flow: Flow) {
        if self.writers.remove(&flow).is_none() {
            return;
        }
        if let Some(count) = self.by_address.get_mut(&flow.remote.ip()) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&flow.remote.ip());
            }
        }
    }

    fn open(&mut self, transport: Transport, remote: SocketAddr, is_ours: bool) -> Option<Ends> {
        let flow = self.flow(transport, remote)?;
        let (sender, messages) = mpsc::channel(MESSAGES_WAITING_MAX);
        self.opened += 1;
        let number = self.opened;
        if self.writers.insert(flow, Writer { number, messages: sender, is_ours }).is_none() {
            *self.by_address.entry(remote.ip()).or_default() += 1;
        }
        Some(Ends { name: Ended { flow, number }, chunks: self.chunks.clone(), messages })
    }

    fn flow(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let local = match transport {
            Transport::Tls => self.tls.as_ref()?.listener.local,
            Transport::Udp | Transport::Tcp => self.tcp.local,
        };
        Some(Flow { transport, local, remote })
    }
}

impl Listener {
    fn new(listener: TcpListener) -> io::Result<Self> {
        let local = listener.local_addr()?;
        Ok(Self { listener, local })
    }
}

impl Ends {
    async fn handshake_failed(self) {
        metrics::counter!("fermata_sip_handshakes_failed_total").increment(1);
        // The loop that would listen ends only with the program.
        let _ = self.chunks.send(Chunk::Closed(self.name)).await;
    }

    async fn unreachable(self) {
        let _ = self.chunks.send(Chunk::Unreachable(self.name)).await;
    }
}

async fn connect(tls: Option<TlsConnector>, name: ServerName<'static>, ends: Ends) {
    match timeout(CONNECT_TIMEOUT, TcpStream::connect(ends.name.flow.remote)).await {
        Ok(Ok(stream)) => match tls {
            Some(tls) => connect_tls(&tls, name, stream, ends).await,
            None => run(stream, ends, Duration::MAX).await,
        },
        Ok(Err(_)) | Err(_) => ends.unreachable().await,
    }
}

async fn connect_tls(tls: &TlsConnector, name: ServerName<'static>, stream: TcpStream, ends: Ends) {
    let remote = ends.name.flow.remote;
    match timeout(CONNECT_TIMEOUT, tls.connect(name, stream)).await {
        Ok(Ok(stream)) => run(stream, ends, Duration::MAX).await,
        Ok(Err(error)) => {
            // A name that does not fit, an authority that is not known: only the operator can do something about it.
            tracing::warn!(%remote, %error, "a SIP peer could not prove by TLS who it is");
            ends.unreachable().await;
        }
        Err(_) => ends.unreachable().await,
    }
}

/// Reads and writes one connection until either side ends it, or nothing has come for `first_bytes` since it was made.
async fn run(stream: impl AsyncRead + AsyncWrite, ends: Ends, first_bytes: Duration) {
    let Ends { name, chunks, mut messages } = ends;
    let flow = name.flow;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let write = async move {
        while let Some(bytes) = messages.recv().await {
            if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
    };
    let read = async {
        let mut buffer = vec![0; 8192];
        let mut patience = first_bytes;
        while let Ok(Ok(length @ 1..)) = timeout(patience, reader.read(&mut buffer)).await {
            let bytes = buffer[..length].to_vec();
            if chunks.send(Chunk::Bytes { flow, bytes }).await.is_err() {
                return;
            }
            patience = Duration::MAX;
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
    // The loop that would listen ends only with the program.
    let _ = chunks.send(Chunk::Closed(name)).await;
}
