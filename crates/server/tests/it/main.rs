//! What only the whole shows: the arrows between the crates, the documents, and the program from outside.

mod arrows;
mod baresip;
mod bench;
mod callbacks;
mod conflicts;
mod contract;
mod crash;
mod crash_rounds;
mod demo;
mod docs;
mod encryption;
mod harness;
mod hold;
mod hold_long;
mod hold_random;
mod hold_table;
mod log;
mod notifications;
mod outage;
mod phone_hold;
mod prompts;
mod readme;
mod registration;
mod sdk;
mod seed;
mod sipp;
