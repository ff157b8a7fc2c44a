//! What people at the console do: look at every application's calls, and steer them.
//!
//! Below `/fermata/v1`, ours and not Graph's. Whoever looks needs the role `Console.Read`, whoever steers
//! `Console.Operate`. What is seen is asked of the conversations' owners (`engine/src/watch.rs`); nothing here is stored.

mod calls;
mod events;
mod heard;
mod operator;
mod prompts;
mod steer;
mod timeline;
mod watcher;

pub(crate) use calls::{get, list};
pub(crate) use events::{STREAMS_MAX, events};
pub(crate) use heard::{heard, heard_wav};
pub(crate) use prompts::{preflight, prompts};
pub(crate) use steer::{hang_up, mute, remove, start_hold_music, stop_hold_music, unmute};
pub(crate) use timeline::timeline;
pub(crate) use watcher::{Watcher, WatcherTask};
