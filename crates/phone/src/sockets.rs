//! The phone's SIP sockets: one UDP socket, or a TCP listener and its connections.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use edge::sip::{Destination, Endpoint, Flow, Transmit, Transport};
use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::{Interest, Registry, Token};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection};

use crate::stream::Stream;

/// The token of the UDP socket or the listener. Connections have the tokens from [`FIRST_STREAM`] on.
pub(crate) const SIP: Token = Token(0);

/// The first token of a connection; the ones between belong to the agent.
pub(crate) const FIRST_STREAM: usize = 16;

/// The longest datagram there is.
const DATAGRAM_MAX_BYTES: usize = 65_535;

/// The phone's SIP sockets.
pub(crate) struct SipSockets {
    socket: Socket,
    local: SocketAddr,
    streams: HashMap<Token, Stream>,
    next_token: usize,
    registry: Registry,
    buffer: Vec<u8>,
}

enum Socket {
    Udp(UdpSocket),
    Tcp(TcpListener),
    /// The phone connects and nobody connects to it: the listener only keeps a port for its address.
    Tls {
        _listener: TcpListener,
        client: Arc<ClientConfig>,
    },
}

impl SipSockets {
    /// Opens the sockets on a free port.
    pub(crate) fn open(
        transport: Transport,
        listen: IpAddr,
        tls: Option<Arc<ClientConfig>>,
        registry: Registry,
    ) -> io::Result<SipSockets> {
        let any_port = SocketAddr::new(listen, 0);
        let (socket, local) = match transport {
            Transport::Udp => {
                let mut socket = UdpSocket::bind(any_port)?;
                registry.register(&mut socket, SIP, Interest::READABLE)?;
                let local = socket.local_addr()?;
                (Socket::Udp(socket), local)
            }
            Transport::Tcp => {
                let mut listener = TcpListener::bind(any_port)?;
                registry.register(&mut listener, SIP, Interest::READABLE)?;
                let local = listener.local_addr()?;
                (Socket::Tcp(listener), local)
            }
            Transport::Tls => {
                let client = tls.ok_or(io::ErrorKind::InvalidInput)?;
                let listener = TcpListener::bind(any_port)?;
                let local = listener.local_addr()?;
                (Socket::Tls { _listener: listener, client }, local)
            }
        };
        let (streams, buffer) = (HashMap::new(), vec![0; DATAGRAM_MAX_BYTES]);
        Ok(SipSockets { socket, local, streams, next_token: FIRST_STREAM, registry, buffer })
    }

    /// Returns the address the phone is reached at.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Does what a socket is ready for, and feeds the endpoint.
    pub(crate) fn ready(&mut self, token: Token, endpoint: &mut Endpoint) {
        if token != SIP {
            return self.serve_stream(token, endpoint);
        }
        match &self.socket {
            Socket::Udp(socket) => receive_datagrams(socket, self.local, &mut self.buffer, endpoint),
            Socket::Tcp(_) => self.accept_streams(),
            Socket::Tls { .. } => {}
        }
    }

    /// Sends one message. What cannot be sent is lost, as on a network; over TCP the endpoint is told.
    pub(crate) fn send(&mut self, transmit: &Transmit, endpoint: &mut Endpoint) {
        match (&self.socket, transmit.destination.transport()) {
            (Socket::Udp(socket), Transport::Udp) => {
                if socket.send_to(&transmit.bytes, transmit.destination.remote()).is_err() {
                    endpoint.unreachable(transmit.destination, Instant::now());
                }
            }
            (Socket::Tcp(_), Transport::Tcp) | (Socket::Tls { .. }, Transport::Tls) => {
                self.send_on_stream(transmit, endpoint);
            }
            (Socket::Udp(_) | Socket::Tcp(_) | Socket::Tls { .. }, _) => {
                // The peer asked for a transport this phone does not have.
                endpoint.unreachable(transmit.destination, Instant::now());
            }
        }
    }

    /// Closes a connection.
    pub(crate) fn close(&mut self, flow: Flow) {
        self.streams.retain(|_, stream| stream.flow != flow);
    }

    fn send_on_stream(&mut self, transmit: &Transmit, endpoint: &mut Endpoint) {
        match self.stream_to(transmit.destination) {
            Ok(token) => {
                if let Some(stream) = self.streams.get_mut(&token) {
                    stream.push(&transmit.bytes);
                }
                self.serve_stream(token, endpoint);
            }
            Err(_) => endpoint.unreachable(transmit.destination, Instant::now()),
        }
    }

    /// Finds the connection to a destination, or opens one if it is an address.
    fn stream_to(&mut self, destination: Destination) -> io::Result<Token> {
        let known = self.streams.iter().find(|(_, stream)| match destination {
            Destination::Flow(flow) => stream.flow == flow,
            Destination::Address { remote, .. } => stream.flow.remote == remote,
        });
        match (known, destination) {
            (Some((token, _)), _) => Ok(*token),
            (None, Destination::Flow(_)) => Err(io::ErrorKind::NotConnected.into()),
            (None, Destination::Address { remote, .. }) => self.add(TcpStream::connect(remote)?, remote),
        }
    }

    fn accept_streams(&mut self) {
        while let Socket::Tcp(listener) = &self.socket {
            // A failed accept leaves nothing behind, and the next event tells of the next connection.
            let Ok((stream, remote)) = listener.accept() else { return };
            let _ = self.add(stream, remote);
        }
    }

    fn add(&mut self, tcp: TcpStream, remote: SocketAddr) -> io::Result<Token> {
        let token = Token(self.next_token);
        self.next_token += 1;
        let (transport, tls) = match &self.socket {
            Socket::Tls { client, .. } => (Transport::Tls, Some(connect(client, remote)?)),
            Socket::Udp(_) | Socket::Tcp(_) => (Transport::Tcp, None),
        };
        let mut stream = Stream::new(tcp, Flow { transport, local: self.local, remote }, tls);
        self.registry.register(stream.source(), token, Interest::READABLE | Interest::WRITABLE)?;
        self.streams.insert(token, stream);
        Ok(token)
    }

    /// Writes and reads what a connection takes and gives, and takes leave of it when it has ended.
    fn serve_stream(&mut self, token: Token, endpoint: &mut Endpoint) {
        let Some(stream) = self.streams.get_mut(&token) else { return };
        let outcome = stream.serve(&mut self.buffer, endpoint);
        if outcome.is_ok() {
            return;
        }
        let (flow, now) = (stream.flow, Instant::now());
        self.streams.remove(&token);
        endpoint.closed(flow, now);
        // What was on its way to the address, rather than on this connection, is lost with it.
        endpoint.unreachable(Destination::Address { transport: flow.transport, remote: flow.remote }, now);
    }
}

/// Whoever is at the address must prove it.
fn connect(client: &Arc<ClientConfig>, remote: SocketAddr) -> io::Result<ClientConnection> {
    let name = ServerName::IpAddress(remote.ip().into());
    ClientConnection::new(Arc::clone(client), name).map_err(io::Error::other)
}

fn receive_datagrams(socket: &UdpSocket, local: SocketAddr, buffer: &mut [u8], endpoint: &mut Endpoint) {
    // An error is the end of what is there, or an ICMP answer to an earlier datagram: the transaction's timers know.
    while let Ok((length, remote)) = socket.recv_from(buffer) {
        let flow = Flow { transport: Transport::Udp, local, remote };
        endpoint.receive(flow, &buffer[..length], Instant::now());
    }
}
