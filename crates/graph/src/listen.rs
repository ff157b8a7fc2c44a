//! The listeners, and what every request passes on its way to the router.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::middleware::AddExtension;
use axum::{Extension, Router};
use axum_server::accept::Accept;
use axum_server::service::SendService;
use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Handle, Server};
use http::StatusCode;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::api::Api;
use crate::connections::Places;
use crate::public_url::Listener;
use crate::{linger, path, request, routes};

/// Largest head of a request, in bytes. A token of Entra's is 2 to 4 KiB; more would let strangers fill memory.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Requests at a time on one connection (HTTP/2). An SDK sends few; more would make one connection as good as many.
const STREAMS_MAX: u32 = 100;

/// How often a quiet HTTP/2 connection is asked whether somebody is there, and how long the answer may take. Less would
/// wake every client for nothing, more would keep the connections of the dead.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How long open requests may go on after the program was told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Says how long the parts of a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Until the head of a request is there, from the connection's start or the answer before. The connection is closed.
    pub head: Duration,
    /// Until the body is there, from when it is needed. The answer is 408.
    pub body: Duration,
    /// Until there is an answer, from when the head is there. The answer is 504, and the work may still be done.
    pub answer: Duration,
}

impl Default for Timeouts {
    /// 30 s, 20 s, 30 s. Less would cut off slow links, and the slowest step, a locked database, gives up after 5 s; more
    /// would let strangers who send drop by drop hold connections for nothing.
    fn default() -> Timeouts {
        let seconds = Duration::from_secs;
        Timeouts { head: seconds(30), body: seconds(20), answer: seconds(30) }
    }
}

/// Is a port that is ours, with nobody serving it yet.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Is a listener at work.
#[derive(Debug)]
pub(crate) struct Listening {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

impl Bound {
    /// Takes a port; port 0 takes a free one.
    pub(crate) fn new(address: SocketAddr) -> io::Result<Bound> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Bound { listener, address })
    }

    /// Returns the address that was taken.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves http.
    pub(crate) fn serve(self, api: &Api, places: Places) -> io::Result<Listening> {
        let server = axum_server::from_tcp(self.listener)?.acceptor(places);
        Ok(start(server, self.address, api, Listener::Http))
    }

    /// Serves https.
    pub(crate) fn serve_tls(self, api: &Api, places: Places, tls: Arc<ServerConfig>) -> io::Result<Listening> {
        let server = axum_server::from_tcp_rustls(self.listener, RustlsConfig::from_config(tls))?;
        Ok(start(server.map(|tls| tls.acceptor(places)), self.address, api, Listener::Https))
    }
}

type App = AddExtension<Router, ConnectInfo<SocketAddr>>;

fn start<A>(server: Server<SocketAddr, A>, address: SocketAddr, api: &Api, listener: Listener) -> Listening
where
    A: Accept<TcpStream, App, Future: Send> + Clone + Send + Sync + 'static,
    A::Stream: AsyncRead + AsyncWrite + Unpin + Send,
    A::Service: SendService<http::Request<Incoming>> + Send,
{
    let handle = Handle::new();
    let mut server = server.handle(handle.clone()).first_request_timeout(api.timeouts.head);
    server.http_builder().http1().header_read_timeout(api.timeouts.head).max_buf_size(HEAD_BYTES_MAX);
    server
        .http_builder()
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEAD_BYTES_MAX as u32)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL);
    let app = app(api, listener).into_make_service_with_connect_info::<SocketAddr>();
    Listening { address, handle, task: tokio::spawn(server.serve(app)) }
}

impl Listening {
    /// Returns the address that is listened on.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, lets open requests end, and waits for that.
    pub(crate) async fn close(self) {
        self.handle.graceful_shutdown(Some(SHUTDOWN_GRACE));
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(%error, "a listener did not end in order");
        }
    }
}

/// Puts the layers around the router. The path is settled outside of it, because a layer of a router comes after its
/// decision; the outer router only hands everything on.
fn app(api: &Api, listener: Listener) -> Router {
    let routes = routes::router(api.cloud)
        .with_state(api.clone())
        .layer(Extension(listener))
        .layer(RequestDecompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, api.timeouts.answer))
        .layer(CatchPanicLayer::new())
        .layer(axum::middleware::from_fn(request::identify));
    Router::new().fallback_service(
        MapRequestLayer::new(|request| linger::on_drop(path::normalise::<Body>(request))).layer(routes),
    )
}
