//! A web server for one test: it answers as told, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The server. It stops with the test's runtime.
pub(crate) struct Origin {
    address: SocketAddr,
    paths: Arc<Mutex<Vec<String>>>,
}

/// What was asked.
pub(crate) struct Request {
    /// How many came before.
    pub(crate) number: usize,
    head: String,
}

/// What is answered, and how the connection goes on.
pub(crate) struct Answer {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    Close,
    Silence,
    MoreForever,
}

impl Origin {
    pub(crate) async fn serve(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Self { address: listener.local_addr().unwrap(), paths: Arc::default() };
        let (paths, answer) = (Arc::clone(&origin.paths), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&paths), Arc::clone(&answer)));
            }
        });
        origin
    }

    /// An address at which nobody listens any more.
    pub(crate) async fn closed() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn uri(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The paths that were asked for, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.paths.lock().unwrap().clone()
    }

    pub(crate) fn hits(&self) -> usize {
        self.paths.lock().unwrap().len()
    }
}

impl Request {
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let is_it = |line: &&str| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name));
        self.head.lines().find(is_it)?.split_once(':').map(|(_, value)| value.trim())
    }
}

impl Answer {
    pub(crate) fn ok(body: &[u8]) -> Self {
        Self::ok_with("", body)
    }

    /// With more header lines, parted by CRLF.
    pub(crate) fn ok_with(headers: &str, body: &[u8]) -> Self {
        let line_end = if headers.is_empty() { "" } else { "\r\n" };
        let head = format!(
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n{headers}{line_end}\r\n",
            body.len()
        );
        Self { bytes: [head.as_bytes(), body].concat(), then: Then::Close }
    }

    pub(crate) fn status(status: &str) -> Self {
        Self::raw(&format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
    }

    pub(crate) fn redirect(status: &str, location: &str) -> Self {
        Self::raw(&format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ))
    }

    pub(crate) fn raw(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), then: Then::Close }
    }

    /// Says this much and then neither speaks nor hangs up.
    pub(crate) fn silent_after(text: &str) -> Self {
        Self { then: Then::Silence, ..Self::raw(text) }
    }

    /// Says this much and then sends zeros until the other side hangs up.
    pub(crate) fn endless(text: &str) -> Self {
        Self { then: Then::MoreForever, ..Self::raw(text) }
    }
}

async fn converse(
    mut stream: TcpStream,
    paths: Arc<Mutex<Vec<String>>>,
    answer: Arc<impl Fn(&Request) -> Answer + Send + Sync + 'static>,
) {
    let Some(head) = read_head(&mut stream).await else { return };
    let request = {
        let mut paths = paths.lock().unwrap();
        let request = Request { number: paths.len(), head };
        paths.push(request.path().to_owned());
        request
    };
    let Answer { bytes, then } = answer(&request);
    if stream.write_all(&bytes).await.is_err() {
        return;
    }
    match then {
        Then::Close => {}
        Then::Silence => drop(read_head(&mut stream).await),
        Then::MoreForever => while stream.write_all(&[0; 4096]).await.is_ok() {},
    }
}

/// Reads up to the empty line; `None` when the other side hangs up before.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}
