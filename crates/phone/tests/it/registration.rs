//! Phones and a registrar.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use edge::sip::{Config, Credentials, Endpoint, Event, Flow, Transport};
use phone::{Observation, Phone, Register};

use crate::{SOON, says};

/// A registrar with one user, on a thread, that tells of its events.
struct Registrar {
    address: SocketAddr,
    events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Registrar {
    fn start() -> Registrar {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let (sender, events) = channel();
        let thread = Some(std::thread::spawn(move || run(&socket, address, &sender)));
        Registrar { address, events, thread }
    }
}

impl Drop for Registrar {
    /// An empty datagram from the registrar's own host ends it.
    fn drop(&mut self) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.send_to(&[], self.address).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn run(socket: &UdpSocket, local: SocketAddr, events: &Sender<Event>) {
    let users = vec![Credentials { user: "alice".to_owned(), password: "fermata-dev".to_owned() }];
    let mut endpoint = Endpoint::new(Config { users, ..Config::new(local) }, [7; 32]);
    let mut datagram = [0; 65_535];
    loop {
        let (length, remote) = socket.recv_from(&mut datagram).unwrap();
        if length == 0 {
            return;
        }
        endpoint.receive(Flow { transport: Transport::Udp, local, remote }, &datagram[..length], Instant::now());
        while let Some(transmit) = endpoint.poll_transmit() {
            socket.send_to(&transmit.bytes, transmit.destination.remote()).unwrap();
        }
        while let Some(event) = endpoint.poll_event() {
            events.send(event).unwrap();
        }
    }
}

fn registering(server: SocketAddr, password: &str) -> Phone {
    let register = Register { server, user: "alice".to_owned(), password: password.to_owned() };
    Phone::start(phone::Config { register: Some(register), ..says("alice", 440) }).unwrap()
}

#[test]
fn a_phone_registers_and_leaves() {
    let registrar = Registrar::start();
    let alice = registering(registrar.address, "fermata-dev");
    alice.wait_until(SOON, Observation::is_registered).unwrap();
    let user = "alice".to_owned();
    assert_eq!(registrar.events.recv_timeout(SOON), Ok(Event::Registered { user: user.clone() }));
    drop(alice);
    assert_eq!(registrar.events.recv_timeout(SOON), Ok(Event::Unregistered { user }));
}

#[test]
fn a_wrong_password_does_not_register() {
    let registrar = Registrar::start();
    let alice = registering(registrar.address, "wrong");
    alice.wait_until(SOON, |phone| phone.registration.is_some()).unwrap();
    assert!(!alice.observe(Observation::is_registered));
    assert!(registrar.events.try_recv().is_err());
}
