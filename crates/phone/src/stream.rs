//! One connection of a phone: TCP, or TLS over it.

use std::io::{self, Read, Write};
use std::time::Instant;

use edge::sip::{Endpoint, Flow};
use mio::net::TcpStream;
use rustls::ClientConnection;

/// The most bytes waiting for a connection that does not take them. Beyond, the connection is given up: a phone has a
/// few messages under way at a time, of about 1 KiB each.
const UNSENT_MAX_BYTES: usize = 256 * 1024;

/// A connection and what waits to be written to it.
pub(crate) struct Stream {
    pub(crate) flow: Flow,
    tcp: TcpStream,
    tls: Option<ClientConnection>,
    unsent: Vec<u8>,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream, flow: Flow, tls: Option<ClientConnection>) -> Stream {
        Stream { flow, tcp, tls, unsent: Vec::new() }
    }

    /// Takes bytes to be written.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unsent.extend(bytes);
    }

    /// Writes and reads what the connection takes and gives. The end of the stream is an error here.
    pub(crate) fn serve(&mut self, buffer: &mut [u8], endpoint: &mut Endpoint) -> io::Result<()> {
        match self.tls.take() {
            Some(mut tls) => {
                let served = self.serve_tls(&mut tls, buffer, endpoint);
                self.tls = Some(tls);
                served
            }
            None => {
                self.write()?;
                self.read(buffer, endpoint)
            }
        }
    }

    /// Writes until the system takes no more. A connection still being made takes nothing, and that is no error.
    fn write(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.tcp.write(&self.unsent) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => break,
                Err(error) => return Err(error),
            }
        }
        match self.unsent.len() <= UNSENT_MAX_BYTES {
            true => Ok(()),
            false => Err(io::ErrorKind::OutOfMemory.into()),
        }
    }

    fn read(&mut self, buffer: &mut [u8], endpoint: &mut Endpoint) -> io::Result<()> {
        loop {
            match self.tcp.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => endpoint.receive(self.flow, &buffer[..length], Instant::now()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn serve_tls(&mut self, tls: &mut ClientConnection, buffer: &mut [u8], endpoint: &mut Endpoint) -> io::Result<()> {
        // It keeps what cannot go out before the handshake is over.
        tls.writer().write_all(&self.unsent)?;
        self.unsent.clear();
        loop {
            self.flush(tls)?;
            match tls.read_tls(&mut self.tcp) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => self.decrypt(tls, buffer, endpoint)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_not_yet(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self, tls: &mut ClientConnection) -> io::Result<()> {
        while tls.wants_write() {
            match tls.write_tls(&mut self.tcp) {
                Ok(_) => {}
                Err(error) if is_not_yet(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn decrypt(&mut self, tls: &mut ClientConnection, buffer: &mut [u8], endpoint: &mut Endpoint) -> io::Result<()> {
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let mut unread_bytes = state.plaintext_bytes_to_read();
        while unread_bytes > 0 {
            let length = tls.reader().read(buffer)?;
            endpoint.receive(self.flow, &buffer[..length], Instant::now());
            unread_bytes -= length;
        }
        Ok(())
    }

    pub(crate) fn source(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }
}

/// Nothing there, or the connection is still being made: an event will tell.
fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected)
}
