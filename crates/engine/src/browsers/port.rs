//! The port that all browsers share, UDP and TCP, and the thread that reads it.

use super::connections::Connections;
use super::flows::{Flows, Source};
use crate::config::WebRtcConfig;
use crate::sip_loop::LegAddress;
use crate::worker::WorkerHandle;
use edge::dtls::Certificate;
use edge::webrtc::{Settings, Transport, is_check_accepted};
use mio::net::{TcpListener, UdpSocket};
use mio::{Events, Interest, Poll, Token, Waker};
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

/// The largest datagram that is read whole: an Ethernet frame's worth. DTLS and ICE stay below 1200 bytes (RFC 8831 §5).
const DATAGRAM_BYTES_MAX: usize = 1500;

/// Datagrams that are read before the orders of workers are looked at again. More delays what they have learnt, less costs
/// a look for every packet.
const DATAGRAMS_AT_ONCE_MAX: usize = 64;

const UDP: Token = Token(0);
const WAKER: Token = Token(1);
const LISTENER: Token = Token(2);
const FIRST_CONNECTION: usize = 3;

/// How often UDP and TCP are bound to a free port before giving up on finding one that is free for both.
const BIND_ATTEMPTS_MAX: usize = 20;

/// A datagram on its way to the worker that owns the leg.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) leg: LegAddress,
    pub(crate) transport: Transport,
    pub(crate) from: SocketAddr,
    pub(crate) datagram: Vec<u8>,
    pub(crate) time: Instant,
}

/// What a worker tells the port.
enum Order {
    Expect {
        fragment: String,
        leg: LegAddress,
    },
    Learn {
        source: Source,
        leg: LegAddress,
    },
    Forget {
        leg: LegAddress,
    },
    /// Over TCP: the connections are the port's.
    Send {
        destination: SocketAddr,
        datagram: Vec<u8>,
    },
    Stop,
}

/// The port before its thread runs.
pub(crate) struct Port {
    socket: Arc<UdpSocket>,
    orders: mpsc::Receiver<Order>,
    poll: Poll,
    flows: Flows,
    connections: Connections,
}

/// Where datagrams go that have come: to workers, each of which is woken once for many.
struct Inbox<'a> {
    workers: &'a [WorkerHandle],
    to_wake: Vec<bool>,
    time: Instant,
}

/// The port at work, and what browsers are told of it.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) port: PortHandle,
    pub(crate) settings: Settings,
}

/// The way to the port from other threads. Its queue is not bounded by a number: a leg gives an order when it begins, ends
/// or restarts, and when a check was good, which needs a datagram of the browser's each time.
#[derive(Clone, Debug)]
pub(crate) struct PortHandle {
    socket: Arc<UdpSocket>,
    orders: mpsc::Sender<Order>,
    waker: Arc<Waker>,
}

impl Port {
    /// Binds the port. Browsers know us by the certificate.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn bind(config: WebRtcConfig, certificate: Certificate) -> io::Result<(Self, Served)> {
        let (mut socket, mut listener) = bind_both(config.listen)?;
        let bound = socket.local_addr()?;
        let told = SocketAddr::new(config.address.unwrap_or(bound.ip()), bound.port());
        let settings = Settings::new(told, true, certificate);
        let poll = Poll::new()?;
        poll.registry().register(&mut socket, UDP, Interest::READABLE)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let (orders, orders_out) = mpsc::channel();
        let socket = Arc::new(socket);
        let port = PortHandle { socket: Arc::clone(&socket), orders, waker };
        let connections = Connections::new(listener, FIRST_CONNECTION);
        let listening = Self { socket, orders: orders_out, poll, flows: Flows::default(), connections };
        Ok((listening, Served { port, settings }))
    }

    /// Starts the thread. It ends with [`PortHandle::stop`].
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn start(self, workers: Arc<[WorkerHandle]>) -> io::Result<()> {
        thread::Builder::new().name("browsers".to_owned()).spawn(move || self.run(&workers))?;
        Ok(())
    }

    fn run(mut self, workers: &[WorkerHandle]) {
        crate::priority::raise();
        let mut events = Events::with_capacity(64);
        loop {
            match self.poll.poll(&mut events, None) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return tracing::error!(%error, "the port of browsers cannot wait for packets and ends"),
            }
            if self.serve(&events, workers).is_break() {
                return;
            }
        }
    }

    fn serve(&mut self, events: &Events, workers: &[WorkerHandle]) -> ControlFlow<()> {
        for event in events {
            self.take_orders()?;
            match event.token() {
                WAKER => {}
                UDP => self.serve_udp(workers)?,
                LISTENER => self.connections.accept(self.poll.registry(), &self.flows),
                connection => {
                    let mut inbox = Inbox::new(workers);
                    let flows = &self.flows;
                    self.connections.serve(connection, &mut |from, datagram| {
                        inbox.put(flows, (Transport::Tcp, from), datagram);
                    });
                    inbox.wake();
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The poll tells of datagrams once, so they are read until there are none.
    fn serve_udp(&mut self, workers: &[WorkerHandle]) -> ControlFlow<()> {
        while self.read(workers) {
            self.take_orders()?;
        }
        ControlFlow::Continue(())
    }

    fn take_orders(&mut self) -> ControlFlow<()> {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Expect { fragment, leg } => self.flows.expect(fragment, leg),
                Order::Learn { source, leg } => self.flows.learn(source, leg),
                Order::Forget { leg } => self.flows.forget(leg),
                Order::Send { destination, datagram } => self.connections.send(destination, &datagram),
                Order::Stop => return ControlFlow::Break(()),
            }
        }
        ControlFlow::Continue(())
    }

    /// Reads some datagrams and hands them on. Returns whether there may be more.
    fn read(&mut self, workers: &[WorkerHandle]) -> bool {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        let mut inbox = Inbox::new(workers);
        let mut is_more = true;
        for _ in 0..DATAGRAMS_AT_ONCE_MAX {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => inbox.put(&self.flows, (Transport::Udp, from), &buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    is_more = false;
                    break;
                }
                // What an earlier datagram of ours met on its way (ICMP) is told here, and is no matter.
                Err(_) => {}
            }
        }
        inbox.wake();
        is_more
    }
}

