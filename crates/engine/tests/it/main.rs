//! The engine from outside: one file per subject.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod openssl;
mod origin;
mod outgoing;
mod prompts;
