//! Methods of Graph's `commsOperation`.

mod get;

pub(crate) use get::get;
