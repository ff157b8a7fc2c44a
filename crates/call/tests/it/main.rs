//! The rules, told as stories and tried by a simulation.

mod hold_music;
mod invite;
mod layers;
mod lifecycle;
mod mute;
mod simulation;
mod story;
