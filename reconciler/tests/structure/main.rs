//! How the crate is laid out: what no compiler tells.

mod derives;
mod imports;
mod sources;
mod words;
