//! The runtime on which HTTP is spoken, and how a server of the tests is started on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime can be started"));

/// Waits for a future on a test's own thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

/// Serves on a free port of the loopback until the tests are over.
pub(crate) fn serve(router: Router) -> SocketAddr {
    let listener = block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("there is a free port");
    let address = listener.local_addr().expect("a listener has an address");
    RUNTIME.spawn(async move { axum::serve(listener, router).await });
    address
}