impl<'a> Inbox<'a> {
    fn new(workers: &'a [WorkerHandle]) -> Self {
        Self { workers, to_wake: vec![false; workers.len()], time: Instant::now() }
    }

    fn put(&mut self, flows: &Flows, source: Source, datagram: &[u8]) {
        let Some(leg) = flows.leg_of(source, datagram) else {
            metrics::counter!("fermata_browser_datagrams_unknown_total").increment(1);
            return;
        };
        let (transport, from) = source;
        self.to_wake[leg.worker] = true;
        let arrival = Arrival { leg, transport, from, datagram: datagram.to_vec(), time: self.time };
        self.workers[leg.worker].arrive(arrival);
    }

    fn wake(self) {
        let to_wake = self.workers.iter().zip(self.to_wake).filter(|(_, is_to_wake)| *is_to_wake);
        to_wake.for_each(|(worker, _)| worker.wake());
    }
}

impl PortHandle {
    /// A leg's browser was told this user fragment.
    pub(crate) fn expect(&self, fragment: String, leg: LegAddress) {
        self.order(Order::Expect { fragment, leg });
    }

    /// A leg has ended.
    pub(crate) fn forget(&self, leg: LegAddress) {
        self.order(Order::Forget { leg });
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.order(Order::Stop);
        self.wake();
    }

    /// Sends a datagram of a leg.
    pub(crate) fn send(&self, leg: LegAddress, transport: Transport, destination: SocketAddr, datagram: &[u8]) {
        if is_check_accepted(datagram) {
            self.order(Order::Learn { source: (transport, destination), leg });
        }
        match transport {
            Transport::Udp => {
                if let Err(error) = self.socket.send_to(datagram, destination) {
                    // A full buffer or an unreachable port loses one packet, as a network may.
                    metrics::counter!("fermata_rtp_unsent_total").increment(1);
                    tracing::trace!(kind = ?error.kind(), "a browser's datagram could not be sent");
                }
            }
            Transport::Tcp => {
                self.order(Order::Send { destination, datagram: datagram.to_vec() });
                self.wake();
            }
        }
    }

    /// What is ordered is looked at before the next datagram is, so that only what cannot wait for one needs [`Self::wake`].
    fn order(&self, order: Order) {
        // The thread has ended with the program.
        let _ = self.orders.send(order);
    }

    fn wake(&self) {
        if let Err(error) = self.waker.wake() {
            tracing::error!(%error, "the port of browsers cannot be woken");
        }
    }
}

/// Binds UDP and TCP to the same port.
fn bind_both(listen: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut attempts = 0;
    loop {
        let udp = UdpSocket::bind(listen)?;
        attempts += 1;
        match TcpListener::bind(udp.local_addr()?) {
            Ok(tcp) => return Ok((udp, tcp)),
            // A free port was asked for, and this one is free for UDP only.
            Err(error) if listen.port() == 0 && attempts < BIND_ATTEMPTS_MAX => {
                tracing::debug!(%error, "another port is tried for browsers");
            }
            Err(error) => return Err(error),
        }
    }
}
