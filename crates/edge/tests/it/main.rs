//! The tests of `edge`, one file per subject.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod dtls;
mod dtls_association;
mod dtls_sdp;
mod fuzz_seeds;
mod guard;
mod hold_table;
mod latch;
mod sdes;
mod sdp;
mod sdp_negotiation;
mod sip_call;
mod sip_challenge;
mod sip_early_offer;
mod sip_expiry;
mod sip_incoming;
mod sip_message;
mod sip_offers;
mod sip_pair;
mod sip_prack;
mod sip_probe;
mod sip_refer;
mod sip_register;
mod sip_reinvite;
mod sip_reliable;
mod sip_requests;
mod sip_solo;
mod sip_targets;
mod srtp;
mod torture_4475;
mod torture_5118;
mod webrtc;
