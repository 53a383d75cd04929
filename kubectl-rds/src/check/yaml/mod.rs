//! YAML as kubectl reads it, with the place of every value.
//!
//! The syntax is read by `libyaml-safer`, which tells where each event stands. What plain words mean (`yes`, `012`, `12.10`), and what
//! merge keys do, is kubectl's business: [`scalar`] and [`load`] follow `sigs.k8s.io/yaml`, and a test holds them to its answers.

pub(super) mod load;
pub(super) mod locate;
pub(super) mod node;
mod scalar;
pub(super) mod split;
