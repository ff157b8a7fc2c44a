//! TCP connections of browsers whose network lets no UDP through (RFC 6544): the browser connects, and each datagram has its
//! length before it (RFC 4571).
//!
//! Anybody can connect, so a connection proves itself by a connectivity check within [`PROOF_TIMEOUT`]; places are taken
//! from those that have not.

use super::flows::Flows;
use edge::webrtc::Transport;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Connections at a time. Each costs a file descriptor; browsers without UDP are a few in a hundred.
const CONNECTIONS_MAX: usize = 512;

/// How long a connection may take to prove itself. A browser checks at once and again within a second.
const PROOF_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest datagram that is taken, in bytes: as over UDP. Who announces a longer one is no browser.
const DATAGRAM_BYTES_MAX: usize = 1500;

/// What may wait to be sent on one connection, in bytes: a second of sound. More would be heard late, so it is dropped.
const OUTGOING_BYTES_MAX: usize = 16 * 1024;

/// The length before each datagram, in bytes (RFC 4571 §2).
const LENGTH_BYTES: usize = 2;

/// Every connection.
#[derive(Debug)]
pub(super) struct Connections {
    listener: TcpListener,
    open: HashMap<Token, Connection>,
    next_token: usize,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    source: SocketAddr,
    since: Instant,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Connections {
    /// The tokens from `first_token` on are its own.
    pub(super) fn new(listener: TcpListener, first_token: usize) -> Self {
        Self { listener, open: HashMap::new(), next_token: first_token }
    }

    /// Takes everybody in who has connected. When there is no room, those go who have not proved themselves in time; if that
    /// is not enough, the new one does.
    pub(super) fn accept(&mut self, registry: &Registry, flows: &Flows) {
        while let Ok((mut stream, source)) = self.listener.accept() {
            let since = Instant::now();
            if self.open.len() >= CONNECTIONS_MAX {
                self.open
                    .retain(|_, known| known.is_young(since) || flows.leg_at((Transport::Tcp, known.source)).is_some());
            }
            let token = Token(self.next_token);
            let registered = registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE);
            if self.open.len() < CONNECTIONS_MAX && registered.is_ok() {
                self.next_token += 1;
                let (incoming, outgoing) = (Vec::new(), Vec::new());
                self.open.insert(token, Connection { stream, source, since, incoming, outgoing });
            }
        }
    }

    /// A connection can be read or written. Gives `each` the datagrams that have come.
    pub(super) fn serve(&mut self, token: Token, each: &mut impl FnMut(SocketAddr, &[u8])) {
        let Some(connection) = self.open.get_mut(&token) else { return };
        if connection.write().and_then(|()| connection.read(each)).is_err() {
            self.open.remove(&token);
        }
    }

    /// Sends a datagram on the connection of this peer, if there still is one and it keeps up.
    pub(super) fn send(&mut self, destination: SocketAddr, datagram: &[u8]) {
        let found = self.open.iter_mut().find(|(_, connection)| connection.source == destination);
        let Some((token, connection)) = found else { return };
        if connection.send(datagram).is_err() {
            let token = *token;
            self.open.remove(&token);
        }
    }
}

impl Connection {
    fn is_young(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) < PROOF_TIMEOUT
    }

    /// Reads until there is nothing more. An end of the connection is an error, too.
    fn read(&mut self, each: &mut impl FnMut(SocketAddr, &[u8])) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.incoming.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            self.take_datagrams(each)?;
        }
    }

    fn take_datagrams(&mut self, each: &mut impl FnMut(SocketAddr, &[u8])) -> io::Result<()> {
        let mut rest = &self.incoming[..];
        while let Some((length, after)) = rest.split_first_chunk::<LENGTH_BYTES>() {
            let length = usize::from(u16::from_be_bytes(*length));
            if length > DATAGRAM_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let Some((datagram, after)) = after.split_at_checked(length) else { break };
            each(self.source, datagram);
            rest = after;
        }
        let taken = self.incoming.len() - rest.len();
        self.incoming.drain(..taken);
        Ok(())
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let Ok(length) = u16::try_from(datagram.len()) else { return Ok(()) };
        if self.outgoing.len() + LENGTH_BYTES + datagram.len() > OUTGOING_BYTES_MAX {
            metrics::counter!("fermata_rtp_unsent_total").increment(1);
            return Ok(());
        }
        self.outgoing.extend_from_slice(&length.to_be_bytes());
        self.outgoing.extend_from_slice(datagram);
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(length) => drop(self.outgoing.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
