//! Methods of Graph's `call`, one file each.

mod count;
mod create;
mod delete;
mod get;
mod keep_alive;
mod list;
mod mute;
mod recent;
mod unmute;

pub(crate) use count::count;
pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use keep_alive::keep_alive;
pub(crate) use list::list;
pub(crate) use mute::mute;
pub(crate) use recent::RecentCalls;
pub(crate) use unmute::unmute;
