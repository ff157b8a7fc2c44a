//! The listeners, and what every request passes on its way to the router.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::{Extension, Router};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use http::StatusCode;
use rustls::ServerConfig;
use tokio::task::JoinHandle;
use tower::Layer;
use tower::util::MapRequestLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::TimeoutLayer;

use crate::api::Api;
use crate::public_url::Listener;
use crate::{linger, path, request, routes};

/// How long one request may take. The slowest step, a locked database, gives up after 5 s; more would only keep clients
/// that send their body drop by drop.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a new connection may take to send its first request. Less would cut off slow links, more would let strangers
/// hold connections for nothing.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How long open requests may go on after the program was told to stop.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

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
    pub(crate) fn serve(self, api: &Api) -> io::Result<Listening> {
        let handle = Handle::new();
        let server =
            axum_server::from_tcp(self.listener)?.handle(handle.clone()).first_request_timeout(FIRST_REQUEST_TIMEOUT);
        let app = app(api, Listener::Http).into_make_service();
        Ok(Listening { address: self.address, handle, task: tokio::spawn(server.serve(app)) })
    }

    /// Serves https.
    pub(crate) fn serve_tls(self, api: &Api, tls: Arc<ServerConfig>) -> io::Result<Listening> {
        let handle = Handle::new();
        let server = axum_server::from_tcp_rustls(self.listener, RustlsConfig::from_config(tls))?
            .handle(handle.clone())
            .first_request_timeout(FIRST_REQUEST_TIMEOUT);
        let app = app(api, Listener::Https).into_make_service();
        Ok(Listening { address: self.address, handle, task: tokio::spawn(server.serve(app)) })
    }
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
    let api = routes::router(api.cloud)
        .with_state(api.clone())
        .layer(Extension(listener))
        .layer(RequestDecompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(CatchPanicLayer::new())
        .layer(axum::middleware::from_fn(request::identify));
    Router::new()
        .fallback_service(MapRequestLayer::new(|request| linger::on_drop(path::normalise::<Body>(request))).layer(api))
}
