//! How many HTTP connections there are at a time. Each costs a file descriptor, of which phones need two for their sound.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Layer;

/// Has a place for each connection that may be open. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Semaphore>);

/// Is the place of one connection. It travels with the connection's service, and is free when that is gone.
type Place = Arc<OwnedSemaphorePermit>;

impl Places {
    pub(crate) fn new(count: usize) -> Places {
        Places(Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))))
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Places {
    type Stream = TcpStream;
    type Service = AddExtension<S, Place>;
    type Future = Ready<io::Result<(TcpStream, Self::Service)>>;

    /// Closes the connection if there is no place: a queue would hold the descriptors that are to be saved.
    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = Arc::clone(&self.0).try_acquire_owned();
        ready(match place {
            Ok(place) => Ok((stream, Extension(Arc::new(place)).layer(service))),
            Err(_) => {
                metrics::counter!("fermata_http_connections_refused_total").increment(1);
                Err(io::Error::other("too many connections"))
            }
        })
    }
}
