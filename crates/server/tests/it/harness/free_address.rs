//! For programs that have to be told a port.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// Returns an address that was free a moment ago.
pub(super) fn free_address() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    socket.local_addr().expect("a socket has an address")
}
