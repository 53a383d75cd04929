//! How the crate is laid out: what no compiler tells.

mod derives;
mod imports;
mod peers;
mod sources;
mod words;
