//! The program from outside: the real binary, a bot that speaks HTTP, files to be played, and phones that measure.
//!
//! Tests are plain threads, as phones are. What speaks HTTP runs beside them, on one runtime for all.

mod baresip;
mod belief;
mod bot;
mod browser;
mod callback;
mod conversation;
mod ears;
mod encrypted;
mod files;
mod free_address;
mod hold_key;
mod http;
mod interop;
mod kamailio;
mod linphone;
mod name_server;
mod program;
mod server;
mod sipp;
mod stage;
mod trio;
mod wav;
mod wire;

pub(crate) use baresip::{Baresip, BaresipCodec, BaresipTransport};
pub(crate) use belief::Belief;
pub(crate) use bot::{Answer, BOT_NUMBER, Bot, TENANT};
pub(crate) use browser::Browser;
pub(crate) use callback::Notice;
pub(crate) use conversation::{Conversation, Operation, answer_body, phone_target, user_target};
pub(crate) use ears::{
    ALICE_HZ, BOB_HZ, CAROL_HZ, MUSIC_HZ, Network, SETTLING, SPOKEN_DBFS, assert_hears, assert_hears_again,
    assert_hears_again_over, assert_hears_over, go_first, listen, speaking, speaking_at, wait_until_heard,
};
pub(crate) use encrypted::{encrypted, encrypted_by};
pub(crate) use files::Files;
pub(crate) use hold_key::{HELD, HoldKey, TOGETHER, check_every_order};
pub(crate) use http::{block_on, serve};
pub(crate) use interop::{in_console, npm, python, run};
pub(crate) use kamailio::{Kamailio, ProxyAddress};
pub(crate) use linphone::{Linphone, LinphoneCodec};
pub(crate) use name_server::NameServer;
pub(crate) use server::Server;
pub(crate) use sipp::Sipp;
pub(crate) use stage::{Stage, stage};
pub(crate) use trio::Trio;
pub(crate) use wav::{Wav, tone_wav};
pub(crate) use wire::{Disorder, FAR, NEAR, Wire, wire_settings};

use std::time::Duration;

/// How long a test waits for what must happen. A test that passes never waits for all of it; a busy machine needs it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
