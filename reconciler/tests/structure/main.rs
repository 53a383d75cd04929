//! How the crate is laid out: what no compiler tells.

mod imports;
mod sources;
mod words;
