//! Methods of Graph's `participant`, one file each.

mod count;
mod delete;
mod get;
mod invite;
mod list;
mod mute;
mod start_hold_music;
mod stop_hold_music;

pub(crate) use count::count;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use invite::invite;
pub(crate) use list::list;
pub(crate) use mute::mute;
pub(crate) use start_hold_music::{StartHoldMusic, start_hold_music};
pub(crate) use stop_hold_music::stop_hold_music;
