//! Browsers: whom they ring for, and the one port over which all of them are heard.
//!
//! ```text
//!  a page ──open──► Bells ◄──ring, stop── worker            requests of pages: open, answer, change, leave
//!  a page ──answer, with an offer──► Engine ──► worker      (`requests.rs`)
//!
//!  datagrams ──► Port (one socket, its own thread) ──► the worker that owns the browser's conversation
//!  datagrams ◄───────────── sent by that worker, over the same socket
//! ```
//!
//! A conversation has one owner, so the session of a browser belongs to the worker of its conversation, whoever reads the
//! socket. One port for all of them is what firewalls can be opened for; a port for each worker would be without the hop
//! from thread to thread, but then the number of ports would follow from the number of cores.

mod bells;
mod connections;
mod flows;
mod port;
mod requests;

pub(crate) use bells::{Bells, Call};
pub use bells::{BrowserEvent, OpenBrowser, RingEnd, TooManyBrowsers};
pub(crate) use port::{Arrival, Port, PortHandle, Served};
pub use requests::BrowserError;
