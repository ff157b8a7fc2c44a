//! Methods of Graph's `call`, one file each.

mod answer;
mod count;
mod create;
mod delete;
mod get;
mod keep_alive;
mod list;
mod mute;
mod recent;
mod redirect;
mod reject;
mod send_dtmf_tones;
mod subscribe_to_tone;
mod transfer;
mod unmute;

pub(crate) use answer::answer;
pub(crate) use count::count;
pub(crate) use create::create;
pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use keep_alive::keep_alive;
pub(crate) use list::list;
pub(crate) use mute::mute;
pub(crate) use recent::RecentCalls;
pub(crate) use redirect::redirect;
pub(crate) use reject::reject;
pub(crate) use send_dtmf_tones::send_dtmf_tones;
pub(crate) use subscribe_to_tone::subscribe_to_tone;
pub(crate) use transfer::transfer;
pub(crate) use unmute::unmute;
