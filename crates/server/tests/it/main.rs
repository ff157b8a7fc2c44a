//! What only the whole shows: the arrows between the crates, the documents, and the program from outside.

mod arrows;
mod docs;
