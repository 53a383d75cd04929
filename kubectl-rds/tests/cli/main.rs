//! The real binary, as pipelines run it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod golden;
mod inputs;
mod objects;
mod program;
mod specs;
mod spellings;
