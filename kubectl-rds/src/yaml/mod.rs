//! YAML as kubectl reads it, with the place of every value.
//!
//! The syntax is read by `libyaml-safer`, which tells where each event stands. What plain words mean (`yes`, `012`, `12.10`), and what
//! merge keys do, is kubectl's business: [`scalar`] and [`load`] follow `sigs.k8s.io/yaml`, and a test holds them to its answers.

mod load;
mod locate;
mod node;
mod scalar;
mod split;

pub(crate) use load::{Document, Mistake, load};
pub(crate) use locate::{Aim, locate};
#[cfg(test)]
pub(crate) use node::Position;
pub(crate) use node::{Node, Span, Value};
pub(crate) use split::{separators, split};
